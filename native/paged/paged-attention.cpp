#include "paged-attention.h"

#include <algorithm>
#include <new>
#include <thread>

namespace sluice::paged {

float *FloatBuffer::reserve(size_t count) {
    if (count <= capacity_) return data_.get();
    // A quarter more than asked for: sizes creep up as contexts grow.
    const size_t bytes = (count + count / 4) * sizeof(float) / 64 * 64 + 64;
    data_.reset(static_cast<float *>(std::aligned_alloc(64, bytes)));
    if (!data_) throw std::bad_alloc();
    capacity_ = bytes / sizeof(float);
    return data_.get();
}

void LayerLimits::include(const Layer &layer) {
    rowsPerToken = std::max(rowsPerToken, layer.rowsPerToken());
    heads = std::max(heads, layer.heads);
    kvHeads = std::max(kvHeads, layer.kvHeads);
    valueSize = std::max(valueSize, layer.v.headSize);
}

void Attention::prepare(const std::vector<Token> &tokens, const BlockTables &tables, const Window &window) {
    plan_.build(tokens, tables, window, {threads_, limits_.rowsPerToken});

    const size_t partialRows = static_cast<size_t>(plan_.slots()) * limits_.heads;
    partialValues_.reserve(partialRows * limits_.valueSize);
    partialStates_.reserve(partialRows * 2);
    const size_t counters = tokens.size() * limits_.kvHeads;
    if (counters > finishedCapacity_) {
        finished_ = std::make_unique<std::atomic<int32_t>[]>(counters);
        finishedCapacity_ = counters;
    }
    for (size_t i = 0; i < counters; i++)
        finished_[i].store(0, std::memory_order_relaxed);
    next_.store(0, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    left_.store(0, std::memory_order_relaxed);
}

void Attention::run(const Layer &layer, int32_t thread, int32_t threads) {
    if (thread == 0) threads_ = threads;
    float *scratch = scratch_[thread].reserve(kernel_.scratchFloats(layer));
    const Partials partials = {partialValues_.reserve(0), partialStates_.reserve(0)};
    const std::vector<Item> &items = plan_.items();
    const auto units = static_cast<int32_t>(items.size()) * layer.kvHeads;
    for (int32_t unit; (unit = next_.fetch_add(1, std::memory_order_relaxed)) < units;) {
        const Item &item = items[unit / layer.kvHeads];
        const int32_t kvHead = unit % layer.kvHeads;
        waitForPhase(item.phase, layer.kvHeads);
        kernel_.attend(layer, item, plan_.shares(), kvHead, scratch, partials);
        finishTokens(layer, item, kvHead, partials);
        done_.fetch_add(1, std::memory_order_acq_rel);
    }
    // The last to leave makes the counter ready for the next layer, which no thread can have begun.
    if (left_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
        left_.store(0, std::memory_order_relaxed);
        done_.store(0, std::memory_order_relaxed);
        next_.store(0, std::memory_order_relaxed);
    }
}

// What a unit resumes is being computed by threads that took theirs before, so this ends.
void Attention::waitForPhase(int32_t phase, int32_t kvHeads) const {
    const int32_t before = plan_.itemsBefore(phase) * kvHeads;
    while (done_.load(std::memory_order_acquire) < before)
        std::this_thread::yield();
}

// Whoever computes a token's last share merges its parts.
void Attention::finishTokens(const Layer &layer, const Item &item, int32_t kvHead, const Partials &partials) {
    for (int32_t i = item.shareBegin; i < item.shareEnd; i++) {
        const Share &share = plan_.shares()[i];
        const int32_t wanted = plan_.chain(share.token).shares;
        if (wanted == 0) continue;
        auto &finished = finished_[static_cast<size_t>(share.token) * layer.kvHeads + kvHead];
        if (finished.fetch_add(1, std::memory_order_acq_rel) + 1 < wanted) continue;
        finished.store(0, std::memory_order_relaxed);
        kernel_.merge(layer, plan_, share.token, kvHead, partials);
    }
}

} // namespace sluice::paged
