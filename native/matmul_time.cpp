#include "matmul_time.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <memory>

#include "errors.h"
#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "weight_place.h"

namespace sluice {

namespace {

template <auto free> struct Free {
    template <typename T> void operator()(T *object) const { free(object); }
};
using GgmlContext = std::unique_ptr<ggml_context, Free<ggml_free>>;
using Buffer = std::unique_ptr<ggml_backend_buffer, Free<ggml_backend_buffer_free>>;
using Backend = std::unique_ptr<ggml_backend, Free<ggml_backend_free>>;

template <typename T> T required(T value) {
    if (!value) throw NativeError(ErrorCode::contextFailed, "Not enough memory to time matrix products.");
    return value;
}

GgmlContext makeContext(size_t tensors) {
    const size_t bytes = tensors * ggml_tensor_overhead() + ggml_graph_overhead_custom(tensors, false);
    return required(GgmlContext(ggml_init({bytes, nullptr, /*no_alloc=*/true})));
}

ggml_backend_dev_t cpuDevice() {
    return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
}

template <typename Function> Function cpuFunction(const char *name) {
    return reinterpret_cast<Function>(
        ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpuDevice()), name));
}

Backend makeBackend(int threads) {
    Backend backend(required(ggml_backend_dev_init(cpuDevice(), nullptr)));
    const auto setThreads = cpuFunction<ggml_backend_set_n_threads_t>("ggml_backend_set_n_threads");
    if (setThreads != nullptr) setThreads(backend.get(), threads);
    return backend;
}

ggml_type typeNamed(const std::string &name) {
    for (int type = 0; type < GGML_TYPE_COUNT; type++) {
        const char *known = ggml_type_name(static_cast<ggml_type>(type));
        if (known != nullptr && name == known) return static_cast<ggml_type>(type);
    }
    throw ArgumentError("unknown tensor type");
}

/** Values between −1 and 1 without a pattern that a quantiser could profit from. */
std::vector<float> someValues(size_t count) {
    std::vector<float> values(count);
    uint32_t state = 1;
    for (float &value : values) {
        state = state * 1664525U + 1013904223U; // Numerical Recipes' generator
        value = static_cast<float>(static_cast<int32_t>(state)) / 2147483648.0f;
    }
    return values;
}

/** All matrices of one type, and the graph that multiplies the same input by each. */
class Pass {
public:
    Pass(ggml_type type, const MatmulCase &matmuls)
        : weights_(makeContext(matmuls.copies)), graph_(makeContext(2 * matmuls.copies + 1)),
          clock_(matmuls.threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC) {
        ggml_tensor *input = ggml_new_tensor_2d(graph_.get(), GGML_TYPE_F32, matmuls.inputs, matmuls.tokens);
        cgraph_ = ggml_new_graph_custom(graph_.get(), 2 * matmuls.copies + 1, false);
        for (int i = 0; i < matmuls.copies; i++) {
            ggml_tensor *weight = ggml_new_tensor_2d(weights_.get(), type, matmuls.inputs, matmuls.outputs);
            ggml_build_forward_expand(cgraph_, ggml_mul_mat(graph_.get(), weight, input));
        }
        weightBuffer_.reset(required(ggml_backend_alloc_ctx_tensors_from_buft(
            weights_.get(), weightPlace(type, matmuls.inputs, matmuls.outputs, matmuls.tokens))));
        ggml_backend_buffer_set_usage(weightBuffer_.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
        buffer_.reset(required(ggml_backend_alloc_ctx_tensors_from_buft(
            graph_.get(), ggml_backend_dev_buffer_type(cpuDevice()))));
        fill(type, matmuls, input);
    }

    double run(ggml_backend_t backend) {
        const double start = nowMs();
        if (ggml_backend_graph_compute(backend, cgraph_) != GGML_STATUS_SUCCESS)
            throw NativeError(ErrorCode::forwardFailed, "A matrix product failed.");
        return nowMs() - start;
    }

private:
    double nowMs() const {
        timespec time{};
        clock_gettime(clock_, &time);
        return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
    }

    void fill(ggml_type type, const MatmulCase &matmuls, ggml_tensor *input) {
        const auto values = someValues(matmuls.inputs * std::max(matmuls.outputs, matmuls.tokens));
        ggml_backend_tensor_set(input, values.data(), 0, ggml_nbytes(input));
        std::vector<uint8_t> blocks(ggml_row_size(type, matmuls.inputs) * matmuls.outputs);
        ggml_quantize_chunk(type, values.data(), blocks.data(), 0, matmuls.outputs, matmuls.inputs, nullptr);
        for (ggml_tensor *weight = ggml_get_first_tensor(weights_.get()); weight != nullptr;
             weight = ggml_get_next_tensor(weights_.get(), weight))
            ggml_backend_tensor_set(weight, blocks.data(), 0, blocks.size());
    }

    GgmlContext weights_;
    GgmlContext graph_;
    ggml_cgraph *cgraph_;
    Buffer weightBuffer_;
    Buffer buffer_;
    clockid_t clock_;
};

void check(ggml_type type, const MatmulCase &matmuls) {
    if (!ggml_is_quantized(type) || ggml_quantize_requires_imatrix(type))
        throw ArgumentError("the type can't be quantised to here");
    if (matmuls.inputs % ggml_blck_size(type) != 0) throw RangeError("inputs are no whole blocks");
    if (ggml_row_size(type, matmuls.inputs) * matmuls.outputs * matmuls.copies > matmulBytesMax)
        throw RangeError("the matrices are larger than 512 MiB");
}

} // namespace

std::vector<double> timeMatmuls(const MatmulCase &matmuls) {
    std::vector<std::unique_ptr<Pass>> passes;
    for (const std::string &name : matmuls.types) {
        const ggml_type type = typeNamed(name);
        check(type, matmuls);
        passes.push_back(std::make_unique<Pass>(type, matmuls));
    }
    const Backend backend = makeBackend(matmuls.threads);
    for (const auto &pass : passes)
        pass->run(backend.get()); // starts the threads and allocates the work buffer
    std::vector<double> best(passes.size(), std::numeric_limits<double>::infinity());
    for (int round = 0; round < matmuls.rounds; round++) {
        for (size_t i = 0; i < passes.size(); i++)
            best[i] = std::min(best[i], passes[i]->run(backend.get()));
    }
    return best;
}

} // namespace sluice
