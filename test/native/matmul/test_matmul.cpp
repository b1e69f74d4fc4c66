// The kernel for packed weights, without a model: every format against products in double precision of the
// very quants that it multiplies.

#include "matmul-kernel.h"
#include "packed-memory.h"

#include "ggml.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace sluice::matmul;

namespace {

int failures = 0;

void expect(bool holds, const std::string &what) {
    if (holds) return;
    failures++;
    std::printf("FAILED: %s\n", what.c_str());
}

// A tensor with random weights of some type, whose values are known.
struct Weights {
    std::vector<char> bytes;
    std::vector<float> values;
    ggml_tensor tensor = {};

    Weights(ggml_type type, int32_t columns, int32_t rows, std::mt19937 &random)
        : bytes(ggml_row_size(type, columns) * rows), values(static_cast<size_t>(columns) * rows) {
        std::normal_distribution<float> normal(0.0f, 0.1f);
        for (float &x : values)
            x = normal(random);
        ggml_quantize_chunk(type, values.data(), bytes.data(), 0, rows, columns, nullptr);
        ggml_get_type_traits(type)->to_float(bytes.data(), values.data(),
                                             static_cast<int64_t>(values.size()));
        tensor.type = type;
        tensor.data = bytes.data();
        tensor.ne[0] = columns, tensor.ne[1] = rows, tensor.ne[2] = tensor.ne[3] = 1;
        tensor.nb[0] = ggml_type_size(type), tensor.nb[1] = ggml_row_size(type, columns);
    }
};

struct Activations {
    int32_t columns;
    std::vector<float> values;
    std::vector<uint8_t> rows;

    Activations(int32_t count, int32_t columns, std::mt19937 &random)
        : columns(columns), values(static_cast<size_t>(count) * columns),
          rows(count * activationRowBytes(columns)) {
        std::normal_distribution<float> normal;
        for (size_t i = 0; i < values.size(); i++)
            values[i] = i / blockInputs % 7 == 3 ? 0.0f : normal(random); // some blocks are all zero
        for (int32_t r = 0; r < count; r++)
            usableKernel()->quantize(values.data() + r * columns, columns,
                                     rows.data() + r * activationRowBytes(columns));
    }

    double quantized(int32_t row, int32_t column) const {
        const ActivationRow at(rows.data() + row * activationRowBytes(columns), columns);
        return static_cast<double>(at.quants[column]) * static_cast<double>(at.scales[column / blockInputs]);
    }
};

void testQuantize(std::mt19937 &random) {
    const Activations x(5, 256, random);
    for (int32_t i = 0; i < 5 * 256; i++) {
        const ActivationRow at(x.rows.data() + i / 256 * activationRowBytes(256), 256);
        const double error = std::abs(x.quantized(i / 256, i % 256) - static_cast<double>(x.values[i]));
        expect(error <= 0.5001 * static_cast<double>(at.scales[i % 256 / blockInputs]),
               "a quant is the nearest to its value");
    }
}

void testFormat(ggml_type type, int32_t columns, int32_t rows, int32_t count, std::mt19937 &random) {
    const std::string name = std::string(ggml_type_name(type)) + " " + std::to_string(rows) + " x " +
                             std::to_string(columns) + ", " + std::to_string(count) + " rows";
    const Weights weights(type, columns, rows, random);
    expect(PackedWeights::objectionTo(weights.tensor) == nullptr, name + " can be packed");
    const PackedWeights packed(weights.tensor, allocateLargePages(PackedWeights::bytesOf(weights.tensor)));
    const Activations x(count, columns, random);

    const float untouched = 12345.0f;
    std::vector<float> out(static_cast<size_t>(count) * rows + 16, untouched);
    usableKernel()->multiply(packed, 0, packed.panels(), x.rows.data(), count, out.data(), rows);
    for (int32_t r = 0; r < count; r++) {
        for (int32_t n = 0; n < rows; n++) {
            double sum = 0, magnitude = 0;
            for (int32_t k = 0; k < columns; k++) {
                const double product =
                    x.quantized(r, k) *
                    static_cast<double>(weights.values[static_cast<size_t>(n) * columns + k]);
                sum += product;
                magnitude += std::abs(product);
            }
            const double error = std::abs(static_cast<double>(out[static_cast<size_t>(r) * rows + n]) - sum);
            expect(error <= 2e-6 * magnitude + 1e-12,
                   name + ": a product is off by " + std::to_string(error / magnitude));
        }
    }
    expect(out[static_cast<size_t>(count) * rows] == untouched,
           name + ": nothing is written past the last row");

    // Each row alone, panel by panel: the same bits.
    std::vector<float> alone(rows);
    for (int32_t r = 0; r < count; r++) {
        for (int32_t p = 0; p < packed.panels(); p++) {
            usableKernel()->multiply(packed, p, p + 1, x.rows.data() + r * activationRowBytes(columns), 1,
                                     alone.data(), rows);
        }
        expect(std::memcmp(alone.data(), out.data() + static_cast<size_t>(r) * rows, rows * sizeof(float)) ==
                   0,
               name + ": a row's result doesn't depend on the rows beside it");
    }
}

void testGeglu(std::mt19937 &random) {
    std::vector<float> gate(103), up(gate.size()), out(gate.size() + 1, 7.0f);
    std::normal_distribution<float> normal(0.0f, 4.0f);
    for (size_t i = 0; i < gate.size(); i++)
        gate[i] = normal(random), up[i] = normal(random);
    gate[0] = 0, gate[1] = 40, gate[2] = -40, gate[3] = 1e-20f;
    usableKernel()->geglu(gate.data(), up.data(), static_cast<int64_t>(gate.size()), out.data());
    for (size_t i = 0; i < gate.size(); i++) {
        const double x = gate[i];
        const double expected =
            x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) * up[i];
        expect(std::abs(out[i] - expected) <= 1e-6 * (std::abs(expected) + 1e-3),
               "GEGLU of " + std::to_string(x));
    }
    expect(out.back() == 7.0f, "nothing is written past the last element");
}

