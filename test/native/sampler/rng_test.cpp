#include "harness.h"

#include "sampler/rng.h"

#include <algorithm>
#include <cmath>

using namespace sluice::sampler;

// Known answers published with the Random123 library.
TEST(rng_philoxKnownAnswers) {
    const auto zeros = philox({0, 0, 0, 0}, {0, 0});
    CHECK(zeros == (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    const auto ones = philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff});
    CHECK(ones == (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    const auto pi = philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0});
    CHECK(pi == (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(rng_isAFunctionOfSeedIndexAndDraw) {
    TokenRandom a(7, 3);
    TokenRandom b(7, 3);
    const double first = a.next();
    CHECK_EQUAL(first, b.next());
    CHECK(a.next() != first);
    CHECK(TokenRandom(8, 3).next() != first);
    CHECK(TokenRandom(7, 4).next() != first);
}

TEST(rng_isUniform) {
    constexpr int draws = 200000;
    int bins[20] = {};
    for (int i = 0; i < draws; i++) {
        const double u = TokenRandom(42, static_cast<uint64_t>(i)).next();
        CHECK(u > 0 && u < 1);
        bins[static_cast<int>(u * 20)]++;
    }
    double chiSquare = 0;
    for (const int bin : bins)
        chiSquare += std::pow(bin - draws / 20.0, 2) / (draws / 20.0);
    CHECK(chiSquare < 43.8); // p = 0.001 at 19 degrees of freedom
}
