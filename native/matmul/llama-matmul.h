#pragma once

// Products of quantised weights by Sluice's own CPU kernels.
//
// ggml multiplies most quantised types one row of weights by one row of activations at a time, or reads them
// in tiles that don't keep the vector units busy. Weights that are packed here are stored a second time, in
// the order in which our kernels read them; the copy lives as long as the model.

#include "llama.h"

#ifdef __cplusplus
extern "C" {
#endif

struct llama_pack_info {
    const char *kernel; // null: nothing was packed
    const char *reason; // why not. Static storage.
    uint32_t tensors;
    size_t bytes; // of the copies
};

// Name of the kernel for this CPU; null where there is none.
LLAMA_API const char *llama_pack_kernel(void);

// What packing would take, and whether this CPU and the place of the weights allow it.
LLAMA_API struct llama_pack_info llama_pack_assess(const struct llama_model *model);

// Packs every weight matrix that lies in the CPU's plain memory and has a type with a kernel. Before the
// model has any context. Throws std::bad_alloc, with the model as it was.
LLAMA_API struct llama_pack_info llama_pack_weights(struct llama_model *model, uint32_t threads);

#ifdef __cplusplus
}
#endif
