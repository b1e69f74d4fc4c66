// Choosing under a grammar, with scripted ones instead of libllama's.

#include "chi_square.h"
#include "data.h"
#include "harness.h"

#include "sampler/chooser.h"

#include <functional>

using namespace sluice::sampler;

namespace {

/** Allows the tokens of a predicate, always. */
class Predicate : public Grammar {
public:
    explicit Predicate(std::function<bool(int32_t)> allows) : allows_(std::move(allows)) {}

    bool take(int32_t token) override {
        asked++;
        return allows_(token);
    }
    void filter(const int32_t *tokens, size_t count, std::vector<uint8_t> &allowed) override {
        asked += count;
        allowed.resize(count);
        for (size_t i = 0; i < count; i++)
            allowed[i] = allows_(tokens[i]);
    }

    size_t asked = 0;

private:
    std::function<bool(int32_t)> allows_;
};

struct Setup {
    explicit Setup(const reference::Logits &logits)
        : logits(logits), row(kernels(), static_cast<int32_t>(logits.size())),
          chooser(kernels(), static_cast<int32_t>(logits.size())) {}

    static const simd::Kernels &kernels() { return simd::kernels(simd::level()); }

    int32_t choose(const ChoiceParams &params, uint64_t index, Grammar &grammar) {
        row.load(logits.data(), Chooser::scaleFor(params));
        TokenRandom random(31, index);
        return chooser.choose(row, params, random, &grammar);
    }

    const reference::Logits &logits;
    Row row;
    Chooser chooser;
};

std::vector<int> drawCounts(const reference::Logits &logits, const ChoiceParams &params, Grammar &grammar,
                            int draws) {
    Setup setup(logits);
    std::vector<int> counts(logits.size());
    for (int i = 0; i < draws; i++)
        counts[setup.choose(params, static_cast<uint64_t>(i), grammar)]++;
    return counts;
}

Params asParams(const ChoiceParams &choice) {
    Params params;
    params.temperature = choice.temperature;
    params.topK = choice.topK;
    params.topP = choice.topP;
    params.minP = choice.minP;
    return params;
}

/** The truncated distribution, renormalised over what is allowed. */
std::vector<double> renormalised(const reference::Logits &logits, const ChoiceParams &params,
                                 const std::function<bool(int32_t)> &allows) {
    auto probabilities = reference::probabilities(logits, asParams(params));
    double total = 0;
    for (size_t i = 0; i < probabilities.size(); i++) {
        if (!allows(static_cast<int32_t>(i))) probabilities[i] = 0;
        total += probabilities[i];
    }
    for (double &p : probabilities)
        p /= total;
    return probabilities;
}

} // namespace

TEST(grammarChoice_renormalisesOverAllowedTokens) {
    const auto isThird = [](int32_t token) { return token % 3 == 1; };
    const ChoiceParams variants[] = {{1.0f, 0, 1, 0},     {1.4f, 0, 1, 0},    {1.0f, 40, 1, 0},
                                     {0.8f, 40, 0.9f, 0}, {1.2f, 0, 0.9f, 0}, {1.2f, 0, 1, 0.02f}};
    harness::forEachLevel([&](simd::Level) {
        const auto logits = data::row(400, data::Kind::normal, 51);
        for (const ChoiceParams &params : variants) {
            Predicate grammar(isThird);
            CHECK(fits(drawCounts(logits, params, grammar, 20000), renormalised(logits, params, isThird)));
        }
    });
}

// More refusals than are drawn one at a time: the rest of the candidates is checked together.
TEST(grammarChoice_renormalisesOverRareTokens) {
    const auto logits = data::row(2000, data::Kind::tied, 52);
    const auto sorted = reference::sorted(logits);
    const reference::Tokens rare = {sorted[150], sorted[201], sorted[399], sorted[1500]};
    const auto isRare = [&](int32_t token) {
        return std::find(rare.begin(), rare.end(), token) != rare.end();
    };
    Predicate grammar(isRare);
    const ChoiceParams params{1.0f, 400, 1, 0};
    CHECK(fits(drawCounts(logits, params, grammar, 4000), renormalised(logits, params, isRare)));
}

TEST(grammarChoice_greedyTakesTheBestAllowed) {
    for (const int32_t rank : {0, 1, 200, 3000, 9999}) {
        const auto logits = data::row(10000, data::Kind::normal, 53);
        const auto sorted = reference::sorted(logits);
        std::vector<bool> allowed(10000);
        for (size_t i = static_cast<size_t>(rank); i < sorted.size(); i++)
            allowed[sorted[i]] = true;
        Predicate grammar([&](int32_t token) { return allowed[token]; });
        Setup setup(logits);
        CHECK_EQUAL(setup.choose({0, 0, 1, 0}, 0, grammar), sorted[rank]);
    }
}

