// Each kernel of each level against the plain loop.

#include "data.h"
#include "harness.h"

#include "sampler/simd.h"

#include <algorithm>

using namespace sluice::sampler::simd;

namespace {

constexpr int32_t blocks = 37;
constexpr int32_t size = blocks * blockSize;

/** A row with two blocks replaced, and the row that the view stands for. */
struct Fixture {
    explicit Fixture(data::Kind kind) : row(data::row(size, kind, 11)), meant(row) {
        const auto other = data::row(2 * blockSize, kind, 12);
        shadow.assign(other.begin(), other.end());
        for (const int32_t slot : {0, 1}) {
            const int32_t block = slot == 0 ? 20 : 3;
            slots[block] = slot;
            std::copy_n(shadow.begin() + slot * blockSize, blockSize, meant.begin() + block * blockSize);
        }
        for (int32_t b = 0; b < blocks; b++)
            maxima[b] = maximum(b);
    }

    float maximum(int32_t block) const {
        float m = -data::infinity;
        for (int32_t i = 0; i < blockSize; i++)
            m = std::max(m, meant[block * blockSize + i]); // false for NaN
        return m;
    }

    BlockView view() const { return {row.data(), shadow.data(), slots.data(), blocks}; }

    reference::Logits row;
    reference::Logits meant;
    std::vector<float> shadow;
    std::vector<int32_t> slots = std::vector<int32_t>(blocks, -1);
    std::vector<float> maxima = std::vector<float>(blocks);
};

double sumExp(const reference::Logits &logits, int32_t begin, int32_t end, float above, float reference,
              float scale) {
    double sum = 0;
    for (int32_t i = begin; i < end; i++)
        if (logits[i] > above)
            sum += std::exp((static_cast<double>(logits[i]) - static_cast<double>(reference)) *
                            static_cast<double>(scale));
    return sum;
}

template <class Body> void forEachCase(const Body &body) {
    harness::forEachLevel([&](Level level) {
        for (const data::Kind kind : data::kinds)
            body(kernels(level), Fixture(kind));
    });
}

} // namespace

TEST(kernels_blockMax) {
    forEachCase([](const Kernels &kernels, const Fixture &f) {
        std::vector<float> maxima(blocks);
        kernels.blockMax(f.meant.data(), blocks, maxima.data());
        for (int32_t b = 0; b < blocks; b++)
            CHECK_EQUAL(maxima[b], f.maxima[b]);
    });
}

TEST(kernels_blockMax_ofNothing) {
    harness::forEachLevel([](Level level) {
        for (const float nothing : {-data::infinity, data::notANumber}) {
            const std::vector<float> values(blockSize, nothing);
            float maximum = 0;
            kernels(level).blockMax(values.data(), 1, &maximum);
            CHECK_EQUAL(maximum, -data::infinity);
        }
    });
}

TEST(kernels_sums) {
    forEachCase([](const Kernels &kernels, const Fixture &f) {
        for (const float scale : {0.25f, 1.0f, 1.25f, 3.0f}) {
            std::vector<float> sums(blocks);
            std::vector<float> maxima(blocks);
            std::vector<float> both(blocks);
            kernels.blockSums(f.view(), 5, scale, sums.data());
            kernels.blockStats(f.meant.data(), blocks, 5, scale, maxima.data(), both.data());
            for (int32_t b = 0; b < blocks; b++) {
                const double expected =
                    sumExp(f.meant, b * blockSize, (b + 1) * blockSize, -data::infinity, 5, scale);
                CHECK(std::abs(static_cast<double>(sums[b]) - expected) <= 3e-6 * expected);
                CHECK(std::abs(static_cast<double>(both[b]) - expected) <= 3e-6 * expected);
                CHECK_EQUAL(maxima[b], f.maxima[b]);
            }
        }
    });
}

TEST(kernels_sumExpAbove) {
    forEachCase([](const Kernels &kernels, const Fixture &f) {
        for (const float threshold : {-data::infinity, -3.0f, 0.0f, 2.0f, 4.5f, 40.0f})
            for (const int32_t begin : {0, 3, 36}) {
                const double sum =
                    kernels.sumExpAbove(f.view(), f.maxima.data(), begin, blocks, threshold, 8);
                const double expected = sumExp(f.meant, begin * blockSize, size, threshold, 8, 1);
                CHECK(std::abs(sum - expected) <= 3e-6 * expected);
            }
    });
}

TEST(kernels_blockWeights) {
    forEachCase([](const Kernels &kernels, const Fixture &f) {
        float weights[blockSize];
        kernels.blockWeights(f.meant.data(), 4, 1.5f, weights);
        for (int32_t i = 0; i < blockSize; i++) {
            const float x = f.meant[i];
            if (!(x > -data::infinity)) {
                CHECK_EQUAL(weights[i], 0.0f);
            } else {
                const double expected = std::exp((static_cast<double>(x) - 4) * 1.5);
                CHECK(std::abs(static_cast<double>(weights[i]) - expected) <= 4e-6 * expected);
            }
        }
    });
}

TEST(kernels_weightsOfTheExtremes) {
    harness::forEachLevel([](Level level) {
        std::vector<float> values(blockSize, -data::infinity);
        values[0] = 0;
        values[1] = -87;
        values[2] = -89;
        values[3] = -1e30f;
        values[4] = std::numeric_limits<float>::lowest();
        values[5] = exponentMax;
        values[6] = data::notANumber;
        float weights[blockSize];
        kernels(level).blockWeights(values.data(), 0, 1, weights);
        CHECK_EQUAL(weights[0], 1.0f);
        CHECK(weights[1] > 0);
        for (const int32_t zero : {2, 3, 4, 6, 7})
            CHECK_EQUAL(weights[zero], 0.0f);
        CHECK_NEAR(static_cast<double>(weights[5]), std::exp(60.0), 1e-5);
    });
}

TEST(kernels_collect) {
    forEachCase([](const Kernels &kernels, const Fixture &f) {
        for (const float threshold : {std::numeric_limits<float>::lowest(), -1.0f, 0.0f, 3.0f, 40.0f}) {
            std::vector<float> values(size + storeSlack);
            std::vector<int32_t> ids(size + storeSlack);
            const int32_t count =
                kernels.collect(f.view(), f.maxima.data(), threshold, values.data(), ids.data());
            int32_t expected = 0;
            for (int32_t i = 0; i < size; i++) {
                if (!(f.meant[i] >= threshold)) continue;
                CHECK(expected < count && ids[expected] == i && values[expected] == f.meant[i]);
                expected++;
            }
            CHECK_EQUAL(count, expected);
        }
    });
}
