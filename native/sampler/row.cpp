#include "row.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace sluice::sampler {

using simd::blockSize;

namespace {

constexpr float minusInfinity = -std::numeric_limits<float>::infinity();
constexpr int32_t groupSize = 16;
constexpr int32_t guessBlocks = 16;

int32_t wholes(int32_t count, int32_t size) {
    return (count + size - 1) / size;
}

} // namespace

Row::Row(const simd::Kernels &kernels, int32_t vocabSize)
    : kernels_(kernels), vocabSize_(vocabSize), blocks_(wholes(vocabSize, blockSize)),
      maxima_(static_cast<size_t>(wholes(blocks_, groupSize)) * groupSize, minusInfinity),
      groupMaxima_(static_cast<size_t>(wholes(blocks_, groupSize))), slots_(static_cast<size_t>(blocks_), -1),
      distribution_(kernels) {
    order_.reserve(static_cast<size_t>(blocks_));
}

void Row::load(const float *logits, float scale) {
    for (const int32_t block : shadowBlocks_)
        slots_[block] = -1;
    shadowBlocks_.clear();
    shadow_.clear();
    logits_ = logits;
    changed_ = false;
    const int32_t whole = vocabSize_ / blockSize;
    const float guess = scale > 0 ? guessMax() : minusInfinity;
    hasDistribution_ = std::isfinite(guess);
    if (hasDistribution_) {
        distribution_.begin(blocks_, guess, scale);
        kernels_.blockStats(logits, whole, guess, scale, maxima_.data(), distribution_.blockSums());
    } else {
        kernels_.blockMax(logits, whole, maxima_.data());
    }
    if (whole < blocks_) shadowOf(whole); // filled up with -inf, so that kernels see whole blocks only
    refresh();
}

// Sums of exponentials need a reference near the maximum before that is known: a sample's will nearly always
// do.
float Row::guessMax() const {
    const int32_t whole = vocabSize_ / blockSize;
    const int32_t count = std::min(whole, guessBlocks);
    float guess = minusInfinity;
    for (int32_t i = 0; i < count; i++) {
        float maximum;
        kernels_.blockMax(logits_ + int64_t{whole} * i / count * blockSize, 1, &maximum);
        guess = std::max(guess, maximum);
    }
    return guess;
}

int32_t Row::shadowOf(int32_t block) {
    if (slots_[block] >= 0) return slots_[block];
    const auto slot = static_cast<int32_t>(shadowBlocks_.size());
    const int32_t first = block * blockSize;
    const int32_t last = std::min(first + blockSize, vocabSize_);
    shadow_.insert(shadow_.end(), logits_ + first, logits_ + last);
    shadow_.resize(static_cast<size_t>(slot + 1) * blockSize, minusInfinity);
    shadowBlocks_.push_back(block);
    slots_[block] = slot;
    return slot;
}

float &Row::change(int32_t token) {
    changed_ = true;
    return shadow_[static_cast<size_t>(shadowOf(token / blockSize)) * blockSize + token % blockSize];
}

void Row::refresh() {
    for (size_t slot = 0; slot < shadowBlocks_.size(); slot++)
        kernels_.blockMax(shadow_.data() + slot * blockSize, 1, &maxima_[shadowBlocks_[slot]]);
    for (size_t group = 0; group < groupMaxima_.size(); group++) {
        const auto first = maxima_.begin() + static_cast<std::ptrdiff_t>(group * groupSize);
        groupMaxima_[group] = *std::max_element(first, first + groupSize);
    }
    max_ = *std::max_element(groupMaxima_.begin(), groupMaxima_.end());
    if (!hasDistribution_) return;

    const float distance = std::abs(max_ - distribution_.reference()) * distribution_.scale();
    hasDistribution_ = distance <= simd::exponentMax; // else its sums overflow or vanish
    if (!hasDistribution_) return;
    for (const int32_t block : shadowBlocks_) {
        const simd::BlockView one{view().at(block), nullptr, nullptr, 1};
        kernels_.blockSums(one, distribution_.reference(), distribution_.scale(),
                           distribution_.blockSums() + block);
    }
    distribution_.sumUp();
}

void Row::ban(int32_t token) {
    change(token) = minusInfinity;
    const int32_t block = token / blockSize;
    kernels_.blockMax(view().at(block), 1, &maxima_[block]);
    if (!hasDistribution_) return;
    distribution_.update(view(), block);
    if (distribution_.isFaint()) { // what is left needs a reference of its own
        hasDistribution_ = false;
        refresh();
    }
}

float Row::at(int32_t token) const {
    return view().at(token / blockSize)[token % blockSize];
}

const Distribution &Row::distribution(float scale) {
    if (!hasDistribution_ || distribution_.scale() != scale) distribution_.build(view(), max_, scale);
    hasDistribution_ = true;
    return distribution_;
}

int32_t Row::argmax() const {
    const auto block =
        static_cast<int32_t>(std::find(maxima_.begin(), maxima_.end(), max_) - maxima_.begin());
    const float *values = view().at(block);
    return block * blockSize + static_cast<int32_t>(std::find(values, values + blockSize, max_) - values);
}

// Each of `count` disjoint sets with a maximum ≥ t holds a logit ≥ t, so the count-th greatest maximum will
// do: first that of the coarse groups, which cheaply leaves few blocks to look at.
float Row::thresholdFor(int32_t count) {
    if (count > blocks_) return minusInfinity;
    const auto groups = static_cast<int32_t>(groupMaxima_.size());
    float atLeast = minusInfinity;
    if (count <= groups) {
        order_.assign(groupMaxima_.begin(), groupMaxima_.end());
        std::nth_element(order_.begin(), order_.begin() + count - 1, order_.end(), std::greater<>());
        atLeast = order_[count - 1];
    }
    order_.clear();
    for (int32_t group = 0; group < groups; group++) {
        if (groupMaxima_[group] < atLeast) continue;
        const int32_t first = group * groupSize;
        const int32_t last = std::min(first + groupSize, blocks_);
        for (int32_t b = first; b < last; b++)
            if (maxima_[b] >= atLeast) order_.push_back(maxima_[b]);
    }
    std::nth_element(order_.begin(), order_.begin() + count - 1, order_.end(), std::greater<>());
    return order_[count - 1];
}

} // namespace sluice::sampler
