#include "weight_place.h"

#include <memory>

#include "errors.h"
#include "ggml-cpu.h"

namespace sluice {

namespace {

/** As llama.cpp asks before it loads a weight: can the CPU multiply by one lying there? */
bool isUsable(ggml_backend_dev_t cpu, ggml_backend_buffer_type_t place, ggml_type type, int64_t inputs,
              int64_t outputs, int64_t tokens) {
    const std::unique_ptr<ggml_context, decltype(&ggml_free)> context(
        ggml_init({3 * ggml_tensor_overhead(), nullptr, /*no_alloc=*/true}), ggml_free);
    const std::unique_ptr<ggml_backend_buffer, decltype(&ggml_backend_buffer_free)> empty(
        ggml_backend_buft_alloc_buffer(place, 0), ggml_backend_buffer_free);
    if (!context || !empty)
        throw NativeError(ErrorCode::contextFailed, "Not enough memory to ask where weights may lie.");
    ggml_tensor *weight = ggml_new_tensor_2d(context.get(), type, inputs, outputs);
    ggml_tensor *input = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, inputs, tokens);
    ggml_tensor *product = ggml_mul_mat(context.get(), weight, input);
    weight->buffer = empty.get();
    return ggml_backend_dev_supports_op(cpu, product);
}

} // namespace

ggml_backend_buffer_type_t weightPlace(ggml_type type, int64_t inputs, int64_t outputs, int64_t tokens) {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    const auto places =
        reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(ggml_backend_reg_get_proc_address(
            ggml_backend_dev_backend_reg(cpu), "ggml_backend_dev_get_extra_bufts"));
    if (places != nullptr) {
        for (auto *place = places(cpu); place != nullptr && *place != nullptr; place++) {
            if (isUsable(cpu, *place, type, inputs, outputs, tokens)) return *place;
        }
    }
    return ggml_backend_dev_buffer_type(cpu);
}

} // namespace sluice
