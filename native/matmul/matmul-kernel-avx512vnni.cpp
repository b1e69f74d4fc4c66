#include "matmul-kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC push_options
// GCC's own AVX-512 headers warn about their deliberately undefined operands (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#if defined(__clang__)
#pragma clang attribute push(                                                                                \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c,prfchw"))),                \
    apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c,prfchw")
#endif

#include <cstring>

namespace sluice::matmul {
namespace {

// A panel's block in registers. Signed quants carry an offset of 128, which the activations' biases take
// back.
struct Weights {
    __m512i quants[8];
    __m512 scale;
    __m512 scaleHigh; // of the second half of the block, where it has its own
    __m512 min;       // subtracted from each weight
};

__m512i load(const uint8_t *p) {
    return _mm512_loadu_si512(p);
}
__m512 loadHalves(const uint8_t *p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(p)));
}
__m512 loadUnsigned(const uint8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p))));
}
__m512 loadSigned(const uint8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p))));
}

// 256 bytes of nibbles into 8 vectors.
void loadNibbles(const uint8_t *p, __m512i *quants) {
    const __m512i low = _mm512_set1_epi8(15);
    for (int i = 0; i < 4; i++) {
        const __m512i both = load(p + 64 * i);
        quants[i] = _mm512_and_si512(both, low);
        quants[i + 4] = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
    }
}

// Adds `clear` to each quant, or `set` where its bit is set.
void addByBit(const uint8_t *bits, char clear, char set, __m512i *quants) {
    for (int i = 0; i < 8; i++) {
        uint64_t mask;
        std::memcpy(&mask, bits + 8 * i, sizeof(mask));
        const __m512i addend = _mm512_mask_blend_epi8(mask, _mm512_set1_epi8(clear), _mm512_set1_epi8(set));
        quants[i] = _mm512_add_epi8(quants[i], addend);
    }
}

// Formats whose blocks have a scale and no more.
struct OneScale {
    static constexpr bool hasMin = false, hasHalves = false;
    static constexpr int32_t unitBlocks = 1;
    struct Header {};
    static Header header(const uint8_t *&) { return {}; }
};

struct Q8_0 : OneScale {
    static Weights next(const Header &, const uint8_t *&p) {
        Weights w;
        w.scale = loadHalves(p);
        for (int i = 0; i < 8; i++)
            w.quants[i] = load(p + 32 + 64 * i);
        p += 32 + 512;
        return w;
    }
};

struct Q5_0 : OneScale {
    static Weights next(const Header &, const uint8_t *&p) {
        Weights w;
        w.scale = loadHalves(p);
        loadNibbles(p + 32, w.quants);
        addByBit(p + 32 + 256, 128 - 16, static_cast<char>(128), w.quants);
        p += 32 + 256 + 64;
        return w;
    }
};

struct Q4_0 : OneScale {
    static Weights next(const Header &, const uint8_t *&p) {
        Weights w;
        w.scale = loadHalves(p);
        loadNibbles(p + 32, w.quants);
        for (__m512i &quants : w.quants)
            quants = _mm512_add_epi8(quants, _mm512_set1_epi8(128 - 8));
        p += 32 + 256;
        return w;
    }
};

struct ScaleAndMin {
    __m512 scale, min;
    static ScaleAndMin read(const uint8_t *&p) {
        const ScaleAndMin header = {loadHalves(p), loadHalves(p + 32)};
        p += 64;
        return header;
    }
    void apply(const uint8_t *p, Weights &w) const {
        w.scale = _mm512_mul_ps(scale, loadUnsigned(p));
        w.min = _mm512_mul_ps(min, loadUnsigned(p + 16));
    }
};

struct Q4K {
    static constexpr bool hasMin = true, hasHalves = false;
    static constexpr int32_t unitBlocks = superBlocks;
    using Header = ScaleAndMin;
    static Header header(const uint8_t *&p) { return ScaleAndMin::read(p); }
    static Weights next(const Header &header, const uint8_t *&p) {
        Weights w;
        header.apply(p, w);
        loadNibbles(p + 32, w.quants);
        p += 32 + 256;
        return w;
    }
};

struct Q5K {
    static constexpr bool hasMin = true, hasHalves = false;
    static constexpr int32_t unitBlocks = superBlocks;
    using Header = ScaleAndMin;
    static Header header(const uint8_t *&p) { return ScaleAndMin::read(p); }
    static Weights next(const Header &header, const uint8_t *&p) {
        Weights w;
        header.apply(p, w);
        loadNibbles(p + 32, w.quants);
        addByBit(p + 32 + 256, 0, 16, w.quants);
        p += 32 + 256 + 64;
        return w;
    }
};

