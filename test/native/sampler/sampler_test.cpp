// The sampler as a whole against the reference: choices, log-probabilities, errors.

#include "data.h"
#include "harness.h"
#include "pick.h"

#include "sampler/rng.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>

using namespace sluice::sampler;

namespace {

/** Uniform numbers this close to a border between two tokens may fall on either side of it. */
constexpr double borderWidth = 2e-5;

/** Whether the inverse of the cumulative distribution, in token order, at u is the token. */
bool isInverse(const std::vector<double> &probabilities, double u, int32_t token) {
    double before = 0;
    for (int32_t i = 0; i < token; i++)
        before += probabilities[i];
    return u >= before - borderWidth && u <= before + probabilities[token] + borderWidth;
}

/** The same where the sampler may have drawn from all tokens until one lay in the nucleus. */
bool isFirstInNucleus(const reference::Logits &logits, const Params &params, TokenRandom random,
                      int32_t token) {
    const auto inside = reference::probabilities(logits, params);
    Params whole = params;
    whole.topP = 1;
    const auto all = reference::probabilities(logits, whole);
    for (int miss = 0; miss < 8; miss++) {
        const double u = random.next();
        double before = 0;
        int32_t drawn = -1;
        for (size_t i = 0; i < all.size() && before <= u; i++) {
            before += all[i];
            drawn = static_cast<int32_t>(i);
        }
        if (isInverse(all, u, token)) return true;
        if (inside[drawn] > 0) return false;
    }
    return isInverse(inside, random.next(), token);
}

void expectReferenceChoice(const reference::Logits &logits, const Params &params, const Vocab &vocab,
                           const reference::Tokens &history, const SampleRow &out, uint64_t index) {
    const auto changed = reference::changed(logits, params, vocab, history);
    const auto probabilities = reference::probabilities(changed, params);
    if (std::all_of(probabilities.begin(), probabilities.end(), [](double p) { return p == 0; })) {
        CHECK(out.status == RowStatus::noCandidate);
        CHECK_EQUAL(out.token, -1);
        return;
    }
    CHECK(out.status == RowStatus::ok);
    if (out.status != RowStatus::ok) return;
    if (params.temperature == 0) {
        CHECK_EQUAL(probabilities[out.token], 1.0);
        return;
    }
    const double u = TokenRandom(params.seed, index).next();
    if (isInverse(probabilities, u, out.token)) return;
    const bool hasTopK = params.topK > 0 && params.topK < vocab.size;
    const bool mayRetry = params.topP < 1 && !hasTopK && params.minP == 0;
    CHECK(mayRetry && isFirstInNucleus(changed, params, TokenRandom(params.seed, index), out.token));
}

std::vector<Params> variants() {
    std::vector<Params> all;
    for (const float temperature : {0.0f, 0.3f, 1.0f, 1.7f})
        for (const int32_t topK : {0, 1, 40, 3000})
            for (const float topP : {1.0f, 0.95f, 0.4f})
                for (const float minP : {0.0f, 0.05f}) {
                    Params params;
                    params.temperature = temperature;
                    params.topK = topK;
                    params.topP = topP;
                    params.minP = minP;
                    all.push_back(params);
                    if (temperature == 0) break;
                }
    return all;
}

void checkChoices(int32_t size, data::Kind kind, const std::vector<Params> &params, int tokens) {
    const auto logits = data::row(size, kind, static_cast<uint32_t>(size) * 31);
    Vocab vocab;
    vocab.size = size;
    SamplerPool pool(1, size);
    for (const Params &variant : params) {
        Sampler sampler(variant, vocab, nullptr, 0, 0);
        for (int i = 0; i < tokens; i++)
            expectReferenceChoice(logits, variant, vocab, {}, pick(pool, sampler, logits),
                                  static_cast<uint64_t>(i));
    }
}

Params penalised() {
    Params params;
    params.temperature = 0.8f;
    params.topK = 50;
    params.repeatPenalty = 1.3f;
    params.frequencyPenalty = 0.4f;
    params.presencePenalty = 0.2f;
    params.penaltyLastN = 64;
    return params;
}

} // namespace

