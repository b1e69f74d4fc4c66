#include "distribution.h"

#include <algorithm>

namespace sluice::sampler {

using simd::blockSize;

namespace {

constexpr int32_t groupSize = 64;

/**
 * Where `rest` falls among the sums, less those before it. Rounding can leave it just behind the last sum:
 * then the last one above 0 counts.
 */
template <class T> int32_t find(const T *sums, int32_t count, double &rest) {
    int32_t last = -1;
    double lastRest = 0;
    for (int32_t i = 0; i < count; i++) {
        const double sum = static_cast<double>(sums[i]);
        if (!(sum > 0)) continue;
        if (rest < sum) return i;
        last = i;
        lastRest = sum;
        rest -= sum;
    }
    rest = lastRest;
    return last;
}

} // namespace

void Distribution::begin(int32_t blocks, float reference, float scale) {
    reference_ = reference;
    scale_ = scale;
    const int32_t groups = (blocks + groupSize - 1) / groupSize;
    groupSums_.resize(static_cast<size_t>(groups));
    blockSums_.resize(static_cast<size_t>(groups) * groupSize);
    std::fill(blockSums_.begin() + blocks, blockSums_.end(), 0.0f);
}

void Distribution::sumUp() {
    for (int32_t group = 0; group < static_cast<int32_t>(groupSums_.size()); group++)
        sumGroup(group);
    sumTotal();
}

void Distribution::build(const simd::BlockView &view, float reference, float scale) {
    begin(view.blocks, reference, scale);
    kernels_.blockSums(view, reference, scale, blockSums_.data());
    sumUp();
}

void Distribution::update(const simd::BlockView &view, int32_t block) {
    const simd::BlockView one{view.at(block), nullptr, nullptr, 1};
    kernels_.blockSums(one, reference_, scale_, &blockSums_[block]);
    sumGroup(block / groupSize);
    sumTotal();
}

void Distribution::sumGroup(int32_t group) {
    const float *sums = blockSums_.data() + group * groupSize;
    double parts[4] = {}; // four chains of additions instead of one
    for (int32_t i = 0; i < groupSize; i += 4)
        for (int32_t j = 0; j < 4; j++)
            parts[j] += static_cast<double>(sums[i + j]);
    groupSums_[group] = (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

void Distribution::sumTotal() {
    total_ = 0;
    for (const double sum : groupSums_)
        total_ += sum;
}

int32_t Distribution::draw(const simd::BlockView &view, double u) const {
    double rest = u * total_;
    const int32_t group = find(groupSums_.data(), static_cast<int32_t>(groupSums_.size()), rest);
    if (group < 0) return -1;
    const int32_t block = group * groupSize + find(blockSums_.data() + group * groupSize, groupSize, rest);
    float weights[blockSize];
    kernels_.blockWeights(view.at(block), reference_, scale_, weights);
    return block * blockSize + find(weights, blockSize, rest);
}

} // namespace sluice::sampler
