// Time of one layer's attention and of one plan, by SIMD level, on one thread and without a model. CPU time,
// so that other processes disturb little; the least of several runs.
//
// Usage: bench_kernel [kv type: f16|bf16|q8_0] [part of a scenario's name]

#include "paged-attention.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <random>
#include <vector>

using namespace sluice::paged;

namespace {

struct Scenario {
    const char *name;
    int32_t kvHeads, rowsPerToken, headSize;
    int32_t sequences, context, tokens; // tokens of each sequence in the ubatch, after `context` others
    int32_t shared;                     // leading tokens in common
    Window window;
};

const Scenario scenarios[] = {
    {"decode 1 x 4096, 1 x 4 heads of 256", 1, 4, 256, 1, 4096, 1, 0, {}},
    {"decode 32 x 512", 1, 4, 256, 32, 512, 1, 0, {}},
    {"decode 32 x 512, 496 shared", 1, 4, 256, 32, 512, 1, 496, {}},
    {"decode 32 x 2048, window 512", 1, 4, 256, 32, 2048, 1, 0, {Window::Kind::sliding, 512}},
    {"decode 256 x 512", 1, 4, 256, 256, 512, 1, 0, {}},
    {"decode 32 x 512, 8 x 4 heads of 128", 8, 4, 128, 32, 512, 1, 0, {}},
    {"decode 32 x 512, 8 x 1 heads of 64", 8, 1, 64, 32, 512, 1, 0, {}},
    {"prompt 512 after 0", 1, 4, 256, 1, 0, 512, 0, {}},
    {"prompt 512 after 1536", 1, 4, 256, 1, 1536, 512, 0, {}},
    {"prompt 512 after 1536, 8 x 4 heads of 128", 8, 4, 128, 1, 1536, 512, 0, {}},
};

double cpuMs() {
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

template <class Run> double leastMs(Run run) {
    double least = 1e9;
    for (double spent = 0; spent < 300;) {
        const double start = cpuMs();
        run();
        const double ms = cpuMs() - start;
        least = std::min(least, ms);
        spent += ms + 0.1;
    }
    return least;
}

Cells cellsOf(std::vector<char> &pool, const Scenario &s, CellType type, int32_t cells) {
    Cells result = {nullptr, 0, 0, s.headSize, type};
    result.headStride = result.headBytes();
    result.cellStride = result.headStride * s.kvHeads;
    pool.resize(result.cellStride * cells);
    // A byte that is a small number in every type.
    std::memset(pool.data(), 0x22, pool.size());
    result.data = pool.data();
    return result;
}

void run(const Scenario &s, CellType type) {
    constexpr int32_t pageSize = 16;
    const int32_t columns = (s.context + s.tokens) / pageSize + 1, pages = columns * s.sequences;
    std::vector<int32_t> table(pages);
    for (int32_t i = 0; i < pages; i++)
        table[i] = i;
    std::shuffle(table.begin(), table.end(), std::mt19937(1));
    for (int32_t q = 1; q < s.sequences; q++)
        std::copy_n(table.begin(), s.shared / pageSize, table.begin() + q * columns);
    const BlockTables tables = {table.data(), static_cast<uint32_t>(s.sequences),
                                static_cast<uint32_t>(columns), pageSize};
    std::vector<Token> tokens;
    for (int32_t q = 0; q < s.sequences; q++) {
        for (int32_t t = 0; t < s.tokens; t++)
            tokens.push_back({q, s.context + t});
    }

    const int32_t heads = s.kvHeads * s.rowsPerToken;
    std::vector<char> k, v;
    std::vector<float> q(tokens.size() * heads * s.headSize, 0.01f), out(q.size());
    Layer layer = {};
    layer.q = q.data();
    layer.qTokenStride = static_cast<size_t>(heads) * s.headSize;
    layer.qHeadStride = s.headSize;
    layer.k = cellsOf(k, s, type, pages * pageSize);
    layer.v = cellsOf(v, s, type, pages * pageSize);
    layer.out = out.data();
    layer.heads = heads;
    layer.kvHeads = s.kvHeads;
    layer.pageSize = pageSize;
    layer.scale = 0.1f;

    // Multiplications and additions of the visible cells, in both products.
    double visible = 0;
    for (const Token &t : tokens)
        visible += t.position + 1 - s.window.firstVisible(t.position);
    const double flops = visible * heads * s.headSize * 4;
    std::printf("%-42s", s.name);
    for (const Kernel *kernel : usableKernels()) {
        Attention attention(*kernel);
        attention.admit(layer);
        const double planMs = leastMs([&] { attention.prepare(tokens, tables, s.window); });
        const double ms = leastMs([&] { attention.run(layer, 0, 1); });
        if (kernel == usableKernels().front()) std::printf(" plan %5.3f ms", planMs);
        std::printf("  %s %7.2f ms %5.1f GFLOP/s", kernel->name, ms, flops / ms / 1e6);
        std::fflush(stdout);
    }
    std::printf("\n");
}

} // namespace

int main(int argc, char **argv) {
    const char *type = argc > 1 ? argv[1] : "f16";
    const CellType cellType = !std::strcmp(type, "bf16")   ? CellType::bf16
                              : !std::strcmp(type, "q8_0") ? CellType::q8_0
                                                           : CellType::f16;
    for (const Scenario &scenario : scenarios) {
        if (argc < 3 || std::strstr(scenario.name, argv[2])) run(scenario, cellType);
    }
    return 0;
}
