#pragma once

// The attention as a node of ggml's graph.

#include <cstdint>

struct ggml_context;
struct ggml_tensor;

namespace sluice::paged {

class Attention;

// One call of llama.cpp's build_attn_mha. Shapes: q [size, heads, tokens], k and v [size, kvHeads, cells,
// streams].
struct AttentionCall {
    ggml_tensor *q;
    ggml_tensor *k;
    ggml_tensor *v;
    ggml_tensor *bias; // added to scores
    ggml_tensor *mask;
    ggml_tensor *sinks;
    ggml_tensor *mla; // applied to values
    int64_t gather;   // cells per query that a gathering kernel may take; 0: none
    float scale;
    float softcap;
    float maxBias;
};

// Why the kernel can't compute this call; null where it can. Static storage. Depends on nothing that changes
// from ubatch to ubatch.
const char *objectionTo(const AttentionCall &call);

// The node [size * heads, tokens]. The mask is an input only to stay part of the graph: its cells aren't
// read.
ggml_tensor *buildOp(ggml_context *context, Attention &attention, int32_t pageSize,
                     const AttentionCall &call);

} // namespace sluice::paged
