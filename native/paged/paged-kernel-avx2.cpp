#include "paged-kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC push_options
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,f16c")
#endif

#include "paged-kernel-impl.h"

namespace sluice::paged {
namespace {

struct Avx2 {
    using F = __m256;
    static constexpr int32_t lanes = 8;
    static constexpr int32_t rowsTogether = 4;
    // 16 registers: 4 rows x 2 cells or vectors of sums, and their operands.
    static constexpr int32_t scoreCells = 2;
    static constexpr int32_t valueVectors = 2;

    static F zero() { return _mm256_setzero_ps(); }
    static F set1(float x) { return _mm256_set1_ps(x); }
    static F iota() { return _mm256_set_ps(7, 6, 5, 4, 3, 2, 1, 0); }
    static F load(const float *p) { return _mm256_loadu_ps(p); }
    static void store(float *p, F x) { _mm256_storeu_ps(p, x); }
    static F add(F a, F b) { return _mm256_add_ps(a, b); }
    static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
    static F div(F a, F b) { return _mm256_div_ps(a, b); }
    static F max(F a, F b) { return _mm256_max_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
    static float sum(F x) {
        __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
        s = _mm_add_ps(s, _mm_movehl_ps(s, s));
        return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
    }
    static float maximum(F x) {
        __m128 s = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
        s = _mm_max_ps(s, _mm_movehl_ps(s, s));
        return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
    }
    static F absolute(F x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
    static F copySign(F x, F sign) {
        const __m256 bit = _mm256_set1_ps(-0.0f);
        return _mm256_or_ps(_mm256_andnot_ps(bit, x), _mm256_and_ps(bit, sign));
    }
    static F addExponent(F p, F rounded) {
        const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(rounded), 23);
        return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
    }
    static F keep(F x, int32_t a, int32_t b, float other) {
        const __m256i lane = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
        const __m256i inside = _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(a), lane),
                                                   _mm256_cmpgt_epi32(_mm256_set1_epi32(b), lane));
        return _mm256_blendv_ps(_mm256_set1_ps(other), x, _mm256_castsi256_ps(inside));
    }
    static F loadF16(const uint16_t *p) {
        return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p)));
    }
    static F loadBf16(const uint16_t *p) {
        const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i *>(p));
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
    }
    static F loadI8(const int8_t *p) {
        return _mm256_cvtepi32_ps(
            _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(p))));
    }
    static float half(const uint16_t *p) { return _cvtsh_ss(*p); }
    static void sums(const F *a, float *out) {
        out[0] = sum(a[0]);
        out[1] = sum(a[1]);
    }
};

} // namespace

const Kernel avx2Kernel = KernelOf<Avx2>::named("avx2");

} // namespace sluice::paged

#if defined(__clang__)
#pragma clang attribute pop
#endif
#pragma GCC pop_options
#endif
