#pragma once

// Weight matrices in the order in which the kernels read them.
//
// A matrix of `rows` outputs by `columns` inputs is cut into panels of 16 rows, one per lane of a vector of
// 32-bit sums. Along the inputs a panel is cut into blocks of 32, and a block's quants lie as 8 groups of 16
// rows x 4 inputs: what one VPDPBUSD multiplies. Scales keep the values of the source's format, so products
// are those of the same quants; nothing is rounded again.

#include <cstddef>
#include <cstdint>
#include <memory>

struct ggml_tensor;

namespace sluice::matmul {

constexpr int32_t panelRows = 16;
constexpr int32_t blockInputs = 32;
constexpr int32_t superBlocks = 8; // blocks of a K-quant that share one pair of 16-bit scales

enum class Format : uint8_t { q8_0, q5_0, q4_0, q4_k, q5_k, q6_k };

class PackedWeights {
public:
    // Why the tensor can't be packed; null where it can. Static storage.
    static const char *objectionTo(const ggml_tensor &tensor);

    // What packing it takes, a multiple of 64.
    static size_t bytesOf(const ggml_tensor &tensor);

    // The tensor's data must be readable by the host, `memory` hold bytesOf(tensor) zeroes at a multiple
    // of 64.
    PackedWeights(const ggml_tensor &tensor, std::shared_ptr<uint8_t> memory);

    Format format() const { return format_; }
    int32_t rows() const { return rows_; }
    int32_t columns() const { return columns_; }
    int32_t panels() const { return (rows_ + panelRows - 1) / panelRows; }
    const uint8_t *panel(int32_t index) const { return data_.get() + index * panelBytes_; }

private:
    Format format_;
    int32_t rows_;
    int32_t columns_;
    size_t panelBytes_;
    std::shared_ptr<uint8_t> data_;
};

// Whether `extra` of the tensor is its packed weights. Weights in a buffer of another kind have another
// extra.
bool isPacked(const ggml_tensor &tensor);

// Vectors of a model with packed matrices are marked: our kernels compute what they scale.
void mark(ggml_tensor &vector);
bool isMarked(const ggml_tensor &vector);

} // namespace sluice::matmul
