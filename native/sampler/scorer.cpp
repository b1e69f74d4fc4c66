#include "scorer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluice::sampler {

Scorer::Scorer(int32_t vocabSize) : candidates_(vocabSize) {}

void Scorer::scoreTop(Row &row, int32_t top, LogprobRow &out) {
    out.topCount = 0;
    logTotal_ = static_cast<double>(row.max());
    if (std::isinf(row.max())) return;
    const Distribution &all = row.distribution(1);
    logTotal_ = static_cast<double>(all.reference()) + std::log(all.total());
    if (top == 0) return;

    candidates_.collect(row, row.thresholdFor(top));
    const float *logits = candidates_.logits();
    order_.resize(static_cast<size_t>(candidates_.size()));
    std::iota(order_.begin(), order_.end(), 0);
    const auto isBetter = [logits](int32_t a, int32_t b) {
        return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
    };
    const auto count = std::min(top, candidates_.size());
    std::partial_sort(order_.begin(), order_.begin() + count, order_.end(), isBetter);
    for (int32_t i = 0; i < count; i++) {
        out.topTokens[i] = candidates_.tokens()[order_[i]];
        out.topLogprobs[i] = logprob(logits[order_[i]]);
    }
    out.topCount = static_cast<uint8_t>(count);
}

float Scorer::logprob(float logit) const {
    if (logTotal_ == std::numeric_limits<double>::infinity() && std::isinf(logit) && logit > 0) return 0;
    return static_cast<float>(static_cast<double>(logit) - logTotal_);
}

} // namespace sluice::sampler
