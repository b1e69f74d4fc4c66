#include "paged-kernel.h"

#include <cmath>
#include <cstring>

#include "paged-kernel-impl.h"

namespace sluice::paged {
namespace {

// Eight floats in plain loops, which compilers turn into what vectors the target has.
struct Portable {
    struct F {
        float lane[8];
    };
    static constexpr int32_t lanes = 8;
    static constexpr int32_t scoreCells = 1;
    static constexpr int32_t valueVectors = 1;
    static constexpr int32_t wideRows = 4;

    template <class Lane> static F each(Lane lane) {
        F x;
        for (int32_t i = 0; i < lanes; i++)
            x.lane[i] = lane(i);
        return x;
    }

    static F zero() { return {}; }
    static F set1(float x) {
        return each([&](int32_t) { return x; });
    }
    static F iota() {
        return each([](int32_t i) { return static_cast<float>(i); });
    }
    static F load(const float *p) {
        F x;
        std::memcpy(x.lane, p, sizeof(x.lane));
        return x;
    }
    static void store(float *p, const F &x) { std::memcpy(p, x.lane, sizeof(x.lane)); }
    static F add(const F &a, const F &b) {
        return each([&](int32_t i) { return a.lane[i] + b.lane[i]; });
    }
    static F sub(const F &a, const F &b) {
        return each([&](int32_t i) { return a.lane[i] - b.lane[i]; });
    }
    static F mul(const F &a, const F &b) {
        return each([&](int32_t i) { return a.lane[i] * b.lane[i]; });
    }
    static F div(const F &a, const F &b) {
        return each([&](int32_t i) { return a.lane[i] / b.lane[i]; });
    }
    static F max(const F &a, const F &b) {
        return each([&](int32_t i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
    }
    static F fma(const F &a, const F &b, const F &c) {
        return each([&](int32_t i) { return a.lane[i] * b.lane[i] + c.lane[i]; });
    }
    static float sum(const F &x) {
        float total = 0;
        for (const float lane : x.lane)
            total += lane;
        return total;
    }
    static float maximum(const F &x) {
        float largest = x.lane[0];
        for (const float lane : x.lane)
            largest = lane > largest ? lane : largest;
        return largest;
    }
    static F absolute(const F &x) {
        return each([&](int32_t i) { return std::fabs(x.lane[i]); });
    }
    static F copySign(const F &x, const F &sign) {
        return each([&](int32_t i) { return std::copysign(x.lane[i], sign.lane[i]); });
    }
    static F addExponent(const F &p, const F &rounded) {
        return each([&](int32_t i) { return floatOf(bitsOf(p.lane[i]) + (bitsOf(rounded.lane[i]) << 23)); });
    }
    static F keep(const F &x, int32_t a, int32_t b) {
        return each([&](int32_t i) { return i >= a && i < b ? x.lane[i] : -__builtin_inff(); });
    }
    static F loadF16(const uint16_t *p) {
        return each([&](int32_t i) { return half(p + i); });
    }
    static F loadBf16(const uint16_t *p) {
        return each([&](int32_t i) { return floatOf(static_cast<uint32_t>(p[i]) << 16); });
    }
    static F loadI8(const int8_t *p) {
        return each([&](int32_t i) { return static_cast<float>(p[i]); });
    }
    static void sums(const F *a, float *out) { *out = sum(*a); }
    static void transpose(F *r) {
        for (int32_t i = 0; i < lanes; i++) {
            for (int32_t j = 0; j < i; j++) {
                const float x = r[i].lane[j];
                r[i].lane[j] = r[j].lane[i];
                r[j].lane[i] = x;
            }
        }
    }

    static uint32_t bitsOf(float x) {
        uint32_t bits;
        std::memcpy(&bits, &x, sizeof(bits));
        return bits;
    }
    static float floatOf(uint32_t bits) {
        float x;
        std::memcpy(&x, &bits, sizeof(x));
        return x;
    }

    // Exponent and mantissa moved to their F32 places; the multiplication mends the bias, for subnormals too.
    static float half(const uint16_t *p) {
        const uint32_t magnitude = *p & 0x7fffu, sign = static_cast<uint32_t>(*p & 0x8000u) << 16;
        const uint32_t bits = magnitude >= 0x7c00u
                                  ? magnitude << 13 | 0x7f800000u
                                  : bitsOf(floatOf(magnitude << 13) * floatOf((127u + 112u) << 23));
        return floatOf(bits | sign);
    }
};

} // namespace

const Kernel portableKernel = KernelOf<Portable>::named("portable");

} // namespace sluice::paged
