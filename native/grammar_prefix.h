#pragma once

#include <string>
#include <vector>

#include "model.h"

namespace sluice {

/**
 * Grammars that libllama-common makes for a chat start at the generation prompt ("<|im_start|>assistant\n"),
 * which the prompt already ends with. That text travels with the grammar, as a comment on its first line, so
 * that every holder of a grammar passes it on unawares; the sampler advances the grammar by it before the
 * first token.
 */
std::string withGrammarPrefix(const std::string &grammar, const std::string &prefix);

/** The tokens of the prefix; none where the grammar has no such line. Throws GRAMMAR_INVALID. */
std::vector<llama_token> grammarPrefixTokens(const Model &model, const std::string &grammar);

} // namespace sluice
