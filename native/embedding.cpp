#include "embedding.h"

#include <algorithm>
#include <string>

#include "llama_log.h"
#include "scaled.h"

namespace sluice {

namespace {

bool poolsTexts(enum llama_pooling_type pooling) {
    return pooling == LLAMA_POOLING_TYPE_MEAN || pooling == LLAMA_POOLING_TYPE_CLS ||
           pooling == LLAMA_POOLING_TYPE_LAST;
}

} // namespace

EmbeddingContext::EmbeddingContext(std::shared_ptr<Model> model, const EmbeddingOptions &options)
    : model_(std::move(model)), options_(options), threadPool_(options.threads) {
    const ModelInfo &info = model_->info();
    model_->requireWeights();
    if (!info.encoderOnly)
        throw NativeError(ErrorCode::contextFailed, "The model generates text: it is no encoder.");

    llama_context_params params = llama_context_default_params();
    params.n_ctx = options.maxBatchTokens;
    params.n_batch = options.maxBatchTokens;  // an encoder sees all of a text at once,
    params.n_ubatch = options.maxBatchTokens; // so that a batch is never cut
    params.n_seq_max = options.maxTexts;
    params.n_threads = options.threads;
    params.n_threads_batch = options.threads;
    params.embeddings = true;
    params.kv_unified = true;
    params.op_offload = false; // the weights are the CPU's: batches are too small to be worth a copy
    params.no_perf = true;

    LogCapture log;
    handle_.reset(llama_init_from_model(model_->handle(), params));
    if (!handle_) throw NativeError(ErrorCode::contextFailed, log.reason("the context couldn't be created"));
    if (llama_get_memory(handle_.get()) != nullptr)
        throw NativeError(ErrorCode::contextFailed, "The model keeps a KV cache: it is no plain encoder.");
    if (!poolsTexts(llama_pooling_type(handle_.get())))
        throw NativeError(ErrorCode::contextFailed,
                          "The model names no pooling: it makes no vectors of texts.");
    llama_attach_threadpool(handle_.get(), threadPool_.handle(), threadPool_.handle());

    size_ = static_cast<size_t>(llama_model_n_embd_out(model_->handle()));
    maxTextTokens_ = std::min(options.maxBatchTokens, static_cast<uint32_t>(std::max(0, info.trainContext)));
    positions_.resize(options.maxBatchTokens);
    sequences_.resize(options.maxBatchTokens);
    sequenceCounts_.assign(options.maxBatchTokens, 1);
    outputs_.assign(options.maxBatchTokens, 1);
    sequencePointers_.resize(options.maxBatchTokens);
    for (size_t i = 0; i < sequences_.size(); i++)
        sequencePointers_[i] = &sequences_[i];
}

void EmbeddingContext::embed(const int32_t *tokens, size_t tokenCount, const int32_t *lengths, size_t texts,
                             float *vectors) {
    fill(tokens, tokenCount, lengths, texts);
    encode(tokenCount);
    for (size_t text = 0; text < texts; text++)
        copyNormalised(text, vectors + text * size_);
}

/** Copies first and checks the copy: the caller's arrays may be shared with other threads. */
void EmbeddingContext::fill(const int32_t *tokens, size_t tokenCount, const int32_t *lengths, size_t texts) {
    if (texts == 0 || texts > options_.maxTexts) throw RangeError("texts must be between 1 and maxTexts");
    if (tokenCount > options_.maxBatchTokens) throw RangeError("more tokens than maxBatchTokens");
    tokens_.assign(tokens, tokens + tokenCount);
    for (const llama_token token : tokens_) {
        if (token < 0 || token >= model_->info().vocabSize) throw RangeError("token outside the vocabulary");
    }
    size_t at = 0;
    for (size_t text = 0; text < texts; text++) {
        const int32_t length = lengths[text];
        if (length < 1 || static_cast<uint32_t>(length) > maxTextTokens_)
            throw RangeError("length of text " + std::to_string(text) + " out of range");
        if (static_cast<size_t>(length) > tokenCount - at) throw RangeError("lengths exceed the tokens");
        for (llama_pos position = 0; position < length; position++, at++) {
            positions_[at] = position;
            sequences_[at] = static_cast<llama_seq_id>(text);
        }
    }
    if (at != tokenCount) throw RangeError("tokens beyond the last length");
}

void EmbeddingContext::encode(size_t tokenCount) {
    const llama_batch input{
        static_cast<int32_t>(tokenCount), tokens_.data(),           nullptr,        positions_.data(),
        sequenceCounts_.data(),           sequencePointers_.data(), outputs_.data()};
    const LogCapture log;
    int32_t status = 0;
    try {
        status = llama_encode(handle_.get(), input);
        llama_synchronize(handle_.get());
    } catch (const std::exception &error) { // an assert of libllama
        throw NativeError(ErrorCode::forwardFailed, error.what());
    }
    if (status != 0) throw NativeError(ErrorCode::forwardFailed, log.reason("llama_encode failed"));
}

void EmbeddingContext::copyNormalised(size_t text, float *vector) const {
    const float *pooled = llama_get_embeddings_seq(handle_.get(), static_cast<llama_seq_id>(text));
    if (pooled == nullptr) throw NativeError(ErrorCode::forwardFailed, "A text has no vector.");
    writeScaled(pooled, size_, 1, vector);
}

} // namespace sluice
