#pragma once

#include "sampler/sampler.h"

#include <cstdint>
#include <vector>

/** The sampler as its documentation defines it: double precision, everything sorted, no cleverness. */
namespace reference {

using sluice::sampler::Params;
using sluice::sampler::Vocab;

using Logits = std::vector<float>;
using Tokens = std::vector<int32_t>;

/** Logits after bias, ban and penalties. */
Logits changed(const Logits &logits, const Params &params, const Vocab &vocab, const Tokens &history);

/** Probability of each token after truncation and temperature; the greedy choice has 1. */
std::vector<double> probabilities(const Logits &changed, const Params &params);

/** Log-softmax at temperature 1. */
std::vector<double> logprobs(const Logits &logits);

/** Tokens by descending logit, equal ones by ascending id; NaN and -inf left out. */
Tokens sorted(const Logits &logits);

} // namespace reference
