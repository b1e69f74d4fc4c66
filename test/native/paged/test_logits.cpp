// Logits of a real model through the paged kernel and through llama.cpp's own attention.
//
// The measure is llama.cpp's own noise: how far its flash attention is from its plain attention over the same
// prompts. The kernel may be no farther from the plain one than that.

#include "support.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

namespace {

struct Noise {
    double squares = 0;
    double variances = 0;
    int rows = 0;
    int sameTop = 0;

    void add(const Difference &d) {
        squares += d.rms * d.rms;
        variances += d.deviation * d.deviation;
        rows++;
        sameTop += d.sameTop;
    }
    double rms() const { return std::sqrt(squares / rows); }
    // Of the logits' own spread: what a wrong cell changes is of the order of 1.
    double relative() const { return std::sqrt(squares / variances); }
    double sameTopRate() const { return static_cast<double>(sameTop) / rows; }
};

// Text that the model can make sense of: this folder's own sources. Over random tokens rounding errors grow
// by chaos.
std::vector<llama_token> textTokens(const Model &model, const char *file, size_t count) {
    std::ifstream in(std::string(PAGED_TEST_SOURCES "/") + file);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    std::vector<llama_token> tokens(text.size() + 2);
    tokens.resize(llama_tokenize(llama_model_get_vocab(model.get()), text.data(),
                                 static_cast<int32_t>(text.size()), tokens.data(),
                                 static_cast<int32_t>(tokens.size()), true, false));
    if (tokens.size() < count) std::exit(2);
    tokens.resize(count);
    return tokens;
}

// Prompts in uneven chunks that mix sequences, then single steps, as a server would batch them.
std::vector<std::vector<Row>> workload(const std::vector<std::vector<llama_token>> &tokens, int steps) {
    std::vector<std::vector<Row>> batches;
    std::vector<int> done(tokens.size(), 0);
    for (bool more = true; more;) {
        more = false;
        std::vector<Row> batch;
        for (size_t s = 0; s < tokens.size(); s++) {
            const int prompt = static_cast<int>(tokens[s].size()) - steps;
            const int chunk = std::min(prompt - done[s], 40 + 30 * static_cast<int>(s));
            for (int i = 0; i < chunk; i++, done[s]++) {
                batch.push_back({static_cast<int32_t>(s), done[s], tokens[s][done[s]], done[s] % 3 == 2});
            }
            more = more || done[s] < prompt;
        }
        batches.push_back(batch);
    }
    for (int i = 0; i < steps; i++) {
        std::vector<Row> batch;
        for (size_t s = 0; s < tokens.size(); s++) {
            batch.push_back({static_cast<int32_t>(s), done[s], tokens[s][done[s]]});
            done[s]++;
        }
        batches.push_back(batch);
    }
    return batches;
}

// Decodes the batches with all contexts in step, and compares each one's logits with the first one's.
std::vector<Noise> noiseAgainstFirst(const std::vector<Context *> &contexts,
                                     const std::vector<std::vector<Row>> &batches, int vocabulary) {
    std::vector<Noise> noise(contexts.size());
    for (const auto &batch : batches) {
        for (Context *context : contexts)
            CHECK(context->decode(batch) == 0, "decode");
        for (size_t i = 0; i < batch.size(); i++) {
            if (!batch[i].output) continue;
            const int row = static_cast<int>(i);
            for (size_t c = 1; c < contexts.size(); c++) {
                const Difference d = compare(contexts[0]->logits(row), contexts[c]->logits(row), vocabulary);
                CHECK(d.finite, "context %zu sequence %d position %d", c, batch[i].sequence,
                      batch[i].position);
                noise[c].add(d);
            }
        }
    }
    return noise;
}

void testNoise(const Model &model) {
    Shape shape = {3, 48, 16, 512, GGML_TYPE_F16, true, 2};
    const auto batches =
        workload({textTokens(model, "test_kernel.cpp", 700), textTokens(model, "support.h", 300),
                  textTokens(model, "bench_step.cpp", 90)},
                 6);
    Context kernel(model, shape, Attention::kernel), dense(model, shape, Attention::dense);
    Context flash(model, shape, Attention::stockPool);
    shape.flashAttention = false;
    Context plain(model, shape, Attention::stockPool);
    kernel.scramble(5);
    dense.scramble(5);
    kernel.poison();
    dense.poison();
    CHECK(llama_paged_get_info(kernel.handle.get()).kernel, "%s",
          llama_paged_get_info(kernel.handle.get()).reason);

    const auto noise = noiseAgainstFirst({&plain, &flash, &kernel, &dense}, batches, vocabularyOf(model));
    const Noise &own = noise[1], &paged = noise[2], &masked = noise[3];
    std::printf("against plain attention over %d rows: flash rms %.3f same top %.3f, kernel %.3f %.3f, dense "
                "mask %.3f %.3f\n",
                own.rows, own.rms(), own.sameTopRate(), paged.rms(), paged.sameTopRate(), masked.rms(),
                masked.sameTopRate());
    // Rounding noise of two draws differs by some percent; a wrong cell costs several times as much.
    CHECK(paged.rms() <= own.rms() * 1.15, "kernel %g, flash %g", paged.rms(), own.rms());
    CHECK(masked.rms() <= own.rms() * 1.15, "dense %g, flash %g", masked.rms(), own.rms());
    CHECK(paged.sameTopRate() >= own.sameTopRate() - 0.02, "same top");
}

// Two sequences name the same full pages: their logits are those of sequences that computed the prefix
// themselves.
void testSharedPages(const Model &model, Attention attention) {
    const Shape shape = {4, 24, 16, 512, GGML_TYPE_F16, true, 2};
    const int prefix = 160;
    const auto common = textTokens(model, "test_kernel.cpp", prefix);
    Context shared(model, shape, attention), apart(model, shape, attention);
    shared.poison();
    apart.poison();
    const auto prompt = [&](Context &context, int32_t sequence) {
        std::vector<Row> rows;
        for (int p = 0; p < prefix; p++)
            rows.push_back({sequence, p, common[p], false});
        CHECK(context.decode(rows) == 0, "prefix");
    };
    prompt(shared, 0);
    for (int32_t s = 0; s < 4; s++)
        prompt(apart, s);
    for (int32_t s = 1; s < 4; s++) {
        for (int32_t p = 0; p < prefix / 16; p++)
            shared.page(s, p) = shared.page(0, p);
    }
    const auto other = textTokens(model, "support.h", 80);
    std::vector<Row> suffixes;
    for (int32_t s = 0; s < 4; s++) {
        for (int i = 0; i < 20; i++)
            suffixes.push_back({s, prefix + i, other[20 * s + i], i >= 10});
    }
    // The same sums in another order: rounding, which the model's quantised matrix products amplify.
    const Noise noise = noiseAgainstFirst({&shared, &apart}, {suffixes}, vocabularyOf(model))[1];
    std::printf("shared against separate prefix: rms %.3f same top %.3f\n", noise.rms(), noise.sameTopRate());
    CHECK(noise.relative() < 0.2, "relative rms %g", noise.relative());
}

// Whether a graph is reused may not depend on context length: the kernel's graph is the same for all.
void testGraphReuse(const Model &model) {
    const Shape shape = {2, 64, 16, 512, GGML_TYPE_F16, true, 2};
    Context context(model, shape, Attention::kernel);
    const auto tokens = randomTokens(model, 270, 1);
    std::vector<Row> rows;
    for (int p = 0; p < 250; p++)
        rows.push_back({0, p, tokens[p], false});
    CHECK(context.decode(rows) == 0, "prompt");
    llama_perf_context_reset(context.handle.get());
    for (int p = 250; p < 270; p++)
        CHECK(context.decode({{0, p, tokens[p]}}) == 0, "step");
    // The first step's shape is new; that it crosses a multiple of 256 cells doesn't matter.
    const int reused = llama_perf_context(context.handle.get()).n_reused;
    CHECK(reused == 19, "%d of 20 graphs reused", reused);
}

void testOtherCells(const Model &model) {
    for (const ggml_type type : {GGML_TYPE_BF16, GGML_TYPE_Q8_0}) {
        const Shape shape = {2, 24, 32, 512, type, true, 2};
        const auto batches =
            workload({textTokens(model, "support.h", 300), textTokens(model, "bench_step.cpp", 61)}, 2);
        Context flash(model, shape, Attention::stockPool), kernel(model, shape, Attention::kernel);
        CHECK(llama_paged_get_info(kernel.handle.get()).kernel, "%s",
              llama_paged_get_info(kernel.handle.get()).reason);
        const Noise noise = noiseAgainstFirst({&flash, &kernel}, batches, vocabularyOf(model))[1];
        std::printf("%s cells, kernel against flash attention: rms %.3f same top %.3f\n",
                    ggml_type_name(type), noise.rms(), noise.sameTopRate());
        CHECK(noise.relative() < 0.2, "%s: relative rms %g", ggml_type_name(type), noise.relative());
    }
}

void testFallback(const Model &model) {
    Shape shape = {2, 16, 16, 64, GGML_TYPE_F16, false, 2};
    Context transposed(model, shape, Attention::kernel);
    const llama_paged_info info = llama_paged_get_info(transposed.handle.get());
    CHECK(info.bound && !info.kernel && std::strstr(info.reason, "flash attention"), "%s", info.reason);
    shape.flashAttention = true;
    shape.type = GGML_TYPE_Q4_0;
    Context small(model, shape, Attention::kernel);
    CHECK(!llama_paged_get_info(small.handle.get()).kernel, "q4_0");
    CHECK(small.decode({{0, 0, 100}, {1, 0, 200}}) == 0, "falls back");
}

} // namespace

int main(int argc, char **argv) {
    const Model model = loadModel(argc > 1 ? argv[1] : "");
    testNoise(model);
    testSharedPages(model, Attention::kernel);
    testSharedPages(model, Attention::dense);
    testGraphReuse(model);
    testOtherCells(model);
    testFallback(model);
    return finish("logits");
}
