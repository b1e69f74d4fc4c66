#include "distribution.h"

namespace sluice::sampler {

using simd::blockSize;

void Distribution::build(const simd::BlockView &view, float reference, float scale) {
    reference_ = reference;
    scale_ = scale;
    const size_t groups = (static_cast<size_t>(view.blocks) + blockSize - 1) / blockSize;
    groupSums_.resize(groups);
    blockSums_.resize(groups * blockSize);
    kernels_.blockSums(view, reference, scale, blockSums_.data());
    for (size_t b = view.blocks; b < blockSums_.size(); b++)
        blockSums_[b] = 0;
    for (size_t group = 0; group < groups; group++)
        sumGroup(group);
    sumTotal();
}

void Distribution::update(const simd::BlockView &view, int32_t block) {
    const simd::BlockView one{view.at(block), nullptr, nullptr, 1};
    kernels_.blockSums(one, reference_, scale_, &blockSums_[block]);
    sumGroup(block / blockSize);
    sumTotal();
}

void Distribution::sumGroup(size_t group) {
    const float *sums = blockSums_.data() + group * blockSize;
    double parts[4] = {}; // four chains of additions instead of one
    for (int32_t i = 0; i < blockSize; i += 4)
        for (int32_t j = 0; j < 4; j++)
            parts[j] += static_cast<double>(sums[i + j]);
    groupSums_[group] = (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

void Distribution::sumTotal() {
    total_ = 0;
    for (const double sum : groupSums_)
        total_ += sum;
}

namespace {

/**
 * Moves `rest` past the sums that lie before it; returns where it falls. Rounding can leave it just behind
 * the last sum: then the last one above 0 counts.
 */
template <class T> int32_t find(const T *sums, size_t count, double &rest) {
    int32_t last = -1;
    double lastRest = 0;
    for (size_t i = 0; i < count; i++) {
        const double sum = static_cast<double>(sums[i]);
        if (!(sum > 0)) continue;
        if (rest < sum) return static_cast<int32_t>(i);
        last = static_cast<int32_t>(i);
        lastRest = sum;
        rest -= sum;
    }
    rest = lastRest;
    return last;
}

} // namespace

int32_t Distribution::draw(const simd::BlockView &view, double u) const {
    double rest = u * total_;
    const int32_t group = find(groupSums_.data(), groupSums_.size(), rest);
    if (group < 0) return -1;
    const int32_t inGroup = find(blockSums_.data() + group * blockSize, blockSize, rest);
    if (inGroup < 0) return -1;
    const int32_t block = group * blockSize + inGroup;
    float weights[blockSize];
    kernels_.blockWeights(view.at(block), reference_, scale_, weights);
    const int32_t inBlock = find(weights, blockSize, rest);
    return inBlock < 0 ? -1 : block * blockSize + inBlock;
}

} // namespace sluice::sampler
