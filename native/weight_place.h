#pragma once

#include "ggml-backend.h"
#include "ggml.h"

namespace sluice {

/** Where llama.cpp would put such a matrix on this CPU, to be multiplied by so many tokens: packed for AMX or
 * AVX2 where ggml has kernels for that. */
ggml_backend_buffer_type_t weightPlace(ggml_type type, int64_t inputs, int64_t outputs, int64_t tokens);

} // namespace sluice