TEST(grammarChoice_asksAboutFewTokens) {
    const auto logits = data::row(100000, data::Kind::normal, 54);
    const auto sorted = reference::sorted(logits);
    Setup setup(logits);
    for (const ChoiceParams &params : {ChoiceParams{0, 0, 1, 0}, ChoiceParams{0.7f, 40, 0.95f, 0}}) {
        Predicate everything([](int32_t) { return true; });
        setup.choose(params, 0, everything);
        CHECK_EQUAL(everything.asked, size_t{1});
        Predicate third([&](int32_t token) { return token == sorted[3]; });
        CHECK_EQUAL(setup.choose(params, 0, third), sorted[3]);
        CHECK(third.asked < 500);
    }
}

TEST(grammarChoice_widensWhereTheTruncatedSetHoldsNothingAllowed) {
    const auto logits = data::row(20000, data::Kind::normal, 55);
    const auto sorted = reference::sorted(logits);
    Setup setup(logits);
    for (const size_t rank : {size_t{100}, size_t{1000}, size_t{15000}}) {
        Predicate grammar([&](int32_t token) { return token == sorted[rank]; });
        for (const ChoiceParams &params : {ChoiceParams{1, 10, 1, 0}, ChoiceParams{1, 0, 0.01f, 0},
                                           ChoiceParams{1, 0, 1, 0.9f}, ChoiceParams{1, 0, 1, 0}})
            CHECK_EQUAL(setup.choose(params, 0, grammar), sorted[rank]);
    }
}

// Widened, the truncation applies again, to the allowed tokens.
TEST(grammarChoice_truncatesWhatItWidenedTo) {
    const auto logits = data::row(5000, data::Kind::normal, 56);
    const auto sorted = reference::sorted(logits);
    std::vector<bool> allowed(5000);
    for (size_t i = 50; i < 5000; i++)
        allowed[sorted[i]] = true;
    Predicate grammar([&](int32_t token) { return allowed[token]; });
    const auto counts = drawCounts(logits, {1, 10, 1, 0}, grammar, 3000);
    for (size_t rank = 0; rank < sorted.size(); rank++)
        CHECK_EQUAL(counts[sorted[rank]] > 0, rank >= 50 && rank < 60);
}

TEST(grammarChoice_nothingAllowed) {
    const auto logits = data::row(5000, data::Kind::holed, 57);
    Setup setup(logits);
    Predicate nothing([](int32_t) { return false; });
    for (const ChoiceParams &params : {ChoiceParams{0, 0, 1, 0}, ChoiceParams{1, 0, 1, 0},
                                       ChoiceParams{1, 40, 1, 0}, ChoiceParams{1, 0, 0.9f, 0}})
        CHECK_EQUAL(setup.choose(params, 0, nothing), -1);
}

// A grammar may take less than it said it would allow (a lazy one whose trigger comes with text it refuses).
TEST(grammarChoice_takingMayFailAfterFiltering) {
    class Liar : public Predicate {
    public:
        Liar() : Predicate([](int32_t token) { return token == 11; }) {}
        void filter(const int32_t *, size_t count, std::vector<uint8_t> &allowed) override {
            allowed.assign(count, 1);
        }
    };
    const auto logits = data::row(600, data::Kind::normal, 58);
    Setup setup(logits);
    for (const ChoiceParams &params : {ChoiceParams{1, 0, 1, 0}, ChoiceParams{1, 599, 1, 0}}) {
        Liar grammar;
        CHECK_EQUAL(setup.choose(params, 0, grammar), 11);
    }
}

TEST(grammarChoice_neverABannedToken) {
    auto logits = data::row(300, data::Kind::normal, 59);
    for (int32_t token = 0; token < 300; token++)
        if (token != 7 && token % 2 == 1) logits[token] = -data::infinity;
    const auto isOdd = [](int32_t token) { return token % 2 == 1; };
    Setup setup(logits);
    for (const ChoiceParams &params :
         {ChoiceParams{0, 0, 1, 0}, ChoiceParams{1, 0, 1, 0}, ChoiceParams{1, 5, 1, 0}}) {
        Predicate grammar(isOdd);
        CHECK_EQUAL(setup.choose(params, 0, grammar), 7);
    }
}
