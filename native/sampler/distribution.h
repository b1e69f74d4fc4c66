#pragma once

#include "simd.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::sampler {

/**
 * Probabilities proportional to exp((x - reference) · scale) over the entries of a view, kept as sums of
 * blocks and of blocks of blocks. Entries of -inf are never drawn.
 */
class Distribution {
public:
    explicit Distribution(const simd::Kernels &kernels) : kernels_(kernels) {}

    /** No entry may exceed `reference`, which must be finite. O(entries). */
    void build(const simd::BlockView &view, float reference, float scale);

    /** Takes a change in one block of the view into account. */
    void update(const simd::BlockView &view, int32_t block);

    float scale() const { return scale_; }
    double total() const { return total_; }

    /** The entry where the running sum passes u · total(), u in (0, 1); -1 where the total is 0. */
    int32_t draw(const simd::BlockView &view, double u) const;

private:
    void sumGroup(size_t group);
    void sumTotal();

    const simd::Kernels &kernels_;
    float reference_ = 0;
    float scale_ = 0;
    double total_ = 0;
    std::vector<float> blockSums_;  // filled up with 0 to whole groups
    std::vector<double> groupSums_; // of blockSize blocks each
};

} // namespace sluice::sampler
