// The kernels, written once over a vector type V. Included by simd_<level>.cpp inside its target pragma,
// hence no includes here: standard headers compiled for a wider target would break the one-definition rule.
//
// V gives: lanes, F (vector of float), load, store, set1, add, sub, mul, fma(a, b, c) = a·b + c,
// max(a, b) = b where a is NaN, addExponent(p, r) = p · 2^n for r = 1.5 · 2^23 + n, ge(a, b) and gt(a, b) as
// bit masks, addWhereGreater(sum, term, a, b) = sum + (a > b ? term : 0), compress and compressIndices (write
// selected lanes, a whole vector may be stored), sum, maximum (across lanes).

namespace sluice::sampler::simd {

template <class V> struct KernelsOf {
    using F = typename V::F;

    // 2^t for t < 127, after clamping to -127, where it is 0. t = n + f with f in [-½, ½]; the polynomial is
    // the minimax fit of 2^f with constant term 1: relative error 9.2e-8, 1.5e-7 with its rounding.
    static F exp2(F t) {
        t = V::max(t, V::set1(-127.0f));
        const F magic = V::set1(12582912.0f); // 1.5 · 2^23: adding it rounds to an integer
        const F rounded = V::add(t, magic);
        const F f = V::sub(t, V::sub(rounded, magic));
        F p = V::set1(1.32647273e-3f);
        p = V::fma(p, f, V::set1(9.67151299e-3f));
        p = V::fma(p, f, V::set1(5.55073358e-2f));
        p = V::fma(p, f, V::set1(2.40222424e-1f));
        p = V::fma(p, f, V::set1(6.93147004e-1f));
        p = V::fma(p, f, V::set1(1.0f));
        return V::addExponent(p, rounded);
    }

    static constexpr float log2e = 1.44269504088896f;

    static void blockMax(const float *values, int32_t blocks, float *maxima) {
        for (int32_t b = 0; b < blocks; b++, values += blockSize) {
            F m = V::set1(-__builtin_inff());
            for (int32_t i = 0; i < blockSize; i += V::lanes)
                m = V::max(V::load(values + i), m);
            maxima[b] = V::maximum(m);
        }
    }

    static void blockStats(const float *values, int32_t blocks, float reference, float scale, float *maxima,
                           float *sums) {
        const F ref = V::set1(reference);
        const F factor = V::set1(scale * log2e);
        for (int32_t b = 0; b < blocks; b++, values += blockSize) {
            F m = V::set1(-__builtin_inff());
            F sum = V::set1(0.0f);
            for (int32_t i = 0; i < blockSize; i += V::lanes) {
                const F x = V::load(values + i);
                m = V::max(x, m);
                sum = V::add(sum, exp2(V::mul(V::sub(x, ref), factor)));
            }
            maxima[b] = V::maximum(m);
            sums[b] = V::sum(sum);
        }
    }

    static void blockSums(const BlockView &view, float reference, float scale, float *sums) {
        const F ref = V::set1(reference);
        const F factor = V::set1(scale * log2e);
        for (int32_t b = 0; b < view.blocks; b++) {
            const float *x = view.at(b);
            F sum = V::set1(0.0f);
            for (int32_t i = 0; i < blockSize; i += V::lanes)
                sum = V::add(sum, exp2(V::mul(V::sub(V::load(x + i), ref), factor)));
            sums[b] = V::sum(sum);
        }
    }

    static double sumExpAbove(const BlockView &view, const float *maxima, int32_t begin, int32_t end,
                              float threshold, float reference) {
        const F ref = V::set1(reference);
        const F factor = V::set1(log2e);
        const F limit = V::set1(threshold);
        double total = 0;
        for (int32_t b = begin; b < end;) {
            F sum = V::set1(0.0f);
            // Float lanes are emptied into the double every 8 blocks, which keeps their rounding near 1e-7.
            for (const int32_t stop = end - b < 8 ? end : b + 8; b < stop; b++) {
                if (!(maxima[b] > threshold)) continue;
                const float *x = view.at(b);
                for (int32_t i = 0; i < blockSize; i += V::lanes) {
                    const F v = V::load(x + i);
                    sum = V::addWhereGreater(sum, exp2(V::mul(V::sub(v, ref), factor)), v, limit);
                }
            }
            total += static_cast<double>(V::sum(sum));
        }
        return total;
    }

    static void blockWeights(const float *values, float reference, float scale, float *weights) {
        const F ref = V::set1(reference);
        const F factor = V::set1(scale * log2e);
        for (int32_t i = 0; i < blockSize; i += V::lanes)
            V::store(weights + i, exp2(V::mul(V::sub(V::load(values + i), ref), factor)));
    }

    static int32_t collect(const BlockView &view, const float *maxima, float threshold, float *values,
                           int32_t *ids) {
        const F limit = V::set1(threshold);
        int32_t count = 0;
        for (int32_t b = 0; b < view.blocks; b++) {
            if (!(maxima[b] >= threshold)) continue;
            const float *x = view.at(b);
            for (int32_t i = 0; i < blockSize; i += V::lanes) {
                const F v = V::load(x + i);
                const unsigned mask = V::ge(v, limit);
                if (mask == 0) continue;
                V::compress(values + count, mask, v);
                V::compressIndices(ids + count, mask, b * blockSize + i);
                count += __builtin_popcount(mask);
            }
        }
        return count;
    }

    static constexpr Kernels table = {blockMax, blockStats, blockSums, sumExpAbove, blockWeights, collect};
};

} // namespace sluice::sampler::simd
