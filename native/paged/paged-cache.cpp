#include "paged-cache.h"

#include "ggml-backend.h"
#include "llama-hparams.h"
#include "llama-impl.h"
#include "llama-kv-cache-iswa.h"
#include "llama-model.h"
#include "paged-mask.h"

#include <algorithm>
#include <array>

namespace sluice::paged {

namespace {

Window windowOf(llama_swa_type type, uint32_t size) {
    switch (type) {
    case LLAMA_SWA_TYPE_STANDARD:
        return {Window::Kind::sliding, static_cast<int32_t>(size)};
    case LLAMA_SWA_TYPE_CHUNKED:
        return {Window::Kind::chunked, static_cast<int32_t>(size)};
    default:
        return {};
    }
}

} // namespace

Cache::Cache(llama_kv_cache &kv, std::shared_ptr<Binding> binding, const BlockTables &tables)
    : kv_(kv), binding_(std::move(binding)), tables_(tables), window_(windowOf(kv.swa_type, kv.n_swa)),
      distances_(kv.hparams.use_alibi), attention_(*usableKernels().front()) {}

uint32_t Cache::pages() const {
    return kv_.get_size() / tables_.pageSize;
}

const char *Cache::objection(const llama_kv_cache &kv) {
    if (kv.n_stream != 1) return "every sequence has a stream of its own (kv_unified is off)";
    if (kv.other) return "the cells belong to another context's cache";
    if (kv.swa_type == LLAMA_SWA_TYPE_SYMMETRIC) return "the attention window looks ahead";
    if (kv.hparams.n_pos_per_embd() > 1) return "positions have several dimensions";
    if (kv.hparams.ple_n_heads > 0)
        return "embeddings depend on earlier tokens, which only cells placed by llama.cpp know";
    if (kv.hparams.n_rel_attn_bkts > 0)
        return "positions are relative buckets, which only cells placed by llama.cpp know";
    return nullptr;
}

llama_kv_cache::slot_info_vec_t Cache::place(const std::vector<llama_ubatch> &ubatches) const {
    llama_kv_cache::slot_info_vec_t result;
    for (const llama_ubatch &ubatch : ubatches) {
        llama_kv_cache::slot_info info = {0, 0, {0}, {{}}};
        if (!placeUbatch(ubatch, info.idxs[0])) return {};
        result.push_back(std::move(info));
    }
    return result;
}

bool Cache::placeUbatch(const llama_ubatch &ubatch, std::vector<uint32_t> &cells) const {
    std::array<llama_pos, LLAMA_MAX_SEQ> latest;
    latest.fill(-1);
    cells.reserve(ubatch.n_tokens);
    for (uint32_t i = 0; i < ubatch.n_tokens; i++) {
        const llama_seq_id sequence = ubatch.seq_id[i][0];
        const llama_pos position = ubatch.pos[i];
        if (ubatch.n_seq_id[i] != 1 || !tables_.has(sequence, position) || position <= latest[sequence]) {
            LLAMA_LOG_ERROR("%s: token %u (sequence %d, position %d) has no place in the block tables\n",
                            __func__, i, sequence, position);
            return false;
        }
        // The first token's window begins before the others': with it, every page this ubatch reads is
        // checked once.
        const llama_pos from = latest[sequence] < 0 ? window_.firstVisible(position) : latest[sequence] + 1;
        if (!namesPages(sequence, from, position)) return false;
        latest[sequence] = position;
        cells.push_back(static_cast<uint32_t>(tables_.cell(sequence, position)));
    }
    return true;
}

// Whether the pages of positions [first, last] are in the pool.
bool Cache::namesPages(llama_seq_id sequence, llama_pos first, llama_pos last) const {
    const int32_t *row = tables_.row(sequence);
    const auto pageSize = static_cast<int32_t>(tables_.pageSize);
    for (int32_t p = first / pageSize; p <= last / pageSize; p++) {
        if (row[p] >= 0 && static_cast<uint32_t>(row[p]) < pages()) continue;
        LLAMA_LOG_ERROR("%s: sequence %d names page %d of %u\n", __func__, sequence, row[p], pages());
        return false;
    }
    return true;
}

void Cache::begin(const llama_ubatch &ubatch) {
    tokens_.clear();
    for (uint32_t i = 0; i < ubatch.n_tokens; i++)
        tokens_.push_back({ubatch.seq_id[i][0], ubatch.pos[i]});
    cells_ = kv_.get_size();
    if (binding_->mode == Binding::Mode::kernel) return;
    // In steps of 256, as llama.cpp does: graphs are reused while this doesn't change.
    cells_ = std::min<uint32_t>(cells_, GGML_PAD(reachableCells(tokens_, tables_, window_), 256u));
}

void Cache::useMask(ggml_tensor *mask) {
    mask_ = mask;
    admitted_ = 0;
}

void Cache::setMask(ggml_tensor *mask) {
    GGML_ASSERT(mask->ne[1] == static_cast<int64_t>(tokens_.size()));
    if (binding_->mode == Binding::Mode::kernel) {
        attention_.prepare(tokens_, tables_, window_);
    } else if (mask->type == GGML_TYPE_F16) {
        fillMaskF16(static_cast<uint16_t *>(mask->data), mask->ne[0], tokens_, tables_, window_, distances_);
    } else {
        fillMaskF32(static_cast<float *>(mask->data), mask->ne[0], tokens_, tables_, window_, distances_);
    }
}

ggml_tensor *Cache::buildAttention(ggml_context *context, const AttentionCall &call) {
    if (call.mask != mask_ || binding_->mode == Binding::Mode::dense) return nullptr;
    const char *objection = objectionTo(call);
    if (distances_ != (call.maxBias > 0.0f))
        objection = "distances are in the mask without slopes of their own";
    admitted_++;
    if (binding_->mode == Binding::Mode::probing) {
        if (objection) binding_->objection = objection;
        return nullptr;
    }
    // The mask is empty in this mode, so that llama.cpp's attention would be silently wrong.
    if (objection) GGML_ABORT("attention that the probed graph didn't have: %s", objection);
    return buildOp(context, attention_, static_cast<int32_t>(tables_.pageSize), call);
}

bool Cache::probed(ggml_cgraph *graph) const {
    int32_t uses = 0;
    for (int32_t i = 0; i < ggml_graph_n_nodes(graph); i++) {
        for (const ggml_tensor *source : ggml_graph_node(graph, i)->src)
            uses += source && source == mask_;
    }
    return uses == admitted_;
}

bool Cache::isOnCpu() const {
    return std::all_of(kv_.layers.begin(), kv_.layers.end(), [&](const auto &layer) {
        ggml_backend_dev_t device = kv_.model.dev_layer(static_cast<int>(layer.il));
        return ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU && layer.k && layer.v &&
               ggml_backend_buffer_is_host(layer.k->buffer) && ggml_backend_buffer_is_host(layer.v->buffer);
    });
}

// Calls visit(tensor, offset, bytes, copies, stride) for each piece of the page: `copies` runs of `bytes`,
// `stride` apart in the tensor. Keys are one run; values too, unless they are stored transposed (no flash
// attention).
template <class Visit> void Cache::visitPage(uint32_t page, Visit visit) const {
    const size_t pageSize = tables_.pageSize;
    for (const auto &layer : kv_.layers) {
        if (layer.k) visit(layer.k, page * pageSize * layer.k->nb[1], pageSize * layer.k->nb[1], 1, 0);
        if (!layer.v) continue;
        if (kv_.v_trans) {
            const size_t cell = ggml_type_size(layer.v->type);
            visit(layer.v, page * pageSize * cell, pageSize * cell, layer.v->ne[0], cell * layer.v->ne[1]);
        } else {
            visit(layer.v, page * pageSize * layer.v->nb[1], pageSize * layer.v->nb[1], 1, 0);
        }
    }
}

size_t Cache::pageBytes() const {
    size_t total = 0;
    visitPage(0,
              [&](ggml_tensor *, size_t, size_t bytes, size_t copies, size_t) { total += bytes * copies; });
    return total;
}

void Cache::readPage(uint32_t page, uint8_t *out) const {
    visitPage(page, [&](ggml_tensor *tensor, size_t offset, size_t bytes, size_t copies, size_t stride) {
        ggml_backend_tensor_get_2d(tensor, out, offset, bytes, copies, stride, bytes);
        out += bytes * copies;
    });
}

void Cache::writePage(uint32_t page, const uint8_t *in) {
    visitPage(page, [&](ggml_tensor *tensor, size_t offset, size_t bytes, size_t copies, size_t stride) {
        ggml_backend_tensor_set_2d(tensor, in, offset, bytes, copies, stride, bytes);
        in += bytes * copies;
    });
}

ggml_tensor *buildAttention(ggml_context *context, const llama_memory_context_i *memory,
                            const AttentionCall &call) {
    const auto ask = [&](const llama_kv_cache_context *cache) -> ggml_tensor * {
        return cache->get_paged() ? cache->get_paged()->buildAttention(context, call) : nullptr;
    };
    if (const auto *plain = dynamic_cast<const llama_kv_cache_context *>(memory)) return ask(plain);
    if (const auto *pair = dynamic_cast<const llama_kv_cache_iswa_context *>(memory)) {
        ggml_tensor *node = ask(pair->get_base());
        return node ? node : ask(pair->get_swa());
    }
    return nullptr;
}

} // namespace sluice::paged
