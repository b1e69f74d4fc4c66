#pragma once

// The dense mask that llama.cpp's own attention needs, filled from block tables.

#include "paged-tables.h"

#include <cstdint>
#include <vector>

namespace sluice::paged {

// Cells that the attention of these tokens can reach: 1 + the highest one named by a page they see.
uint32_t reachableCells(const std::vector<Token> &tokens, const BlockTables &tables, const Window &window);

// Mask rows of `width` cells, one per token: 0 (or -distance, where `distances`) for visible cells, else
// -infinity. Cost: one fill of the rows, then the visible cells only.
void fillMaskF32(float *rows, int64_t width, const std::vector<Token> &tokens, const BlockTables &tables,
                 const Window &window, bool distances);
void fillMaskF16(uint16_t *rows, int64_t width, const std::vector<Token> &tokens, const BlockTables &tables,
                 const Window &window, bool distances);

} // namespace sluice::paged