struct Q6K {
    static constexpr bool hasMin = false, hasHalves = true;
    static constexpr int32_t unitBlocks = superBlocks;
    using Header = __m512;
    static Header header(const uint8_t *&p) {
        const __m512 scale = loadHalves(p);
        p += 32;
        return scale;
    }
    static Weights next(const Header &scale, const uint8_t *&p) {
        Weights w;
        w.scale = _mm512_mul_ps(scale, loadSigned(p));
        w.scaleHigh = _mm512_mul_ps(scale, loadSigned(p + 16));
        loadNibbles(p + 32, w.quants);
        const __m512i bits = _mm512_set1_epi8(0x30), offset = _mm512_set1_epi8(128 - 32);
        for (int half = 0; half < 2; half++) {
            const __m512i packed = load(p + 32 + 256 + 64 * half);
            const __m512i shifted[] = {_mm512_slli_epi16(packed, 4), _mm512_slli_epi16(packed, 2), packed,
                                       _mm512_srli_epi16(packed, 2)};
            for (int i = 0; i < 4; i++) {
                __m512i &quants = w.quants[2 * i + half];
                quants = _mm512_add_epi8(_mm512_or_si512(quants, _mm512_and_si512(shifted[i], bits)), offset);
            }
        }
        p += 32 + 256 + 128;
        return w;
    }
};

// Called as a function, it would keep in memory what has to be in registers.
#define INLINE [[gnu::always_inline]] inline

// R rows of activations, read at one block.
struct ActivationBlocks {
    const uint8_t *first;
    size_t stride;
    int32_t columns;
    int32_t block;

    ActivationRow row(int r) const { return {first + r * stride, columns}; }
    __m512i four(int r, int i) const {
        int32_t four;
        std::memcpy(&four, row(r).quants + block * blockInputs + 4 * i, sizeof(four));
        return _mm512_set1_epi32(four);
    }
    __m512 scale(int r) const { return _mm512_set1_ps(row(r).scales[block]); }
    __m512 sum(int r) const { return _mm512_set1_ps(row(r).sums[block]); }
    __m512i bias(int r) const { return _mm512_set1_epi32(row(r).biases[block]); }
    __m512i biasHigh(int r) const { return _mm512_set1_epi32(row(r).biasesHigh[block]); }
};

// Adds the products of groups [from, to) of the block. Rows take turns: a row's own products wait for each
// other.
template <int from, int to, int R>
INLINE void dot(const Weights &w, const ActivationBlocks &activations, __m512i *products) {
#pragma GCC unroll 8
    for (int i = from; i < to; i++)
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
            products[r] = _mm512_dpbusd_epi32(products[r], w.quants[i], activations.four(r, i));
}

template <int R>
INLINE void addScaled(const __m512i *products, __m512 scale, const ActivationBlocks &activations,
                      __m512 *sums) {
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
        const __m512 product = _mm512_cvtepi32_ps(products[r]);
        sums[r] = _mm512_fmadd_ps(product, _mm512_mul_ps(scale, activations.scale(r)), sums[r]);
    }
}

// Adds the block's products with R rows of activations to their sums.
template <class F, int R>
INLINE void accumulate(const Weights &w, const ActivationBlocks &activations, __m512 *sums) {
    __m512i products[R];
    if constexpr (F::hasHalves) {
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
            products[r] = _mm512_sub_epi32(activations.bias(r), activations.biasHigh(r));
        dot<0, 4, R>(w, activations, products);
        addScaled<R>(products, w.scale, activations, sums);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
            products[r] = activations.biasHigh(r);
        dot<4, 8, R>(w, activations, products);
        addScaled<R>(products, w.scaleHigh, activations, sums);
    } else {
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
            products[r] = F::hasMin ? _mm512_setzero_si512() : activations.bias(r);
        dot<0, 8, R>(w, activations, products);
        addScaled<R>(products, w.scale, activations, sums);
    }
    if constexpr (F::hasMin) {
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
            sums[r] = _mm512_fnmadd_ps(w.min, activations.sum(r), sums[r]);
    }
}

// Fewer rows than this read weights as fast as memory gives them, in an order that the hardware foresees.
// With more it falls behind: what is computed on a block leaves it no time to be asked for the next.
constexpr int prefetchRows = 3;
constexpr ptrdiff_t prefetchBytes = 16 << 10;

// Brings what lies `prefetchBytes` behind [begin, end) to the second-level cache.
void prefetchBehind(const uint8_t *begin, const uint8_t *end) {
    for (const uint8_t *line = begin; line < end; line += 64)
        _mm_prefetch(line + prefetchBytes, _MM_HINT_T1);
}

// Where a panel's products go.
struct Output {
    float *first;
    size_t stride;
    __mmask16 lanes;
    bool isStreamed; // past the caches
};

