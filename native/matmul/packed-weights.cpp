#include "packed-weights.h"

#include "ggml-backend.h"
#include "ggml.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace sluice::matmul {

namespace {

// Blocks as they lie in a GGUF file. 16-bit fields are half floats.
struct SourceQ8_0 {
    uint16_t scale;
    int8_t quants[32];
};
struct SourceQ5_0 {
    uint16_t scale;
    uint8_t high[4];    // bit i: fifth bit of quant i
    uint8_t quants[16]; // low nibbles: quants 0..15, high nibbles: 16..31
};
struct SourceQ4_0 {
    uint16_t scale;
    uint8_t quants[16];
};
struct SourceQ4K {
    uint16_t scale, min;
    uint8_t scales[12];  // 8 scales and 8 minima of 6 bits
    uint8_t quants[128]; // 64 inputs to 32 bytes: low nibbles, then high ones
};
struct SourceQ5K {
    uint16_t scale, min;
    uint8_t scales[12];
    uint8_t high[32]; // bit b of byte i: fifth bit of input 32 b + i
    uint8_t quants[128];
};
struct SourceQ6K {
    uint8_t low[128];  // 128 inputs to 64 bytes
    uint8_t high[64];  // 128 inputs to 32 bytes
    int8_t scales[16]; // of 16 inputs
    uint16_t scale;
};
static_assert(sizeof(SourceQ8_0) == 34 && sizeof(SourceQ5_0) == 22 && sizeof(SourceQ4_0) == 18);
static_assert(sizeof(SourceQ4K) == 144 && sizeof(SourceQ5K) == 176 && sizeof(SourceQ6K) == 210);

// One row's block, unpacked: quants are unsigned, as the kernels multiply them.
struct Block {
    uint8_t quants[blockInputs];
    uint8_t scale, min; // q4_k, q5_k
};

// Sizes of a panel's block in bytes.
constexpr size_t halves = panelRows * sizeof(uint16_t);
constexpr size_t bytes8 = panelRows * blockInputs;
constexpr size_t bytes4 = bytes8 / 2;
constexpr size_t bytes2 = bytes8 / 4;
constexpr size_t bytes1 = bytes8 / 8;

uint8_t *put16(uint8_t *out, int32_t lane, uint16_t value) {
    std::memcpy(out + lane * sizeof(value), &value, sizeof(value));
    return out + halves;
}

// Where input i of a block lies in its panel: group i / 4, lane, i % 4.
int32_t placeOf(int32_t input, int32_t lane) {
    return input / 4 * 64 + lane * 4 + input % 4;
}

void put8(uint8_t *out, int32_t lane, const Block &block) {
    for (int32_t i = 0; i < blockInputs; i++)
        out[placeOf(i, lane)] = block.quants[i];
}

// Groups 0..3 take the low nibbles of 256 bytes, groups 4..7 the high ones.
void put4(uint8_t *out, int32_t lane, const Block &block) {
    for (int32_t i = 0; i < blockInputs; i++) {
        const int32_t place = placeOf(i, lane);
        out[place % 256] |= static_cast<uint8_t>((block.quants[i] & 15) << (place / 256 * 4));
    }
}

// Bits 4 and 5: group g takes bits 2 (g / 2) of the bytes of half g % 2.
void put2(uint8_t *out, int32_t lane, const Block &block) {
    for (int32_t i = 0; i < blockInputs; i++) {
        const int32_t place = placeOf(i, lane);
        out[place % 128] |= static_cast<uint8_t>((block.quants[i] >> 4) << (place / 128 * 2));
    }
}

// Bit 4: one mask of 64 bits a group.
void put1(uint8_t *out, int32_t lane, const Block &block) {
    for (int32_t i = 0; i < blockInputs; i++) {
        const int32_t place = placeOf(i, lane);
        out[place / 8] |= static_cast<uint8_t>((block.quants[i] >> 4) << (place % 8));
    }
}

void packRow(const SourceQ8_0 &source, int32_t lane, uint8_t *out) {
    Block block;
    for (int32_t i = 0; i < blockInputs; i++)
        block.quants[i] = static_cast<uint8_t>(source.quants[i] + 128);
    put8(put16(out, lane, source.scale), lane, block);
}

void packRow(const SourceQ5_0 &source, int32_t lane, uint8_t *out) {
    Block block;
    for (int32_t i = 0; i < blockInputs; i++) {
        const int32_t nibble = source.quants[i % 16] >> (i / 16 * 4) & 15;
        block.quants[i] = static_cast<uint8_t>(nibble | (source.high[i / 8] >> (i % 8) & 1) << 4);
    }
    out = put16(out, lane, source.scale);
    put4(out, lane, block);
    put1(out + bytes4, lane, block);
}

void packRow(const SourceQ4_0 &source, int32_t lane, uint8_t *out) {
    Block block;
    for (int32_t i = 0; i < blockInputs; i++)
        block.quants[i] = source.quants[i % 16] >> (i / 16 * 4) & 15;
    put4(put16(out, lane, source.scale), lane, block);
}

// Scale and minimum of block b: 6 bits each, the upper blocks' upper bits beside the lower blocks'.
void readScale(const uint8_t *scales, int32_t b, Block &block) {
    if (b < 4) {
        block.scale = scales[b] & 63;
        block.min = scales[b + 4] & 63;
    } else {
        block.scale = static_cast<uint8_t>((scales[b + 4] & 15) | scales[b - 4] >> 6 << 4);
        block.min = static_cast<uint8_t>(scales[b + 4] >> 4 | scales[b] >> 6 << 4);
    }
}

void putScales(uint8_t *out, int32_t lane, const Block &block) {
    out[lane] = block.scale;
    out[panelRows + lane] = block.min;
}

uint8_t nibbleOf(const uint8_t *quants, int32_t b, int32_t i) {
    return quants[b / 2 * 32 + i] >> (b % 2 * 4) & 15;
}

void packRow(const SourceQ4K &source, int32_t lane, uint8_t *out) {
    out = put16(put16(out, lane, source.scale), lane, source.min);
    for (int32_t b = 0; b < superBlocks; b++) {
        Block block;
        readScale(source.scales, b, block);
        for (int32_t i = 0; i < blockInputs; i++)
            block.quants[i] = nibbleOf(source.quants, b, i);
        putScales(out, lane, block);
        put4(out + 2 * panelRows, lane, block);
        out += 2 * panelRows + bytes4;
    }
}

void packRow(const SourceQ5K &source, int32_t lane, uint8_t *out) {
    out = put16(put16(out, lane, source.scale), lane, source.min);
    for (int32_t b = 0; b < superBlocks; b++) {
        Block block;
        readScale(source.scales, b, block);
        for (int32_t i = 0; i < blockInputs; i++) {
            const int32_t high = source.high[i] >> b & 1;
            block.quants[i] = static_cast<uint8_t>(nibbleOf(source.quants, b, i) | high << 4);
        }
        putScales(out, lane, block);
        put4(out + 2 * panelRows, lane, block);
        put1(out + 2 * panelRows + bytes4, lane, block);
        out += 2 * panelRows + bytes4 + bytes1;
    }
}

void packRow(const SourceQ6K &source, int32_t lane, uint8_t *out) {
    out = put16(out, lane, source.scale);
    for (int32_t b = 0; b < superBlocks; b++) {
        Block block;
        const int32_t half = b / 4, quarter = b % 4;
        for (int32_t i = 0; i < blockInputs; i++) {
            const uint8_t low = source.low[half * 64 + quarter % 2 * 32 + i] >> (quarter / 2 * 4) & 15;
            const uint8_t high = source.high[half * 32 + i] >> (quarter * 2) & 3;
            block.quants[i] = static_cast<uint8_t>(low | high << 4);
        }
        out[lane] = static_cast<uint8_t>(source.scales[2 * b]);
        out[panelRows + lane] = static_cast<uint8_t>(source.scales[2 * b + 1]);
        put4(out + 2 * panelRows, lane, block);
        put2(out + 2 * panelRows + bytes4, lane, block);
        out += 2 * panelRows + bytes4 + bytes2;
    }
}

template <class Source>
void packPanel(const ggml_tensor &tensor, int32_t firstRow, int32_t rows, size_t unit, uint8_t *out) {
    const int64_t units = static_cast<int64_t>(tensor.nb[1] / sizeof(Source));
    for (int32_t lane = 0; lane < rows; lane++) {
        const auto *source = reinterpret_cast<const Source *>(static_cast<const char *>(tensor.data) +
                                                              (firstRow + lane) * tensor.nb[1]);
        for (int64_t u = 0; u < units; u++)
            packRow(source[u], lane, out + u * unit);
    }
}

using PackPanel = void (*)(const ggml_tensor &, int32_t, int32_t, size_t, uint8_t *);

struct Rule {
    ggml_type type;
    Format format;
    size_t unitBytes;
    int32_t unitBlocks;
    PackPanel pack;
};

constexpr Rule rules[] = {
    {GGML_TYPE_Q8_0, Format::q8_0, halves + bytes8, 1, packPanel<SourceQ8_0>},
    {GGML_TYPE_Q5_0, Format::q5_0, halves + bytes4 + bytes1, 1, packPanel<SourceQ5_0>},
    {GGML_TYPE_Q4_0, Format::q4_0, halves + bytes4, 1, packPanel<SourceQ4_0>},
    {GGML_TYPE_Q4_K, Format::q4_k, 2 * halves + superBlocks * (2 * panelRows + bytes4), superBlocks,
     packPanel<SourceQ4K>},
    {GGML_TYPE_Q5_K, Format::q5_k, 2 * halves + superBlocks * (2 * panelRows + bytes4 + bytes1), superBlocks,
     packPanel<SourceQ5K>},
    {GGML_TYPE_Q6_K, Format::q6_k, halves + superBlocks * (2 * panelRows + bytes4 + bytes2), superBlocks,
     packPanel<SourceQ6K>},
};

const Rule *ruleOf(ggml_type type) {
    const auto *rule =
        std::find_if(std::begin(rules), std::end(rules), [&](const Rule &r) { return r.type == type; });
    return rule == std::end(rules) ? nullptr : rule;
}

size_t panelBytes(const Rule &rule, int64_t columns) {
    return rule.unitBytes * static_cast<size_t>(columns / (blockInputs * rule.unitBlocks));
}

// Its address marks vectors.
char vectorMark;

} // namespace

