#pragma once

#include "candidates.h"
#include "distribution.h"
#include "grammar.h"
#include "rng.h"
#include "row.h"

#include <cstdint>
#include <vector>

namespace sluice::sampler {

struct ChoiceParams {
    float temperature; // 0: greedy
    int32_t topK;      // 0: off; below the vocabulary's size
    float topP;        // 1: off
    float minP;        // 0: off
};

/** Chooses a token from a row whose biases, bans and penalties are in place. Holds scratch memory only. */
class Chooser {
public:
    Chooser(const simd::Kernels &kernels, int32_t vocabSize);

    /**
     * The chosen token, or -1 if there is none. Without a grammar: from the distribution that top-k, top-p
     * and min-p leave, at the temperature. With one: the same, renormalised over the tokens it allows. If it
     * allows none of those, the truncation is repeated on what it allows among the 256 best tokens, then
     * 4,096, then all; the same after `refusalsMax` refused draws if more than `filterMax` candidates are
     * left, whose check would take long. The grammar has taken the token on return. Changes the row if there
     * is a grammar.
     */
    int32_t choose(Row &row, const ChoiceParams &params, TokenRandom &random, Grammar *grammar);

    /** The scale whose distribution choose() will ask the row for; 0: none. */
    static float scaleFor(const ChoiceParams &params);

    static constexpr int refusalsMax = 32;
    static constexpr int32_t filterMax = 4096;

private:
    enum class Truncated {
        candidates, // candidates_ holds what is left
        nothing,    // every token is left
        nucleus     // top-p leaves so much of the row that drawing first and checking then is faster
    };

    Truncated truncate(Row &row, const ChoiceParams &params, bool mayCheckLater);
    Truncated truncateToNucleus(Row &row, const ChoiceParams &params, bool mayCheckLater);
    void truncateCandidates(const ChoiceParams &params);
    bool isInNucleus(const Row &row, int32_t token) const;
    int32_t drawFromNucleus(Row &row, const ChoiceParams &params, TokenRandom &random);
    int32_t drawFromCandidates(const ChoiceParams &params, TokenRandom &random);

    int32_t chooseWithGrammar(Row &row, const ChoiceParams &params, TokenRandom &random, Grammar &grammar);
    int32_t drawAllowedCandidate(const ChoiceParams &params, TokenRandom &random, Grammar &grammar,
                                 int refusals);
    int32_t drawAllowedFromRow(Row &row, const ChoiceParams &params, TokenRandom &random, Grammar &grammar);
    int32_t chooseWidened(Row &row, const ChoiceParams &params, TokenRandom &random, Grammar &grammar);
    int32_t takeBest(Grammar &grammar);
    void keepAllowed(Grammar &grammar);

    const simd::Kernels &kernels_;
    Candidates candidates_;
    Distribution distribution_;
    double nucleusMass_ = 0; // Σ exp(logit - nucleusReference_) that top-p asks for
    float nucleusReference_ = 0;
    std::vector<uint8_t> allowed_;
};

} // namespace sluice::sampler
