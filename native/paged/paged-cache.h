#pragma once

// The paged side of one llama_kv_cache: placement of an ubatch's cells, and what its attention may see.

#include "llama-batch.h"
#include "llama-kv-cache.h"
#include "paged-tables.h"

#include <cstdint>
#include <memory>
#include <vector>

struct ggml_tensor;

namespace sluice::paged {

// What the caches of one context share.
struct Binding {
    BlockTables tables;
    uint32_t pages = 0; // in the pool
};

class Cache {
public:
    Cache(llama_kv_cache &kv, std::shared_ptr<const Binding> binding);

    // Why this cache's cells can't be placed by block tables; null where they can. Static storage.
    static const char *objection(const llama_kv_cache &kv);

    // Cells of every ubatch's tokens. Empty, with a logged reason, where a table or a batch is out of its bounds.
    llama_kv_cache::slot_info_vec_t place(const std::vector<llama_ubatch> &ubatches) const;

    // Makes `ubatch` the one that cells() and setMask() speak of.
    void begin(const llama_ubatch &ubatch);

    // Cells from the start of the pool that the graph has to cover.
    uint32_t cells() const { return cells_; }

    void setMask(ggml_tensor *mask) const;

    const Binding &binding() const { return *binding_; }

    size_t pageBytes() const;
    void readPage(uint32_t page, uint8_t *bytes) const;
    void writePage(uint32_t page, const uint8_t *bytes);

private:
    template <class Visit> void visitPage(uint32_t page, Visit visit) const;
    bool placeUbatch(const llama_ubatch &ubatch, std::vector<uint32_t> &cells) const;

    llama_kv_cache &kv_;
    const std::shared_ptr<const Binding> binding_;
    const Window window_;
    const bool distances_; // the mask holds distances (ALiBi)
    std::vector<Token> tokens_; // of the current ubatch
    uint32_t cells_ = 0;
};

} // namespace sluice::paged
