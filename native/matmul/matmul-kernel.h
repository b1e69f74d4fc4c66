#pragma once

// Products of packed weights and quantised activations.

#include <cstddef>
#include <cstdint>

#include "packed-weights.h"

namespace sluice::matmul {

// A row of activations as the kernels read it, in blocks of 32: quants of 8 bits with a scale each, and what
// the weights' offsets and minima are multiplied by. Planes in this order, all of `columns` / 32 entries but
// the first.
struct ActivationRow {
    const int8_t *quants;      // `columns` of them
    const float *scales;       // the largest magnitude / 127
    const float *sums;         // scale * sum of the block's quants
    const int32_t *biases;     // -128 * sum of the block's quants
    const int32_t *biasesHigh; // of these, the share of the block's second half

    ActivationRow(const uint8_t *row, int32_t columns)
        : quants(reinterpret_cast<const int8_t *>(row)),
          scales(reinterpret_cast<const float *>(row + columns)), sums(scales + columns / blockInputs),
          biases(reinterpret_cast<const int32_t *>(sums + columns / blockInputs)),
          biasesHigh(biases + columns / blockInputs) {}
};

constexpr size_t activationRowBytes(size_t columns) {
    return columns + columns / blockInputs * 16;
}

struct Kernel {
    const char *name;
    // `columns` floats into one ActivationRow.
    void (*quantize)(const float *x, int32_t columns, uint8_t *row);
    // out[r * outStride + n] = weights' row n times activations' row r, for the rows of the panels
    // [panelBegin, panelEnd). A row's result doesn't depend on the rows beside it.
    void (*multiply)(const PackedWeights &weights, int32_t panelBegin, int32_t panelEnd,
                     const uint8_t *activations, int32_t rows, float *out, size_t outStride);
    // out[i] = GELU(gate[i]) * up[i], GELU by its approximation with tanh.
    void (*geglu)(const float *gate, const float *up, int64_t count, float *out);
    // out[i] = weights[i] * x[i] / sqrt(the mean of x's squares + epsilon), for one row.
    void (*norm)(const float *x, const float *weights, int32_t columns, float epsilon, float *out);
};

// The best kernel this CPU runs; null where ggml's own are as good.
const Kernel *usableKernel();

#if defined(__x86_64__)
extern const Kernel avx512VnniKernel;
#endif

} // namespace sluice::matmul
