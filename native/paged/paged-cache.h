#pragma once

// The paged side of one llama_kv_cache: where an ubatch's cells lie, and who computes its attention.

#include "llama-batch.h"
#include "llama-kv-cache.h"
#include "paged-attention.h"
#include "paged-op.h"
#include "paged-tables.h"

#include <cstdint>
#include <memory>
#include <vector>

struct ggml_cgraph;
struct ggml_context;
struct ggml_tensor;

namespace sluice::paged {

// What the caches of one context share.
struct Binding {
    // Masks and attention follow this one switch. Probing: graphs are llama.cpp's own, while each attention
    // in them is asked whether the kernel could compute it.
    enum class Mode { dense, probing, kernel };

    Mode mode = Mode::dense;
    const char *objection = "it was not asked for"; // why the kernel doesn't run
};

class Cache {
public:
    Cache(llama_kv_cache &kv, std::shared_ptr<Binding> binding, const BlockTables &tables);

    // Why this cache's cells can't be placed by block tables; null where they can. Static storage.
    static const char *objection(const llama_kv_cache &kv);

    const Binding &binding() const { return *binding_; }
    const int32_t *tables() const { return tables_.pages; }

    // Cells of every ubatch's tokens. Empty, with a logged reason, where a table or a batch is out of its
    // bounds.
    llama_kv_cache::slot_info_vec_t place(const std::vector<llama_ubatch> &ubatches) const;

    // Makes `ubatch` the one that cells() and setMask() speak of.
    void begin(const llama_ubatch &ubatch);

    // Cells from the start of the pool that the graph has to cover. All of them for the kernel, whose graph
    // is then the same for any context length.
    uint32_t cells() const { return cells_; }

    // Width of a mask row: the kernel needs none of it, and a graph of one mode is never reused in the other.
    int64_t maskWidth(int64_t cells) const { return binding_->mode == Binding::Mode::kernel ? 1 : cells; }

    // Notes the graph's mask, by which buildAttention() knows this cache's layers.
    void useMask(ggml_tensor *mask);

    // Fills the mask, or plans the ubatch for the kernel.
    void setMask(ggml_tensor *mask);

    // The kernel's node; null where llama.cpp is to build its own attention.
    ggml_tensor *buildAttention(ggml_context *context, const AttentionCall &call);

    // Whether all that the probed graph does with this cache's mask is attention the kernel can compute.
    bool probed(ggml_cgraph *graph) const;

    bool isOnCpu() const;

    uint32_t pages() const; // in the pool
    size_t pageBytes() const;
    void readPage(uint32_t page, uint8_t *out) const;
    void writePage(uint32_t page, const uint8_t *in);

private:
    template <class Visit> void visitPage(uint32_t page, Visit visit) const;
    bool namesPages(llama_seq_id sequence, llama_pos first, llama_pos last) const;
    bool placeUbatch(const llama_ubatch &ubatch, std::vector<uint32_t> &cells) const;

    llama_kv_cache &kv_;
    const std::shared_ptr<Binding> binding_;
    const BlockTables tables_;
    const Window window_;
    const bool distances_; // the mask holds distances (ALiBi)
    Attention attention_;
    std::vector<Token> tokens_; // of the current ubatch
    uint32_t cells_ = 0;
    const ggml_tensor *mask_ = nullptr; // of the graph being built
    int32_t admitted_ = 0;              // attentions with that mask
};

// For llama_kv_cache_iswa: cells of the layers with a window, beside others of `cells` [llama-paged.h].
uint32_t windowCells(uint32_t cells);

// For llm_graph_context::build_attn_mha: asks the cache of `memory` whose mask the call has, if any.
ggml_tensor *buildAttention(ggml_context *context, const llama_memory_context_i *memory,
                            const AttentionCall &call);

} // namespace sluice::paged