// One panel times R rows. The weights of a block are unpacked once for all of them.
template <class F, int R>
void multiplyTile(const uint8_t *panel, int32_t columns, const uint8_t *activations, const Output &out) {
    __m512 sums[R];
    for (__m512 &sum : sums)
        sum = _mm512_setzero_ps();
    const size_t stride = activationRowBytes(columns);
    const int32_t blocks = columns / blockInputs;
    for (int32_t block = 0; block < blocks;) {
        const auto header = F::header(panel);
        for (const int32_t end = block + F::unitBlocks; block < end; block++) {
            const uint8_t *begin = panel;
            const Weights w = F::next(header, panel);
            if constexpr (R >= prefetchRows) prefetchBehind(begin, panel);
            accumulate<F, R>(w, {activations, stride, columns, block}, sums);
        }
    }
    for (int r = 0; r < R; r++) {
        float *to = out.first + r * out.stride;
        if (out.isStreamed)
            _mm512_stream_ps(to, sums[r]);
        else
            _mm512_mask_storeu_ps(to, out.lanes, sums[r]);
    }
}

using Tile = void (*)(const uint8_t *, int32_t, const uint8_t *, const Output &);

// 8 vectors of weights, as many sums and products, and what is between leave none of the 32 registers.
constexpr int32_t tileRows = 8;
template <class F>
constexpr Tile tiles[tileRows + 1] = {nullptr,
                                      multiplyTile<F, 1>,
                                      multiplyTile<F, 2>,
                                      multiplyTile<F, 3>,
                                      multiplyTile<F, 4>,
                                      multiplyTile<F, 5>,
                                      multiplyTile<F, 6>,
                                      multiplyTile<F, 7>,
                                      multiplyTile<F, 8>};

// Products that caches can't hold anyway push out nothing, and their lines aren't read before they are
// written.
constexpr size_t streamedBytes = 4 << 20;

bool isStreamed(const float *out, size_t outStride, int32_t rows) {
    return rows * outStride * sizeof(float) > streamedBytes && reinterpret_cast<uintptr_t>(out) % 64 == 0 &&
           outStride % panelRows == 0;
}

template <class F>
void multiplyAs(const PackedWeights &weights, int32_t panelBegin, int32_t panelEnd,
                const uint8_t *activations, int32_t rows, float *out, size_t outStride) {
    const size_t stride = activationRowBytes(weights.columns());
    const bool streamed = isStreamed(out, outStride, rows);
    for (int32_t panel = panelBegin; panel < panelEnd; panel++) {
        const int32_t first = panel * panelRows;
        const int32_t left = weights.rows() - first;
        const auto lanes = static_cast<__mmask16>(left >= panelRows ? 0xffff : (1u << left) - 1);
        for (int32_t r = 0; r < rows; r += tileRows) {
            const int32_t count = rows - r < tileRows ? rows - r : tileRows;
            const Output to = {out + r * outStride + first, outStride, lanes, streamed && left >= panelRows};
            tiles<F>[count](weights.panel(panel), weights.columns(), activations + r * stride, to);
        }
    }
    if (streamed) _mm_sfence(); // before another thread is told that they are there
}

void multiply(const PackedWeights &weights, int32_t panelBegin, int32_t panelEnd, const uint8_t *activations,
              int32_t rows, float *out, size_t outStride) {
    const auto as = [&](auto format) {
        multiplyAs<decltype(format)>(weights, panelBegin, panelEnd, activations, rows, out, outStride);
    };
    switch (weights.format()) {
    case Format::q8_0:
        return as(Q8_0());
    case Format::q5_0:
        return as(Q5_0());
    case Format::q4_0:
        return as(Q4_0());
    case Format::q4_k:
        return as(Q4K());
    case Format::q5_k:
        return as(Q5K());
    case Format::q6_k:
        return as(Q6K());
    }
}

// The first `left` lanes.
__mmask16 lanesFrom(int64_t left) {
    return static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
}

// Another core read these lines last and holds them: stores would wait for one after the other.
void fetchForWriting(void *to, size_t bytes) {
    for (size_t b = 0; b < bytes; b += 64)
        __builtin_prefetch(static_cast<char *>(to) + b, 1);
}

int32_t sumOf(__m128i bytes) {
    return _mm512_reduce_add_epi32(_mm512_cvtepi8_epi32(bytes));
}

