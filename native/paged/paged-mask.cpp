#include "paged-mask.h"

#include "ggml.h"

#include <algorithm>
#include <limits>

namespace sluice::paged {

namespace {

struct F32 {
    using Cell = float;
    static Cell of(float value) { return value; }
};

struct F16 {
    using Cell = uint16_t;
    static Cell of(float value) { return ggml_fp32_to_fp16(value); }
};

template <class T>
void fill(typename T::Cell *rows, int64_t width, const std::vector<Token> &tokens, const BlockTables &tables,
          const Window &window, bool distances) {
    const auto hidden = T::of(-std::numeric_limits<float>::infinity());
    const auto visible = T::of(0.0f);
    const auto pageSize = static_cast<int32_t>(tables.pageSize);
    std::fill(rows, rows + width * static_cast<int64_t>(tokens.size()), hidden);
    for (const Token &token : tokens) {
        const int32_t *pages = tables.row(token.sequence);
        for (int32_t p = window.firstVisible(token.position); p <= token.position;) {
            const int32_t end = std::min(token.position + 1, (p / pageSize + 1) * pageSize);
            auto *cell = rows + static_cast<int64_t>(pages[p / pageSize]) * pageSize + p % pageSize;
            if (distances) {
                for (; p < end; p++)
                    *cell++ = T::of(static_cast<float>(p - token.position));
            } else {
                std::fill(cell, cell + (end - p), visible);
                p = end;
            }
        }
        rows += width;
    }
}

} // namespace

uint32_t reachableCells(const std::vector<Token> &tokens, const BlockTables &tables, const Window &window) {
    int32_t highest = -1;
    for (size_t i = 0; i < tokens.size(); i++) {
        // A chunk's tokens differ by the page they reach at most: the pages behind were counted for the token
        // before.
        const bool continues = i > 0 && tokens[i - 1].sequence == tokens[i].sequence;
        const int32_t from = continues ? tokens[i - 1].position : window.firstVisible(tokens[i].position);
        const int32_t *pages = tables.row(tokens[i].sequence);
        const auto pageSize = static_cast<int32_t>(tables.pageSize);
        for (int32_t p = from / pageSize; p <= tokens[i].position / pageSize; p++) {
            highest = std::max(highest, pages[p]);
        }
    }
    return static_cast<uint32_t>(highest + 1) * tables.pageSize;
}

void fillMaskF32(float *rows, int64_t width, const std::vector<Token> &tokens, const BlockTables &tables,
                 const Window &window, bool distances) {
    fill<F32>(rows, width, tokens, tables, window, distances);
}

void fillMaskF16(uint16_t *rows, int64_t width, const std::vector<Token> &tokens, const BlockTables &tables,
                 const Window &window, bool distances) {
    fill<F16>(rows, width, tokens, tables, window, distances);
}

} // namespace sluice::paged
