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

// What ggml_geglu_split(context, gate, up) gives, as input of a product with packed weights; else null.
// ggml's looks GELU up in a table of half floats, an element at a time.
ggml_tensor *buildGeglu(ggml_context *context, ggml_tensor *gate, ggml_tensor *up, const ggml_tensor *next);

// What ggml_mul(ggml_rms_norm(x, epsilon), weights) gives in a model with packed weights; else null. ggml's
// sums squares one after the other, on one thread of a team.
ggml_tensor *buildNorm(ggml_context *context, ggml_tensor *x, ggml_tensor *weights, float epsilon);

} // namespace sluice::matmul
