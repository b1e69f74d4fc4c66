#pragma once

// What one ubatch's attention has to read, cut into work items. Pure: positions and block tables in, items
// out.

#include "paged-tables.h"

#include <cstdint>
#include <vector>

namespace sluice::paged {

// The part of a token's visible positions that one item covers: [lo, hi).
struct Share {
    int32_t token; // index in the ubatch
    int32_t position;
    int32_t lo;
    int32_t hi;
    int32_t slot; // where the partial result goes; -1: this item alone makes the token's result
};

// Positions [first, last) of one block table row, read once for the shares [shareBegin, shareEnd).
// Each position of the range is visible to at least one of them, so that no stale cell is ever read.
struct Item {
    const int32_t *pages;
    int32_t first;
    int32_t last;
    int32_t shareBegin;
    int32_t shareEnd;
    int64_t cost; // in cells times query rows, see costOf()

    int32_t shares() const { return shareEnd - shareBegin; }
};

struct PlanOptions {
    int32_t threads = 1;
    int32_t rowsPerToken = 1; // query heads that share a key/value head
};

// Pages that several sequences name at the same index are read once for all of them. Tokens of a sequence
// must come in ascending order of position. Cost: O(tokens + items + pages in common) and a sort of the
// sequences by their rows; buffers are kept, so that a warm plan allocates nothing.
class Plan {
public:
    void build(const std::vector<Token> &tokens, const BlockTables &tables, const Window &window,
               const PlanOptions &options);

    // Largest first.
    const std::vector<Item> &items() const { return items_; }
    const Share *shares() const { return shares_.data(); }

    // Partial results of a token form a chain of slots, which -1 ends. Parts: its length; 0 where there is
    // none.
    int32_t slots() const { return static_cast<int32_t>(nextSlot_.size()); }
    int32_t parts(int32_t token) const { return parts_[token] > 1 ? parts_[token] : 0; }
    int32_t firstSlot(int32_t token) const { return firstSlot_[token]; }
    int32_t nextSlot(int32_t slot) const { return nextSlot_[slot]; }

    // The most shares that one item of any plan has, and so the most query rows.
    static int32_t sharesMax(int32_t rowsPerToken);

private:
    struct Sequence {
        const int32_t *pages;
        int32_t pageCount;  // up to the page of its last token
        int32_t orderBegin; // its tokens in order_
        int32_t orderEnd;
    };

    void group(const BlockTables &tables);
    void walk(int32_t begin, int32_t end, int32_t fromPage, int32_t equalPages);
    void emit(int32_t begin, int32_t end, int32_t fromPage, int32_t toPage);
    void addToBlock(const Share &share, bool &open, const int32_t *pages);
    void split(int32_t threads);
    void cut(const Item &block, int32_t first, int32_t last);
    void chainParts();

    const std::vector<Token> *tokens_ = nullptr;
    Window window_;
    int32_t pageSize_ = 0;
    int32_t rowsPerToken_ = 1;

    std::vector<int32_t> starts_;     // [sequences + 1], scratch of group()
    std::vector<int32_t> order_;      // token indices, grouped by sequence
    std::vector<Sequence> sequences_; // sorted by their pages: those with a common prefix are neighbours
    std::vector<Item> blocks_;        // items before they are cut along positions
    std::vector<Share> blockShares_;
    std::vector<Item> items_;
    std::vector<Share> shares_;
    std::vector<int32_t> parts_;
    std::vector<int32_t> firstSlot_;
    std::vector<int32_t> nextSlot_;
};

} // namespace sluice::paged
