#include "llama-paged.h"

#include "llama-context.h"
#include "llama-impl.h"
#include "llama-kv-cache-iswa.h"
#include "llama-kv-cache.h"
#include "llama-model.h"
#include "paged-cache.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <vector>

using namespace sluice::paged;

namespace {

thread_local uint32_t nextWindowCells = 0;

// The plain caches that a context's memory consists of; none where it is of another kind.
std::vector<llama_kv_cache *> cachesOf(const llama_context &context) {
    llama_memory_t memory = context.get_memory();
    if (auto *plain = dynamic_cast<llama_kv_cache *>(memory)) return {plain};
    if (auto *pair = dynamic_cast<llama_kv_cache_iswa *>(memory)) return {pair->get_base(), pair->get_swa()};
    return {};
}

const char *objectionTo(const llama_context &context) {
    const auto caches = cachesOf(context);
    if (caches.empty()) return "the memory is not a plain KV cache (recurrent, hybrid, sparse or none)";
    if (!context.get_cparams().causal_attn) return "attention is not causal";
    for (const llama_kv_cache *cache : caches) {
        if (const char *why = Cache::objection(*cache)) return why;
    }
    return nullptr;
}

bool isInRange(const llama_paged_config &config, const std::vector<llama_kv_cache *> &caches) {
    const uint32_t size = config.page_size;
    if (size == 0 || (size & (size - 1)) != 0) return false;
    for (const llama_kv_cache *cache : caches) {
        const bool isAlike = cache->get_size() == caches.front()->get_size();
        if (cache->get_size() % size != 0 || (!isAlike && !config.window_tables)) return false;
    }
    return config.tables && config.max_sequences > 0 && config.max_sequences <= LLAMA_MAX_SEQ &&
           config.max_pages_per_sequence > 0;
}

// Asks every attention of the model's graph whether the kernel can compute it. Null where all can.
const char *probe(llama_context &context, Binding &binding) {
    for (const llama_kv_cache *cache : cachesOf(context)) {
        if (!cache->paged->isOnCpu()) return "layers or their KV cache are not on the CPU";
    }
    binding.mode = Binding::Mode::probing;
    binding.objection = nullptr;
    const auto memory = context.get_memory()->init_full();
    const uint32_t sequences = context.n_seq_max();
    ggml_cgraph *graph = context.graph_reserve(sequences, sequences, sequences, memory.get(), true);
    binding.mode = Binding::Mode::dense;
    if (!graph) return "the graph could not be built";
    for (const llama_kv_cache *cache : cachesOf(context)) {
        if (!cache->paged->probed(graph)) return "the mask has other uses than attention";
    }
    return binding.objection;
}

bool isBound(const llama_context &context) {
    const auto caches = cachesOf(context);
    return !caches.empty() && caches.front()->paged;
}

// Calls visit(cache, page) for the caches that have a part of the page; false where one has no such page.
template <class Visit>
bool visitParts(const llama_context &context, uint32_t page, uint32_t windowPage, Visit visit) {
    if (!isBound(context)) return false;
    const bool hasWindow = llama_paged_get_info(&context).window_pages > 0;
    const auto caches = cachesOf(context);
    const auto pageIn = [&](size_t i) { return i > 0 && hasWindow ? windowPage : page; };
    for (size_t i = 0; i < caches.size(); i++) {
        if (pageIn(i) >= caches[i]->paged->pages()) return false;
    }
    for (size_t i = 0; i < caches.size(); i++)
        visit(*caches[i]->paged, pageIn(i));
    return true;
}

} // namespace

uint32_t sluice::paged::windowCells(uint32_t cells) {
    return nextWindowCells == 0 ? cells : std::min(cells, nextWindowCells);
}

void llama_paged_set_window_cells(uint32_t cells) {
    nextWindowCells = cells;
}

