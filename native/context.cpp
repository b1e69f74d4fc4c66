#include "context.h"

#include <algorithm>

#include "llama-ext.h"
#include "llama-paged.h"
#include "llama_log.h"

namespace sluice {

namespace {

/** Tokens of one graph. More costs memory for activations and gains nothing on the machines measured. */
constexpr uint32_t graphTokensMax = 512;

/** Small operations are computed by one thread of a team: with more threads than this, ggml's share them
 * better. */
constexpr int32_t teamThreadsMax = 4;

std::atomic<size_t> contexts{0};

[[noreturn]] void outOfRange(const char *what, size_t index) {
    throw RangeError(std::string(what) + " at batch index " + std::to_string(index));
}

uint64_t contextBytes(const llama_context *context) {
    uint64_t bytes = 0;
    for (const auto &[buffer, memory] : llama_get_memory_breakdown(context))
        bytes += memory.context;
    return bytes;
}

} // namespace

size_t Context::count() {
    return contexts.load();
}

Context::Context(std::shared_ptr<Model> model, const ContextOptions &options)
    : model_(std::move(model)), options_(options) {
    const ModelInfo &info = model_->info();
    model_->requireGenerator();
    const bool hasStates = info.recurrent || info.hybrid;

    llama_context_params params = llama_context_default_params();
    params.n_ctx = options.pages * options.pageSize;
    params.n_batch = options.maxBatchTokens;
    params.n_ubatch = std::min(options.maxBatchTokens, graphTokensMax);
    // A unified KV takes any id below LLAMA_MAX_SEQ; what n_seq_max costs is a state a sequence, and a row of
    // logits.
    params.n_seq_max = hasStates ? options.maxSequences : 1;
    params.n_outputs_max = std::max(options.maxOutputs, params.n_seq_max);
    params.n_threads = options.threads;
    params.n_threads_batch = options.threads;
    params.flash_attn_type = options.flashAttention;
    params.type_k = options.kvTypeK;
    params.type_v = options.kvTypeV;
    params.kv_unified = true;
    params.swa_full = true;
    params.no_perf = true;
    params.abort_callback = shouldAbort;
    params.abort_callback_data = this;

    create(params);
    bindPages();
    startThreads();
    lastPositions_.assign(options.maxSequences, -1);
    tokens_.resize(options.maxBatchTokens);
    positions_.resize(options.maxBatchTokens);
    sequences_.resize(options.maxBatchTokens);
    outputs_.resize(options.maxBatchTokens);
    sequenceCounts_.assign(options.maxBatchTokens, 1);
    sequencePointers_.resize(options.maxBatchTokens);
    for (size_t i = 0; i < sequences_.size(); i++)
        sequencePointers_[i] = &sequences_[i];
    contexts++;
}

Context::~Context() {
    contexts--;
}

void Context::create(llama_context_params params) {
    LogCapture log;
    const auto init = [&](uint32_t windowPages) {
        const auto lock = model_->lockAdapters();
        llama_paged_set_window_cells(GGML_PAD(windowPages * options_.pageSize, 256));
        handle_.reset(llama_init_from_model(model_->handle(), params));
        llama_paged_set_window_cells(0);
        if (!handle_)
            throw NativeError(ErrorCode::contextFailed, log.reason("the context couldn't be created"));
    };
    init(options_.windowPages);
    // Where llama.cpp places the cells itself, it needs as many of them in all layers.
    if (options_.windowPages > 0 && !llama_paged_supported(handle_.get(), nullptr)) init(0);
}

void Context::bindPages() {
    info_.kvBytes = contextBytes(handle_.get());
    info_.bytesPerPage = info_.kvBytes / options_.pages;
    const char *why = nullptr;
    if (!llama_paged_supported(handle_.get(), &why)) {
        info_.attentionReason = why == nullptr ? "" : why;
        return;
    }
    tables_.assign(size_t{options_.maxSequences} * options_.maxPagesPerSequence, 0);
    if (options_.windowPages > 0) windowTables_ = tables_;
    cellWrites_.assign(size_t{options_.pages} * options_.pageSize, 0);
    const llama_paged_config config{tables_.data(),
                                    options_.maxSequences,
                                    options_.maxPagesPerSequence,
                                    options_.pageSize,
                                    windowTables_.empty() ? nullptr : windowTables_.data(),
                                    options_.pagedAttention};
    if (!llama_paged_bind(handle_.get(), &config))
        throw NativeError(ErrorCode::contextFailed, "The page pool couldn't be bound to the context.");
    const llama_paged_info bound = llama_paged_get_info(handle_.get());
    info_.placedByPages = true;
    info_.pagedAttention = bound.kernel;
    info_.attentionReason = bound.reason == nullptr ? "" : bound.reason;
    info_.windowPages = std::min(options_.windowPages, bound.window_pages);
    info_.bytesPerPage = bound.page_bytes + bound.window_page_bytes;
}

void Context::startThreads() {
    const int32_t threads = options_.threads;
    const bool isOurs = info_.pagedAttention && !model_->info().packedWeights.kernel.empty();
    if (isOurs && threads > 1 && threads <= teamThreadsMax) {
        team_.reset(llama_team_new(threads));
        llama_set_n_threads(handle_.get(), 1, 1);
    }
    threadPool_.emplace(team_ ? 1 : threads);
    llama_attach_threadpool(handle_.get(), threadPool_->handle(), threadPool_->handle());
}

void Context::forward(const Batch &batch) {
    if (batch.count == 0 || batch.count > options_.maxBatchTokens)
        throw RangeError("count must be between 1 and maxBatchTokens");
    copy(batch);
    logits_ = nullptr;
    outputCount_ = 0;
    const int32_t outputs = checkTokens(batch.count);
    if (info_.placedByPages) {
        copyTables(batch);
        checkCells(batch.count);
    }
    isAborted_ = false;

    const llama_batch input{
        static_cast<int32_t>(batch.count), tokens_.data(), nullptr, positions_.data(), sequenceCounts_.data(),
        sequencePointers_.data(),          outputs_.data()};
    decode(input);
    outputCount_ = outputs;
    logits_ = outputs == 0 ? nullptr : llama_get_logits(handle_.get());
}

void Context::decode(const llama_batch &input) {
    const LogCapture log;
    int32_t status = 0;
    try {
        llama_team_use(team_.get());
        status = llama_decode(handle_.get(), input);
        llama_synchronize(handle_.get());
    } catch (const std::exception
                 &error) { // an assert of libllama: scripts/native/cmake/libllama/throwing-assert.h
        throw NativeError(ErrorCode::forwardFailed, error.what());
    }
    if (status == 2) throw NativeError(ErrorCode::forwardAborted, "forward() was aborted.");
    if (status != 0)
        throw NativeError(ErrorCode::forwardFailed,
                          log.reason(status == 1 ? "no room in the KV cache" : "llama_decode failed"));
}

/** What is checked must be what runs: the caller's arrays may be shared with other threads. */
void Context::copy(const Batch &batch) {
    std::copy_n(batch.tokens, batch.count, tokens_.begin());
    std::copy_n(batch.positions, batch.count, positions_.begin());
    std::copy_n(batch.sequences, batch.count, sequences_.begin());
    std::transform(batch.outputs, batch.outputs + batch.count, outputs_.begin(),
                   [](uint8_t wanted) { return static_cast<int8_t>(wanted != 0); });
}

/** Returns the number of outputs. */
int32_t Context::checkTokens(size_t count) {
    const int64_t positionsMax = int64_t{options_.maxPagesPerSequence} * options_.pageSize;
    uint32_t outputs = 0;
    for (size_t i = 0; i < count; i++) {
        if (tokens_[i] < 0 || tokens_[i] >= model_->info().vocabSize)
            outOfRange("token outside the vocabulary", i);
        if (sequences_[i] < 0 || static_cast<uint32_t>(sequences_[i]) >= options_.maxSequences)
            outOfRange("sequence out of range", i);
        if (positions_[i] < 0 || positions_[i] >= positionsMax) outOfRange("position out of range", i);
        outputs += outputs_[i] != 0 ? 1 : 0;
    }
    if (outputs > options_.maxOutputs) throw RangeError("more outputs than maxOutputs");
    return static_cast<int32_t>(outputs);
}

/** The rows of the batch's sequences, as far as they are read: up to the page of the last position. */
void Context::copyTables(const Batch &batch) {
    std::fill(lastPositions_.begin(), lastPositions_.end(), -1);
    for (size_t i = 0; i < batch.count; i++) {
        int32_t &last = lastPositions_[static_cast<size_t>(sequences_[i])];
        last = std::max(last, positions_[i]);
    }
    for (size_t sequence = 0; sequence < lastPositions_.size(); sequence++) {
        if (lastPositions_[sequence] < 0) continue;
        const size_t row = sequence * options_.maxPagesPerSequence;
        const size_t used = static_cast<size_t>(lastPositions_[sequence]) / options_.pageSize + 1;
        std::copy_n(batch.blockTables + row, used, tables_.begin() + static_cast<ptrdiff_t>(row));
        for (size_t column = row; column < row + used; column++) {
            if (tables_[column] < 0 || static_cast<uint32_t>(tables_[column]) >= options_.pages)
                throw RangeError("block table of sequence " + std::to_string(sequence) +
                                 " names no page of the pool");
            if (info_.windowPages > 0) windowTables_[column] = batch.windowTable[tables_[column]];
        }
    }
}

/** Two tokens of one batch must not write the same cell. */
void Context::checkCells(size_t count) {
    forwards_++;
    for (size_t i = 0; i < count; i++) {
        const auto position = static_cast<size_t>(positions_[i]);
        const size_t row = static_cast<size_t>(sequences_[i]) * options_.maxPagesPerSequence;
        const auto page = static_cast<size_t>(tables_[row + position / options_.pageSize]);
        uint32_t &write = cellWrites_[page * options_.pageSize + position % options_.pageSize];
        if (write == forwards_) outOfRange("two tokens for one cell", i);
        write = forwards_;
    }
}

bool Context::shouldAbort(void *self) {
    const auto *context = static_cast<const Context *>(self);
    const int32_t *flag = context->options_.abortFlag;
    return context->isAborted_.load(std::memory_order_relaxed) ||
           (flag != nullptr && __atomic_load_n(flag, __ATOMIC_RELAXED) != 0);
}

const float *Context::logits(int32_t output) const {
    if (logits_ == nullptr || output < 0 || output >= outputCount_) throw RangeError("output out of range");
    return logits_ + static_cast<size_t>(output) * static_cast<size_t>(model_->info().vocabSize);
}

void Context::readPage(uint32_t page, uint32_t windowPage, uint8_t *bytes) const {
    requirePage(page, windowPage);
    llama_paged_read_page(handle_.get(), page, windowPage, bytes);
}

void Context::writePage(uint32_t page, uint32_t windowPage, const uint8_t *bytes) {
    requirePage(page, windowPage);
    llama_paged_write_page(handle_.get(), page, windowPage, bytes);
}

void Context::requirePage(uint32_t page, uint32_t windowPage) const {
    if (!info_.placedByPages) throw RangeError("pages are for contexts with placement 'pages'");
    if (page >= options_.pages) throw RangeError("page out of range");
    if (info_.windowPages > 0 && windowPage >= info_.windowPages) throw RangeError("windowPage out of range");
}

uint64_t Context::graphsReused() const {
    return static_cast<uint64_t>(llama_perf_context(handle_.get()).n_reused);
}

bool Context::trimSequence(int32_t sequence, int32_t from) {
    if (sequence < 0 || static_cast<uint32_t>(sequence) >= options_.maxSequences)
        throw RangeError("sequence out of range");
    if (from < 0) throw RangeError("from must not be negative");
    if (info_.placedByPages) throw RangeError("trimSequence is for contexts with placement 'sequences'");
    return llama_memory_seq_rm(llama_get_memory(handle_.get()), sequence, from, -1);
}

} // namespace sluice
