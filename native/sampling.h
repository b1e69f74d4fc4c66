#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "context.h"
#include "sampler/sampler.h"

namespace sluice {

/** SampleResult of src/native/types.ts: the caller's arrays, each large enough for the rows of one call. */
struct SampleTarget {
    int32_t *tokens;
    float *logprobs;
    uint8_t *topCounts;
    int32_t *topTokens;
    float *topLogprobs;
};

/** The samplers of a context's sequences, over its logits. One thread at a time. */
class Sampling {
public:
    explicit Sampling(const Context &context);

    void set(int32_t sequence, const sampler::Params &params, const int32_t *history, size_t historyCount,
             size_t generated);
    void clear(int32_t sequence);

    /** Chooses and accepts a token a row; −1 where none can be chosen (all banned, or the grammar allows
     * none). */
    void sample(size_t count, const int32_t *outputs, const int32_t *sequences, const SampleTarget &target);

    /** Log-probabilities of given tokens with `top` alternatives. */
    void score(size_t count, const int32_t *outputs, const int32_t *tokens, int32_t top,
               const SampleTarget &target);

private:
    std::optional<sampler::Sampler> &slot(int32_t sequence);

    const Context &context_;
    sampler::Vocab vocab_;
    sampler::SamplerPool pool_;
    std::vector<std::optional<sampler::Sampler>> samplers_; // by sequence
    std::vector<uint32_t> lastUse_;                         // by sequence: the call that last sampled it
    uint32_t calls_ = 0;
    std::vector<sampler::SampleRow> sampleRows_;
    std::vector<sampler::ScoreRow> scoreRows_;
};

} // namespace sluice
