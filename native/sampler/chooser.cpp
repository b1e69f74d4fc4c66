#include "chooser.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::sampler {

using simd::blockSize;

namespace {

constexpr float minusInfinity = -std::numeric_limits<float>::infinity();

/** How many of the best tokens are looked at for a nucleus before it counts as wide. */
constexpr int32_t nucleusGuesses[] = {64, 1024};

/** Draws outside the nucleus before it is computed after all; each happens with a chance of about 1 - topP.
 */
constexpr int nucleusMissesMax = 8;

float minPThreshold(float max, float minP) {
    return minP > 0 ? max + std::log(minP) : minusInfinity;
}

} // namespace

Chooser::Chooser(const simd::Kernels &kernels, int32_t vocabSize)
    : kernels_(kernels), candidates_(vocabSize), distribution_(kernels) {}

float Chooser::scaleFor(const ChoiceParams &params) {
    if (params.temperature == 0 || params.topK > 0) return 0;
    if (params.topP < 1) return 1;
    return params.minP > 0 ? 0 : 1 / params.temperature;
}

int32_t Chooser::choose(Row &row, const ChoiceParams &params, TokenRandom &random, Grammar *grammar) {
    if (row.max() == minusInfinity) return -1;
    // An infinite logit has all of the probability.
    if (params.temperature == 0 || std::isinf(row.max())) {
        const int32_t token = row.argmax();
        if (!grammar || grammar->take(token)) return token;
        return chooseWidened(row, params, random, *grammar);
    }
    if (grammar) return chooseWithGrammar(row, params, random, *grammar);
    switch (truncate(row, params, true)) {
    case Truncated::candidates:
        return drawFromCandidates(params, random);
    case Truncated::nucleus:
        return drawFromNucleus(row, params, random);
    case Truncated::nothing:
        return row.distribution(1 / params.temperature).draw(row.view(), random.next());
    }
    return -1;
}

Chooser::Truncated Chooser::truncate(Row &row, const ChoiceParams &params, bool mayCheckLater) {
    const float floor = minPThreshold(row.max(), params.minP);
    if (params.topK > 0) {
        // Top-p counts what min-p will remove, so only without it may both thresholds be applied at once.
        const float threshold = row.thresholdFor(params.topK);
        candidates_.collect(row, params.topP < 1 ? threshold : std::max(threshold, floor));
        truncateCandidates(params);
        return Truncated::candidates;
    }
    if (params.topP < 1) return truncateToNucleus(row, params, mayCheckLater);
    if (params.minP <= 0) return Truncated::nothing;
    candidates_.collect(row, floor);
    return Truncated::candidates;
}

// Nearly always a few of the best tokens hold the mass. Else min-p bounds the candidates, or the whole row is
// one.
Chooser::Truncated Chooser::truncateToNucleus(Row &row, const ChoiceParams &params, bool mayCheckLater) {
    const float floor = minPThreshold(row.max(), params.minP);
    const Distribution &all = row.distribution(1);
    nucleusReference_ = all.reference();
    nucleusMass_ = static_cast<double>(params.topP) * all.total();
    for (const int32_t guess : nucleusGuesses) {
        const float threshold = std::max(row.thresholdFor(guess), floor);
        if (threshold == minusInfinity) break;
        candidates_.collect(row, threshold);
        if (threshold != floor && candidates_.mass(nucleusReference_, kernels_) < nucleusMass_) continue;
        candidates_.keepMass(nucleusMass_, nucleusReference_, kernels_);
        candidates_.keepAbove(floor);
        return Truncated::candidates;
    }
    if (floor == minusInfinity && mayCheckLater) return Truncated::nucleus;
    candidates_.collect(row, floor);
    candidates_.keepMass(nucleusMass_, nucleusReference_, kernels_);
    return Truncated::candidates;
}

/** Truncates by the probabilities of the candidates alone. */
void Chooser::truncateCandidates(const ChoiceParams &params) {
    if (params.topK > 0) candidates_.keepTopK(params.topK);
    const float max = candidates_.max();
    if (params.topP < 1) {
        const double total = candidates_.mass(max, kernels_);
        candidates_.keepMass(static_cast<double>(params.topP) * total, max, kernels_);
    }
    if (params.minP > 0) candidates_.keepAbove(minPThreshold(max, params.minP));
}

int32_t Chooser::drawFromCandidates(const ChoiceParams &params, TokenRandom &random) {
    distribution_.build(candidates_.view(), candidates_.max(), 1 / params.temperature);
    const int32_t index = distribution_.draw(candidates_.view(), random.next());
    return index < 0 ? -1 : candidates_.tokens()[index];
}

