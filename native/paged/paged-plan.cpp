#include "paged-plan.h"

#include <algorithm>

namespace sluice::paged {

namespace {

// Query rows of an item: enough to pay for widening a tile of keys and values, few enough to stay in the L2
// cache.
constexpr int32_t rowsMax = 128;

// Fewer query rows than this don't pay for widening a tile again.
constexpr int32_t rowsMin = 32;

// A common prefix shorter than this is cheaper to read once per sequence than to merge from partial results.
constexpr int32_t sharedCellsMin = 32;

// The last item to finish then idles the other threads for a few percent of a layer's attention at most.
constexpr int32_t itemsPerThread = 8;

// Reading a cell costs about as much as this many query rows compute on it.
constexpr int64_t readCostRows = 6;

int64_t costOf(int32_t cells, int32_t rows) {
    return cells * (rows + readCostRows);
}

} // namespace

int32_t Plan::sharesMax(int32_t rowsPerToken) {
    return std::max(1, rowsMax / rowsPerToken);
}

void Plan::build(const std::vector<Token> &tokens, const BlockTables &tables, const Window &window,
                 const PlanOptions &options) {
    tokens_ = &tokens;
    window_ = window;
    pageSize_ = static_cast<int32_t>(tables.pageSize);
    rowsPerToken_ = options.rowsPerToken;
    blocks_.clear();
    blockShares_.clear();

    group(tables);
    walk(0, static_cast<int32_t>(sequences_.size()), 0, 0);
    split(options.threads);
    chainShares();
    orderItems();
}

void Plan::group(const BlockTables &tables) {
    const auto count = static_cast<int32_t>(tokens_->size());
    starts_.assign(tables.rows + 1, 0);
    for (const Token &token : *tokens_)
        starts_[token.sequence + 1]++;
    sequences_.clear();
    for (uint32_t s = 0; s < tables.rows; s++) {
        const int32_t begin = starts_[s], end = begin + starts_[s + 1];
        if (end > begin) sequences_.push_back({tables.row(static_cast<int32_t>(s)), 0, begin, end});
        starts_[s + 1] = end;
    }
    order_.resize(count);
    for (int32_t i = 0; i < count; i++)
        order_[starts_[(*tokens_)[i].sequence]++] = i;
    for (Sequence &s : sequences_)
        s.pageCount = (*tokens_)[order_[s.orderEnd - 1]].position / pageSize_ + 1;
    std::sort(sequences_.begin(), sequences_.end(), [](const Sequence &a, const Sequence &b) {
        return std::lexicographical_compare(a.pages, a.pages + a.pageCount, b.pages, b.pages + b.pageCount);
    });
}

// Sequences [begin, end) agree on their first `equalPages` pages; those before `fromPage` are emitted
// already. Depth of recursion: the number of nested prefixes, which is below the number of sequences.
void Plan::walk(int32_t begin, int32_t end, int32_t fromPage, int32_t equalPages) {
    if (end - begin == 1) {
        emit(begin, end, fromPage, sequences_[begin].pageCount);
        return;
    }
    // They are sorted: what the outermost two have in common, all have.
    const Sequence &first = sequences_[begin], &last = sequences_[end - 1];
    const int32_t limit = std::min(first.pageCount, last.pageCount);
    int32_t common = equalPages;
    while (common < limit && first.pages[common] == last.pages[common])
        common++;
    const int32_t whole = common - common % std::max(1, tileCells / pageSize_);
    if ((whole - fromPage) * pageSize_ >= sharedCellsMin) {
        emit(begin, end, fromPage, whole);
        fromPage = whole;
    }
    for (int32_t a = begin, b; a < end; a = b) {
        b = a + 1;
        if (sequences_[a].pageCount > common) {
            while (b < end && sequences_[b].pages[common] == sequences_[a].pages[common])
                b++;
        }
        walk(a, b, fromPage, common);
    }
}

// Blocks for pages [fromPage, toPage) of sequences that all name the same ones there.
void Plan::emit(int32_t begin, int32_t end, int32_t fromPage, int32_t toPage) {
    const int32_t first = fromPage * pageSize_, last = toPage * pageSize_;
    bool open = false;
    for (int32_t s = begin; s < end; s++) {
        for (int32_t o = sequences_[s].orderBegin; o < sequences_[s].orderEnd; o++) {
            const int32_t token = order_[o], position = (*tokens_)[token].position;
            const int32_t lo = std::max(first, window_.firstVisible(position));
            const int32_t hi = std::min(last, position + 1);
            if (lo < hi)
                append({token, position, lo, hi}, open, sharesMax(rowsPerToken_), sequences_[begin].pages,
                       blocks_, blockShares_);
        }
    }
}

// Extends the last item by a share, or opens another where it is full or a gap of invisible cells would
// arise.
void Plan::append(const Share &share, bool &open, int32_t sharesMax, const int32_t *pages,
                  std::vector<Item> &items, std::vector<Share> &shares) {
    if (open) {
        const Item &item = items.back();
        open = item.shares() < sharesMax && share.lo <= item.last && share.hi >= item.first;
    }
    const auto at = static_cast<int32_t>(shares.size());
    if (!open) items.push_back({pages, share.lo, share.hi, at, at, 0, 0});
    open = true;
    Item &item = items.back();
    item.first = std::min(item.first, share.lo);
    item.last = std::max(item.last, share.hi);
    item.shareEnd++;
    shares.push_back(share);
}

// Cuts blocks along positions, between parts, and then between tokens, until every thread has several items.
void Plan::split(int32_t threads) {
    int64_t total = 0;
    for (Item &block : blocks_) {
        block.cost = costOf(block.last - block.first, block.shares() * rowsPerToken_);
        total += block.cost;
    }
    const int64_t costMax = std::max<int64_t>(1, total / (static_cast<int64_t>(threads) * itemsPerThread));
    items_.clear();
    shares_.clear();
    for (const Item &block : blocks_) {
        const int64_t pieces = threads > 1 ? (block.cost + costMax - 1) / costMax : 1;
        const int32_t parts = (block.last + partCells - 1) / partCells - block.first / partCells;
        const auto step = static_cast<int32_t>((parts + pieces - 1) / pieces) * partCells;
        for (int32_t first = block.first, last; first < block.last; first = last) {
            last = std::min(block.last, first / partCells * partCells + step);
            cut(block, first, last, static_cast<int32_t>((pieces + parts - 1) / parts));
        }
    }
    for (Item &item : items_)
        item.cost = costOf(item.last - item.first, item.shares() * rowsPerToken_);
}

// Items for positions [first, last) of a block, its shares in about `groups` of them.
void Plan::cut(const Item &block, int32_t first, int32_t last, int32_t groups) {
    const int32_t sharesMin = std::max(1, rowsMin / rowsPerToken_);
    const int32_t sharesMax = std::max(sharesMin, (block.shares() + groups - 1) / groups);
    bool open = false;
    for (int32_t i = block.shareBegin; i < block.shareEnd; i++) {
        Share share = blockShares_[i];
        share.lo = std::max(share.lo, first);
        share.hi = std::min(share.hi, last);
        if (share.lo < share.hi) append(share, open, sharesMax, block.pages, items_, shares_);
    }
}

// Slots for the tokens that have several shares.
void Plan::chainShares() {
    slots_ = 0;
    chains_.assign(tokens_->size(), {});
    tokenShares_.assign(tokens_->size(), 0);
    chained_.clear();
    for (const Share &share : shares_)
        tokenShares_[share.token]++;
    for (size_t i = 0; i < shares_.size(); i++) {
        if (tokenShares_[shares_[i].token] > 1) chained_.push_back(static_cast<int32_t>(i));
    }
    std::sort(chained_.begin(), chained_.end(), [&](int32_t a, int32_t b) {
        return shares_[a].token != shares_[b].token ? shares_[a].token < shares_[b].token
                                                    : shares_[a].lo < shares_[b].lo;
    });
    const auto count = static_cast<int32_t>(chained_.size());
    for (int32_t begin = 0, end; begin < count; begin = end) {
        end = begin + tokenShares_[shares_[chained_[begin]].token];
        chainToken(begin, end);
    }
}

// The shares chained_[begin, end) of one token, in ascending order of position.
void Plan::chainToken(int32_t begin, int32_t end) {
    Chain &chain = chains_[shares_[chained_[begin]].token];
    chain = {end - begin, slots_, 0};
    for (int32_t i = begin; i < end; i++) {
        Share &share = shares_[chained_[i]];
        const bool isCut = i + 1 < end && share.hi % partCells != 0;
        const int32_t whole = (share.hi - 1) / partCells - share.lo / partCells + (isCut ? 0 : 1);
        share.slot = chain.firstSlot + chain.slots;
        share.isFirst = i == begin;
        chain.slots += share.isFirst ? std::min(whole, 1) : whole;
    }
    slots_ += chain.slots;
    for (int32_t i = begin; i + 1 < end; i++) {
        Share &share = shares_[chained_[i]], &next = shares_[chained_[i + 1]];
        if (share.hi % partCells != 0) share.open = next.resume = slots_++;
    }
    if (chain.slots > 1) return;
    // A single part, which the last share ends: it makes the result alone.
    shares_[chained_[end - 1]].slot = -1;
    chain = {};
}

// An item comes after those whose open parts it resumes. They cover lower positions, so that one pass in
// ascending order finds every phase.
void Plan::orderItems() {
    itemOfOpen_.assign(slots_, -1);
    std::sort(items_.begin(), items_.end(), [](const Item &a, const Item &b) {
        return a.first != b.first ? a.first < b.first : a.shareBegin < b.shareBegin;
    });
    for (size_t i = 0; i < items_.size(); i++) {
        Item &item = items_[i];
        for (int32_t s = item.shareBegin; s < item.shareEnd; s++) {
            const Share &share = shares_[s];
            if (share.resume >= 0)
                item.phase = std::max(item.phase, items_[itemOfOpen_[share.resume]].phase + 1);
            if (share.open >= 0) itemOfOpen_[share.open] = static_cast<int32_t>(i);
        }
    }
    std::sort(items_.begin(), items_.end(), [](const Item &a, const Item &b) {
        if (a.phase != b.phase) return a.phase < b.phase;
        return a.cost != b.cost ? a.cost > b.cost : a.shareBegin < b.shareBegin;
    });
    phaseBegins_.clear();
    for (size_t i = 0; i < items_.size(); i++) {
        if (i == 0 || items_[i].phase > items_[i - 1].phase) phaseBegins_.push_back(static_cast<int32_t>(i));
    }
}

} // namespace sluice::paged
