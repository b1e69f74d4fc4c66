#include "paged-kernel.h"

#include <cstring>

#include "paged-kernel-impl.h"

namespace sluice::paged {
namespace {

// The compilers' own vectors of 16 bytes: SSE2, NEON, or whatever else the target has as its least.
struct Portable {
    using F = float __attribute__((vector_size(16)));
    using I = int32_t __attribute__((vector_size(16)));
    static constexpr int32_t lanes = 4;
    static constexpr int32_t rowsTogether = 4;
    static constexpr int32_t scoreCells = 2;
    static constexpr int32_t valueVectors = 2;

    static F zero() { return F{}; }
    static F set1(float x) { return F{x, x, x, x}; }
    static F iota() { return F{0, 1, 2, 3}; }
    static F load(const float *p) {
        F x;
        std::memcpy(&x, p, sizeof(x));
        return x;
    }
    static void store(float *p, F x) { std::memcpy(p, &x, sizeof(x)); }
    static F add(F a, F b) { return a + b; }
    static F sub(F a, F b) { return a - b; }
    static F mul(F a, F b) { return a * b; }
    static F div(F a, F b) { return a / b; }
    static F max(F a, F b) { return a > b ? a : b; }
    static F fma(F a, F b, F c) { return a * b + c; }
    static float sum(F x) { return (x[0] + x[2]) + (x[1] + x[3]); }
    static float maximum(F x) {
        const float a = x[0] > x[2] ? x[0] : x[2], b = x[1] > x[3] ? x[1] : x[3];
        return a > b ? a : b;
    }
    static F absolute(F x) { return floats(bits(x) & 0x7fffffff); }
    static F copySign(F x, F sign) { return floats((bits(x) & 0x7fffffff) | (bits(sign) & INT32_MIN)); }
    static F addExponent(F p, F rounded) { return floats(bits(p) + (bits(rounded) << 23)); }
    static F keep(F x, int32_t a, int32_t b, float other) {
        const I lane = {0, 1, 2, 3};
        return ((lane >= a) & (lane < b)) ? x : set1(other);
    }
    static F loadF16(const uint16_t *p) { return widenF16(I{p[0], p[1], p[2], p[3]}); }
    static F loadBf16(const uint16_t *p) { return floats(I{p[0], p[1], p[2], p[3]} << 16); }
    static F loadI8(const int8_t *p) { return __builtin_convertvector((I{p[0], p[1], p[2], p[3]}), F); }
    static float half(const uint16_t *p) { return widenF16(I{*p, 0, 0, 0})[0]; }
    static void sums(const F *a, float *out) {
        out[0] = sum(a[0]);
        out[1] = sum(a[1]);
    }
    static I bits(F x) { return reinterpret_cast<I>(x); }
    static F floats(I x) { return reinterpret_cast<F>(x); }

    // Exponent and mantissa move to their F32 places. Multiplying by 2^112 mends the exponent's bias, of
    // subnormal numbers too; infinity and NaN get F32's largest exponent instead.
    static F widenF16(I half) {
        const I magnitude = (half & 0x7fff) << 13;
        const I scaled = bits(floats(magnitude) * set1(0x1p112f));
        const I infinite = magnitude >= (0x7c00 << 13);
        return floats((infinite ? magnitude | 0x7f800000 : scaled) | (half & 0x8000) << 16);
    }
};

} // namespace

const Kernel portableKernel = KernelOf<Portable>::named("portable");

} // namespace sluice::paged
