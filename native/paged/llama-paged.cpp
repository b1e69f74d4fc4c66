#include "llama-paged.h"

#include "llama-context.h"
#include "llama-impl.h"
#include "llama-kv-cache-iswa.h"
#include "llama-kv-cache.h"
#include "paged-cache.h"

#include <exception>
#include <memory>
#include <vector>

using namespace sluice::paged;

namespace {

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
        if (cache->get_size() != caches.front()->get_size())
            return "the sliding-window cache has its own size (swa_full is off)";
    }
    return nullptr;
}

bool isInRange(const llama_paged_config &config, uint32_t cells) {
    const uint32_t size = config.page_size;
    return config.tables && config.max_sequences > 0 && config.max_sequences <= LLAMA_MAX_SEQ &&
           config.max_pages_per_sequence > 0 && size > 0 && (size & (size - 1)) == 0 && cells % size == 0;
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

bool isPage(const llama_context &context, uint32_t page) {
    return page < llama_paged_get_info(&context).pages;
}

} // namespace

bool llama_paged_supported(const llama_context *ctx, const char **why) {
    const char *objection = objectionTo(*ctx);
    if (why) *why = objection;
    return objection == nullptr;
}

bool llama_paged_bind(llama_context *ctx, const llama_paged_config *config) {
    if (objectionTo(*ctx) || isBound(*ctx)) return false;
    const auto caches = cachesOf(*ctx);
    const uint32_t cells = caches.front()->get_size();
    if (!isInRange(*config, cells)) return false;

    auto binding = std::make_shared<Binding>();
    binding->tables = {config->tables, config->max_sequences, config->max_pages_per_sequence,
                       config->page_size};
    binding->pages = cells / config->page_size;
    for (llama_kv_cache *cache : caches)
        cache->paged = std::make_shared<Cache>(*cache, binding);
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
    if (!isBound(*ctx)) return {false, false, "block tables are not bound", 0, 0};
    const auto caches = cachesOf(*ctx);
    const Binding &binding = caches.front()->paged->binding();
    const bool kernel = binding.mode == Binding::Mode::kernel;
    const char *reason = kernel ? usableKernels().front()->name : binding.objection;
    return {true, kernel, reason, binding.pages, llama_paged_page_size_bytes(ctx)};
}

size_t llama_paged_page_size_bytes(const llama_context *ctx) {
    if (!isBound(*ctx)) return 0;
    size_t bytes = 0;
    for (const llama_kv_cache *cache : cachesOf(*ctx))
        bytes += cache->paged->pageBytes();
    return bytes;
}

bool llama_paged_read_page(llama_context *ctx, uint32_t page, void *bytes) {
    if (!isPage(*ctx, page)) return false;
    ctx->synchronize();
    auto *out = static_cast<uint8_t *>(bytes);
    for (const llama_kv_cache *cache : cachesOf(*ctx)) {
        cache->paged->readPage(page, out);
        out += cache->paged->pageBytes();
    }
    return true;
}

bool llama_paged_write_page(llama_context *ctx, uint32_t page, const void *bytes) {
    if (!isPage(*ctx, page)) return false;
    ctx->synchronize();
    const auto *in = static_cast<const uint8_t *>(bytes);
    for (llama_kv_cache *cache : cachesOf(*ctx)) {
        cache->paged->writePage(page, in);
        in += cache->paged->pageBytes();
    }
    return true;
}
