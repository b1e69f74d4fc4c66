// Milliseconds of one llama_decode(), by how attention is computed: the paged kernel, llama.cpp's own over
// block tables with a dense mask, its one pool, and its streams. No sampling, logits of one row per sequence.
//
// With one thread the measure is CPU time, which other processes hardly disturb; with more it is wall time.
//
// Usage: bench_step <model.gguf> [threads] [rounds] [kv type: f16|bf16|q8_0] [scenario's number]
//        bench_step <model.gguf> [threads] [rounds] [kv type] decode <sequences> <context>

#include "support.h"

#include <algorithm>
#include <cstring>
#include <ctime>

namespace {

struct Scenario {
    const char *name;
    int32_t decoding;  // sequences with one token
    int32_t context;   // tokens each has before
    int32_t chunk = 0; // tokens of a prompt in the same step, after `chunkContext`
    int32_t chunkContext = 0;
    int32_t shared = 0; // leading tokens that the decoding sequences have in common (block tables only)
};

const Scenario scenarios[] = {
    {"decode 1 x 64", 1, 64},
    {"decode 8 x 512", 8, 512},
    {"decode 32 x 64", 32, 64},
    {"decode 32 x 512", 32, 512},
    {"decode 32 x 512, 496 shared", 32, 512, 0, 0, 496},
    {"decode 64 x 256", 64, 256},
    {"decode 32 x 2048", 32, 2048},
    {"31 decoding x 128 + chunk of 256", 31, 128, 256, 0},
    {"prompt chunk 512 after 1536", 0, 0, 512, 1536},
};

double nowMs(clockid_t clock) {
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

class Bench {
public:
    Bench(const Model &model, const Scenario &scenario, Attention attention, const Shape &base)
        : scenario_(scenario), context_(model, shapeOf(scenario, base), attention) {
        const int32_t sharedPages = scenario.shared / static_cast<int32_t>(context_.shape.pageSize);
        for (int32_t s = 1; context_.hasTables() && s < scenario.decoding; s++) {
            for (int32_t p = 0; p < sharedPages; p++)
                context_.page(s, p) = context_.page(0, p);
        }
        if (scenario.decoding) {
            fill(model, 0, scenario.context);
            copyFirst();
        }
        if (scenario.chunk) fill(model, scenario.decoding, scenario.chunkContext);
        for (int32_t s = 0; s < scenario.decoding; s++)
            rows_.push_back({s, scenario.context, 1000 + s});
        for (int32_t i = 0; i < scenario.chunk; i++) {
            rows_.push_back(
                {scenario.decoding, scenario.chunkContext + i, 2000 + i, i == scenario.chunk - 1});
        }
    }

    double stepMs() {
        if (!context_.hasTables()) forget();
        const clockid_t clock = context_.shape.threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
        const double start = nowMs(clock);
        if (context_.decode(rows_) != 0) std::exit(3);
        llama_synchronize(context_.handle.get());
        return nowMs(clock) - start;
    }

private:
    static Shape shapeOf(const Scenario &scenario, const Shape &base) {
        Shape shape = base;
        shape.sequences = static_cast<uint32_t>(scenario.decoding + (scenario.chunk ? 1 : 0));
        const int32_t tokens = std::max(scenario.context + 1, scenario.chunkContext + scenario.chunk);
        shape.pagesPerSequence = static_cast<uint32_t>(tokens / static_cast<int32_t>(shape.pageSize) + 1);
        shape.batch = 1024;
        return shape;
    }

    // Decodes the tokens before for one sequence; the others get copies of its cells: what they hold costs no
    // time.
    void fill(const Model &model, int32_t sequence, int32_t count) {
        const auto tokens = randomTokens(model, count, static_cast<uint32_t>(sequence));
        std::vector<Row> rows;
        for (int32_t p = 0; p < count; p++) {
            rows.push_back({sequence, p, tokens[p], false});
            if (rows.size() < 512 && p + 1 < count) continue;
            if (context_.decode(rows) != 0) std::exit(3);
            rows.clear();
        }
    }

    void copyFirst() {
        llama_context *handle = context_.handle.get();
        if (!context_.hasTables()) {
            std::vector<uint8_t> state(llama_state_seq_get_size(handle, 0));
            llama_state_seq_get_data(handle, state.data(), state.size(), 0);
            for (int32_t s = 1; s < scenario_.decoding; s++)
                llama_state_seq_set_data(handle, state.data(), state.size(), s);
            return;
        }
        std::vector<uint8_t> page(context_.pageBytes());
        const int32_t pages = scenario_.context / static_cast<int32_t>(context_.shape.pageSize) + 1;
        for (int32_t p = 0; p < pages; p++) {
            const auto from = static_cast<uint32_t>(context_.page(0, p));
            llama_paged_read_page(handle, from, from, page.data());
            for (int32_t s = 1; s < scenario_.decoding; s++) {
                const auto to = static_cast<uint32_t>(context_.page(s, p));
                llama_paged_write_page(handle, to, to, page.data());
            }
        }
    }

    void forget() {
        llama_memory_t memory = llama_get_memory(context_.handle.get());
        for (int32_t s = 0; s < scenario_.decoding; s++)
            llama_memory_seq_rm(memory, s, scenario_.context, -1);
        if (scenario_.chunk) llama_memory_seq_rm(memory, scenario_.decoding, scenario_.chunkContext, -1);
    }

    const Scenario &scenario_;
    Context context_;
    std::vector<Row> rows_;
};

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
}

ggml_type typeNamed(const char *name) {
    if (!std::strcmp(name, "bf16")) return GGML_TYPE_BF16;
    return std::strcmp(name, "q8_0") ? GGML_TYPE_F16 : GGML_TYPE_Q8_0;
}

// One context of each kind at once, steps interleaved: whatever else the machine does hits all alike.
void measure(const Model &model, const Scenario &scenario, const std::vector<Attention> &attentions,
             const Shape &shape, int rounds) {
    std::vector<std::unique_ptr<Bench>> benches;
    for (const Attention attention : attentions)
        benches.push_back(std::make_unique<Bench>(model, scenario, attention, shape));
    std::vector<std::vector<double>> times(benches.size());
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < benches.size(); i++) {
            const double ms = benches[i]->stepMs();
            if (round > 1) times[i].push_back(ms);
        }
    }
    std::printf("%-34s", scenario.name);
    for (const auto &t : times)
        std::printf(" %10.1f", median(t));
    std::printf("\n");
    std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv) {
    const Model model = loadModel(argc > 1 ? argv[1] : "");
    Shape shape;
    shape.threads = argc > 2 ? std::atoi(argv[2]) : 2;
    const int rounds = std::max(3, argc > 3 ? std::atoi(argv[3]) : 15);
    shape.type = typeNamed(argc > 4 ? argv[4] : "f16");
    if (argc > 7 && !std::strcmp(argv[5], "decode")) {
        const Scenario scenario = {"decode", std::atoi(argv[6]), std::atoi(argv[7])};
        measure(model, scenario, {Attention::kernel, Attention::stockPool, Attention::stockStreams}, shape,
                rounds);
        return 0;
    }
    std::printf("%-34s %10s %10s %10s %10s\n", "median ms", "kernel", "dense", "one pool", "streams");
    for (const Scenario &scenario : scenarios) {
        if (argc > 5 && &scenario != &scenarios[std::atoi(argv[5])]) continue;
        measure(model, scenario,
                {Attention::kernel, Attention::dense, Attention::stockPool, Attention::stockStreams}, shape,
                rounds);
    }
    return 0;
}
