#pragma once

#include "simd.h"

#include <cstdint>
#include <vector>

namespace sluice::sampler {

/**
 * One row of logits: block maxima, and changes kept beside it. A changed block is copied first, so the row
 * itself, which other rows of the call may share, is never written. Buffers are reused from row to row.
 */
class Row {
public:
    Row(const simd::Kernels &kernels, int32_t vocabSize);

    /** Starts a row; `logits` [vocabSize] must stay valid while it is used. O(vocabSize). */
    void load(const float *logits);

    /** The changeable logit of a token. Call refresh() after the last change. */
    float &change(int32_t token);

    /** Brings the maxima up to date after changes. O(changed blocks + vocabSize / 4096). */
    void refresh();

    bool changed() const { return changed_; }
    float max() const { return max_; } // -inf: nothing can be chosen
    int32_t vocabSize() const { return vocabSize_; }
    float at(int32_t token) const;
    simd::BlockView view() const { return {logits_, shadow_.data(), slots_.data(), blocks_}; }
    const float *maxima() const { return maxima_.data(); }

    /** Lowest token whose logit is max(). Undefined where max() is -inf. */
    int32_t argmax() const;

    /** A value that at least `count` logits reach, and not many more. -inf if that asks for too much of the
     * row. */
    float thresholdFor(int32_t count);

    const simd::Kernels &kernels() const { return kernels_; }

private:
    int32_t shadowOf(int32_t block);

    const simd::Kernels &kernels_;
    const int32_t vocabSize_;
    const int32_t blocks_;
    const float *logits_ = nullptr;
    bool changed_ = false;
    float max_ = 0;
    std::vector<float> maxima_;      // [blocks], padded with -inf to a multiple of blockSize
    std::vector<float> groupMaxima_; // [blocks / blockSize], rounded up
    std::vector<int32_t> slots_;     // [blocks] see BlockView
    std::vector<float> shadow_;      // [shadowBlocks_.size() × blockSize]
    std::vector<int32_t> shadowBlocks_;
    std::vector<float> order_; // scratch of thresholdFor
};

} // namespace sluice::sampler
