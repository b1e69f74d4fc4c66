#pragma once

// Attention of one item for one key/value head, at each SIMD level. Pure: no ggml, no threads.

#include "paged-plan.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::paged {

enum class CellType { f16, bf16, q8_0, f32 }; // f32: cells that a kernel has widened, none of a pool

// Keys or values of one layer's pool. Head h of cell c begins at data + c * cellStride + h * headStride.
struct Cells {
    const char *data;
    size_t cellStride; // bytes
    size_t headStride; // bytes
    int32_t headSize;  // elements, a multiple of 16 (32 for q8_0)
    CellType type;

    // Bytes of one head of one cell. A q8_0 block: 32 elements, an F16 scale and 32 int8.
    size_t headBytes() const {
        return type == CellType::q8_0 ? headSize / 32 * 34 : headSize * sizeof(uint16_t);
    }
};

struct Layer {
    const float *q;      // row of token t, head h at q + t * qTokenStride + h * qHeadStride
    size_t qTokenStride; // floats
    size_t qHeadStride;
    Cells k;
    Cells v;
    float *out;    // [tokens][heads][v.headSize]
    int32_t heads; // a multiple of kvHeads
    int32_t kvHeads;
    int32_t pageSize;
    float scale;
    float softcap;      // scores become softcap * tanh(score / softcap); 0: off
    float maxBias;      // ALiBi's largest slope is 2^(-maxBias / heads'), see slopeOf(); 0: off
    const float *sinks; // [heads] a score without a value; null: none

    int32_t rowsPerToken() const { return heads / kvHeads; }
    float slopeOf(int32_t head) const;
};

// Unnormalised results of the shares that have a slot.
struct Partials {
    float *values; // [slots][heads][v.headSize]
    float *states; // [slots][heads][2]: largest score, sum of exp(score - largest)
};

struct Kernel {
    const char *name;
    size_t (*scratchFloats)(const Layer &layer);
    // Scratch is 64-byte aligned.
    void (*attend)(const Layer &layer, const Item &item, const Share *shares, int32_t kvHead, float *scratch,
                   const Partials &partials);
    // Makes a token's result from all its partial ones, for the query heads of one key/value head.
    void (*merge)(const Layer &layer, const Plan &plan, int32_t token, int32_t kvHead,
                  const Partials &partials);
};

// Those this machine can run, the fastest first; never empty.
const std::vector<const Kernel *> &usableKernels();

extern const Kernel portableKernel;
#if defined(__x86_64__)
extern const Kernel avx2Kernel;
extern const Kernel avx512Kernel;
#endif

} // namespace sluice::paged
