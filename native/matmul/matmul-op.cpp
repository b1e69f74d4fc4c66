#include "matmul-op.h"

#include "ggml.h"
#include "matmul-kernel.h"
#include "packed-weights.h"
#include "team.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <new>

namespace sluice::matmul {

namespace {

// Units of work that ggml's threads take as they come free, where no team computes. In the node, since a
// model's contexts may compute the same product at once.
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

// Calls task(unit) for each unit of a node, on all threads.
template <class Task> void shareOut(ggml_tensor *node, int threads, int32_t units, const Task &task) {
    if (Team *team = Team::current(); team && threads == 1) {
        return team->run(units, [&](int32_t unit, int32_t) { task(unit); });
    }
    Progress &progress = progressOf(node);
    for (int32_t unit; (unit = progress.next.fetch_add(1, std::memory_order_relaxed)) < units;)
        task(unit);
    // The last to leave makes the node ready for its next run, which no thread can have begun.
    if (progress.left.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
        progress.left.store(0, std::memory_order_relaxed);
        progress.next.store(0, std::memory_order_relaxed);
    }
}

int32_t threadsOf(int threads) {
    const Team *team = Team::current();
    return team && threads == 1 ? team->threads() : threads;
}

ggml_tensor *buildNode(ggml_context *context, ggml_type type, const int64_t *ne, ggml_tensor **sources,
                       int count, ggml_custom_op_t compute, void *data) {
    ggml_tensor *node = ggml_custom_4d(context, type, ne[0], ne[1], ne[2], ne[3], sources, count, compute,
                                       GGML_N_TASKS_MAX, data);
    new (&progressOf(node)) Progress{{0}, {0}};
    return node;
}

// Activations of a pass over the panels: what the second-level cache holds beside a panel.
constexpr int64_t passBytes = 384 << 10;

// What a unit should at least hold, to be worth taking.
constexpr int64_t elementsPerUnit = 16384;

void quantize(ggml_tensor *node, int, int threads, void *) {
    const ggml_tensor *x = node->src[0];
    const Kernel &kernel = *usableKernel();
    const int64_t rows = node->ne[1], step = std::max<int64_t>(1, elementsPerUnit / x->ne[0]);
    shareOut(node, threads, static_cast<int32_t>((rows + step - 1) / step), [&](int32_t unit) {
        for (int64_t row = unit * step; row < std::min(rows, (unit + 1) * step); row++) {
            kernel.quantize(static_cast<const float *>(x->data) + row * x->ne[0],
                            static_cast<int32_t>(x->ne[0]),
                            static_cast<uint8_t *>(node->data) + row * node->ne[0]);
        }
    });
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

// Panels of a product in units: large ones first, which are read in one go, then smaller ones, so that
// threads end together.
class Units {
public:
    Units(int32_t panels, int32_t threads) {
        const int32_t least = (panels + unitsMax - 1) / unitsMax;
        while (begins_[count_] < panels) {
            const int32_t left = panels - begins_[count_];
            const int32_t size = std::min(left, std::max(least, left / (2 * threads)));
            begins_[count_ + 1] = begins_[count_] + size;
            count_++;
        }
    }
    int32_t count() const { return count_; }
    int32_t begin(int32_t unit) const { return begins_[unit]; }

private:
    static constexpr int32_t unitsMax = 512;
    std::array<int32_t, unitsMax + 1> begins_{};
    int32_t count_ = 0;
};

void multiply(ggml_tensor *node, int, int threads, void *data) {
    const auto &weights = *static_cast<const PackedWeights *>(data);
    const Units units(weights.panels(), threadsOf(threads));
    shareOut(node, threads, units.count(),
             [&](int32_t unit) { multiplyPanels(weights, units.begin(unit), units.begin(unit + 1), node); });
}

void geglu(ggml_tensor *node, int, int threads, void *) {
    const auto *gate = static_cast<const float *>(node->src[0]->data);
    const auto *up = static_cast<const float *>(node->src[1]->data);
    auto *out = static_cast<float *>(node->data);
    const int64_t count = ggml_nelements(node);
    const auto units = static_cast<int32_t>((count + elementsPerUnit - 1) / elementsPerUnit);
    shareOut(node, threads, units, [&](int32_t unit) {
        const int64_t begin = unit * elementsPerUnit;
        usableKernel()->geglu(gate + begin, up + begin, std::min(elementsPerUnit, count - begin),
                              out + begin);
    });
}

// In the node, between ggml's own parameters and the progress.
constexpr size_t epsilonOffset = progressOffset - sizeof(float);
static_assert(epsilonOffset >= 24);

float *epsilonOf(ggml_tensor *node) {
    return reinterpret_cast<float *>(reinterpret_cast<char *>(node->op_params) + epsilonOffset);
}

// Rows lie side by side in the result, not always in the source: queries may be part of a wider product.
void norm(ggml_tensor *node, int, int threads, void *) {
    const ggml_tensor *x = node->src[0], *weights = node->src[1];
    const int64_t columns = node->ne[0], rows = ggml_nrows(node);
    const int64_t step = std::max<int64_t>(1, elementsPerUnit / columns);
    shareOut(node, threads, static_cast<int32_t>((rows + step - 1) / step), [&](int32_t unit) {
        for (int64_t row = unit * step; row < std::min(rows, (unit + 1) * step); row++) {
            const int64_t i1 = row % node->ne[1], i2 = row / node->ne[1] % node->ne[2],
                          i3 = row / node->ne[1] / node->ne[2];
            const char *from =
                static_cast<const char *>(x->data) + i1 * x->nb[1] + i2 * x->nb[2] + i3 * x->nb[3];
            usableKernel()->norm(reinterpret_cast<const float *>(from),
                                 static_cast<const float *>(weights->data), static_cast<int32_t>(columns),
                                 *epsilonOf(node), static_cast<float *>(node->data) + row * columns);
        }
    });
}

ggml_tensor *buildQuantized(ggml_context *context, ggml_tensor *x) {
    const int64_t ne[] = {static_cast<int64_t>(activationRowBytes(x->ne[0])), ggml_nrows(x), 1, 1};
    return buildNode(context, GGML_TYPE_I8, ne, &x, 1, quantize, nullptr);
}

} // namespace

ggml_tensor *buildProduct(ggml_context *context, ggml_tensor *weights, ggml_tensor *x, LastQuantized &last) {
    auto *packed = static_cast<PackedWeights *>(weights->extra);
    if (!isPacked(*weights) || x->type != GGML_TYPE_F32 || !ggml_is_contiguous(x)) return nullptr;
    if (last.x != x) last = {x, buildQuantized(context, x)};
    const int64_t ne[] = {packed->rows(), x->ne[1], x->ne[2], x->ne[3]};
    ggml_tensor *sources[] = {weights, last.rows};
    return buildNode(context, GGML_TYPE_F32, ne, sources, 2, multiply, packed);
}

ggml_tensor *buildGeglu(ggml_context *context, ggml_tensor *gate, ggml_tensor *up, const ggml_tensor *next) {
    const auto isPlain = [](const ggml_tensor *t) {
        return t->type == GGML_TYPE_F32 && ggml_is_contiguous(t);
    };
    if (!next || !isPacked(*next) || !isPlain(gate) || !isPlain(up) || !ggml_are_same_shape(gate, up))
        return nullptr;
    ggml_tensor *sources[] = {gate, up};
    return buildNode(context, GGML_TYPE_F32, gate->ne, sources, 2, geglu, nullptr);
}

ggml_tensor *buildNorm(ggml_context *context, ggml_tensor *x, ggml_tensor *weights, float epsilon) {
    const bool isRow = weights->type == GGML_TYPE_F32 && ggml_nelements(weights) == x->ne[0];
    const bool hasRows = x->type == GGML_TYPE_F32 && x->nb[0] == sizeof(float);
    if (!isMarked(*weights) || !isRow || !hasRows) return nullptr;
    ggml_tensor *sources[] = {x, weights};
    ggml_tensor *node = buildNode(context, GGML_TYPE_F32, x->ne, sources, 2, norm, nullptr);
    *epsilonOf(node) = epsilon;
    return node;
}

} // namespace sluice::matmul
