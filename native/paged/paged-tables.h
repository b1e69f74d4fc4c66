#pragma once

// Block tables, and which earlier positions a token sees.

#include <cstddef>
#include <cstdint>

namespace sluice::paged {

struct BlockTables {
    const int32_t *pages = nullptr; // [rows * columns], row-major
    uint32_t rows = 0;
    uint32_t columns = 0;
    uint32_t pageSize = 0; // cells, a power of two

    const int32_t *row(int32_t sequence) const { return pages + static_cast<size_t>(sequence) * columns; }

    bool has(int32_t sequence, int32_t position) const {
        return sequence >= 0 && static_cast<uint32_t>(sequence) < rows && position >= 0 &&
               static_cast<uint32_t>(position) / pageSize < columns;
    }

    int32_t cell(int32_t sequence, int32_t position) const {
        const auto p = static_cast<uint32_t>(position);
        return row(sequence)[p / pageSize] * static_cast<int32_t>(pageSize) +
               static_cast<int32_t>(p % pageSize);
    }
};

// All earlier positions, the last `size` (the token's own included), or those of the token's chunk of `size`.
struct Window {
    enum class Kind { full, sliding, chunked };

    Kind kind = Kind::full;
    int32_t size = 0; // positions

    int32_t firstVisible(int32_t position) const {
        if (kind == Kind::sliding) return position < size ? 0 : position - size + 1;
        if (kind == Kind::chunked) return position / size * size;
        return 0;
    }
};

struct Token {
    int32_t sequence;
    int32_t position;
};

} // namespace sluice::paged
