#pragma once

#include "sampler/simd.h"

#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

/** A test registers itself; main() runs all, or those whose name contains its argument. */
namespace harness {

struct Test {
    const char *name;
    void (*body)();
};

inline std::vector<Test> &tests() {
    static std::vector<Test> all;
    return all;
}

inline int &failures() {
    static int count = 0;
    return count;
}

struct Registration {
    Registration(const char *name, void (*body)()) { tests().push_back({name, body}); }
};

/** More failures of one run than this are only counted. */
constexpr int failuresShownMax = 20;

inline void fail(const char *file, int line, const std::string &message) {
    if (++failures() <= failuresShownMax) std::printf("  %s:%d: %s\n", file, line, message.c_str());
}

template <class A, class B> std::string unequal(const char *text, const A &a, const B &b) {
    std::ostringstream out;
    out << text << ": " << a << " and " << b;
    return out.str();
}

/** Runs the body once for each SIMD level that this machine has. */
template <class Body> void forEachLevel(const Body &body) {
    using sluice::sampler::simd::Level;
    const Level before = sluice::sampler::simd::level();
    for (const Level level : {Level::portable, Level::avx2, Level::avx512}) {
        if (!sluice::sampler::simd::supported(level)) continue;
        sluice::sampler::simd::setLevel(level);
        body(level);
    }
    sluice::sampler::simd::setLevel(before);
}

} // namespace harness

#define TEST(name)                                                                                           \
    static void name();                                                                                      \
    static const harness::Registration registration_##name(#name, name);                                     \
    static void name()

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) harness::fail(__FILE__, __LINE__, #condition);                                     \
    } while (false)

#define CHECK_EQUAL(a, b)                                                                                    \
    do {                                                                                                     \
        const auto valueA = (a);                                                                             \
        const auto valueB = (b);                                                                             \
        if (!(valueA == valueB))                                                                             \
            harness::fail(__FILE__, __LINE__, harness::unequal(#a " == " #b, valueA, valueB));               \
    } while (false)

/** The relative error, or the absolute one below 1, is at most `tolerance`. */
#define CHECK_NEAR(a, b, tolerance)                                                                          \
    do {                                                                                                     \
        const double valueA = (a);                                                                           \
        const double valueB = (b);                                                                           \
        const double size = std::max(1.0, std::abs(valueB));                                                 \
        if (!(std::abs(valueA - valueB) <= (tolerance)*size))                                                \
            harness::fail(__FILE__, __LINE__, harness::unequal(#a " ≈ " #b, valueA, valueB));                \
    } while (false)

#define CHECK_THROWS(expression, expectedCode)                                                               \
    do {                                                                                                     \
        bool hasThrown = false;                                                                              \
        try {                                                                                                \
            expression;                                                                                      \
        } catch (const sluice::sampler::SamplerError &error) {                                               \
            hasThrown = error.code == (expectedCode);                                                        \
        }                                                                                                    \
        if (!hasThrown) harness::fail(__FILE__, __LINE__, #expression " throws " #expectedCode);             \
    } while (false)
