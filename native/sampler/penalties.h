#pragma once

#include "row.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::sampler {

struct PenaltyParams {
    float repeat;    // 1: off
    float frequency; // 0: off
    float presence;  // 0: off
    int32_t lastN;   // 0: off, -1: all
};

/**
 * Repeat, frequency and presence penalties over the last N tokens, with llama.cpp's formula: a positive logit
 * is divided by `repeat`, another multiplied; then count · frequency + presence is subtracted. Touches only
 * tokens of the window.
 */
class Penalties {
public:
    Penalties(const PenaltyParams &params, const int32_t *history, size_t count);

    void push(int32_t token);
    void apply(Row &row) const;

private:
    struct Entry {
        int32_t token;
        int32_t count;
    };

    void add(int32_t token);
    void remove(int32_t token);

    PenaltyParams params_;
    bool enabled_;
    std::vector<Entry>
        entries_; // distinct tokens of the window, ascending; inserting moves the tail: O(entries)
    std::vector<int32_t> window_; // ring of the last lastN tokens; unused where all count
    size_t next_ = 0;             // where the ring is written next, once it is full
};

} // namespace sluice::sampler
