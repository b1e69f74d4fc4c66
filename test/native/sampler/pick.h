#pragma once

#include "sampler/sampler.h"

#include <array>
#include <vector>

/** A sampled row with room for its log-probabilities. */
struct Pick : sluice::sampler::SampleRow {
    std::array<int32_t, sluice::sampler::maxTopLogprobs> topTokens{};
    std::array<float, sluice::sampler::maxTopLogprobs> topLogprobs{};
};

/** Samples one row alone. The pointers of the result's `logprobs` are gone. */
inline Pick pick(sluice::sampler::SamplerPool &pool, sluice::sampler::Sampler &sampler,
                 const std::vector<float> &logits) {
    Pick out;
    out.logits = logits.data();
    out.sampler = &sampler;
    out.logprobs.topTokens = out.topTokens.data();
    out.logprobs.topLogprobs = out.topLogprobs.data();
    pool.sample(&out, 1);
    out.logprobs.topTokens = nullptr;
    out.logprobs.topLogprobs = nullptr;
    return out;
}
