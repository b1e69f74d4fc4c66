// Microseconds a row for each path and SIMD level on one thread, and llama.cpp's own chain beside it.
// Usage: sampler_bench [vocabulary size, 262144]

#include "sampler/sampler.h"
#include "sampler/simd.h"

#include "llama.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

using namespace sluice::sampler;

namespace {

/** Rows that don't fit the L2 cache together, as after a forward pass. */
constexpr int rowCount = 8;
constexpr int repetitions = 40;

using Rows = std::vector<std::vector<float>>;

/** A model that is nearly sure: normal logits, 60 tokens rising above them. */
Rows peakedRows(int32_t vocabSize) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 2);
    Rows rows(rowCount, std::vector<float>(vocabSize));
    for (auto &row : rows) {
        for (float &logit : row)
            logit = normal(random);
        for (int i = 0; i < 60; i++)
            row[random() % vocabSize] = 19 - 3 * std::log1p(static_cast<float>(i));
    }
    return rows;
}

/** A model that knows nothing: normal logits only; 0.95 of the mass is about a fifth of the vocabulary. */
Rows flatRows(int32_t vocabSize) {
    std::mt19937 random(2);
    std::normal_distribution<float> normal(0, 2.5);
    Rows rows(rowCount, std::vector<float>(vocabSize));
    for (auto &row : rows)
        for (float &logit : row)
            logit = normal(random);
    return rows;
}

/** CPU time of this thread: other processes' turns don't count, their use of the caches does. */
double nowMicroseconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

/** Median over repetitions of the time a row takes. */
double microsecondsARow(const std::function<void(int row)> &sampleRow) {
    std::vector<double> times;
    for (int repetition = 0; repetition < repetitions; repetition++) {
        const double start = nowMicroseconds();
        for (int row = 0; row < rowCount; row++)
            sampleRow(row);
        times.push_back((nowMicroseconds() - start) / rowCount);
    }
    std::nth_element(times.begin(), times.begin() + repetitions / 2, times.end());
    return times[repetitions / 2];
}

double ours(const Rows &rows, const Params &params, int32_t vocabSize) {
    Vocab vocab;
    vocab.size = vocabSize;
    std::vector<int32_t> history(256);
    for (int32_t i = 0; i < 256; i++)
        history[i] = i * 977 % vocabSize;
    Sampler sampler(params, vocab, history.data(), history.size(), 0);
    SamplerPool pool(1, vocabSize);
    int32_t topTokens[maxTopLogprobs];
    float topLogprobs[maxTopLogprobs];
    return microsecondsARow([&](int row) {
        SampleRow out;
        out.logits = rows[row].data();
        out.sampler = &sampler;
        out.logprobs.topTokens = topTokens;
        out.logprobs.topLogprobs = topLogprobs;
        pool.sample(&out, 1);
    });
}

double llamas(const Rows &rows, const Params &params, int32_t vocabSize) {
    llama_sampler *chain = llama_sampler_chain_init(llama_sampler_chain_default_params());
    if (params.penaltyLastN != 0) {
        llama_sampler_chain_add(
            chain, llama_sampler_init_penalties(vocabSize, params.penaltyLastN, params.repeatPenalty,
                                                params.frequencyPenalty, params.presencePenalty));
        for (int32_t i = 0; i < 256; i++)
            llama_sampler_accept(chain, i * 977 % vocabSize);
    }
    if (params.temperature == 0) {
        llama_sampler_chain_add(chain, llama_sampler_init_greedy());
    } else {
        if (params.topK > 0) llama_sampler_chain_add(chain, llama_sampler_init_top_k(params.topK));
        if (params.topP < 1) llama_sampler_chain_add(chain, llama_sampler_init_top_p(params.topP, 1));
        if (params.minP > 0) llama_sampler_chain_add(chain, llama_sampler_init_min_p(params.minP, 1));
        llama_sampler_chain_add(chain, llama_sampler_init_temp(params.temperature));
        llama_sampler_chain_add(chain, llama_sampler_init_dist(1));
    }
    std::vector<llama_token_data> candidates(vocabSize);
    const double time = microsecondsARow([&](int row) {
        for (int32_t token = 0; token < vocabSize; token++)
            candidates[token] = {token, rows[row][token], 0};
        llama_token_data_array array{candidates.data(), candidates.size(), -1, false};
        llama_sampler_apply(chain, &array);
        llama_sampler_accept(chain, array.data[array.selected].id);
    });
    llama_sampler_free(chain);
    return time;
}

struct Path {
    const char *name;
    Params params;
};

std::vector<Path> paths() {
    std::vector<Path> all;
    const auto add = [&](const char *name, const std::function<void(Params &)> &set) {
        Params params;
        params.temperature = 0.8f;
        set(params);
        all.push_back({name, params});
    };
    add("greedy", [](Params &p) { p.temperature = 0; });
    add("temperature", [](Params &) {});
    add("top-k 40", [](Params &p) { p.topK = 40; });
    add("top-k 1000", [](Params &p) { p.topK = 1000; });
    add("min-p 0.05", [](Params &p) { p.minP = 0.05f; });
    add("top-k 40, top-p 0.95, min-p 0.05", [](Params &p) {
        p.topK = 40;
        p.topP = 0.95f;
        p.minP = 0.05f;
    });
    add("top-p 0.95", [](Params &p) { p.topP = 0.95f; });
    add("top-p 0.5", [](Params &p) { p.topP = 0.5f; });
    add("penalties 64, top-k 40", [](Params &p) {
        p.topK = 40;
        p.repeatPenalty = 1.1f;
        p.penaltyLastN = 64;
    });
    add("greedy, 5 log-probabilities", [](Params &p) {
        p.temperature = 0;
        p.topLogprobs = 5;
    });
    return all;
}

void print(const char *title, const Rows &rows, int32_t vocabSize) {
    std::printf("\n%s, %d logits, µs a row on one thread\n%-34s", title, vocabSize, "");
    const std::pair<simd::Level, const char *> levels[] = {
        {simd::Level::avx512, "AVX-512"}, {simd::Level::avx2, "AVX2"}, {simd::Level::portable, "portable"}};
    for (const auto &[level, name] : levels)
        if (simd::supported(level)) std::printf("%10s", name);
    std::printf("%10s\n", "llama.cpp");
    for (const Path &path : paths()) {
        std::printf("%-34s", path.name);
        for (const auto &[level, name] : levels) {
            if (!simd::supported(level)) continue;
            simd::setLevel(level);
            std::printf("%10.1f", ours(rows, path.params, vocabSize));
        }
        // Its chain has no log-probabilities.
        if (path.params.topLogprobs >= 0) {
            std::printf("%10s\n", "-");
        } else {
            std::printf("%10.1f\n", llamas(rows, path.params, vocabSize));
        }
    }
}

} // namespace

int main(int argc, char **argv) {
    const int32_t vocabSize = argc > 1 ? std::atoi(argv[1]) : 262144;
    if (vocabSize < 1000) {
        std::fprintf(stderr, "Usage: sampler_bench [vocabulary size, at least 1000]\n");
        return 1;
    }
    print("Peaked", peakedRows(vocabSize), vocabSize);
    print("Flat", flatRows(vocabSize), vocabSize);
    return 0;
}
