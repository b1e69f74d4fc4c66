#include "simd.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC push_options
// GCC's own AVX-512 headers warn about their deliberately undefined operands (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f")

#include "simd_kernels.h"

namespace sluice::sampler::simd {
namespace {

struct Avx512 {
    using F = __m512;
    static constexpr int32_t lanes = 16;

    static F load(const float *p) { return _mm512_loadu_ps(p); }
    static void store(float *p, F v) { _mm512_storeu_ps(p, v); }
    static F set1(float v) { return _mm512_set1_ps(v); }
    static F add(F a, F b) { return _mm512_add_ps(a, b); }
    static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
    static F max(F a, F b) { return _mm512_max_ps(a, b); }
    static F addExponent(F p, F rounded) {
        const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(rounded), 23);
        return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), exponent));
    }
    static unsigned ge(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
    static F addWhereGreater(F sum, F term, F a, F b) {
        return _mm512_mask_add_ps(sum, _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), sum, term);
    }
    // Compressing into a register and storing all of it: compressing stores are microcoded on Zen 4.
    static void compress(float *out, unsigned mask, F v) {
        _mm512_storeu_ps(out, _mm512_maskz_compress_ps(static_cast<__mmask16>(mask), v));
    }
    static void compressIndices(int32_t *out, unsigned mask, int32_t first) {
        const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        const __m512i indices = _mm512_add_epi32(lane, _mm512_set1_epi32(first));
        _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(static_cast<__mmask16>(mask), indices));
    }
    static float sum(F v) { return _mm512_reduce_add_ps(v); }
    static float maximum(F v) { return _mm512_reduce_max_ps(v); }
};

} // namespace

const Kernels &avx512Kernels() {
    return KernelsOf<Avx512>::table;
}

} // namespace sluice::sampler::simd

#pragma GCC pop_options
#endif
