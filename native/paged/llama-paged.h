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
// Layers whose attention has a window may have a pool of their own, and so tables of their own: a page that
// no token's window reaches any more can be given to others there, while other layers still need theirs.
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
    // The same for layers with a window, in the pages of their pool; null where it is the other layers' size,
    // and their pages are the same
    const int32_t *window_tables;
    bool use_kernel; // attention by the paged CPU kernel where the model allows it
};

struct llama_paged_info {
    bool bound;
    bool kernel; // the paged CPU kernel computes attention; otherwise llama.cpp's own with a dense mask
    // Why the kernel doesn't, or which one does ("avx512", "avx2", "portable"). Static storage.
    const char *reason;
    uint32_t pages; // pages in the pool: n_ctx / page_size
    size_t page_bytes;
    uint32_t window_pages; // in the pool of layers with a window; 0: it has no tables of its own
    size_t window_page_bytes;
};

enum llama_paged_window {
    LLAMA_PAGED_WINDOW_NONE,
    LLAMA_PAGED_WINDOW_SLIDING, // the last `window_size` positions, the token's own included
    LLAMA_PAGED_WINDOW_CHUNKED, // those of the token's chunk of `window_size`
};

// What a token keeps: numbers, summed over the layers that see all earlier tokens, and over those with a
// window.
struct llama_paged_cells {
    enum llama_paged_window window;
    uint32_t window_size; // positions
    uint64_t keys, values;
    uint64_t window_keys, window_values;
};

LLAMA_API struct llama_paged_cells llama_paged_get_cells(const struct llama_model *model);

// Cells that layers with a window get in contexts which this thread creates from now on with swa_full; 0, the
// default: as many as other layers.
LLAMA_API void llama_paged_set_window_cells(uint32_t cells);

// True where the context's memory can be placed by block tables. Otherwise *why (may be null) tells what
// stands against it: recurrent or hybrid memory, several streams (kv_unified = false), non-causal attention,
// positions of several dimensions. Static storage.
LLAMA_API bool llama_paged_supported(const struct llama_context *ctx, const char **why);

// Binds block tables to a context on which nothing has been decoded. Once per context. False, and nothing
// changed, where llama_paged_supported() says no, a size in `config` is out of range, or pools of two sizes
// have one table.
LLAMA_API bool llama_paged_bind(struct llama_context *ctx, const struct llama_paged_config *config);

LLAMA_API struct llama_paged_info llama_paged_get_info(const struct llama_context *ctx);

// Keys and values of one page over all layers, in an order that only these two functions know: page_bytes +
// window_page_bytes. `window_page` counts where there are window tables. One copy per layer and tensor (per
// row of a transposed V). Both wait for the context's running work.
LLAMA_API bool llama_paged_read_page(struct llama_context *ctx, uint32_t page, uint32_t window_page,
                                     void *bytes);
LLAMA_API bool llama_paged_write_page(struct llama_context *ctx, uint32_t page, uint32_t window_page,
                                      const void *bytes);

#ifdef __cplusplus
}
#endif
