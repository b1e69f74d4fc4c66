#include "paged-kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC push_options
// GCC's own AVX-512 headers warn about their deliberately undefined operands (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))),         \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c")
#endif

#include "paged-kernel-impl.h"

namespace sluice::paged {
namespace {

struct Avx512 {
    using F = __m512;
    static constexpr int32_t lanes = 16;
    static constexpr int32_t rowsTogether = 6;
    // 32 registers: 4 rows x 4 cells, 4 rows x 4 vectors of sums, and their operands.
    static constexpr int32_t scoreCells = 4;
    static constexpr int32_t valueVectors = 4;

    static F zero() { return _mm512_setzero_ps(); }
    static F set1(float x) { return _mm512_set1_ps(x); }
    static F iota() { return _mm512_set_ps(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0); }
    static F load(const float *p) { return _mm512_loadu_ps(p); }
    static void store(float *p, F x) { _mm512_storeu_ps(p, x); }
    static F add(F a, F b) { return _mm512_add_ps(a, b); }
    static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
    static F div(F a, F b) { return _mm512_div_ps(a, b); }
    static F max(F a, F b) { return _mm512_max_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
    static float sum(F x) { return _mm512_reduce_add_ps(x); }
    static float maximum(F x) { return _mm512_reduce_max_ps(x); }
    static F absolute(F x) { return _mm512_abs_ps(x); }
    static F copySign(F x, F sign) {
        const __m512 bit = _mm512_set1_ps(-0.0f);
        return _mm512_or_ps(_mm512_andnot_ps(bit, x), _mm512_and_ps(bit, sign));
    }
    static F addExponent(F p, F rounded) {
        const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(rounded), 23);
        return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), exponent));
    }
    static F keep(F x, int32_t a, int32_t b, float other) {
        a = a < 0 ? 0 : a > lanes ? lanes : a;
        b = b < 0 ? 0 : b > lanes ? lanes : b;
        const auto mask = static_cast<__mmask16>(((1u << b) - 1) & ~((1u << a) - 1));
        return _mm512_mask_mov_ps(_mm512_set1_ps(other), mask, x);
    }
    static F loadF16(const uint16_t *p) {
        return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(p)));
    }
    static F loadBf16(const uint16_t *p) {
        const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p));
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
    }
    static F loadI8(const int8_t *p) {
        return _mm512_cvtepi32_ps(
            _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p))));
    }
    static float half(const uint16_t *p) { return _cvtsh_ss(*p); }

    // The four sums of a[0..3].
    static void sums(const F *a, float *out) {
        const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a[0], a[1]), _mm512_unpackhi_ps(a[0], a[1]));
        const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(a[2], a[3]), _mm512_unpackhi_ps(a[2], a[3]));
        const __m512 lo = _mm512_shuffle_ps(ab, cd, 0x44), hi = _mm512_shuffle_ps(ab, cd, 0xee);
        const __m512 x = _mm512_add_ps(lo, hi);
        const __m256 y = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
        _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1)));
    }
};

} // namespace

const Kernel avx512Kernel = KernelOf<Avx512>::named("avx512");

} // namespace sluice::paged

#if defined(__clang__)
#pragma clang attribute pop
#endif
#pragma GCC pop_options
#endif
