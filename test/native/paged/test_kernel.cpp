// The plan and the kernels, without a model: every SIMD level against attention in double precision, over
// random block tables, head counts and sizes, KV types, windows, softcap, ALiBi and sinks. Cells that no
// token may see hold NaN.

#include "paged-attention.h"

#include "ggml.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace sluice::paged;

namespace {

int failures = 0;

struct Case {
    int32_t kvHeads, rowsPerToken, kSize, vSize;
    CellType kType, vType;
    int32_t pageSize;
    Window window;
    float softcap, maxBias;
    bool sinks;
    std::vector<int32_t> sharedPages; // of group g of sequences: leading pages they name in common
    std::vector<std::pair<int32_t, int32_t>> sequences; // (tokens before, tokens in the ubatch)
    int32_t threads;
    uint32_t seed;
};

std::string describe(const Case &c) {
    char text[256];
    std::snprintf(
        text, sizeof(text),
        "seed %u: %d kv heads x %d, sizes %d/%d, types %d/%d, page %d, window %d/%d, softcap %g, alibi %g, "
        "sinks %d, %zu sequences, %d threads",
        c.seed, c.kvHeads, c.rowsPerToken, c.kSize, c.vSize, static_cast<int>(c.kType),
        static_cast<int>(c.vType), c.pageSize, static_cast<int>(c.window.kind), c.window.size, c.softcap,
        c.maxBias, c.sinks, c.sequences.size(), c.threads);
    return text;
}

size_t bytesOf(CellType type, int32_t elements) {
    return Cells{nullptr, 0, 0, elements, type}.headBytes();
}

ggml_type ggmlTypeOf(CellType type) {
    return type == CellType::f16 ? GGML_TYPE_F16 : type == CellType::bf16 ? GGML_TYPE_BF16 : GGML_TYPE_Q8_0;
}

// A pool of cells with random contents, NaN where `live` has no mark.
struct Pool {
    std::vector<char> bytes;
    std::vector<float> values; // as the kernel should read them
    Cells cells;

