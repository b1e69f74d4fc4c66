#pragma once

#include <cmath>
#include <vector>

/**
 * Whether counts of draws fit the probabilities: Pearson's statistic stays under its 1 - 1e-4 quantile
 * (Wilson and Hilferty's approximation). Bins expecting fewer than 5 are put together; a draw of probability
 * 0 never fits.
 */
inline bool fits(const std::vector<int> &counts, const std::vector<double> &probabilities) {
    double draws = 0;
    for (const int count : counts)
        draws += count;
    double statistic = 0;
    int bins = 0;
    double restExpected = 0;
    double restCount = 0;
    const auto addBin = [&](double count, double expected) {
        statistic += (count - expected) * (count - expected) / expected;
        bins++;
    };
    for (size_t i = 0; i < counts.size(); i++) {
        const double expected = probabilities[i] * draws;
        if (expected == 0 && counts[i] > 0) return false;
        if (expected >= 5) {
            addBin(counts[i], expected);
        } else {
            restExpected += expected;
            restCount += counts[i];
        }
    }
    if (restExpected >= 5) addBin(restCount, restExpected);
    if (bins < 2) return true;
    const double freedom = bins - 1;
    const double spread = 2 / (9 * freedom);
    return statistic < freedom * std::pow(1 - spread + 3.719 * std::sqrt(spread), 3);
}
