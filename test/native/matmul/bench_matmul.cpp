// Products of packed weights beside ggml's own, where llama.cpp would put the weights (packed for AMX or AVX2, where ggml
// has kernels for that): milliseconds (the least of the rounds) and 10^9 multiplications a second.
//
// Usage: bench_matmul <folder of ggml's backends> [threads] [rounds]

#include "matmul-op.h"
#include "packed-memory.h"
#include "packed-weights.h"
#include "weight_place.h"

#include "ggml-backend.h"
#include "ggml.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

using namespace sluice::matmul;

namespace {

struct Shape {
    ggml_type type;
    int32_t columns, rows;
};

// More weights than caches hold, as in a model.
constexpr Shape shapes[] = {{GGML_TYPE_Q8_0, 640, 65536},  {GGML_TYPE_Q5_0, 640, 65536},
                            {GGML_TYPE_Q4_0, 640, 65536},  {GGML_TYPE_Q4_K, 2048, 20480},
                            {GGML_TYPE_Q5_K, 2048, 20480}, {GGML_TYPE_Q6_K, 2048, 20480},
                            {GGML_TYPE_Q8_0, 4096, 14336}, {GGML_TYPE_Q4_K, 4096, 14336}};
constexpr int32_t mostTokens = 512;
constexpr int32_t tokens[] = {1, 4, 8, 32, 128, mostTokens};

struct FreeContext {
    void operator()(ggml_context *context) const { ggml_free(context); }
};
using Context = std::unique_ptr<ggml_context, FreeContext>;

Context newContext() {
    return Context(ggml_init({ggml_tensor_overhead() * 16 + ggml_graph_overhead(), nullptr, true}));
}

double leastMs(ggml_backend_t backend, ggml_cgraph *graph, int rounds) {
    double least = 1e9;
    for (int i = 0; i < rounds; i++) {
        const auto begin = std::chrono::steady_clock::now();
        ggml_backend_graph_compute(backend, graph);
        least = std::min(
            least,
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    return least;
}

double time(ggml_backend_t backend, ggml_tensor *weights, int32_t count, bool packed, int rounds) {
    const Context context = newContext();
    ggml_tensor *x = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, weights->ne[0], count);
    LastQuantized last;
    ggml_tensor *out =
        packed ? buildProduct(context.get(), weights, x, last) : ggml_mul_mat(context.get(), weights, x);
    ggml_cgraph *graph = ggml_new_graph(context.get());
    ggml_build_forward_expand(graph, out);
    ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors(context.get(), backend);
    for (int64_t i = 0; i < ggml_nelements(x); i++)
        static_cast<float *>(x->data)[i] = static_cast<float>(i % 37) / 37 - 0.5f;
    const double ms = leastMs(backend, graph, rounds);
    ggml_backend_buffer_free(buffer);
    return ms;
}

void bench(ggml_backend_t backend, const Shape &shape, int rounds) {
    const Context context = newContext();
    ggml_tensor *weights = ggml_new_tensor_2d(context.get(), shape.type, shape.columns, shape.rows);
    ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors(context.get(), backend);
    std::vector<float> values(static_cast<size_t>(shape.columns) * shape.rows);
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0.0f, 0.05f);
    for (float &x : values)
        x = normal(random);
    ggml_quantize_chunk(shape.type, values.data(), weights->data, 0, shape.rows, shape.columns, nullptr);
    const PackedWeights packed(*weights, allocateLargePages(PackedWeights::bytesOf(*weights)));
    const Context stockContext = newContext();
    ggml_tensor *stockWeights = ggml_new_tensor_2d(stockContext.get(), shape.type, shape.columns, shape.rows);
    ggml_backend_buffer_type_t place =
        sluice::weightPlace(shape.type, shape.columns, shape.rows, mostTokens);
    ggml_backend_buffer_t stockBuffer = ggml_backend_alloc_ctx_tensors_from_buft(stockContext.get(), place);
    ggml_backend_tensor_set(stockWeights, weights->data, 0, ggml_nbytes(weights));
    weights->extra = const_cast<PackedWeights *>(&packed);
    for (const int32_t count : tokens) {
        const double stock = time(backend, stockWeights, count, false, rounds);
        const double ours = time(backend, weights, count, true, rounds);
        const double products = static_cast<double>(values.size()) * count / 1e6;
        std::printf(
            "%-5s %5d x %d, %3d tokens: ggml (%s) %8.2f ms %6.1f G/s   packed %8.2f ms %6.1f G/s   %.2fx\n",
            ggml_type_name(shape.type), shape.rows, shape.columns, count, ggml_backend_buft_name(place), stock,
            products / stock, ours, products / ours, stock / ours);
    }
    ggml_backend_buffer_free(stockBuffer);
    ggml_backend_buffer_free(buffer);
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    ggml_backend_load_all_from_path(argv[1]);
    ggml_backend_t backend = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr);
    const auto setThreads = reinterpret_cast<ggml_backend_set_n_threads_t>(ggml_backend_reg_get_proc_address(
        ggml_backend_dev_backend_reg(ggml_backend_get_device(backend)), "ggml_backend_set_n_threads"));
    setThreads(backend, argc > 2 ? std::atoi(argv[2]) : 2);
    for (const Shape &shape : shapes)
        bench(backend, shape, argc > 3 ? std::atoi(argv[3]) : 7);
    ggml_backend_free(backend);
}
