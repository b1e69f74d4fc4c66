// Rows, candidates and distributions: the parts the sampler is made of.

#include "data.h"
#include "harness.h"

#include "sampler/candidates.h"
#include "sampler/row.h"

#include <algorithm>

using namespace sluice::sampler;

namespace {

const simd::Kernels &kernels() {
    return simd::kernels(simd::level());
}

template <class Body> void forEachRow(const Body &body) {
    harness::forEachLevel([&](simd::Level) {
        for (const int32_t size : data::smallSizes)
            for (const data::Kind kind : data::kinds)
                body(data::row(size, kind, static_cast<uint32_t>(size)));
    });
}

double sumExp(const reference::Logits &logits, double reference) {
    double sum = 0;
    for (const float x : logits)
        if (x > -data::infinity) sum += std::exp(static_cast<double>(x) - reference);
    return sum;
}

} // namespace

TEST(row_argmaxIsTheFirstOfTheGreatest) {
    forEachRow([](const reference::Logits &logits) {
        Row row(kernels(), static_cast<int32_t>(logits.size()));
        row.load(logits.data(), 0);
        const auto sorted = reference::sorted(logits);
        CHECK_EQUAL(row.max(), sorted.empty() ? -data::infinity : logits[sorted[0]]);
        if (!sorted.empty()) CHECK_EQUAL(row.argmax(), sorted[0]);
    });
}

TEST(row_thresholdLeavesEnough) {
    forEachRow([](const reference::Logits &logits) {
        Row row(kernels(), static_cast<int32_t>(logits.size()));
        row.load(logits.data(), 0);
        for (const int32_t count : {1, 2, 5, 40, 64, 1000}) {
            const float threshold = row.thresholdFor(count);
            const auto above =
                std::count_if(logits.begin(), logits.end(), [&](float x) { return x >= threshold; });
            CHECK(threshold == -data::infinity || above >= count);
        }
    });
}

TEST(row_changesStayBesideTheRow) {
    forEachRow([](const reference::Logits &logits) {
        const auto size = static_cast<int32_t>(logits.size());
        const reference::Logits original = logits;
        reference::Logits expected = logits;
        Row row(kernels(), size);
        for (const bool isChanged : {true, false}) {
            row.load(logits.data(), 1);
            expected = original;
            for (int32_t i = 0; isChanged && i < size; i += 1 + size / 7) {
                const float value = static_cast<float>(i % 13);
                row.change(i) = value;
                expected[i] = value;
            }
            row.refresh();
            CHECK_EQUAL(row.changed(), isChanged);
            const auto sorted = reference::sorted(expected);
            CHECK_EQUAL(row.max(), sorted.empty() ? -data::infinity : expected[sorted[0]]);
            if (sorted.empty()) continue;
            CHECK_EQUAL(row.argmax(), sorted[0]);
            const Distribution &all = row.distribution(1);
            const double total = sumExp(expected, static_cast<double>(all.reference()));
            CHECK(std::abs(all.total() - total) <= 3e-6 * total);
        }
        CHECK(std::equal(logits.begin(), logits.end(), original.begin(),
                         [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }));
    });
}

// The reference comes from a sample of blocks: a maximum far above it, or a ban of all that is near it, must
// not leave sums that overflowed or vanished.
TEST(row_distributionSurvivesAWrongGuess) {
    harness::forEachLevel([](simd::Level) {
        const int32_t size = 64 * simd::blockSize;
        reference::Logits logits = data::row(size, data::Kind::normal, 5);
        logits[simd::blockSize * 3 / 2 + 1] = 500;
        Row row(kernels(), size);
        row.load(logits.data(), 1);
        CHECK_NEAR(row.distribution(1).total() *
                       std::exp(static_cast<double>(row.distribution(1).reference()) - 500),
                   1, 1e-6);

        row.change(simd::blockSize * 3 / 2 + 1) = -500;
        row.refresh();
        logits[simd::blockSize * 3 / 2 + 1] = -500;
        const Distribution &all = row.distribution(1);
        const double total = sumExp(logits, static_cast<double>(all.reference()));
        CHECK(std::abs(all.total() - total) <= 3e-6 * total);
    });
}

