// How often tokens are drawn, and what the draws depend on.

#include "chi_square.h"
#include "data.h"
#include "harness.h"
#include "pick.h"

#include <algorithm>
#include <functional>
#include <memory>

using namespace sluice::sampler;

namespace {

std::vector<int> drawCounts(const reference::Logits &logits, const Params &params, int draws) {
    const auto size = static_cast<int32_t>(logits.size());
    Vocab vocab;
    vocab.size = size;
    Sampler sampler(params, vocab, nullptr, 0, 0);
    SamplerPool pool(1, size);
    std::vector<int> counts(logits.size());
    for (int i = 0; i < draws; i++)
        counts[pick(pool, sampler, logits).token]++;
    return counts;
}

struct Sequence {
    Params params;
    reference::Tokens history;
};

/** Sequences of every kind that have a row each in every step. */
std::vector<Sequence> sequences(int32_t vocabSize) {
    std::vector<Sequence> all;
    for (uint32_t i = 0; i < 12; i++) {
        Params params;
        params.seed = 1000 + i;
        params.temperature = i % 4 == 0 ? 0 : 0.9f;
        params.topK = i % 3 == 0 ? 20 : 0;
        params.topP = i % 2 == 0 ? 1 : 0.9f;
        params.repeatPenalty = i % 5 == 0 ? 1.2f : 1;
        params.penaltyLastN = 16;
        params.topLogprobs = i % 6 == 0 ? 3 : -1;
        all.push_back({params, {static_cast<int32_t>(i) % vocabSize, 3, 4}});
    }
    return all;
}

/** Logits of a sequence at a step: what a model would give, whatever else is in its batch. */
reference::Logits logitsOf(size_t sequence, size_t step, int32_t vocabSize) {
    return data::row(vocabSize, data::Kind::normal, static_cast<uint32_t>(sequence * 1009 + step));
}

/** Runs the sequences to `steps` tokens each; isIn says which take part in a round. */
std::vector<reference::Tokens> generate(std::vector<Sequence> all, int threads, size_t steps,
                                        int32_t vocabSize,
                                        const std::function<bool(size_t sequence, size_t round)> &isIn) {
    Vocab vocab;
    vocab.size = vocabSize;
    SamplerPool pool(threads, vocabSize);
    std::vector<std::unique_ptr<Sampler>> samplers;
    for (const Sequence &s : all)
        samplers.push_back(std::make_unique<Sampler>(s.params, vocab, s.history.data(), s.history.size(), 0));
    std::vector<reference::Tokens> generated(all.size());
    const auto isDone = [&](const reference::Tokens &tokens) { return tokens.size() == steps; };
    for (size_t round = 0; !std::all_of(generated.begin(), generated.end(), isDone); round++) {
        std::vector<size_t> members;
        std::vector<reference::Logits> logits;
        for (size_t i = 0; i < all.size(); i++) {
            if (generated[i].size() >= steps || !isIn(i, round)) continue;
            members.push_back(i);
            logits.push_back(logitsOf(i, generated[i].size(), vocabSize));
        }
        std::vector<Pick> rows(members.size());
        std::vector<SampleRow> batch(members.size());
        for (size_t r = 0; r < members.size(); r++) {
            batch[r].logits = logits[r].data();
            batch[r].sampler = samplers[members[r]].get();
            batch[r].logprobs.topTokens = rows[r].topTokens.data();
            batch[r].logprobs.topLogprobs = rows[r].topLogprobs.data();
        }
        pool.sample(batch.data(), batch.size());
        for (size_t r = 0; r < members.size(); r++)
            generated[members[r]].push_back(batch[r].token);
    }
    return generated;
}

} // namespace

TEST(distribution_fitsTheTruncatedOne) {
    harness::forEachLevel([](simd::Level) {
        const auto logits = data::row(60, data::Kind::normal, 21);
        for (const float temperature : {0.7f, 1.0f, 1.6f})
            for (const int32_t topK : {0, 12})
                for (const float topP : {1.0f, 0.8f})
                    for (const float minP : {0.0f, 0.02f}) {
                        Params params;
                        params.seed = 99;
                        params.temperature = temperature;
                        params.topK = topK;
                        params.topP = topP;
                        params.minP = minP;
                        CHECK(fits(drawCounts(logits, params, 20000),
                                   reference::probabilities(logits, params)));
                    }
    });
}

