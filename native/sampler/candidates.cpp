#include "candidates.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace sluice::sampler {

using simd::blockSize;

namespace {

constexpr float minusInfinity = -std::numeric_limits<float>::infinity();

} // namespace

Candidates::Candidates(int32_t vocabSize)
    : logits_(static_cast<size_t>(vocabSize) + blockSize),
      tokens_(static_cast<size_t>(vocabSize) + blockSize) {
    static_assert(blockSize >= simd::storeSlack);
}

void Candidates::collect(const Row &row, float threshold) {
    const float finite = std::max(threshold, std::numeric_limits<float>::lowest());
    size_ = row.kernels().collect(row.view(), row.maxima(), finite, logits_.data(), tokens_.data());
}

void Candidates::keepTopK(int32_t k) {
    if (k >= size_) return;
    order_.assign(logits_.begin(), logits_.begin() + size_);
    std::nth_element(order_.begin(), order_.begin() + k - 1, order_.end(), std::greater<>());
    const float kth = order_[k - 1];
    const auto above = std::count_if(order_.begin(), order_.begin() + k, [kth](float x) { return x > kth; });
    keepCut({kth, k - static_cast<int32_t>(above)});
}

double Candidates::mass(float reference, const simd::Kernels &kernels) {
    const simd::BlockView blocks = view();
    order_.resize(static_cast<size_t>(blocks.blocks));
    kernels.blockSums(blocks, reference, 1, order_.data());
    double sum = 0;
    for (const float block : order_)
        sum += static_cast<double>(block);
    return sum;
}

void Candidates::keepMass(double mass, float reference, const simd::Kernels &kernels) {
    if (size_ == 0) return;
    const simd::BlockView blocks = view();
    weighted_.resize(static_cast<size_t>(blocks.blocks) * blockSize);
    float weights[blockSize];
    for (int32_t b = 0; b < blocks.blocks; b++) {
        kernels.blockWeights(blocks.at(b), reference, 1, weights);
        for (int32_t i = 0; i < blockSize; i++)
            weighted_[b * blockSize + i] = {blocks.at(b)[i], weights[i]};
    }
    weighted_.resize(size_);
    keepCut(cutAtMass(mass));
}

// Quickselect by weight: partitions around a pivot and goes on in the part that holds the border.
Candidates::Cut Candidates::cutAtMass(double mass) {
    auto begin = weighted_.begin();
    auto end = weighted_.end();
    while (true) {
        const auto count = end - begin;
        const float a = begin->logit;
        const float b = begin[count / 2].logit;
        const float c = begin[count - 1].logit;
        const float pivot = std::max(std::min(a, b), std::min(std::max(a, b), c));
        const auto equal = std::partition(begin, end, [pivot](const Weighted &w) { return w.logit > pivot; });
        const auto below =
            std::partition(equal, end, [pivot](const Weighted &w) { return w.logit == pivot; });
        double above = 0;
        for (auto w = begin; w != equal; ++w)
            above += static_cast<double>(w->weight);
        if (above >= mass && equal != begin) {
            end = equal;
            continue;
        }
        const double weight = static_cast<double>(equal->weight);
        const auto ties = static_cast<int32_t>(below - equal);
        const double rest = mass - above;
        if (rest <= weight * ties || below == end) {
            const double needed = weight > 0 ? std::ceil(rest / weight) : ties;
            return {pivot, static_cast<int32_t>(std::clamp(needed, 1.0, static_cast<double>(ties)))};
        }
        mass = rest - weight * ties;
        begin = below;
    }
}

void Candidates::keepCut(Cut cut) {
    int32_t kept = 0;
    for (int32_t i = 0; i < size_; i++) {
        const float x = logits_[i];
        if (x < cut.logit || (x == cut.logit && cut.ties-- <= 0)) continue;
        logits_[kept] = x;
        tokens_[kept++] = tokens_[i];
    }
    size_ = kept;
}

void Candidates::keepAbove(float threshold) {
    keepCut({threshold, size_});
}

void Candidates::keepFlagged(const std::vector<uint8_t> &flags) {
    int32_t kept = 0;
    for (int32_t i = 0; i < size_; i++) {
        if (!flags[i]) continue;
        logits_[kept] = logits_[i];
        tokens_[kept++] = tokens_[i];
    }
    size_ = kept;
}

float Candidates::max() const {
    return size_ == 0 ? minusInfinity : *std::max_element(logits_.begin(), logits_.begin() + size_);
}

int32_t Candidates::best() const {
    return static_cast<int32_t>(std::max_element(logits_.begin(), logits_.begin() + size_) - logits_.begin());
}

void Candidates::ban(int32_t index) {
    logits_[index] = minusInfinity;
}

simd::BlockView Candidates::view() {
    const int32_t blocks = (size_ + blockSize - 1) / blockSize;
    std::fill(logits_.begin() + size_, logits_.begin() + blocks * blockSize, minusInfinity);
    return {logits_.data(), nullptr, nullptr, blocks};
}

} // namespace sluice::sampler
