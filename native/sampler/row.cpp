#include "row.h"

#include <algorithm>
#include <functional>
#include <limits>

namespace sluice::sampler {

using simd::blockSize;

namespace {

constexpr float minusInfinity = -std::numeric_limits<float>::infinity();

int32_t blocksFor(int32_t count) {
    return (count + blockSize - 1) / blockSize;
}

} // namespace

Row::Row(const simd::Kernels &kernels, int32_t vocabSize)
    : kernels_(kernels), vocabSize_(vocabSize), blocks_(blocksFor(vocabSize)),
      maxima_(static_cast<size_t>(blocksFor(blocks_)) * blockSize, minusInfinity),
      groupMaxima_(blocksFor(blocks_)), slots_(blocks_, -1) {
    order_.reserve(blocks_);
}

void Row::load(const float *logits) {
    for (const int32_t block : shadowBlocks_)
        slots_[block] = -1;
    shadowBlocks_.clear();
    shadow_.clear();
    logits_ = logits;
    changed_ = false;
    const int32_t whole = vocabSize_ / blockSize;
    kernels_.blockMax(logits, whole, maxima_.data());
    if (whole < blocks_) shadowOf(whole);
    refresh();
}

int32_t Row::shadowOf(int32_t block) {
    if (slots_[block] >= 0) return slots_[block];
    const int32_t slot = static_cast<int32_t>(shadowBlocks_.size());
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
    kernels_.blockMax(maxima_.data(), static_cast<int32_t>(groupMaxima_.size()), groupMaxima_.data());
    max_ = *std::max_element(groupMaxima_.begin(), groupMaxima_.end());
}

float Row::at(int32_t token) const {
    return view().at(token / blockSize)[token % blockSize];
}

int32_t Row::argmax() const {
    const auto block =
        static_cast<int32_t>(std::find(maxima_.begin(), maxima_.end(), max_) - maxima_.begin());
    const float *values = view().at(block);
    return block * blockSize + static_cast<int32_t>(std::find(values, values + blockSize, max_) - values);
}

// Each of `count` disjoint sets with a maximum ≥ t holds a logit ≥ t. So the count-th largest maximum will
// do: first that of the coarse groups, which cheaply leaves few blocks to look at.
float Row::thresholdFor(int32_t count) {
    if (count > blocks_) return minusInfinity;
    float atLeast = minusInfinity;
    const auto groups = static_cast<int32_t>(groupMaxima_.size());
    if (count <= groups) {
        order_.assign(groupMaxima_.begin(), groupMaxima_.end());
        std::nth_element(order_.begin(), order_.begin() + count - 1, order_.end(), std::greater<>());
        atLeast = order_[count - 1];
    }
    order_.clear();
    for (int32_t g = 0; g < groups; g++) {
        if (groupMaxima_[g] < atLeast) continue;
        const int32_t first = g * blockSize;
        const int32_t last = std::min(first + blockSize, blocks_);
        for (int32_t b = first; b < last; b++)
            if (maxima_[b] >= atLeast) order_.push_back(maxima_[b]);
    }
    std::nth_element(order_.begin(), order_.begin() + count - 1, order_.end(), std::greater<>());
    return order_[count - 1];
}

} // namespace sluice::sampler
