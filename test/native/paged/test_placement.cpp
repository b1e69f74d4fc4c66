// Where tokens land: physical cell = blockTable[position div P] * P + position mod P, nowhere else, in any
// page order.

#include "support.h"

#include "llama-context.h"
#include "llama-kv-cache-iswa.h"
#include "llama-kv-cache.h"

#include <cstring>
#include <set>

namespace {

std::vector<llama_kv_cache *> cachesOf(Context &context) {
    llama_memory_t memory = llama_get_memory(context.handle.get());
    if (auto *pair = dynamic_cast<llama_kv_cache_iswa *>(memory)) return {pair->get_base(), pair->get_swa()};
    return {dynamic_cast<llama_kv_cache *>(memory)};
}

std::vector<uint8_t> keyOfCell(ggml_tensor *k, int32_t cell) {
    std::vector<uint8_t> bytes(k->nb[1]);
    ggml_backend_tensor_get(k, bytes.data(), cell * k->nb[1], bytes.size());
    return bytes;
}

std::vector<Row> prompts(const Model &model, const std::vector<int> &lengths) {
    std::vector<Row> rows;
    for (size_t s = 0; s < lengths.size(); s++) {
        const auto tokens = randomTokens(model, lengths[s], static_cast<uint32_t>(s));
        for (int p = 0; p < lengths[s]; p++)
            rows.push_back({static_cast<int32_t>(s), p, tokens[p], p % 16 == 15});
    }
    return rows;
}

void testCells(const Model &model, Attention attention, bool flashAttention) {
    const Shape shape = {4, 8, 16, 512, GGML_TYPE_F16, flashAttention, 2};
    Context plain(model, shape, attention), scrambled(model, shape, attention);
    scrambled.scramble(7);
    plain.poison();
    scrambled.poison();
    const auto rows = prompts(model, {37, 61, 128, 16});
    CHECK(plain.decode(rows) == 0, "decode");
    CHECK(scrambled.decode(rows) == 0, "decode");

    std::set<int32_t> written;
    for (const Row &row : rows)
        written.insert(scrambled.cell(row.sequence, row.position));
    const std::vector<llama_kv_cache *> plainCaches = cachesOf(plain), caches = cachesOf(scrambled);
    for (size_t c = 0; c < caches.size(); c++) {
        for (const uint32_t layer : caches[c]->get_layer_ids()) {
            ggml_tensor *a = plainCaches[c]->get_k_storage(static_cast<int32_t>(layer));
            ggml_tensor *b = caches[c]->get_k_storage(static_cast<int32_t>(layer));
            for (int32_t cell = 0; cell < b->ne[1]; cell++) {
                const auto key = keyOfCell(b, cell);
                const bool poisoned = key == std::vector<uint8_t>(key.size(), scrambled.poisonByte());
                CHECK(poisoned != (written.count(cell) == 1), "layer %u cell %d", layer, cell);
            }
            // The first layer's keys depend on token and position only: equal bytes prove which token lies
            // where.
            if (layer != 0) continue;
            for (const Row &row : rows) {
                CHECK(keyOfCell(a, plain.cell(row.sequence, row.position)) ==
                          keyOfCell(b, scrambled.cell(row.sequence, row.position)),
                      "sequence %d position %d", row.sequence, row.position);
            }
        }
    }
    const int vocabulary = vocabularyOf(model);
    double squares = 0, variances = 0;
    for (size_t i = 0; i < rows.size(); i++) {
        if (!rows[i].output) continue;
        const auto row = static_cast<int>(i);
        const auto d = compare(plain.logits(row), scrambled.logits(row), vocabulary);
        CHECK(d.finite, "row %d", row);
        squares += d.rms * d.rms;
        variances += d.deviation * d.deviation;
    }
    // The kernel reads by position: page order can't matter. llama.cpp's sums run in cell order: rounding
    // differs.
    const double relativeMax = llama_paged_get_info(scrambled.handle.get()).kernel ? 0 : 0.5;
    CHECK(std::sqrt(squares / variances) <= relativeMax, "relative rms %g", std::sqrt(squares / variances));
}

void testPagesMove(const Model &model, Attention attention, bool flashAttention) {
    const Shape shape = {2, 4, 16, 64, GGML_TYPE_F16, flashAttention, 2};
    Context context(model, shape, attention);
    context.poison();
    const auto tokens = randomTokens(model, 41, 3);
    std::vector<Row> rows;
    for (int p = 0; p < 40; p++)
        rows.push_back({0, p, tokens[p], p == 39});
    context.decode(rows);
    context.decode({{0, 40, tokens[40]}});
    const int vocabulary = vocabularyOf(model);
    const std::vector<float> before(context.logits(0), context.logits(0) + vocabulary);

    // Moves the sequence's pages to the second row's, through host memory, and its old ones to ruin.
    const std::vector<uint8_t> ruin(context.pageBytes(), context.poisonByte());
    std::vector<uint8_t> bytes(ruin.size());
    for (int i = 0; i < 3; i++) {
        const auto from = static_cast<uint32_t>(context.page(0, i)),
                   to = static_cast<uint32_t>(context.page(1, i));
        CHECK(llama_paged_read_page(context.handle.get(), from, from, bytes.data()), "read");
        CHECK(llama_paged_write_page(context.handle.get(), to, to, bytes.data()), "write");
        CHECK(llama_paged_write_page(context.handle.get(), from, from, ruin.data()), "write");
    }
    for (int i = 0; i < 4; i++)
        std::swap(context.page(0, i), context.page(1, i));
    context.decode({{0, 40, tokens[40]}});
    CHECK(std::memcmp(before.data(), context.logits(0), before.size() * sizeof(float)) == 0,
          "logits changed");
    const uint32_t pages = llama_paged_get_info(context.handle.get()).pages;
    CHECK(!llama_paged_read_page(context.handle.get(), pages, 0, bytes.data()), "page out of the pool");
}

void testBounds(const Model &model) {
    const Shape shape = {2, 4, 16, 64, GGML_TYPE_F16, true, 2};
    Context context(model, shape, Attention::dense);
    CHECK(context.decode({{0, 0, 100}}) == 0, "in bounds");
    CHECK(context.decode({{2, 0, 100}}) != 0, "sequence beyond the table");
    CHECK(context.decode({{0, 64, 100}}) != 0, "position beyond the row");
    CHECK(context.decode({{0, 1, 100}, {0, 1, 100}}) != 0, "position twice");
    context.page(1, 0) = static_cast<int32_t>(llama_paged_get_info(context.handle.get()).pages);
    CHECK(context.decode({{1, 0, 100}}) != 0, "page beyond the pool");
    context.page(1, 0) = -1;
    CHECK(context.decode({{1, 0, 100}}) != 0, "negative page");
    CHECK(context.decode({{0, 1, 100}}) == 0, "still usable");

    llama_paged_config config = {context.pages.data(), 2, 4, 16, nullptr, false};
    CHECK(!llama_paged_bind(context.handle.get(), &config), "bound twice");
    Context unbound(model, shape, Attention::stockPool);
    config.page_size = 24;
    CHECK(!llama_paged_bind(unbound.handle.get(), &config), "page size is no power of two");
    Context streams(model, shape, Attention::stockStreams);
    const char *why = nullptr;
    CHECK(!llama_paged_supported(streams.handle.get(), &why) && why, "streams");
}

} // namespace

int main(int argc, char **argv) {
    const Model model = loadModel(argc > 1 ? argv[1] : "");
    for (const Attention attention : {Attention::kernel, Attention::dense}) {
        for (const bool flashAttention : {true, false}) {
            testCells(model, attention, flashAttention);
            testPagesMove(model, attention, flashAttention);
        }
    }
    testBounds(model);
    return finish("placement");
}
