#pragma once

// Paged KV cache: the caller's block tables decide where every token's keys and values lie.
//
// Cell of position p of sequence s = tables[s][p / page_size] * page_size + p % page_size.
//
// libllama keeps no books of its own about a bound context: no sequence sets, no free cells, no last
// positions. Two sequences share a page by naming it in both rows; forgetting a sequence is the caller's
// business alone. A token of sequence s at position p sees the cells of positions 0..p of row s (less what a
// sliding window hides), so every page up to p must be named in the row, and hold valid keys and values, when
// llama_decode() runs. Entries for pages that no layer's window reaches may be anything.
//
// Logits of a bound context are valid until the next llama_decode().
//
// No function here is thread-safe against another call on the same context.

#include "llama.h"

#ifdef __cplusplus
extern "C" {
#endif

struct llama_paged_config {
    // [max_sequences * max_pages_per_sequence] page ids, row-major; outlives the context
    const int32_t *tables;
    uint32_t max_sequences;          // rows; at most llama_max_parallel_sequences(), ids of batches are below
    uint32_t max_pages_per_sequence; // columns
    uint32_t page_size;              // cells; a power of two, divides the context's n_ctx
    bool use_kernel;                 // attention by the paged CPU kernel where the model allows it
};

struct llama_paged_info {
    bool bound;
    bool kernel; // the paged CPU kernel computes attention; otherwise llama.cpp's own with a dense mask
    // Why the kernel doesn't, or which one does ("avx512", "avx2", "portable"). Static storage.
    const char *reason;
    uint32_t pages;    // pages in the pool: n_ctx / page_size
    size_t page_bytes; // what llama_paged_read_page() writes
};

// True where the context's memory can be placed by block tables. Otherwise *why (may be null) tells what
// stands against it: recurrent or hybrid memory, several streams (kv_unified = false), a sliding-window cache
// of its own size (swa_full = false), non-causal attention, positions of several dimensions. Static storage.
LLAMA_API bool llama_paged_supported(const struct llama_context *ctx, const char **why);

// Binds block tables to a context on which nothing has been decoded. Once per context. False, and nothing
// changed, where llama_paged_supported() says no or a size in `config` is out of range.
LLAMA_API bool llama_paged_bind(struct llama_context *ctx, const struct llama_paged_config *config);

LLAMA_API struct llama_paged_info llama_paged_get_info(const struct llama_context *ctx);

// Keys and values of one page over all layers, in an order that only these three functions know. One copy per
// layer and tensor (per row of a transposed V). Both wait for the context's running work.
LLAMA_API size_t llama_paged_page_size_bytes(const struct llama_context *ctx);
LLAMA_API bool llama_paged_read_page(struct llama_context *ctx, uint32_t page, void *bytes);
LLAMA_API bool llama_paged_write_page(struct llama_context *ctx, uint32_t page, const void *bytes);

#ifdef __cplusplus
}
#endif
