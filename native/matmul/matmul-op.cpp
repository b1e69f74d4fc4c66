#include "matmul-op.h"

#include "ggml.h"
#include "matmul-kernel.h"
#include "packed-weights.h"

#include <algorithm>
#include <atomic>
#include <new>

namespace sluice::matmul {

namespace {

// Units of work in a product, which threads take as they come free: a thread that the system holds up keeps
// the others waiting for one unit only. In the node, since a model's contexts may compute it at once.
struct Progress {
    std::atomic<int32_t> next;
    std::atomic<int32_t> left;
};
// ggml's own parameters of a custom node (function, tasks, user data) take the first 24 bytes of op_params.
constexpr size_t progressOffset = GGML_MAX_OP_PARAMS - sizeof(Progress);
static_assert(progressOffset >= 24);

Progress &progressOf(ggml_tensor *node) {
    return *reinterpret_cast<Progress *>(reinterpret_cast<char *>(node->op_params) + progressOffset);
}

// Activations of a pass over the panels: what the second-level cache holds beside a panel.
constexpr int64_t passBytes = 384 << 10;
constexpr int32_t unitsPerThread = 8;

void quantize(ggml_tensor *node, int thread, int threads, void *) {
    const ggml_tensor *x = node->src[0];
    const Kernel &kernel = *usableKernel();
    for (int64_t row = thread; row < node->ne[1]; row += threads) {
        kernel.quantize(static_cast<const float *>(x->data) + row * x->ne[0], static_cast<int32_t>(x->ne[0]),
                        static_cast<uint8_t *>(node->data) + row * node->ne[0]);
    }
}

void multiplyPanels(const PackedWeights &weights, int32_t begin, int32_t end, ggml_tensor *node) {
    const ggml_tensor *quantized = node->src[1];
    const int64_t rows = quantized->ne[1], rowBytes = quantized->ne[0];
    // Whole tiles, so that only the last pass has a smaller one.
    const int64_t pass = std::max<int64_t>(passBytes / rowBytes / 8, 1) * 8;
    for (int64_t row = 0; row < rows; row += pass) {
        usableKernel()->multiply(weights, begin, end,
                                 static_cast<const uint8_t *>(quantized->data) + row * rowBytes,
                                 static_cast<int32_t>(std::min(pass, rows - row)),
                                 static_cast<float *>(node->data) + row * weights.rows(), weights.rows());
    }
}

void multiply(ggml_tensor *node, int, int threads, void *data) {
    const auto &weights = *static_cast<const PackedWeights *>(data);
    Progress &progress = progressOf(node);
    const int32_t panels = weights.panels();
    const int32_t unit = std::max(1, panels / (threads * unitsPerThread));
    for (int32_t panel; (panel = progress.next.fetch_add(unit, std::memory_order_relaxed)) < panels;)
        multiplyPanels(weights, panel, std::min(panel + unit, panels), node);
    // The last to leave makes the node ready for its next run, which no thread can have begun.
    if (progress.left.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
        progress.left.store(0, std::memory_order_relaxed);
        progress.next.store(0, std::memory_order_relaxed);
    }
}

void geglu(ggml_tensor *node, int thread, int threads, void *) {
    const auto *gate = static_cast<const float *>(node->src[0]->data);
    const auto *up = static_cast<const float *>(node->src[1]->data);
    auto *out = static_cast<float *>(node->data);
    const int64_t count = ggml_nelements(node), line = 16;
    const int64_t share = ((count + threads - 1) / threads + line - 1) / line * line;
    const int64_t begin = std::min(count, thread * share), end = std::min(count, begin + share);
    usableKernel()->geglu(gate + begin, up + begin, end - begin, out + begin);
}

ggml_tensor *buildQuantized(ggml_context *context, ggml_tensor *x) {
    ggml_tensor *sources[] = {x};
    return ggml_custom_4d(context, GGML_TYPE_I8, static_cast<int64_t>(activationRowBytes(x->ne[0])),
                          ggml_nrows(x), 1, 1, sources, 1, quantize, GGML_N_TASKS_MAX, nullptr);
}

} // namespace

ggml_tensor *buildProduct(ggml_context *context, ggml_tensor *weights, ggml_tensor *x, LastQuantized &last) {
    auto *packed = static_cast<PackedWeights *>(weights->extra);
    if (!isPacked(*weights) || x->type != GGML_TYPE_F32 || !ggml_is_contiguous(x)) return nullptr;
    if (last.x != x) last = {x, buildQuantized(context, x)};
    ggml_tensor *sources[] = {weights, last.rows};
    ggml_tensor *node = ggml_custom_4d(context, GGML_TYPE_F32, packed->rows(), x->ne[1], x->ne[2], x->ne[3],
                                       sources, 2, multiply, GGML_N_TASKS_MAX, packed);
    new (&progressOf(node)) Progress{{0}, {0}};
    return node;
}

ggml_tensor *buildGeglu(ggml_context *context, ggml_tensor *gate, ggml_tensor *up, const ggml_tensor *next) {
    const auto isPlain = [](const ggml_tensor *t) {
        return t->type == GGML_TYPE_F32 && ggml_is_contiguous(t);
    };
    if (!next || !isPacked(*next) || !isPlain(gate) || !isPlain(up) || !ggml_are_same_shape(gate, up))
        return nullptr;
    ggml_tensor *sources[] = {gate, up};
    return ggml_custom_4d(context, GGML_TYPE_F32, gate->ne[0], gate->ne[1], gate->ne[2], gate->ne[3], sources,
                          2, geglu, GGML_N_TASKS_MAX, nullptr);
}

} // namespace sluice::matmul