llama_paged_cells llama_paged_get_cells(const llama_model *model) {
    const llama_hparams &hparams = model->hparams;
    llama_paged_cells cells = {LLAMA_PAGED_WINDOW_NONE, hparams.n_swa, 0, 0, 0, 0};
    if (hparams.swa_type == LLAMA_SWA_TYPE_STANDARD) cells.window = LLAMA_PAGED_WINDOW_SLIDING;
    if (hparams.swa_type == LLAMA_SWA_TYPE_CHUNKED) cells.window = LLAMA_PAGED_WINDOW_CHUNKED;
    for (uint32_t layer = 0; layer < hparams.n_layer(); layer++) {
        if (!hparams.has_kv(layer) || hparams.is_recr(layer)) continue;
        const bool isWindow = cells.window != LLAMA_PAGED_WINDOW_NONE && hparams.is_swa(layer);
        (isWindow ? cells.window_keys : cells.keys) += hparams.n_embd_k_gqa(layer);
        if (!hparams.is_mla()) (isWindow ? cells.window_values : cells.values) += hparams.n_embd_v_gqa(layer);
    }
    return cells;
}

bool llama_paged_supported(const llama_context *ctx, const char **why) {
    const char *objection = objectionTo(*ctx);
    if (why) *why = objection;
    return objection == nullptr;
}

bool llama_paged_bind(llama_context *ctx, const llama_paged_config *config) {
    if (objectionTo(*ctx) || isBound(*ctx)) return false;
    const auto caches = cachesOf(*ctx);
    if (!isInRange(*config, caches)) return false;

    auto binding = std::make_shared<Binding>();
    for (llama_kv_cache *cache : caches) {
        const bool isWindow = config->window_tables && cache != caches.front();
        cache->paged = std::make_shared<Cache>(
            *cache, binding,
            BlockTables{isWindow ? config->window_tables : config->tables, config->max_sequences,
                        config->max_pages_per_sequence, config->page_size});
    }
    ctx->logits_stay = true;
    if (!config->use_kernel) return true;
    try {
        binding->objection = probe(*ctx, *binding);
        if (!binding->objection) binding->mode = Binding::Mode::kernel;
        ctx->sched_renew();
    } catch (const std::exception &error) {
        LLAMA_LOG_ERROR("%s: %s\n", __func__, error.what());
        for (llama_kv_cache *cache : caches)
            cache->paged.reset();
        return false;
    }
    return true;
}

llama_paged_info llama_paged_get_info(const llama_context *ctx) {
    if (!isBound(*ctx)) return {false, false, "block tables are not bound", 0, 0, 0, 0};
    const auto caches = cachesOf(*ctx);
    const Cache &first = *caches.front()->paged;
    const bool kernel = first.binding().mode == Binding::Mode::kernel;
    const char *reason = kernel ? usableKernels().front()->name : first.binding().objection;
    llama_paged_info info = {true, kernel, reason, first.pages(), first.pageBytes(), 0, 0};
    if (caches.size() == 1) return info;
    const Cache &window = *caches.back()->paged;
    if (window.tables() == first.tables()) {
        info.page_bytes += window.pageBytes();
    } else {
        info.window_pages = window.pages();
        info.window_page_bytes = window.pageBytes();
    }
    return info;
}

bool llama_paged_read_page(llama_context *ctx, uint32_t page, uint32_t window_page, void *bytes) {
    auto *out = static_cast<uint8_t *>(bytes);
    ctx->synchronize();
    return visitParts(*ctx, page, window_page, [&](const Cache &cache, uint32_t at) {
        cache.readPage(at, out);
        out += cache.pageBytes();
    });
}

bool llama_paged_write_page(llama_context *ctx, uint32_t page, uint32_t window_page, const void *bytes) {
    const auto *in = static_cast<const uint8_t *>(bytes);
    ctx->synchronize();
    return visitParts(*ctx, page, window_page, [&](Cache &cache, uint32_t at) {
        cache.writePage(at, in);
        in += cache.pageBytes();
    });
}