TEST(sampler_choosesLikeTheReference) {
    harness::forEachLevel([](simd::Level) {
        for (const int32_t size : data::smallSizes)
            for (const data::Kind kind : data::kinds)
                checkChoices(size, kind, variants(), 5);
    });
}

TEST(sampler_choosesLikeTheReferenceInRealVocabularies) {
    std::vector<Params> some;
    for (const Params &params : variants())
        if (params.temperature == 0.3f || params.temperature == 1.7f) some.push_back(params);
    harness::forEachLevel([&](simd::Level) {
        checkChoices(32001, data::Kind::normal, some, 1);
        checkChoices(151936, data::Kind::peaked, {some[0], some[2], some[7]}, 1);
        checkChoices(262144, data::Kind::normal, {some[0], some[2], some[4], some[7]}, 1);
    });
}

TEST(sampler_penalisesWhatTheWindowHolds) {
    for (const int32_t lastN : {0, 1, 64, 200, -1}) {
        const int32_t size = 500;
        Vocab vocab;
        vocab.size = size;
        Params params = penalised();
        params.penaltyLastN = lastN;
        reference::Tokens history;
        for (int32_t i = 0; i < 150; i++)
            history.push_back(i * i % 97);
        const size_t prompt = history.size();
        Sampler sampler(params, vocab, history.data(), prompt, 0);
        SamplerPool pool(1, size);
        for (uint32_t i = 0; i < 200; i++) {
            const auto logits = data::row(size, data::Kind::normal, 900 + i % 7);
            const SampleRow out = pick(pool, sampler, logits);
            expectReferenceChoice(logits, params, vocab, history, out, i);
            history.push_back(out.token);
        }
    }
}

TEST(sampler_addsBiasBeforePenalties) {
    Vocab vocab;
    vocab.size = 300;
    Params params = penalised();
    params.logitBias = {{5, 3.0f}, {7, -100.0f}, {5, 1.5f}, {299, 8.0f}};
    reference::Tokens history = {5, 5, 299, 12};
    Sampler sampler(params, vocab, history.data(), history.size(), 0);
    SamplerPool pool(1, vocab.size);
    const auto logits = data::row(vocab.size, data::Kind::normal, 77);
    for (uint32_t i = 0; i < 100; i++) {
        const SampleRow out = pick(pool, sampler, logits);
        expectReferenceChoice(logits, params, vocab, history, out, i);
        history.push_back(out.token);
    }
}

TEST(sampler_ignoreEosBansEveryEnd) {
    Vocab vocab;
    vocab.size = 50;
    vocab.endOfGeneration = {3, 49};
    std::vector<float> logits(50, 0.0f);
    logits[3] = 30;
    logits[49] = 20;
    logits[8] = 10;
    SamplerPool pool(1, 50);
    Params params;
    Sampler ending(params, vocab, nullptr, 0, 0);
    CHECK_EQUAL(pick(pool, ending, logits).token, 3);
    params.ignoreEos = true;
    Sampler going(params, vocab, nullptr, 0, 0);
    CHECK_EQUAL(pick(pool, going, logits).token, 8);
}

