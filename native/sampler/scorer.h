#pragma once

#include "candidates.h"
#include "row.h"
#include "sampler.h"

#include <cstdint>
#include <vector>

namespace sluice::sampler {

/** Log-probabilities under a row as loaded. Holds scratch memory only. */
class Scorer {
public:
    explicit Scorer(int32_t vocabSize);

    /**
     * Writes the `top` best tokens; of equal ones the lowest first. None for a row whose greatest logit is
     * infinite: it has no distribution. The row must be unchanged.
     */
    void scoreTop(Row &row, int32_t top, LogprobRow &out);

    /** Log-probability of a token with this logit in the row that scoreTop() saw last. */
    float logprob(float logit) const;

private:
    Candidates candidates_;
    std::vector<int32_t> order_;
    double logTotal_ = 0; // ln Σ exp(logit)
};

} // namespace sluice::sampler
