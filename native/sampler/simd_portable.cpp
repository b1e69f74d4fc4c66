#include "simd.h"
#include "simd_kernels.h"

namespace sluice::sampler::simd {
namespace {

/** Four lanes through the compiler's vector extension: SSE2 on x86-64, NEON on AArch64. */
struct Portable {
    typedef float F __attribute__((vector_size(16)));
    typedef int32_t I __attribute__((vector_size(16)));
    static constexpr int32_t lanes = 4;

    static F load(const float *p) {
        F v;
        __builtin_memcpy(&v, p, sizeof v);
        return v;
    }
    static void store(float *p, F v) { __builtin_memcpy(p, &v, sizeof v); }
    static F set1(float v) { return F{v, v, v, v}; }
    static F add(F a, F b) { return a + b; }
    static F sub(F a, F b) { return a - b; }
    static F mul(F a, F b) { return a * b; }
    static F fma(F a, F b, F c) { return a * b + c; }
    static F max(F a, F b) { return a > b ? a : b; }
    static F addExponent(F p, F rounded) {
        typedef uint32_t U __attribute__((vector_size(16)));
        return reinterpret_cast<F>(reinterpret_cast<U>(p) + (reinterpret_cast<U>(rounded) << 23));
    }
    static unsigned ge(F a, F b) {
        const I mask = a >= b;
        return static_cast<unsigned>((mask[0] & 1) | (mask[1] & 2) | (mask[2] & 4) | (mask[3] & 8));
    }
    static F addWhereGreater(F sum, F term, F a, F b) { return sum + (a > b ? term : F{}); }
    static void compress(float *out, unsigned mask, F v) {
        for (; mask != 0; mask &= mask - 1)
            *out++ = v[__builtin_ctz(mask)];
    }
    static void compressIndices(int32_t *out, unsigned mask, int32_t first) {
        for (; mask != 0; mask &= mask - 1)
            *out++ = first + __builtin_ctz(mask);
    }
    static float sum(F v) { return (v[0] + v[1]) + (v[2] + v[3]); }
    static float maximum(F v) {
        const F two = max(v, F{v[2], v[3], v[0], v[1]});
        return two[0] > two[1] ? two[0] : two[1];
    }
};

} // namespace

const Kernels &portableKernels() {
    return KernelsOf<Portable>::table;
}

} // namespace sluice::sampler::simd