TEST(sampler_notANumberAndInfinity) {
    harness::forEachLevel([](simd::Level) {
        const int32_t size = 1000;
        Vocab vocab;
        vocab.size = size;
        SamplerPool pool(1, size);
        for (const Params &variant : variants()) {
            Params params = variant;
            params.topLogprobs = 3;
            Sampler sampler(params, vocab, nullptr, 0, 0);
            for (const float nothing : {data::notANumber, -data::infinity}) {
                const SampleRow out = pick(pool, sampler, std::vector<float>(size, nothing));
                CHECK(out.status == RowStatus::noCandidate);
                CHECK_EQUAL(out.token, -1);
                CHECK_EQUAL(static_cast<int>(out.logprobs.topCount), 0);

                std::vector<float> one(size, nothing);
                one[700] = -3;
                const SampleRow only = pick(pool, sampler, one);
                CHECK_EQUAL(only.token, 700);
                CHECK_NEAR(static_cast<double>(only.logprobs.logprob), 0, 1e-6);
                CHECK_EQUAL(static_cast<int>(only.logprobs.topCount), 1);

                one[300] = data::infinity;
                one[900] = data::infinity;
                const SampleRow infinite = pick(pool, sampler, one);
                CHECK_EQUAL(infinite.token, 300);
                CHECK_EQUAL(infinite.logprobs.logprob, 0.0f);
            }
        }
    });
}

TEST(sampler_failedRowLeavesTheSamplerAlone) {
    Vocab vocab;
    vocab.size = 400;
    Params params;
    params.temperature = 1;
    const auto logits = data::row(400, data::Kind::normal, 4);
    SamplerPool pool(1, 400);
    Sampler undisturbed(params, vocab, nullptr, 0, 0);
    Sampler disturbed(params, vocab, nullptr, 0, 0);
    for (int i = 0; i < 20; i++) {
        CHECK(pick(pool, disturbed, std::vector<float>(400, data::notANumber)).status ==
              RowStatus::noCandidate);
        CHECK_EQUAL(pick(pool, disturbed, logits).token, pick(pool, undisturbed, logits).token);
    }
}

TEST(sampler_logprobsAreThoseOfTheUnmodifiedRow) {
    harness::forEachLevel([](simd::Level) {
        for (const int32_t size : {1, 5, 129, 8192, 32001})
            for (const data::Kind kind : data::kinds) {
                const auto logits = data::row(size, kind, 3);
                const auto expected = reference::logprobs(logits);
                const auto sorted = reference::sorted(logits);
                if (sorted.empty()) continue;
                Vocab vocab;
                vocab.size = size;
                Params params = penalised();
                params.temperature = 1.2f;
                params.topLogprobs = 20;
                params.logitBias = {{size / 2, 40.0f}};
                reference::Tokens history;
                for (int32_t i = 0; i < 60; i++)
                    history.push_back(i % size);
                Sampler sampler(params, vocab, history.data(), history.size(), 0);
                SamplerPool pool(1, size);
                const Pick out = pick(pool, sampler, logits);
                if (std::isnan(logits[out.token])) continue;
                CHECK_NEAR(static_cast<double>(out.logprobs.logprob), expected[out.token], 2e-6);
                CHECK_EQUAL(static_cast<size_t>(out.logprobs.topCount), std::min(sorted.size(), size_t{20}));
                for (size_t i = 0; i < out.logprobs.topCount; i++) {
                    CHECK_EQUAL(out.topTokens[i], sorted[i]);
                    CHECK_NEAR(static_cast<double>(out.topLogprobs[i]), expected[sorted[i]], 2e-6);
                }
            }
    });
}

TEST(sampler_logprobsOnlyWhenAsked) {
    Vocab vocab;
    vocab.size = 10;
    Params params;
    SamplerPool pool(1, 10);
    const auto logits = data::row(10, data::Kind::normal, 3);
    Sampler without(params, vocab, nullptr, 0, 0);
    CHECK(std::isnan(pick(pool, without, logits).logprobs.logprob));
    params.topLogprobs = 0;
    Sampler chosenOnly(params, vocab, nullptr, 0, 0);
    const SampleRow out = pick(pool, chosenOnly, logits);
    CHECK(out.logprobs.logprob < 0);
    CHECK_EQUAL(static_cast<int>(out.logprobs.topCount), 0);
}

