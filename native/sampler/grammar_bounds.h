#pragma once

#include <string>

namespace sluice::sampler {

/**
 * Throws SamplerError(grammarInvalid) for a GBNF text that libllama's parser would spend unbounded memory or
 * stack on. Says nothing about its syntax.
 */
void checkGrammarBounds(const std::string &grammar);

} // namespace sluice::sampler