const char *PackedWeights::objectionTo(const ggml_tensor &tensor) {
    const Rule *rule = ruleOf(tensor.type);
    if (!rule) return "no kernel for this type";
    if (tensor.ne[2] != 1 || tensor.ne[3] != 1) return "more than one matrix";
    if (tensor.ne[0] % (rule->unitBlocks * blockInputs)) return "rows are no whole number of blocks";
    if (tensor.nb[1] != ggml_row_size(tensor.type, tensor.ne[0])) return "rows don't lie side by side";
    if (tensor.ne[0] > INT32_MAX / 2 || tensor.ne[1] > INT32_MAX / 2) return "too large";
    return nullptr;
}

size_t PackedWeights::bytesOf(const ggml_tensor &tensor) {
    const size_t panels = (tensor.ne[1] + panelRows - 1) / panelRows;
    return (panelBytes(*ruleOf(tensor.type), tensor.ne[0]) * panels + 63) / 64 * 64;
}

PackedWeights::PackedWeights(const ggml_tensor &tensor, std::shared_ptr<uint8_t> memory)
    : format_(ruleOf(tensor.type)->format), rows_(static_cast<int32_t>(tensor.ne[1])),
      columns_(static_cast<int32_t>(tensor.ne[0])), data_(std::move(memory)) {
    const Rule &rule = *ruleOf(tensor.type);
    panelBytes_ = panelBytes(rule, columns_);
    // Quants are put by or; lanes without a row keep a scale of 0.
    for (int32_t p = 0; p < panels(); p++) {
        const int32_t first = p * panelRows;
        rule.pack(tensor, first, std::min(panelRows, rows_ - first), rule.unitBytes,
                  data_.get() + p * panelBytes_);
    }
}

bool isPacked(const ggml_tensor &tensor) {
    return tensor.extra && !isMarked(tensor) && tensor.buffer && ggml_backend_buffer_is_host(tensor.buffer);
}

void mark(ggml_tensor &vector) {
    vector.extra = &vectorMark;
}

bool isMarked(const ggml_tensor &vector) {
    return vector.extra == &vectorMark;
}

} // namespace sluice::matmul
