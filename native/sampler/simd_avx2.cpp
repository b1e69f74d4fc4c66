#include "simd.h"

#if defined(__x86_64__)
#include <array>
#include <immintrin.h>

namespace sluice::sampler::simd {
namespace {

/** Row m lists the positions of the bits set in m, first to last; the rest is 0. */
constexpr std::array<std::array<uint8_t, 8>, 256> makeCompressTable() {
    std::array<std::array<uint8_t, 8>, 256> table{};
    for (unsigned mask = 0; mask < 256; mask++) {
        unsigned count = 0;
        for (unsigned bit = 0; bit < 8; bit++)
            if (mask >> bit & 1) table[mask][count++] = static_cast<uint8_t>(bit);
    }
    return table;
}
constexpr auto compressTable = makeCompressTable();

} // namespace
} // namespace sluice::sampler::simd

#pragma GCC push_options
#pragma GCC target("avx2,fma")

#include "simd_kernels.h"

namespace sluice::sampler::simd {
namespace {

struct Avx2 {
    using F = __m256;
    static constexpr int32_t lanes = 8;

    static F load(const float *p) { return _mm256_loadu_ps(p); }
    static void store(float *p, F v) { _mm256_storeu_ps(p, v); }
    static F set1(float v) { return _mm256_set1_ps(v); }
    static F add(F a, F b) { return _mm256_add_ps(a, b); }
    static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
    static F max(F a, F b) { return _mm256_max_ps(a, b); }
    static F addExponent(F p, F rounded) {
        const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(rounded), 23);
        return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
    }
    static unsigned ge(F a, F b) {
        return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GE_OQ)));
    }
    static F addWhereGreater(F sum, F term, F a, F b) {
        return _mm256_add_ps(sum, _mm256_and_ps(term, _mm256_cmp_ps(a, b, _CMP_GT_OQ)));
    }
    static __m256i order(unsigned mask) {
        const auto *row = reinterpret_cast<const __m128i *>(compressTable[mask].data());
        return _mm256_cvtepu8_epi32(_mm_loadl_epi64(row));
    }
    static void compress(float *out, unsigned mask, F v) {
        _mm256_storeu_ps(out, _mm256_permutevar8x32_ps(v, order(mask)));
    }
    static void compressIndices(int32_t *out, unsigned mask, int32_t first) {
        const __m256i indices = _mm256_add_epi32(order(mask), _mm256_set1_epi32(first));
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(out), indices);
    }
    static float sum(F v) {
        const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    }
    static float maximum(F v) {
        const __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
    }
};

} // namespace

const Kernels &avx2Kernels() {
    return KernelsOf<Avx2>::table;
}

} // namespace sluice::sampler::simd

#pragma GCC pop_options
#endif