void quantize(const float *x, int32_t columns, uint8_t *row) {
    const int32_t blocks = columns / blockInputs;
    const ActivationRow out(row, columns);
    fetchForWriting(row, activationRowBytes(columns));
    for (int32_t b = 0; b < blocks; b++) {
        const __m512 low = _mm512_loadu_ps(x + b * blockInputs),
                     high = _mm512_loadu_ps(x + b * blockInputs + 16);
        const float largest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(low), _mm512_abs_ps(high)));
        const float scale = largest / 127;
        const __m512 inverse = _mm512_set1_ps(largest > 0 ? 127 / largest : 0);
        const __m128i lowQuants = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(low, inverse)));
        const __m128i highQuants = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(high, inverse)));
        auto *quants = const_cast<int8_t *>(out.quants) + b * blockInputs;
        _mm_storeu_si128(reinterpret_cast<__m128i *>(quants), lowQuants);
        _mm_storeu_si128(reinterpret_cast<__m128i *>(quants + 16), highQuants);
        const int32_t sumHigh = sumOf(highQuants), sum = sumOf(lowQuants) + sumHigh;
        const_cast<float *>(out.scales)[b] = scale;
        const_cast<float *>(out.sums)[b] = scale * static_cast<float>(sum);
        const_cast<int32_t *>(out.biases)[b] = -128 * sum;
        const_cast<int32_t *>(out.biasesHigh)[b] = -128 * sumHigh;
    }
}

void norm(const float *x, const float *weights, int32_t columns, float epsilon, float *out) {
    fetchForWriting(out, columns * sizeof(float));
    __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    for (int32_t i = 0; i < columns; i += 16) {
        const __m512 values = _mm512_maskz_loadu_ps(lanesFrom(columns - i), x + i);
        __m512 &sum = sums[i / 16 % 4];
        sum = _mm512_fmadd_ps(values, values, sum);
    }
    const __m512 sum = _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
    const float mean = _mm512_reduce_add_ps(sum) / static_cast<float>(columns);
    const __m512 scale = _mm512_set1_ps(1.0f / __builtin_sqrtf(mean + epsilon));
    for (int32_t i = 0; i < columns; i += 16) {
        const __mmask16 lanes = lanesFrom(columns - i);
        const __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, x + i), scale);
        const __m512 weight = _mm512_maskz_loadu_ps(lanes, weights + i);
        _mm512_mask_storeu_ps(out + i, lanes, _mm512_mul_ps(scaled, weight));
    }
}

// e^x for x <= 0; below -87 it stays at the smallest normal number. x = n ln 2 + f, |f| <= ln 2 / 2; the
// Taylor series of e^f to the 7th power is off by at most 6e-9.
__m512 expOfNegative(__m512 x) {
    x = _mm512_max_ps(x, _mm512_set1_ps(-87.0f));
    const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
    // ln 2 in two parts, the first with enough zero bits that n times it is exact.
    __m512 f = _mm512_fmadd_ps(n, _mm512_set1_ps(-0.693145751953125f), x);
    f = _mm512_fmadd_ps(n, _mm512_set1_ps(-1.42860677e-6f), f);
    __m512 p = _mm512_set1_ps(1.0f / 5040);
    constexpr float terms[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
    for (const float term : terms)
        p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(term));
    return _mm512_scalef_ps(p, n);
}

// x / (1 + e^-2u) with u = sqrt(2 / pi) (x + 0.044715 x^3), which is x (1 + tanh u) / 2.
__m512 gelu(__m512 x) {
    const __m512 square = _mm512_mul_ps(x, x);
    const __m512 slope =
        _mm512_fmadd_ps(square, _mm512_set1_ps(2 * 0.79788456f * 0.044715f), _mm512_set1_ps(2 * 0.79788456f));
    const __m512 twice = _mm512_mul_ps(x, slope);
    const __m512 e = expOfNegative(_mm512_sub_ps(_mm512_setzero_ps(), _mm512_abs_ps(twice)));
    const __m512 one = _mm512_set1_ps(1.0f);
    const __mmask16 isNegative = _mm512_cmp_ps_mask(twice, _mm512_setzero_ps(), _CMP_LT_OQ);
    const __m512 numerator = _mm512_mask_mov_ps(one, isNegative, e);
    return _mm512_mul_ps(x, _mm512_div_ps(numerator, _mm512_add_ps(one, e)));
}

void geglu(const float *gate, const float *up, int64_t count, float *out) {
    fetchForWriting(out, count * sizeof(float));
    for (int64_t i = 0; i < count; i += 16) {
        const __mmask16 lanes = lanesFrom(count - i);
        const __m512 product =
            _mm512_mul_ps(gelu(_mm512_maskz_loadu_ps(lanes, gate + i)), _mm512_maskz_loadu_ps(lanes, up + i));
        _mm512_mask_storeu_ps(out + i, lanes, product);
    }
}

} // namespace

const Kernel avx512VnniKernel = {"avx512-vnni", quantize, multiply, geglu, norm};

} // namespace sluice::matmul

#if defined(__clang__)
#pragma clang attribute pop
#endif
#pragma GCC pop_options
#endif
