#pragma once

#include "reference.h"

#include <cmath>
#include <limits>
#include <random>

/** Rows of logits to test with; the same seed gives the same row everywhere. */
namespace data {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

/** The shapes a block of 128 can make trouble with, and real vocabularies. */
constexpr int32_t smallSizes[] = {1, 2, 63, 64, 127, 128, 129, 255, 256, 1000, 8191, 8192};
constexpr int32_t largeSizes[] = {32001, 151936, 262144};

enum class Kind { normal, peaked, tied, holed };
constexpr Kind kinds[] = {Kind::normal, Kind::peaked, Kind::tied, Kind::holed};

/** Uniform in [0, 1), the same on every standard library (its distributions aren't). */
inline double uniform(std::mt19937 &random) {
    return random() * 0x1p-32;
}

inline float normal(std::mt19937 &random, double deviation) {
    const double radius = std::sqrt(-2 * std::log(1 - uniform(random)));
    return static_cast<float>(deviation * radius * std::cos(6.283185307179586 * uniform(random)));
}

inline reference::Logits row(int32_t size, Kind kind, uint32_t seed) {
    std::mt19937 random(seed);
    reference::Logits logits(size);
    for (float &x : logits)
        x = normal(random, 2.5);
    if (kind == Kind::peaked)
        for (int i = 0; i < 30; i++)
            logits[random() % size] = 18 - 2 * std::log1p(static_cast<float>(i)) + normal(random, 0.1);
    if (kind == Kind::tied) // few distinct values, many equals at every border
        for (float &x : logits)
            x = std::round(x);
    if (kind == Kind::holed)
        for (float &x : logits)
            if (random() % 3 == 0) x = random() % 2 ? -infinity : notANumber;
    return logits;
}

} // namespace data
