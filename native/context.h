#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "errors.h"
#include "handles.h"
#include "llama-matmul.h"
#include "llama.h"
#include "model.h"
#include "thread_pool.h"

namespace sluice {

/** ContextOptions of src/native/types.ts; the block tables come with each batch. */
struct ContextOptions {
    uint32_t pageSize = 0;
    uint32_t pages = 0;
    uint32_t windowPages = 0;
    uint32_t maxSequences = 0;
    uint32_t maxPagesPerSequence = 0;
    uint32_t maxBatchTokens = 0;
    uint32_t maxOutputs = 0;
    int32_t threads = 0;
    ggml_type kvTypeK = GGML_TYPE_F16;
    ggml_type kvTypeV = GGML_TYPE_F16;
    llama_flash_attn_type flashAttention = LLAMA_FLASH_ATTN_TYPE_AUTO;
    bool pagedAttention = true;
    /** Non-zero interrupts forward(); may be null. Shared with other threads. */
    const int32_t *abortFlag = nullptr;
};

/** ContextInfo of src/native/types.ts. */
struct ContextInfo {
    bool placedByPages = false;
    bool pagedAttention = false;
    std::string attentionReason;
    uint64_t kvBytes = 0;
    uint32_t windowPages = 0;
    uint64_t bytesPerPage = 0;
};

/** One step's tokens: arrays of `count`, and the block tables as the engine wrote them. */
struct Batch {
    size_t count;
    const int32_t *tokens;
    const int32_t *positions;
    const int32_t *sequences;
    const uint8_t *outputs;
    const int32_t *blockTables; // [maxSequences × maxPagesPerSequence]
    const int32_t *windowTable; // [pages]; null where the context has no window pages
};

/** A llama_context with its KV pool. One thread at a time, abort() excepted. */
class Context {
public:
    Context(std::shared_ptr<Model> model, const ContextOptions &options);
    ~Context();
    Context(const Context &) = delete;
    Context &operator=(const Context &) = delete;

    const Model &model() const { return *model_; }
    const ContextOptions &options() const { return options_; }
    const ContextInfo &info() const { return info_; }

    /** Throws RangeError before anything ran, FORWARD_FAILED or FORWARD_ABORTED after. */
    void forward(const Batch &batch);
    void abort() { isAborted_.store(true, std::memory_order_relaxed); }

    /** Logits of one output of the last forward(), [vocabSize]. Throws RangeError. */
    const float *logits(int32_t output) const;

    bool trimSequence(int32_t sequence, int32_t from);

    /** Keys and values of a page over all layers: info().bytesPerPage bytes. */
    void readPage(uint32_t page, uint32_t windowPage, uint8_t *bytes) const;
    void writePage(uint32_t page, uint32_t windowPage, const uint8_t *bytes);

    /** Graphs that were computed again without being built again, since the start. */
    uint64_t graphsReused() const;

    /** Contexts alive in the process. */
    static size_t count();

private:
    struct FreeTeam {
        void operator()(llama_team *team) const { llama_team_free(team); }
    };

    void create(llama_context_params params);
    void bindPages();
    void startThreads();
    void copy(const Batch &batch);
    int32_t checkTokens(size_t count);
    void copyTables(const Batch &batch);
    void checkCells(size_t count);
    void requirePage(uint32_t page, uint32_t windowPage) const;
    void decode(const llama_batch &input);
    static bool shouldAbort(void *self);

    std::shared_ptr<Model> model_;
    const ContextOptions options_;
    ContextInfo info_;
    /** Either computes: the team where all large operations are our own, else ggml's threads. */
    std::unique_ptr<llama_team, FreeTeam> team_;
    std::optional<ThreadPool> threadPool_;
    ContextHandle handle_;
    std::atomic<bool> isAborted_{false};

    /** What libllama reads: a checked copy, so that the engine may go on writing its own. */
    std::vector<int32_t> tables_;
    std::vector<int32_t> windowTables_; // the same in window pages; what no window reaches may be anything
    /** Per cell: the number of the forward() that last wrote it. */
    std::vector<uint32_t> cellWrites_;
    uint32_t forwards_ = 0;
    std::vector<int32_t> lastPositions_; // per sequence, of the batch being checked

    std::vector<llama_token> tokens_;
    std::vector<llama_pos> positions_;
    std::vector<llama_seq_id> sequences_;
    std::vector<llama_seq_id *> sequencePointers_;
    std::vector<int32_t> sequenceCounts_;
    std::vector<int8_t> outputs_;
    int32_t outputCount_ = 0;
    const float *logits_ = nullptr;
};

} // namespace sluice
