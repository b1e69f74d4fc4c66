#pragma once

#include "row.h"

#include <cstdint>
#include <vector>

namespace sluice::sampler {

/** The best part of a row: logits with their tokens, ascending by token. */
class Candidates {
public:
    explicit Candidates(int32_t vocabSize);

    /** Takes every token whose logit is ≥ threshold and above -inf. */
    void collect(const Row &row, float threshold);

    /** Keeps the k best; of equal logits at the border, those with the lowest tokens. O(size). */
    void keepTopK(int32_t k);

    /**
     * Keeps the smallest set of best tokens whose Σ exp(logit - reference) reaches `mass`, at least one; all
     * of them if they don't reach it. Ties as in keepTopK. No logit may exceed the reference. O(size) on
     * average.
     */
    void keepMass(double mass, float reference, const simd::Kernels &kernels);

    /** Σ exp(logit - reference). */
    double mass(float reference, const simd::Kernels &kernels);

    /** Keeps logits ≥ threshold. */
    void keepAbove(float threshold);

    /** Keeps those whose flag is set. */
    void keepFlagged(const std::vector<uint8_t> &flags);

    int32_t size() const { return size_; }
    const int32_t *tokens() const { return tokens_.data(); }
    const float *logits() const { return logits_.data(); }
    float max() const;    // -inf when empty
    int32_t best() const; // index of the greatest logit, the lowest token among equals; size() > 0
    void ban(int32_t index);

    /** As a row of blocks, the last filled up with -inf; indices are those of this list. */
    simd::BlockView view();

private:
    struct Weighted {
        float logit;
        float weight;
    };
    struct Cut {
        float logit;  // everything above it stays,
        int32_t ties; // and so many of those equal to it
    };

    Cut cutAtMass(double mass);
    void keepCut(Cut cut);

    std::vector<float> logits_;
    std::vector<int32_t> tokens_;
    int32_t size_ = 0;
    std::vector<float> order_;       // scratch of keepTopK and mass
    std::vector<Weighted> weighted_; // scratch of keepMass
};

} // namespace sluice::sampler