void testNorm(std::mt19937 &random) {
    for (const int32_t columns : {1, 16, 103, 640}) {
        std::vector<float> x(columns), weights(columns), out(columns + 1, 7.0f);
        std::normal_distribution<float> normal(0.0f, 4.0f);
        double squares = 0;
        for (int32_t i = 0; i < columns; i++) {
            x[i] = normal(random), weights[i] = normal(random);
            squares += static_cast<double>(x[i]) * x[i];
        }
        usableKernel()->norm(x.data(), weights.data(), columns, 1e-6f, out.data());
        for (int32_t i = 0; i < columns; i++) {
            const double expected = weights[i] * x[i] / std::sqrt(squares / columns + 1e-6);
            expect(std::abs(out[i] - expected) <= 5e-7 * std::abs(expected),
                   "norm of " + std::to_string(columns) + " elements");
        }
        expect(out.back() == 7.0f, "nothing is written past the last element");
    }
}

void testObjections(std::mt19937 &random) {
    Weights weights(GGML_TYPE_Q8_0, 64, 32, random);
    weights.tensor.ne[2] = 2;
    expect(PackedWeights::objectionTo(weights.tensor) != nullptr, "several matrices are not packed");
    weights.tensor.ne[2] = 1;
    weights.tensor.nb[1] += 34;
    expect(PackedWeights::objectionTo(weights.tensor) != nullptr, "rows with gaps are not packed");
    const Weights halves(GGML_TYPE_F16, 64, 32, random);
    expect(PackedWeights::objectionTo(halves.tensor) != nullptr, "16-bit weights are not packed");
}

} // namespace

int main() {
    if (!usableKernel()) {
        std::printf("matmul: no kernel for this CPU\n");
        return 0;
    }
    std::mt19937 random(7);
    testQuantize(random);
    testObjections(random);
    testGeglu(random);
    testNorm(random);
    for (const ggml_type type :
         {GGML_TYPE_Q8_0, GGML_TYPE_Q5_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K}) {
        for (const int32_t rows : {16, 17, 31, 64})
            for (const int32_t count : {1, 3, 8, 19})
                testFormat(type, rows == 64 ? 768 : 256, rows, count, random);
    }
    if (failures == 0) std::printf("matmul: ok (%s)\n", usableKernel()->name);
    return failures == 0 ? 0 : 1;
}
