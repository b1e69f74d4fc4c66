#pragma once

// What the tests of the paged KV share: a loaded model, contexts with block tables, checks that count.

#include "llama-paged.h"
#include "llama.h"

#include "ggml-backend.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

inline int failures = 0;

#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            failures++;                                                                                      \
            std::printf("FAILED %s:%d: %s: ", __FILE__, __LINE__, #condition);                               \
            std::printf(__VA_ARGS__);                                                                        \
            std::printf("\n");                                                                               \
        }                                                                                                    \
    } while (0)

using Model = std::unique_ptr<llama_model, decltype(&llama_model_free)>;

inline Model loadModel(const char *file) {
    llama_log_set(
        [](ggml_log_level level, const char *text, void *) {
            if (level == GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
        },
        nullptr);
    ggml_backend_load_all_from_path(PAGED_TEST_BACKENDS);
    Model model(llama_model_load_from_file(file, llama_model_default_params()), llama_model_free);
    if (!model) {
        std::fprintf(stderr, "cannot load %s\n", file);
        std::exit(2);
    }
    return model;
}

enum class Attention { kernel, dense, stockPool, stockStreams };

struct Shape {
    uint32_t sequences = 8;
    uint32_t pagesPerSequence = 64;
    uint32_t pageSize = 16;
    uint32_t batch = 512;
    ggml_type type = GGML_TYPE_F16;
    bool flashAttention = true;
    int threads = 2;
};

struct Row {
    int32_t sequence;
    int32_t position;
    llama_token token;
    bool output = true;
};

// A context of `shape`. With block tables, sequence s owns pages s * pagesPerSequence …, through `order` if
// given.
class Context {
public:
    Context(const Model &model, const Shape &shape, Attention attention)
        : shape(shape), attention(attention) {
        llama_context_params params = llama_context_default_params();
        params.n_ctx = shape.sequences * shape.pagesPerSequence * shape.pageSize;
        params.n_batch = params.n_ubatch = shape.batch;
        params.n_outputs_max = shape.batch;
        params.n_seq_max = shape.sequences;
        params.n_threads = params.n_threads_batch = shape.threads;
        params.type_k = params.type_v = shape.type;
        params.flash_attn_type =
            shape.flashAttention ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
        params.swa_full = true;
        params.kv_unified = attention != Attention::stockStreams;
        handle.reset(llama_init_from_model(model.get(), params));
        if (!handle) std::exit(2);
        pages.resize(shape.sequences * shape.pagesPerSequence);
        std::iota(pages.begin(), pages.end(), 0);
        if (!hasTables()) return;
        const llama_paged_config config = {pages.data(), shape.sequences, shape.pagesPerSequence,
                                           shape.pageSize, nullptr, attention == Attention::kernel};
        CHECK(llama_paged_bind(handle.get(), &config), "bind");
    }

    bool hasTables() const { return attention == Attention::kernel || attention == Attention::dense; }

    void scramble(uint32_t seed) {
        std::mt19937 random(seed);
        for (size_t i = pages.size() - 1; i > 0; i--)
            std::swap(pages[i], pages[random() % (i + 1)]);
    }

    int32_t &page(int32_t sequence, int32_t index) {
        return pages[sequence * shape.pagesPerSequence + index];
    }

    int32_t cell(int32_t sequence, int32_t position) {
        const auto size = static_cast<int32_t>(shape.pageSize);
        return page(sequence, position / size) * size + position % size;
    }

    // A byte that makes ruinous cells. For the kernel F16 NaN: whatever reads a cell nobody wrote shows in
    // the logits. llama.cpp's own attention adds masks, which NaN survives, so there it is a large finite
    // number.
    uint8_t poisonByte() const { return llama_paged_get_info(handle.get()).kernel ? 0x7e : 0x55; }

    size_t pageBytes() const {
        const llama_paged_info info = llama_paged_get_info(handle.get());
        return info.page_bytes + info.window_page_bytes;
    }

    void poison() {
        const std::vector<uint8_t> ruin(pageBytes(), poisonByte());
        for (uint32_t p = 0; p < llama_paged_get_info(handle.get()).pages; p++) {
            llama_paged_write_page(handle.get(), p, p, ruin.data());
        }
    }

    int decode(const std::vector<Row> &rows) {
        llama_batch batch = llama_batch_init(static_cast<int32_t>(rows.size()), 0, 1);
        batch.n_tokens = static_cast<int32_t>(rows.size());
        for (size_t i = 0; i < rows.size(); i++) {
            batch.token[i] = rows[i].token;
            batch.pos[i] = rows[i].position;
            batch.n_seq_id[i] = 1;
            batch.seq_id[i][0] = rows[i].sequence;
            batch.logits[i] = rows[i].output;
        }
        const int status = llama_decode(handle.get(), batch);
        llama_batch_free(batch);
        return status;
    }

    const float *logits(int row) { return llama_get_logits_ith(handle.get(), row); }

    const Shape shape;
    const Attention attention;
    std::vector<int32_t> pages;
    std::unique_ptr<llama_context, decltype(&llama_free)> handle{nullptr, llama_free};
};

inline int vocabularyOf(const Model &model) {
    return llama_vocab_n_tokens(llama_model_get_vocab(model.get()));
}

// Tokens of a text that is as good as random: attention then has no favourite position.
inline std::vector<llama_token> randomTokens(const Model &model, int count, uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<llama_token> tokens(count);
    const int last = std::min(vocabularyOf(model), 20000);
    for (llama_token &token : tokens)
        token = static_cast<llama_token>(100 + random() % (last - 100));
    return tokens;
}

struct Difference {
    double rms = 0;
    double deviation = 0; // standard deviation of the first one's values
    bool sameTop = true;
    bool finite = true;
};

inline Difference compare(const float *a, const float *b, int count) {
    Difference d;
    int topA = 0, topB = 0;
    double mean = 0, squares = 0;
    for (int i = 0; i < count; i++) {
        const double delta = static_cast<double>(a[i]) - b[i];
        d.finite = d.finite && std::isfinite(a[i]) && std::isfinite(b[i]);
        d.rms += delta * delta;
        mean += a[i];
        squares += static_cast<double>(a[i]) * a[i];
        if (a[i] > a[topA]) topA = i;
        if (b[i] > b[topB]) topB = i;
    }
    d.rms = std::sqrt(d.rms / count);
    mean /= count;
    d.deviation = std::sqrt(squares / count - mean * mean);
    d.sameTop = topA == topB;
    return d;
}

inline int finish(const char *name) {
    std::printf("%s: %s\n", name, failures ? "FAILED" : "ok");
    return failures ? 1 : 0;
}
