#pragma once

#include <array>
#include <cstdint>

namespace sluice::sampler {

/** Philox 4×32, 10 rounds (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011). */
inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
    for (int round = 0; round < 10; round++) {
        const uint64_t a = uint64_t{0xD2511F53} * counter[0];
        const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
        counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
                   static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    return counter;
}

/**
 * Uniform numbers for one generated token: a pure function of the seed, the token's index and the number of
 * the draw. What else is in the batch, or a preemption, can't change them.
 */
class TokenRandom {
public:
    TokenRandom(uint32_t seed, uint64_t tokenIndex) : seed_(seed), tokenIndex_(tokenIndex) {}

    /** In the open interval (0, 1), 52 random bits. */
    double next() {
        const auto bits =
            philox({static_cast<uint32_t>(tokenIndex_), static_cast<uint32_t>(tokenIndex_ >> 32), draw_++, 0},
                   {seed_, 0});
        const uint64_t mantissa = (uint64_t{bits[0]} << 20) | (bits[1] >> 12);
        return (static_cast<double>(mantissa) + 0.5) * 0x1p-52;
    }

private:
    uint32_t seed_;
    uint64_t tokenIndex_;
    uint32_t draw_ = 0;
};

} // namespace sluice::sampler