// Drawing from everything until the token lies in the nucleus gives exactly the distribution restricted to
// it.
int32_t Chooser::drawFromNucleus(Row &row, const ChoiceParams &params, TokenRandom &random) {
    const Distribution &all = row.distribution(1 / params.temperature);
    for (int miss = 0; miss < nucleusMissesMax; miss++) {
        const int32_t token = all.draw(row.view(), random.next());
        if (isInNucleus(row, token)) return token;
    }
    candidates_.collect(row, minusInfinity);
    candidates_.keepMass(nucleusMass_, nucleusReference_, kernels_);
    return drawFromCandidates(params, random);
}

/** Whether the tokens that come before this one, best and then lowest first, have less than the mass. */
bool Chooser::isInNucleus(const Row &row, int32_t token) const {
    const simd::BlockView view = row.view();
    const float logit = row.at(token);
    const float justBelow = std::nextafter(logit, minusInfinity);
    const int32_t block = token / blockSize;
    double before = kernels_.sumExpAbove(view, row.maxima(), 0, block, justBelow, nucleusReference_) +
                    kernels_.sumExpAbove(view, row.maxima(), block, view.blocks, logit, nucleusReference_);
    const float *values = view.at(block);
    const auto equal = std::count(values, values + token % blockSize, logit);
    before += static_cast<double>(equal) *
              std::exp(static_cast<double>(logit) - static_cast<double>(nucleusReference_));
    return before < nucleusMass_;
}

int32_t Chooser::chooseWithGrammar(Row &row, const ChoiceParams &params, TokenRandom &random,
                                   Grammar &grammar) {
    const bool isTruncated = truncate(row, params, false) == Truncated::candidates;
    const int32_t token = isTruncated ? drawAllowedCandidate(params, random, grammar, refusalsMax)
                                      : drawAllowedFromRow(row, params, random, grammar);
    return token >= 0 ? token : chooseWidened(row, params, random, grammar);
}

// Drawing without replacement until a token is allowed gives exactly the distribution restricted to allowed
// tokens.
int32_t Chooser::drawAllowedFromRow(Row &row, const ChoiceParams &params, TokenRandom &random,
                                    Grammar &grammar) {
    for (int refusal = 0; refusal < refusalsMax && row.max() > minusInfinity; refusal++) {
        const int32_t token = row.distribution(1 / params.temperature).draw(row.view(), random.next());
        if (token < 0) break;
        if (grammar.take(token)) return token;
        row.ban(token);
    }
    row.refresh();
    return -1;
}

int32_t Chooser::drawAllowedCandidate(const ChoiceParams &params, TokenRandom &random, Grammar &grammar,
                                      int refusals) {
    distribution_.build(candidates_.view(), candidates_.max(), 1 / params.temperature);
    for (int refusal = 0; refusal < refusals; refusal++) {
        const int32_t index = distribution_.draw(candidates_.view(), random.next());
        if (index < 0) return -1;
        if (grammar.take(candidates_.tokens()[index])) return candidates_.tokens()[index];
        candidates_.ban(index);
        distribution_.update(candidates_.view(), index / blockSize);
        if (distribution_.isFaint())
            distribution_.build(candidates_.view(), candidates_.max(), 1 / params.temperature);
    }
    if (candidates_.size() > filterMax) return -1;
    keepAllowed(grammar);
    if (candidates_.size() == 0) return -1;
    return drawAllowedCandidate(params, random, grammar, candidates_.size());
}

/** Removes what is banned or the grammar refuses. */
void Chooser::keepAllowed(Grammar &grammar) {
    candidates_.keepAbove(std::numeric_limits<float>::lowest());
    grammar.filter(candidates_.tokens(), static_cast<size_t>(candidates_.size()), allowed_);
    candidates_.keepFlagged(allowed_);
}

int32_t Chooser::takeBest(Grammar &grammar) {
    while (candidates_.max() > minusInfinity) {
        const int32_t index = candidates_.best();
        if (grammar.take(candidates_.tokens()[index])) return candidates_.tokens()[index];
        candidates_.ban(index);
    }
    return -1;
}

int32_t Chooser::chooseWidened(Row &row, const ChoiceParams &params, TokenRandom &random, Grammar &grammar) {
    const bool isGreedy = params.temperature == 0 || std::isinf(row.max());
    for (const int32_t best : {256, filterMax, row.vocabSize()}) {
        candidates_.collect(row, row.thresholdFor(best));
        keepAllowed(grammar);
        if (candidates_.size() == 0) continue;
        if (isGreedy) {
            const int32_t token = takeBest(grammar);
            if (token >= 0) return token;
            continue;
        }
        truncateCandidates(params);
        const int32_t token = drawAllowedCandidate(params, random, grammar, candidates_.size());
        if (token >= 0) return token;
    }
    return -1;
}

} // namespace sluice::sampler