// Wide nuclei are drawn by rejection, and computed after many misses: both must give the same distribution.
TEST(distribution_fitsAWideNucleus) {
    const auto logits = data::row(300, data::Kind::tied, 22);
    for (const float topP : {0.97f, 0.6f, 0.15f})
        for (const float temperature : {1.0f, 2.5f}) {
            Params params;
            params.seed = 5;
            params.temperature = temperature;
            params.topP = topP;
            CHECK(fits(drawCounts(logits, params, 30000), reference::probabilities(logits, params)));
        }
}

// The test itself must be able to fail.
TEST(distribution_chiSquareRefusesAnother) {
    const auto logits = data::row(60, data::Kind::normal, 21);
    Params drawn;
    drawn.temperature = 1;
    Params assumed = drawn;
    assumed.temperature = 1.1f;
    CHECK(!fits(drawCounts(logits, drawn, 20000), reference::probabilities(logits, assumed)));
    CHECK(!fits({0, 1}, {1, 0}));
}

TEST(determinism_acrossThreadsAndBatches) {
    const int32_t vocabSize = 9000;
    constexpr size_t steps = 12;
    const auto all = sequences(vocabSize);
    const auto together = generate(all, 1, steps, vocabSize, [](size_t, size_t) { return true; });
    for (const int threads : {2, 5})
        CHECK(generate(all, threads, steps, vocabSize, [](size_t, size_t) { return true; }) == together);
    // Joining, leaving and pausing at different times.
    CHECK(generate(all, 3, steps, vocabSize, [](size_t sequence, size_t round) {
              return round >= 40 || (sequence * 7 + round * 5) % 3 != 0;
          }) == together);
    // One by one.
    CHECK(generate(all, 2, steps, vocabSize, [](size_t sequence, size_t round) {
              return round >= 600 || round / 20 == sequence;
          }) == together);
}

TEST(determinism_acrossPreemption) {
    const int32_t vocabSize = 700;
    Vocab vocab;
    vocab.size = vocabSize;
    SamplerPool pool(1, vocabSize);
    for (const Sequence &sequence : sequences(vocabSize)) {
        reference::Tokens history = sequence.history;
        reference::Tokens resumedHistory = sequence.history;
        Sampler sampler(sequence.params, vocab, history.data(), history.size(), 0);
        for (size_t step = 0; step < 30; step++) {
            const auto logits = logitsOf(1, step, vocabSize);
            Sampler resumed(sequence.params, vocab, resumedHistory.data(), resumedHistory.size(), step);
            const int32_t token = pick(pool, sampler, logits).token;
            CHECK_EQUAL(pick(pool, resumed, logits).token, token);
            resumedHistory.push_back(token);
        }
    }
}

TEST(determinism_ofRowsThatShareLogits) {
    const int32_t vocabSize = 5000;
    Vocab vocab;
    vocab.size = vocabSize;
    const auto logits = data::row(vocabSize, data::Kind::normal, 1);
    const auto before = logits;
    std::vector<std::unique_ptr<Sampler>> samplers;
    std::vector<SampleRow> rows(64);
    SamplerPool pool(4, vocabSize);
    for (uint32_t i = 0; i < rows.size(); i++) {
        Params params;
        params.seed = i;
        params.temperature = 1;
        params.logitBias = {{static_cast<int32_t>(i), 50.0f}};
        samplers.push_back(std::make_unique<Sampler>(params, vocab, nullptr, 0, 0));
        rows[i].logits = logits.data();
        rows[i].sampler = samplers[i].get();
    }
    pool.sample(rows.data(), rows.size());
    for (size_t i = 0; i < rows.size(); i++)
        CHECK_EQUAL(rows[i].token, static_cast<int32_t>(i));
    CHECK(logits == before);
}

TEST(determinism_differentSeedsDiffer) {
    const auto logits = data::row(5000, data::Kind::normal, 1);
    Params params;
    params.temperature = 1;
    const auto first = drawCounts(logits, params, 20);
    params.seed = 1;
    CHECK(drawCounts(logits, params, 20) != first);
}
