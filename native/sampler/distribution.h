#pragma once

#include "simd.h"

#include <cstdint>
#include <vector>

namespace sluice::sampler {

/**
 * Probabilities proportional to exp((x - reference) · scale) over the entries of a view, kept as sums of
 * blocks and of groups of blocks. Entries of -inf are never drawn.
 */
class Distribution {
public:
    explicit Distribution(const simd::Kernels &kernels) : kernels_(kernels) {}

    /** Starts anew; blockSums() [blocks] is then to be filled and sumUp() called. */
    void begin(int32_t blocks, float reference, float scale);
    float *blockSums() { return blockSums_.data(); }
    void sumUp();

    /** All of that. `reference` is finite, and no entry exceeds it by more than simd::exponentMax / scale.
     * O(entries). */
    void build(const simd::BlockView &view, float reference, float scale);

    /** Takes a change in one block of the view into account. */
    void update(const simd::BlockView &view, int32_t block);

    float reference() const { return reference_; }
    float scale() const { return scale_; }
    double total() const { return total_; } // Σ exp((x - reference) · scale)

    /** Whether so little is left after updates that it has lost precision. */
    bool isFaint() const { return total_ < 1e-26; } // near exp(-simd::exponentMax)

    /** The entry at which the running sum passes u · total(), u in (0, 1); -1 where the total is 0. */
    int32_t draw(const simd::BlockView &view, double u) const;

private:
    void sumGroup(int32_t group);
    void sumTotal();

    const simd::Kernels &kernels_;
    float reference_ = 0;
    float scale_ = 0;
    double total_ = 0;
    std::vector<float> blockSums_;  // filled up with 0 to whole groups
    std::vector<double> groupSums_; // of groupSize blocks each
};

} // namespace sluice::sampler
