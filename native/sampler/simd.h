#pragma once

#include <cstdint>

namespace sluice::sampler::simd {

/** Logits are handled in blocks: small enough to rescan cheaply, large enough that reducing each costs
 * little. */
constexpr int32_t blockSize = 128;

/** Floats beyond its last result that a kernel may overwrite in an output buffer: one vector. */
constexpr int32_t storeSlack = 16;

/** A row as whole blocks, some of which are replaced by changed copies. */
struct BlockView {
    const float *row;
    const float *shadow;  // replaced blocks, blockSize floats each
    const int32_t *slots; // [blocks] index into `shadow`, or -1; null: nothing is replaced
    int32_t blocks;

    const float *at(int32_t block) const {
        const int32_t slot = slots ? slots[block] : -1;
        return slot < 0 ? row + int64_t{block} * blockSize : shadow + int64_t{slot} * blockSize;
    }
};

enum class Level { portable, avx2, avx512 };

/** How far (x - reference) · scale may rise above 0 without an overflow of its exponential or of a block's
 * sum. */
constexpr float exponentMax = 60;

/**
 * NaN counts as -inf in every kernel. exp(x) has a relative error of at most 1.5e-7 + 1.2e-7 · |x|, is
 * exactly 0 for x under -88.1, and mustn't be asked for above exponentMax.
 */
struct Kernels {
    /** maxima[b] = max of block b of `values`. */
    void (*blockMax)(const float *values, int32_t blocks, float *maxima);

    /** The same, and sums[b] = Σ exp((x - reference) · scale) over block b, in one pass. */
    void (*blockStats)(const float *values, int32_t blocks, float reference, float scale, float *maxima,
                       float *sums);

    /** sums[b] alone, of a view. */
    void (*blockSums)(const BlockView &view, float reference, float scale, float *sums);

    /** Σ exp(x - reference) over x > threshold in blocks [begin, end). */
    double (*sumExpAbove)(const BlockView &view, const float *maxima, int32_t begin, int32_t end,
                          float threshold, float reference);

    /** weights[i] = exp((values[i] - reference) · scale) for the blockSize entries of one block. */
    void (*blockWeights)(const float *values, float reference, float scale, float *weights);

    /**
     * Values ≥ threshold with their indices, ascending by index. Returns how many; both outputs need room for
     * that many and storeSlack more.
     */
    int32_t (*collect)(const BlockView &view, const float *maxima, float threshold, float *values,
                       int32_t *ids);
};

bool supported(Level level);

/** The kernels of a level; only call them where supported(level). */
const Kernels &kernels(Level level);

/** The best level this processor runs, or the one forced by setLevel(). */
Level level();

/** For tests and benchmarks: pools made afterwards use this level. */
void setLevel(Level level);

} // namespace sluice::sampler::simd
