#pragma once

#include "distribution.h"
#include "simd.h"

#include <cstdint>
#include <vector>

namespace sluice::sampler {

/**
 * One row of logits: its block maxima, its distribution, and changes kept beside it. A changed block is
 * copied first, so that the row itself, which other rows of the call may share, is never written. Buffers are
 * reused from row to row.
 */
class Row {
public:
    Row(const simd::Kernels &kernels, int32_t vocabSize);

    /**
     * Starts a row; `logits` [vocabSize] must stay valid while it is used. A `scale` above 0 prepares
     * distribution(scale) in the same pass. O(vocabSize).
     */
    void load(const float *logits, float scale);

    /** The changeable logit of a token. Call refresh() after the last change. */
    float &change(int32_t token);

    /** Brings maxima and distribution up to date after changes. O(changed blocks + vocabSize / blockSize). */
    void refresh();

    /** Makes a token impossible. max() may be too great afterwards, until refresh(). */
    void ban(int32_t token);

    bool changed() const { return changed_; }
    float max() const { return max_; } // -inf: nothing can be chosen
    int32_t vocabSize() const { return vocabSize_; }
    float at(int32_t token) const;
    simd::BlockView view() const { return {logits_, shadow_.data(), slots_.data(), blocks_}; }
    const float *maxima() const { return maxima_.data(); }
    const simd::Kernels &kernels() const { return kernels_; }

    /** The distribution at temperature 1 / scale; max() must be finite. Free if load() prepared it. */
    const Distribution &distribution(float scale);

    /** Lowest token whose logit is max(). Undefined where max() is -inf. */
    int32_t argmax() const;

    /** A value that at least `count` logits reach, and not many more. -inf if that asks for too much of the
     * row. */
    float thresholdFor(int32_t count);

private:
    int32_t shadowOf(int32_t block);
    float guessMax() const;

    const simd::Kernels &kernels_;
    const int32_t vocabSize_;
    const int32_t blocks_;
    const float *logits_ = nullptr;
    bool changed_ = false;
    float max_ = 0;
    std::vector<float> maxima_;      // [blocks_], filled up with -inf to whole groups
    std::vector<float> groupMaxima_; // of groupSize blocks each
    std::vector<int32_t> slots_;     // [blocks_] see BlockView
    std::vector<float> shadow_;      // [shadowBlocks_.size() × blockSize]
    std::vector<int32_t> shadowBlocks_;
    Distribution distribution_;
    bool hasDistribution_ = false; // distribution_ is that of the row
    std::vector<float> order_;     // scratch of thresholdFor
};

} // namespace sluice::sampler
