#pragma once

#include <string>
#include <vector>

namespace sluice {

struct MatmulCase {
    std::vector<std::string> types; // of the weights, by ggml's names
    int64_t inputs;                 // columns of a weight matrix
    int64_t outputs;                // its rows
    int64_t tokens;
    /** Different matrices a pass goes through: more than a cache holds, where the model has more. */
    int copies;
    int threads;
    int rounds;
};

/** Bytes of weights that one type's matrices may take. */
constexpr uint64_t matmulBytesMax = 512ULL << 20;

/**
 * Milliseconds of one pass over the matrices for each type: the least of `rounds`, in which the types take
 * turns so that a busy machine disturbs all of them alike. One thread is the calling one, and counted is its
 * CPU time, which other processes hardly disturb; more threads are timed by the clock. Weights lie where
 * llama.cpp would put them on this CPU (packed for AMX or AVX2 where ggml has kernels for that). Blocks the
 * calling thread. Throws NativeError.
 */
std::vector<double> timeMatmuls(const MatmulCase &matmuls);

} // namespace sluice
