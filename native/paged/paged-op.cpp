#include "paged-op.h"

#include "ggml.h"
#include "paged-attention.h"
#include "team.h"

#include <cstring>

namespace sluice::paged {

namespace {

// What the node carries beside its tensors. ggml's own parameters of a custom node (function, tasks, user
// data) take the first 24 bytes of op_params.
struct Parameters {
    float scale;
    float softcap;
    float maxBias;
    int32_t pageSize;
};
constexpr size_t parametersOffset = GGML_MAX_OP_PARAMS - sizeof(Parameters);
static_assert(parametersOffset >= 24);

bool isCellType(ggml_type type) {
    return type == GGML_TYPE_F16 || type == GGML_TYPE_BF16 || type == GGML_TYPE_Q8_0;
}

CellType cellTypeOf(const ggml_tensor *tensor) {
    if (tensor->type == GGML_TYPE_F16) return CellType::f16;
    return tensor->type == GGML_TYPE_BF16 ? CellType::bf16 : CellType::q8_0;
}

Cells cellsOf(const ggml_tensor *tensor) {
    return {static_cast<const char *>(tensor->data), tensor->nb[2], tensor->nb[1],
            static_cast<int32_t>(tensor->ne[0]), cellTypeOf(tensor)};
}

Layer layerOf(const ggml_tensor *node) {
    const ggml_tensor *q = node->src[0], *k = node->src[1], *v = node->src[2], *sinks = node->src[4];
    Parameters parameters;
    std::memcpy(&parameters, reinterpret_cast<const char *>(node->op_params) + parametersOffset,
                sizeof(parameters));
    Layer layer = {};
    layer.q = static_cast<const float *>(q->data);
    layer.qTokenStride = q->nb[2] / sizeof(float);
    layer.qHeadStride = q->nb[1] / sizeof(float);
    layer.k = cellsOf(k);
    layer.v = cellsOf(v);
    layer.out = static_cast<float *>(node->data);
    layer.heads = static_cast<int32_t>(q->ne[1]);
    layer.kvHeads = static_cast<int32_t>(k->ne[1]);
    layer.pageSize = parameters.pageSize;
    layer.scale = parameters.scale;
    layer.softcap = parameters.softcap;
    layer.maxBias = parameters.maxBias;
    layer.sinks = sinks ? static_cast<const float *>(sinks->data) : nullptr;
    return layer;
}

void compute(ggml_tensor *node, int thread, int threads, void *attention) {
    auto &run = *static_cast<Attention *>(attention);
    const Layer layer = layerOf(node);
    matmul::Team *team = matmul::Team::current();
    if (!team || threads > 1) return run.run(layer, thread, threads);
    team->run(run.begin(layer, team->threads()),
              [&](int32_t unit, int32_t at) { run.runUnit(layer, unit, at); });
}

} // namespace

const char *objectionTo(const AttentionCall &call) {
    if (call.bias) return "a bias is added to attention scores";
    if (call.mla) return "latent attention (MLA)";
    if (call.gather) return "sparse attention";
    if (call.k->ne[3] != 1) return "several streams";
    if (call.v->nb[1] > call.v->nb[2]) return "values are stored transposed (flash attention is off)";
    if (!isCellType(call.k->type) || !isCellType(call.v->type))
        return "the KV type is none of f16, bf16, q8_0";
    const bool quantized = call.k->type == GGML_TYPE_Q8_0 || call.v->type == GGML_TYPE_Q8_0;
    const int64_t step = quantized ? 32 : 16;
    if (call.k->ne[0] % step || call.v->ne[0] % step)
        return "the head size is no multiple of 16 (of 32 for q8_0)";
    if (call.q->type != GGML_TYPE_F32 || call.q->nb[0] != sizeof(float)) return "queries are not rows of f32";
    if (call.q->ne[0] != call.k->ne[0] || call.k->ne[1] != call.v->ne[1] || call.q->ne[1] % call.k->ne[1]) {
        return "the shapes of queries, keys and values don't match";
    }
    if (call.sinks && call.sinks->type != GGML_TYPE_F32) return "sinks are not f32";
    return nullptr;
}

ggml_tensor *buildOp(ggml_context *context, Attention &attention, int32_t pageSize,
                     const AttentionCall &call) {
    ggml_tensor *sources[] = {call.q, call.k, call.v, call.mask, call.sinks};
    ggml_tensor *node =
        ggml_custom_4d(context, GGML_TYPE_F32, call.v->ne[0] * call.q->ne[1], call.q->ne[2], 1, 1, sources,
                       call.sinks ? 5 : 4, compute, GGML_N_TASKS_MAX, &attention);
    const Parameters parameters = {call.scale, call.softcap, call.maxBias, pageSize};
    std::memcpy(reinterpret_cast<char *>(node->op_params) + parametersOffset, &parameters,
                sizeof(parameters));
    attention.admit(layerOf(node));
    return node;
}

} // namespace sluice::paged
