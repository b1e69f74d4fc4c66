#pragma once

#include "sampler.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sluice::sampler {

/** What may come next. Implementations may throw; the object is then unusable. */
class Grammar {
public:
    virtual ~Grammar() = default;

    /** Advances past the token if the grammar allows it; returns false, and changes nothing, if it doesn't.
     */
    virtual bool take(int32_t token) = 0;

    /** allowed[i] = whether tokens[i] may come next. Costs microseconds a token: ask about few. */
    virtual void filter(const int32_t *tokens, size_t count, std::vector<uint8_t> &allowed) = 0;
};

/** The grammar of `params` through libllama; null if it has none. Throws SamplerError. */
std::unique_ptr<Grammar> makeGrammar(const Params &params, const Vocab &vocab);

} // namespace sluice::sampler