TEST(row_banUpdatesItsDistribution) {
    harness::forEachLevel([](simd::Level) {
        reference::Logits logits = data::row(1000, data::Kind::normal, 6);
        Row row(kernels(), 1000);
        row.load(logits.data(), 1);
        for (const int32_t token : {0, 128, 999, 500, 501}) {
            row.ban(token);
            logits[token] = -data::infinity;
            const Distribution &all = row.distribution(1);
            const double total = sumExp(logits, static_cast<double>(all.reference()));
            CHECK(std::abs(all.total() - total) <= 3e-6 * total);
        }
    });
}

TEST(candidates_keepTopK) {
    forEachRow([](const reference::Logits &logits) {
        const auto size = static_cast<int32_t>(logits.size());
        Row row(kernels(), size);
        row.load(logits.data(), 0);
        Candidates candidates(size);
        for (const int32_t k : {1, 2, 7, 40, 1000}) {
            candidates.collect(row, row.thresholdFor(k));
            candidates.keepTopK(k);
            auto expected = reference::sorted(logits);
            expected.resize(std::min(expected.size(), static_cast<size_t>(k)));
            std::sort(expected.begin(), expected.end());
            CHECK(reference::Tokens(candidates.tokens(), candidates.tokens() + candidates.size()) ==
                  expected);
        }
    });
}

TEST(candidates_keepMass) {
    forEachRow([](const reference::Logits &logits) {
        const auto size = static_cast<int32_t>(logits.size());
        Row row(kernels(), size);
        row.load(logits.data(), 0);
        if (row.max() == -data::infinity) return;
        Candidates candidates(size);
        const auto max = static_cast<double>(row.max());
        for (const double share : {0.0, 0.1, 0.5, 0.9, 0.999, 2.0}) {
            const double mass = share * sumExp(logits, max);
            candidates.collect(row, -data::infinity);
            candidates.keepMass(mass, row.max(), kernels());
            // As many of the best as it takes; rounding may make it one more or one less.
            const auto sorted = reference::sorted(logits);
            double before = 0;
            double sum = 0;
            for (int32_t i = 0; i < candidates.size(); i++) {
                before = sum;
                sum += std::exp(static_cast<double>(logits[sorted[i]]) - max);
            }
            CHECK(before <= mass * (1 + 1e-5));
            CHECK(sum >= mass * (1 - 1e-5) || candidates.size() == static_cast<int32_t>(sorted.size()));
            auto expected = sorted;
            expected.resize(static_cast<size_t>(candidates.size()));
            std::sort(expected.begin(), expected.end());
            CHECK(reference::Tokens(candidates.tokens(), candidates.tokens() + candidates.size()) ==
                  expected);
        }
    });
}

TEST(distribution_drawsEveryEntryAtItsPlace) {
    harness::forEachLevel([](simd::Level) {
        const int32_t size = 20 * simd::blockSize;
        const auto logits = data::row(size, data::Kind::holed, 9);
        Row row(kernels(), size);
        row.load(logits.data(), 1);
        const Distribution &all = row.distribution(1);
        const double total = sumExp(logits, 0);
        double before = 0;
        for (int32_t token = 0; token < size; token++) {
            if (!(logits[token] > -data::infinity)) continue;
            const double share = std::exp(static_cast<double>(logits[token])) / total;
            if (share > 1e-5) CHECK_EQUAL(all.draw(row.view(), before + share / 2), token);
            before += share;
        }
        CHECK(logits[all.draw(row.view(), 0x1p-53)] > -data::infinity);
        CHECK(logits[all.draw(row.view(), 1 - 0x1p-53)] > -data::infinity);
    });
}