    Pool(CellType type, int32_t heads, int32_t size, const std::vector<bool> &live, float spread,
         std::mt19937 &random) {
        const size_t headBytes = bytesOf(type, size), count = live.size();
        bytes.resize(count * heads * headBytes);
        values.resize(count * heads * size);
        std::normal_distribution<float> normal(0.0f, spread);
        for (float &x : values)
            x = normal(random);
        const ggml_type ggmlType = ggmlTypeOf(type);
        for (size_t row = 0; row < count * heads; row++) {
            char *to = bytes.data() + row * headBytes;
            ggml_quantize_chunk(ggmlType, values.data() + row * size, to, 0, 1, size, nullptr);
            ggml_get_type_traits(ggmlType)->to_float(to, values.data() + row * size, size);
            if (!live[row / heads]) std::memset(to, type == CellType::f16 ? 0x7e : 0x7f, headBytes);
            if (!live[row / heads] && type == CellType::bf16) std::memset(to, 0xff, headBytes);
        }
        cells = {bytes.data(), heads * headBytes, headBytes, size, type};
    }
};

struct Setup {
    BlockTables tables;
    std::vector<int32_t> pages;
    std::vector<Token> tokens;
    std::vector<bool> live;
};

// Tables over a shuffled pool. Sequences of one group share their leading pages; the ubatch's tokens are
// interleaved.
Setup setUp(const Case &c, std::mt19937 &random) {
    Setup s;
    int32_t columns = 1, total = 0;
    for (const auto &[before, count] : c.sequences)
        columns = std::max(columns, (before + count) / c.pageSize + 1);
    const auto rows = static_cast<int32_t>(c.sequences.size());
    total = rows * columns + 3;
    std::vector<int32_t> free(total);
    for (int32_t i = 0; i < total; i++)
        free[i] = i;
    std::shuffle(free.begin(), free.end(), random);
    s.pages.resize(static_cast<size_t>(rows) * columns);
    for (auto &page : s.pages) {
        page = free.back();
        free.pop_back();
    }
    for (int32_t r = 0; r < rows; r++) {
        const int32_t group = r % static_cast<int32_t>(c.sharedPages.size());
        const int32_t shared = std::min(c.sharedPages[group], c.sequences[r].first / c.pageSize);
        for (int32_t p = 0; p < shared && r != group; p++)
            s.pages[r * columns + p] = s.pages[group * columns + p];
    }
    s.tables = {s.pages.data(), static_cast<uint32_t>(rows), static_cast<uint32_t>(columns),
                static_cast<uint32_t>(c.pageSize)};
    std::vector<int32_t> done(rows, 0);
    for (bool more = true; more;) {
        more = false;
        for (int32_t r = 0; r < rows; r++) {
            for (uint32_t run = 1 + random() % 40; run > 0 && done[r] < c.sequences[r].second;
                 run--, more = true) {
                s.tokens.push_back({r, c.sequences[r].first + done[r]++});
            }
        }
    }
    s.live.resize(static_cast<size_t>(total) * c.pageSize);
    for (const Token &t : s.tokens) {
        for (int32_t p = c.window.firstVisible(t.position); p <= t.position; p++)
            s.live[s.tables.cell(t.sequence, p)] = true;
    }
    return s;
}

// Softmax attention of one row in double precision.
std::vector<double> reference(const Case &c, const Layer &layer, const Setup &s, const Pool &k, const Pool &v,
                              int32_t token, int32_t head) {
    const Token &t = s.tokens[token];
    const int32_t kvHead = head / c.rowsPerToken;
    const float *q = layer.q + token * layer.qTokenStride + head * layer.qHeadStride;
    std::vector<double> scores;
    double largest = c.sinks ? layer.sinks[head] : -INFINITY;
    for (int32_t p = c.window.firstVisible(t.position); p <= t.position; p++) {
        const size_t row = static_cast<size_t>(s.tables.cell(t.sequence, p)) * c.kvHeads + kvHead;
        double score = 0;
        for (int32_t d = 0; d < c.kSize; d++)
            score += static_cast<double>(q[d]) * k.values[row * c.kSize + d];
        score *= layer.scale;
        if (c.softcap != 0) score = c.softcap * std::tanh(score / c.softcap);
        scores.push_back(score + static_cast<double>(layer.slopeOf(head)) * (p - t.position));
        largest = std::max(largest, scores.back());
    }
    std::vector<double> out(c.vSize);
    double sum = c.sinks ? std::exp(layer.sinks[head] - largest) : 0;
    for (size_t i = 0; i < scores.size(); i++) {
        const int32_t p = c.window.firstVisible(t.position) + static_cast<int32_t>(i);
        const size_t row = static_cast<size_t>(s.tables.cell(t.sequence, p)) * c.kvHeads + kvHead;
        const double weight = std::exp(scores[i] - largest);
        sum += weight;
        for (int32_t d = 0; d < c.vSize; d++)
            out[d] += weight * v.values[row * c.vSize + d];
    }
    for (double &x : out)
        x /= sum;
    return out;
}

// Every token's visible range must be covered by its shares exactly once, and items by visible cells without
// a gap.
void checkPlan(const Case &c, const Setup &s, const Plan &plan) {
    const int failuresBefore = failures;
    std::map<int32_t, std::vector<std::pair<int32_t, int32_t>>> ranges;
    for (const Item &item : plan.items()) {
        std::vector<int> seen(item.last - item.first);
        for (int32_t i = item.shareBegin; i < item.shareEnd; i++) {
            const Share &share = plan.shares()[i];
            ranges[share.token].push_back({share.lo, share.hi});
            for (int32_t p = share.lo; p < share.hi; p++) {
                seen[p - item.first]++;
                const int32_t page = item.pages[p / c.pageSize];
                if (page * c.pageSize + p % c.pageSize != s.tables.cell(s.tokens[share.token].sequence, p))
                    failures++;
            }
        }
        if (std::count(seen.begin(), seen.end(), 0)) failures++;
        if (item.shares() > Plan::sharesMax(c.rowsPerToken)) failures++;
    }
    for (int32_t t = 0; t < static_cast<int32_t>(s.tokens.size()); t++) {
        auto &r = ranges[t];
        std::sort(r.begin(), r.end());
        int32_t at = c.window.firstVisible(s.tokens[t].position);
        for (const auto &[lo, hi] : r) {
            if (lo != at) failures++;
            at = hi;
        }
        if (at != s.tokens[t].position + 1) failures++;
        const int32_t shares = plan.chain(t).shares;
        if (shares != 0 && shares != static_cast<int32_t>(r.size())) failures++;
    }
    if (failures > failuresBefore) std::printf("FAILED plan: %s\n", describe(c).c_str());
}

// A token alone, on one thread, must get the very bits that it got in the ubatch.
void checkAlone(const Case &c, const Kernel &kernel, const Setup &s, Layer layer, std::mt19937 &random) {
    const float *q = layer.q, *batched = layer.out;
    const size_t size = static_cast<size_t>(layer.heads) * c.vSize;
    std::vector<float> alone(size);
    layer.out = alone.data();
    Attention attention(kernel);
    attention.admit(layer);
    for (int i = 0; i < 12; i++) {
        const size_t token = random() % s.tokens.size();
        layer.q = q + token * layer.qTokenStride;
        attention.prepare({s.tokens[token]}, s.tables, c.window);
        attention.run(layer, 0, 1);
        if (std::memcmp(alone.data(), batched + token * size, size * sizeof(float)) == 0) continue;
        failures++;
        std::printf("FAILED %s: token %zu alone differs, %s\n", kernel.name, token, describe(c).c_str());
        return;
    }
}

double worstError(const Case &c, const Kernel &kernel) {
    std::mt19937 random(c.seed);
    const Setup s = setUp(c, random);
    const int32_t heads = c.kvHeads * c.rowsPerToken;
    const auto count = static_cast<int32_t>(s.tokens.size());
    const Pool k(c.kType, c.kvHeads, c.kSize, s.live, 1.0f, random),
        v(c.vType, c.kvHeads, c.vSize, s.live, 1.0f, random);
    std::vector<float> q(static_cast<size_t>(count) * heads * c.kSize), sinks(heads);
    std::normal_distribution<float> normal(0.0f, 1.5f);
    for (float &x : q)
        x = normal(random);
    for (float &x : sinks)
        x = normal(random);
    std::vector<float> out(static_cast<size_t>(count) * heads * c.vSize, NAN);

    Layer layer = {};
    layer.q = q.data();
    layer.qTokenStride = heads * c.kSize;
    layer.qHeadStride = c.kSize;
    layer.k = k.cells;
    layer.v = v.cells;
    layer.out = out.data();
    layer.heads = heads;
    layer.kvHeads = c.kvHeads;
    layer.pageSize = c.pageSize;
    layer.scale = 1.0f / std::sqrt(static_cast<float>(c.kSize));
    layer.softcap = c.softcap;
    layer.maxBias = c.maxBias;
    layer.sinks = c.sinks ? sinks.data() : nullptr;

    Attention attention(kernel);
    attention.admit(layer);
    double worst = 0;
    // The second round is planned for the threads that the first one saw, the third finds all counters used.
    for (int round = 0; round < 3; round++) {
        if (round < 2) attention.prepare(s.tokens, s.tables, c.window);
        if (round == 1) checkPlan(c, s, attention.plan());
        std::fill(out.begin(), out.end(), NAN);
        std::vector<std::thread> threads;
        for (int32_t t = 0; t < c.threads; t++)
            threads.emplace_back([&, t] { attention.run(layer, t, c.threads); });
        for (std::thread &thread : threads)
            thread.join();
        for (int32_t t = 0; t < count; t++) {
            for (int32_t h = 0; h < heads; h++) {
                const auto expected = reference(c, layer, s, k, v, t, h);
                double difference = 0, norm = 0;
                for (int32_t d = 0; d < c.vSize; d++) {
                    const double x = out[(static_cast<size_t>(t) * heads + h) * c.vSize + d] - expected[d];
                    difference += x * x;
                    norm += expected[d] * expected[d];
                }
                const double error = std::sqrt(difference / norm);
                if (!(error <= worst)) worst = error; // NaN sticks
            }
        }
    }
    checkAlone(c, kernel, s, layer, random);
    return worst;
}

template <class T> const T &pick(const std::vector<T> &from, std::mt19937 &random) {
    return from[random() % from.size()];
}

Case randomCase(uint32_t seed) {
    std::mt19937 random(seed);
    Case c = {};
    c.seed = seed;
    c.kvHeads = pick<int32_t>({1, 1, 2, 3}, random);
    c.rowsPerToken = pick<int32_t>({1, 2, 3, 4, 5, 7, 8, 12}, random);
    c.kType = pick<CellType>({CellType::f16, CellType::f16, CellType::bf16, CellType::q8_0}, random);
    c.vType =
        random() % 4 ? c.kType : pick<CellType>({CellType::f16, CellType::bf16, CellType::q8_0}, random);
    const bool quantized = c.kType == CellType::q8_0 || c.vType == CellType::q8_0;
    const std::vector<int32_t> sizes =
        quantized ? std::vector<int32_t>{32, 64, 96, 128} : std::vector<int32_t>{16, 48, 64, 80, 112, 128};
    c.kSize = pick(sizes, random);
    c.vSize = random() % 3 ? c.kSize : pick(sizes, random);
    c.pageSize = pick<int32_t>({8, 16, 32, 64, 128}, random);
    c.window.kind = pick<Window::Kind>(
        {Window::Kind::full, Window::Kind::full, Window::Kind::sliding, Window::Kind::chunked}, random);
    c.window.size = pick<int32_t>({1, 7, 32, 100, 256}, random);
    c.softcap = random() % 4 ? 0.0f : pick<float>({5.0f, 30.0f, 50.0f}, random);
    c.maxBias = random() % 4 ? 0.0f : 8.0f;
    c.sinks = random() % 3 == 0;
    c.threads = pick<int32_t>({1, 2, 2, 5}, random);
    const int32_t groups = 1 + static_cast<int32_t>(random() % 3);
    for (int32_t g = 0; g < groups; g++)
        c.sharedPages.push_back(random() % 2 ? static_cast<int32_t>(random() % 12) : 0);
    const int32_t sequences = 1 + static_cast<int32_t>(random() % 9);
    for (int32_t i = 0; i < sequences; i++) {
        const auto before = static_cast<int32_t>(random() % (random() % 6 ? 400 : 1400)),
                   tokens = static_cast<int32_t>(random() % 3 ? 1 : 1 + random() % 60);
        c.sequences.push_back({before, tokens});
    }
    return c;
}

// Slopes as the ALiBi paper gives them for 8 heads, and its rule for 12.
void checkSlopes() {
    Layer layer = {};
    layer.maxBias = 8.0f;
    layer.heads = 8;
    if (layer.slopeOf(0) != 0.5f || layer.slopeOf(7) != 1.0f / 256) failures++;
    layer.heads = 12;
    if (std::fabs(layer.slopeOf(8) - std::sqrt(0.5f)) > 1e-6f || layer.slopeOf(7) != 1.0f / 256) failures++;
    if (failures) std::printf("FAILED slopes\n");
}

} // namespace

int main(int argc, char **argv) {
    const auto cases = static_cast<uint32_t>(argc > 1 ? std::atoi(argv[1]) : 60);
    checkSlopes();
    for (const Kernel *kernel : usableKernels()) {
        double worst = 0;
        for (uint32_t seed = 1; seed <= cases; seed++) {
            const Case c = randomCase(seed);
            const double error = worstError(c, *kernel);
            if (!(error <= 1e-5)) {
                failures++;
                std::printf("FAILED %s: relative error %g, %s\n", kernel->name, error, describe(c).c_str());
            }
            if (!(error <= worst)) worst = error;
        }
        std::printf("%s: %u cases, worst relative error %.2g\n", kernel->name, cases, worst);
    }
    std::printf("kernel: %s\n", failures ? "FAILED" : "ok");
    return failures ? 1 : 0;
}
