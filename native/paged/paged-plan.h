#pragma once

// What one ubatch's attention has to read, cut into work items. Pure: positions and block tables in, items
// out.

#include "paged-tables.h"

#include <cstdint>
#include <vector>

namespace sluice::paged {

// A token's result is put together from parts of this many positions, at multiples of it: each part's softmax
// starts anew, and the parts' results are folded in ascending order. Where work is cut is thus no matter of
// rounding: a token's result has the same bits whatever else is in the batch, however its prompt was chunked
// and whoever shares its pages.
constexpr int32_t partCells = 256;

// Cells that a row looks at together. Where shares meet within a part, a tile ends.
constexpr int32_t tileCells = 64;
static_assert(partCells % tileCells == 0);

// What one item covers of a token's visible positions: [lo, hi).
struct Share {
    int32_t token; // index in the ubatch
    int32_t position;
    int32_t lo;
    int32_t hi;
    int32_t slot = -1; // where results go; -1: into the token's result, which this item ends alone
    bool isFirst =
        true; // the token's first share: folds its parts into one slot; others have a slot for each
    int32_t resume = -1; // slot with the state of the part that another share began; -1: lo begins a part
    int32_t open = -1;   // slot for the state of the part that another share will end; -1: hi ends a part
};

// Positions [first, last) of one block table row, read once for the shares [shareBegin, shareEnd).
// Each position of the range is visible to at least one of them, so that no stale cell is ever read.
struct Item {
    const int32_t *pages;
    int32_t first;
    int32_t last;
    int32_t shareBegin;
    int32_t shareEnd;
    int64_t cost;      // in cells times query rows, see costOf()
    int32_t phase = 0; // items of lower phases hold what its shares resume

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

    // By phase, and in a phase the largest first.
    const std::vector<Item> &items() const { return items_; }
    const Share *shares() const { return shares_.data(); }
    int32_t slots() const { return slots_; }
    int32_t itemsBefore(int32_t phase) const { return phaseBegins_[phase]; }

    // A token's partial results, in the order in which they are folded. None where one item makes its result.
    struct Chain {
        int32_t shares = 0; // all of which have to be computed first
        int32_t firstSlot = 0;
        int32_t slots = 0;
    };
    const Chain &chain(int32_t token) const { return chains_[token]; }

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
    static void append(const Share &share, bool &open, int32_t sharesMax, const int32_t *pages,
                       std::vector<Item> &items, std::vector<Share> &shares);
    void split(int32_t threads);
    void cut(const Item &block, int32_t first, int32_t last, int32_t groups);
    void chainShares();
    void chainToken(int32_t begin, int32_t end);
    void orderItems();

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
    int32_t slots_ = 0;
    std::vector<int32_t> phaseBegins_; // [phase] in items_
    std::vector<Chain> chains_;        // [token]
    std::vector<int32_t> tokenShares_; // [token], scratch of chainShares()
    std::vector<int32_t> chained_;     // shares of tokens with several, by token and position
    std::vector<int32_t> itemOfOpen_;  // [slot], scratch of orderItems()
};

} // namespace sluice::paged