TEST(sampler_scoresGivenTokens) {
    const int32_t size = 3000;
    SamplerPool pool(2, size);
    std::vector<reference::Logits> logits;
    std::vector<ScoreRow> rows(50);
    std::vector<int32_t> topTokens(rows.size() * maxTopLogprobs);
    std::vector<float> topLogprobs(rows.size() * maxTopLogprobs);
    for (size_t i = 0; i < rows.size(); i++)
        logits.push_back(data::row(size, data::kinds[i % 3], static_cast<uint32_t>(i)));
    for (size_t i = 0; i < rows.size(); i++) {
        rows[i].logits = logits[i].data();
        rows[i].token = static_cast<int32_t>(i * 59 % size);
        rows[i].logprobs.topTokens = &topTokens[i * maxTopLogprobs];
        rows[i].logprobs.topLogprobs = &topLogprobs[i * maxTopLogprobs];
    }
    pool.score(rows.data(), rows.size(), 5);
    for (size_t i = 0; i < rows.size(); i++) {
        const auto expected = reference::logprobs(logits[i]);
        CHECK_NEAR(static_cast<double>(rows[i].logprobs.logprob), expected[rows[i].token], 2e-6);
        CHECK_EQUAL(static_cast<int>(rows[i].logprobs.topCount), 5);
        CHECK_EQUAL(topTokens[i * maxTopLogprobs], reference::sorted(logits[i])[0]);
    }
}

TEST(sampler_refusesParametersOutOfRange) {
    Vocab vocab;
    vocab.size = 100;
    vocab.endOfGeneration = {1};
    const std::function<void(Params &)> faults[] = {
        [](Params &p) { p.temperature = -1; },
        [](Params &p) { p.temperature = data::notANumber; },
        [](Params &p) { p.topK = -1; },
        [](Params &p) { p.topP = 1.5f; },
        [](Params &p) { p.topP = data::notANumber; },
        [](Params &p) { p.minP = -0.1f; },
        [](Params &p) { p.repeatPenalty = 0; },
        [](Params &p) { p.frequencyPenalty = data::infinity; },
        [](Params &p) { p.presencePenalty = data::notANumber; },
        [](Params &p) { p.penaltyLastN = -2; },
        [](Params &p) { p.topLogprobs = 21; },
        [](Params &p) {
            p.logitBias = {{100, 1.0f}};
        },
        [](Params &p) {
            p.logitBias = {{-1, 1.0f}};
        },
        [](Params &p) {
            p.logitBias = {{0, data::infinity}};
        },
        [](Params &p) { p.grammar = "root ::= \"a\""; }, // needs a vocabulary
    };
    for (const auto &fault : faults) {
        Params params;
        fault(params);
        CHECK_THROWS(Sampler(params, vocab, nullptr, 0, 0), ErrorCode::invalidParams);
    }
    const int32_t history[] = {5, 100};
    CHECK_THROWS(Sampler(Params(), vocab, history, 2, 0), ErrorCode::invalidParams);
    CHECK_THROWS(Sampler(Params(), vocab, history, 1, 2), ErrorCode::invalidParams);
    CHECK_THROWS(Sampler(Params(), Vocab(), nullptr, 0, 0), ErrorCode::invalidParams);
}

TEST(sampler_extremeTemperatures) {
    Vocab vocab;
    vocab.size = 2000;
    const auto logits = data::row(2000, data::Kind::normal, 8);
    const auto best = reference::sorted(logits)[0];
    SamplerPool pool(1, 2000);
    for (const float temperature : {1e-45f, 1e-6f, 1e-4f, 0.001f}) {
        Params params;
        params.temperature = temperature;
        Sampler sampler(params, vocab, nullptr, 0, 0);
        for (int i = 0; i < 20; i++)
            CHECK_EQUAL(pick(pool, sampler, logits).token, best);
    }
    Params hot;
    hot.temperature = 1e30f;
    Sampler sampler(hot, vocab, nullptr, 0, 0);
    bool isLow = false;
    bool isHigh = false;
    for (int i = 0; i < 50; i++) {
        const int32_t token = pick(pool, sampler, logits).token;
        isLow = isLow || token < 500;
        isHigh = isHigh || token >= 1500;
    }
    CHECK(isLow && isHigh);
}
