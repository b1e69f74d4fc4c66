#pragma once

// Products with packed weights as nodes of ggml's graph.

struct ggml_context;
struct ggml_tensor;

namespace sluice::matmul {

// Activations quantised last, for the products beside each other that take the same ones (queries, keys and
// values; gate and up). Lives as long as one graph is being built.
struct LastQuantized {
    const ggml_tensor *x = nullptr;
    ggml_tensor *rows = nullptr;
};

// What ggml_mul_mat(context, weights, x) gives, where the weights are packed (see llama-matmul.h); else null.
ggml_tensor *buildProduct(ggml_context *context, ggml_tensor *weights, ggml_tensor *x, LastQuantized &last);

} // namespace sluice::matmul
