#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "handles.h"
#include "llama.h"
#include "model.h"
#include "thread_pool.h"

namespace sluice {

/** EmbeddingOptions of src/native/types.ts. */
struct EmbeddingOptions {
    uint32_t maxTexts = 0;
    uint32_t maxBatchTokens = 0;
    int32_t threads = 0;
};

/** An encoder's llama_context: texts in, one vector each out. Nothing is kept between calls. One thread at a
 * time. */
class EmbeddingContext {
public:
    /** Throws CONTEXT_FAILED where the model is no encoder, or doesn't say how its tokens' vectors become
     * one. */
    EmbeddingContext(std::shared_ptr<Model> model, const EmbeddingOptions &options);
    EmbeddingContext(const EmbeddingContext &) = delete;
    EmbeddingContext &operator=(const EmbeddingContext &) = delete;

    const EmbeddingOptions &options() const { return options_; }
    /** Numbers of a vector. */
    size_t size() const { return size_; }
    /** The longest text. */
    uint32_t maxTextTokens() const { return maxTextTokens_; }

    /**
     * One forward over `texts` texts, whose tokens stand one after the other, lengths[i] of text i. Writes
     * [texts × size] numbers: vectors of length 1. Throws RangeError before anything ran, FORWARD_FAILED
     * after.
     */
    void embed(const int32_t *tokens, size_t tokenCount, const int32_t *lengths, size_t texts,
               float *vectors);

private:
    void fill(const int32_t *tokens, size_t tokenCount, const int32_t *lengths, size_t texts);
    void encode(size_t tokenCount);
    void copyNormalised(size_t text, float *vector) const;

    std::shared_ptr<Model> model_;
    const EmbeddingOptions options_;
    size_t size_ = 0;
    uint32_t maxTextTokens_ = 0;
    ThreadPool threadPool_;
    ContextHandle handle_;

    std::vector<llama_token> tokens_;
    std::vector<llama_pos> positions_;
    std::vector<llama_seq_id> sequences_;
    std::vector<llama_seq_id *> sequencePointers_;
    std::vector<int32_t> sequenceCounts_;
    std::vector<int8_t> outputs_;
};

} // namespace sluice
