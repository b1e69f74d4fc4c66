#pragma once

#include "chooser.h"
#include "grammar.h"
#include "penalties.h"
#include "sampler.h"

#include <cstdint>
#include <memory>

namespace sluice::sampler {

struct Sampler::State {
    State(const Params &params, const Vocab &vocab, const int32_t *history, size_t historyCount,
          size_t generated);

    /** Writes bias, ban and penalties into the row. */
    void apply(Row &row) const;

    /** Chooses a token; -1 if there is none. May throw out of libllama. */
    int32_t choose(Row &row, Chooser &chooser);

    /** Advances past a token chosen. */
    void accept(int32_t token);

    const Vocab &vocab;
    ChoiceParams choice;
    uint32_t seed;
    uint64_t generated;
    std::vector<LogitBias> logitBias;
    bool ignoreEos;
    int32_t topLogprobs;
    Penalties penalties;
    std::unique_ptr<Grammar> grammar;
};

} // namespace sluice::sampler
