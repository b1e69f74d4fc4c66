// The kernel, written once over a vector type V. Included by paged-kernel-<level>.cpp inside its target
// pragma, hence neither includes nor templates of the standard library here: compiled for a wider target,
// they would break the one-definition rule.
//
// V gives: lanes (16 is a multiple of it), F (vector of float), zero, set1, load, store, add, sub, mul, div,
// max, fma(a, b, c) = a * b + c, sum and maximum across lanes, loadF16/loadBf16/loadI8 (widened to float),
// half (one F16 to float), keep(x, a, b, other) = x in lanes [a, b) and `other` in the others, addExponent(p,
// r) = p * 2^n for r = 1.5 * 2^23 + n, absolute, copySign(x, sign), sums (of scoreCells vectors), and the
// register tiles it has room for: scoreCells, valueVectors.
//
// The order of every row's operations depends on nothing but the row: tiles lie at multiples of their size,
// and what is invisible to a row changes nothing in it [paged-plan.h].

namespace sluice::paged {
namespace {

template <class V> struct KernelOf {
    using F = typename V::F;
    static constexpr int32_t lanes = V::lanes;
    static constexpr float infinity = __builtin_inff();

    // Up to this many query rows read keys and values in place: they are bound by reading memory. More of
    // them are bound by arithmetic, and pay for widening each tile to F32 once.
    static constexpr int32_t narrowRowsMax = 8;
    static constexpr int32_t rowsTogether = V::rowsTogether; // that share a load of a key or value

    // A softmax that hasn't ended: the largest score, and the sum of exp(score - largest).
    struct Softmax {
        float largest = -infinity;
        float sum = 0.0f;

        bool isEmpty() const { return largest == -infinity; }
    };

    // One query row: what it sees, and what it has seen of the current part and of the parts before.
    struct Row {
        int32_t lo;
        int32_t hi;
        int32_t position;
        float slope;
        Softmax part;
        Softmax total;
        int32_t slot; // of its next part
    };

    // An item at work.
    struct Work {
        const Layer &layer;
        const Item &item;
        const Share *shares;
        int32_t kvHead;
        const Partials &partials;
        int32_t count; // of rows
        Row *rows;
        float *q;        // [count][kSize]
        float *values;   // [count][vSize], of the current part
        float *totals;   // [count][vSize]
        float *wideKeys; // [tileCells][kSize]
        float *wideValues;

        const Share &shareOf(int32_t row) const {
            return shares[item.shareBegin + row / layer.rowsPerToken()];
        }
        int32_t headOf(int32_t row) const {
            return kvHead * layer.rowsPerToken() + row % layer.rowsPerToken();
        }
    };

    static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }
    static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }
    static int32_t roundUp(int32_t value, int32_t step) { return (value + step - 1) / step * step; }

    // e^x for x <= 0; below -87 it stays at the smallest normal number. x = n ln 2 + f, |f| <= ln 2 / 2; the
    // Taylor series of e^f to the 7th power is off by at most 6e-9.
    static F exp(F x) {
        x = V::max(x, V::set1(-87.0f));
        const F magic = V::set1(12582912.0f); // 1.5 * 2^23: adding it rounds to an integer
        const F rounded = V::fma(x, V::set1(1.44269504f), magic);
        const F n = V::sub(rounded, magic);
        // ln 2 in two parts, the first with enough zero bits that n times it is exact.
        F f = V::fma(n, V::set1(-0.693145751953125f), x);
        f = V::fma(n, V::set1(-1.42860677e-6f), f);
        F p = V::set1(1.0f / 5040);
        p = V::fma(p, f, V::set1(1.0f / 720));
        p = V::fma(p, f, V::set1(1.0f / 120));
        p = V::fma(p, f, V::set1(1.0f / 24));
        p = V::fma(p, f, V::set1(1.0f / 6));
        p = V::fma(p, f, V::set1(0.5f));
        p = V::fma(p, f, V::set1(1.0f));
        p = V::fma(p, f, V::set1(1.0f));
        return V::addExponent(p, rounded);
    }

    static F tanh(F x) {
        const F e = exp(V::mul(V::absolute(x), V::set1(-2.0f)));
        const F one = V::set1(1.0f);
        return V::copySign(V::div(V::sub(one, e), V::add(one, e)), x);
    }

    static float exp1(float x) { return __builtin_expf(x); }

    template <CellType T> static F loadCell(const char *head, int32_t d) {
        if constexpr (T == CellType::f32) return V::load(reinterpret_cast<const float *>(head) + d);
        if constexpr (T == CellType::f16) return V::loadF16(reinterpret_cast<const uint16_t *>(head) + d);
        if constexpr (T == CellType::bf16) return V::loadBf16(reinterpret_cast<const uint16_t *>(head) + d);
        if constexpr (T == CellType::q8_0) {
            const char *block = head + d / 32 * 34;
            const float scale = V::half(reinterpret_cast<const uint16_t *>(block));
            return V::mul(V::loadI8(reinterpret_cast<const int8_t *>(block + 2 + d % 32)), V::set1(scale));
        }
    }

    // Memory to fetch while other cells are computed: cell by cell, or nothing.
    struct Ahead {
        const char *const *at = nullptr;
        size_t bytes = 0;

        void fetch(int32_t i) const {
            if (!at) return;
            for (size_t b = 0; b < bytes; b += 64)
                __builtin_prefetch(at[i] + b);
        }
    };

    // Scores of the tile that begins at `first` become weights; the part's softmax moves on. Returns what the
    // row's values of the part have to be multiplied by. A row that sees nothing of the tile gets weights of
    // zero.
    static float weigh(float *scores, int32_t first, int32_t cells, float softcap, Row &row) {
        const int32_t lo = row.lo - first, hi = row.hi - first;
        if (lo >= cells || hi <= 0) {
            for (int32_t i = 0; i < cells; i += lanes)
                V::store(scores + i, V::zero());
            return 1.0f;
        }
        F largest = V::set1(-infinity);
        for (int32_t i = 0; i < cells; i += lanes) {
            F x = V::load(scores + i);
            if (softcap != 0.0f) x = V::mul(tanh(x), V::set1(softcap));
            if (row.slope != 0.0f) {
                const F distance = V::add(V::iota(), V::set1(static_cast<float>(first + i - row.position)));
                x = V::fma(distance, V::set1(row.slope), x);
            }
            if (i < lo || i + lanes > hi) x = V::keep(x, lo - i, hi - i, -infinity);
            V::store(scores + i, x);
            largest = V::max(largest, x);
        }
        const float tileLargest = V::maximum(largest);
        const float newLargest = tileLargest > row.part.largest ? tileLargest : row.part.largest;
        const F reference = V::set1(newLargest);
        F sum = V::zero();
        for (int32_t i = 0; i < cells; i += lanes) {
            F weight = exp(V::sub(V::load(scores + i), reference));
            if (i < lo || i + lanes > hi) weight = V::keep(weight, lo - i, hi - i, 0.0f);
            V::store(scores + i, weight);
            sum = V::add(sum, weight);
        }
        const float correction = newLargest == row.part.largest ? 1.0f : exp1(row.part.largest - newLargest);
        row.part.sum = __builtin_fmaf(row.part.sum, correction, V::sum(sum));
        row.part.largest = newLargest;
        return correction;
    }

    // Where the cells of the tile lie that begins at `first`. Those outside of the item may be stale: another
    // one stands for each.
    static void locate(const Work &work, const Cells &cells, int32_t first, const char **at) {
        const Item &item = work.item;
        const int32_t pageSize = work.layer.pageSize;
        const auto shift = static_cast<uint32_t>(__builtin_ctz(static_cast<uint32_t>(pageSize)));
        const char *data = cells.data + work.kvHead * cells.headStride;
        for (int32_t i = 0; i < tileCells; i++) {
            const int32_t p = larger(smaller(first + i, item.last - 1), item.first);
            const size_t cell = (static_cast<size_t>(item.pages[p >> shift]) << shift) + (p & (pageSize - 1));
            at[i] = data + cell * cells.cellStride;
        }
    }

    // scores[r][i] = q[r] . k[i] for R rows and `cells` cells. Fetches ahead[i] meanwhile, if asked to.
    template <CellType T, int32_t R>
    static void score(const float *q, int32_t size, const char *const *k, int32_t cells, float *scores,
                      const Ahead &ahead) {
        constexpr int32_t C = V::scoreCells;
        for (int32_t i = 0; i < cells; i += C) {
            F sums[R][C];
#pragma GCC unroll 16
            for (int32_t r = 0; r < R; r++)
#pragma GCC unroll 16
                for (int32_t c = 0; c < C; c++)
                    sums[r][c] = V::zero();
            for (int32_t d = 0; d < size; d += lanes) {
                F key[C];
#pragma GCC unroll 16
                for (int32_t c = 0; c < C; c++)
                    key[c] = loadCell<T>(k[i + c], d);
#pragma GCC unroll 16
                for (int32_t r = 0; r < R; r++) {
                    const F x = V::load(q + r * size + d);
#pragma GCC unroll 16
                    for (int32_t c = 0; c < C; c++)
                        sums[r][c] = V::fma(x, key[c], sums[r][c]);
                }
            }
#pragma GCC unroll 16
            for (int32_t r = 0; r < R; r++)
                V::sums(sums[r], scores + r * tileCells + i);
            for (int32_t c = 0; c < C; c++)
                ahead.fetch(i + c);
        }
    }

    // out[r][d..] = out[r][d..] * correction[r] + weights[r] . v for R rows, N vectors of elements. Fetches
    // likewise.
    template <CellType T, int32_t R, int32_t N>
    static void accumulateVectors(const float *weights, const char *const *v, int32_t cells, float *out,
                                  int32_t size, int32_t d, const float *correction, const Ahead &ahead) {
        F sums[R][N];
#pragma GCC unroll 16
        for (int32_t r = 0; r < R; r++)
#pragma GCC unroll 16
            for (int32_t n = 0; n < N; n++)
                sums[r][n] = V::mul(V::load(out + r * size + d + n * lanes), V::set1(correction[r]));
        for (int32_t i = 0; i < cells; i++) {
            F value[N];
#pragma GCC unroll 16
            for (int32_t n = 0; n < N; n++)
                value[n] = loadCell<T>(v[i], d + n * lanes);
#pragma GCC unroll 16
            for (int32_t r = 0; r < R; r++) {
                const F weight = V::set1(weights[r * tileCells + i]);
#pragma GCC unroll 16
                for (int32_t n = 0; n < N; n++)
                    sums[r][n] = V::fma(weight, value[n], sums[r][n]);
            }
            ahead.fetch(i);
        }
#pragma GCC unroll 16
        for (int32_t r = 0; r < R; r++)
#pragma GCC unroll 16
            for (int32_t n = 0; n < N; n++)
                V::store(out + r * size + d + n * lanes, sums[r][n]);
    }

    template <CellType T, int32_t R>
    static void accumulate(const float *weights, const char *const *v, int32_t cells, float *out,
                           int32_t size, const float *correction, Ahead ahead) {
        constexpr int32_t N = V::valueVectors;
        int32_t d = 0;
        for (; d + N * lanes <= size; d += N * lanes, ahead = {}) {
            accumulateVectors<T, R, N>(weights, v, cells, out, size, d, correction, ahead);
        }
        for (; d < size; d += lanes, ahead = {}) {
            accumulateVectors<T, R, 1>(weights, v, cells, out, size, d, correction, ahead);
        }
    }

    using Score = void (*)(const float *, int32_t, const char *const *, int32_t, float *, const Ahead &);
    using Accumulate = void (*)(const float *, const char *const *, int32_t, float *, int32_t, const float *,
                                Ahead);

    template <CellType T> static Score scoreOf(int32_t rows) {
        static constexpr Score table[] = {score<T, 1>, score<T, 2>, score<T, 3>,
                                          score<T, 4>, score<T, 5>, score<T, 6>};
        return table[rows - 1];
    }
    template <CellType T> static Accumulate accumulateOf(int32_t rows) {
        static constexpr Accumulate table[] = {accumulate<T, 1>, accumulate<T, 2>, accumulate<T, 3>,
                                               accumulate<T, 4>, accumulate<T, 5>, accumulate<T, 6>};
        return table[rows - 1];
    }
    static Score scoreOf(CellType type, int32_t rows) {
        switch (type) {
        case CellType::f16:
            return scoreOf<CellType::f16>(rows);
        case CellType::bf16:
            return scoreOf<CellType::bf16>(rows);
        case CellType::q8_0:
            return scoreOf<CellType::q8_0>(rows);
        default:
            return scoreOf<CellType::f32>(rows);
        }
    }
    static Accumulate accumulateOf(CellType type, int32_t rows) {
        switch (type) {
        case CellType::f16:
            return accumulateOf<CellType::f16>(rows);
        case CellType::bf16:
            return accumulateOf<CellType::bf16>(rows);
        case CellType::q8_0:
            return accumulateOf<CellType::q8_0>(rows);
        default:
            return accumulateOf<CellType::f32>(rows);
        }
    }

    static bool seesNothing(const Row *rows, int32_t count, int32_t first, int32_t last) {
        for (int32_t r = 0; r < count; r++) {
            if (rows[r].lo < last && rows[r].hi > first) return false;
        }
        return true;
    }

    // The rows' scores and values over a tile. The first rows fetch what comes next meanwhile, if asked to.
    static void attendTile(const Work &work, int32_t first, int32_t cells, CellType kType,
                           const char *const *keys, CellType vType, const char *const *values,
                           Ahead aheadOfScores, Ahead aheadOfValues) {
        alignas(64) float scores[rowsTogether * tileCells];
        const int32_t kSize = work.layer.k.headSize, vSize = work.layer.v.headSize;
        for (int32_t r = 0; r < work.count; r += rowsTogether) {
            const int32_t n = smaller(rowsTogether, work.count - r);
            if (seesNothing(work.rows + r, n, first, first + cells)) continue;
            scoreOf(kType, n)(work.q + r * kSize, kSize, keys, roundUp(cells, V::scoreCells), scores,
                              aheadOfScores);
            float correction[rowsTogether];
            for (int32_t i = 0; i < n; i++) {
                correction[i] = weigh(scores + i * tileCells, first, roundUp(cells, lanes),
                                      work.layer.softcap, work.rows[r + i]);
            }
            accumulateOf(vType, n)(scores, values, cells, work.values + r * vSize, vSize, correction,
                                   aheadOfValues);
            aheadOfScores = aheadOfValues = {};
        }
    }

    static int32_t cellsOf(const Item &item, int32_t first) {
        return smaller(tileCells, item.last - first);
    }

    static void attendNarrow(const Work &work) {
        const Layer &layer = work.layer;
        const char *keys[2][tileCells], *values[tileCells];
        const int32_t begin = work.item.first / tileCells * tileCells;
        locate(work, layer.k, begin, keys[0]);
        for (int32_t first = begin, turn = 0; first < work.item.last; first += tileCells, turn ^= 1) {
            const int32_t next = first + tileCells;
            const bool isLast = next >= work.item.last;
            locate(work, layer.v, first, values);
            if (!isLast) locate(work, layer.k, next, keys[turn ^ 1]);
            attendTile(work, first, cellsOf(work.item, first), layer.k.type, keys[turn], layer.v.type, values,
                       Ahead{values, layer.v.headBytes()},
                       isLast ? Ahead{} : Ahead{keys[turn ^ 1], layer.k.headBytes()});
            if (isLast || next % partCells == 0) endParts(work, next);
        }
    }

    template <CellType T> static void widen(const char *const *cells, int32_t size, float *out) {
        for (int32_t i = 0; i < tileCells; i++) {
            for (int32_t d = 0; d < size; d += lanes)
                V::store(out + i * size + d, loadCell<T>(cells[i], d));
        }
    }

    static void widen(const Cells &cells, const char **at, float *out) {
        const auto run = cells.type == CellType::f16    ? widen<CellType::f16>
                         : cells.type == CellType::bf16 ? widen<CellType::bf16>
                                                        : widen<CellType::q8_0>;
        run(at, cells.headSize, out);
        for (int32_t i = 0; i < tileCells; i++)
            at[i] = reinterpret_cast<const char *>(out + i * cells.headSize);
    }

    static void attendWide(const Work &work) {
        const Layer &layer = work.layer;
        const char *keys[tileCells], *values[tileCells], *nextKeys[tileCells], *nextValues[tileCells];
        const int32_t begin = work.item.first / tileCells * tileCells;
        for (int32_t first = begin; first < work.item.last; first += tileCells) {
            const int32_t next = first + tileCells;
            const bool isLast = next >= work.item.last;
            locate(work, layer.k, first, keys);
            locate(work, layer.v, first, values);
            widen(layer.k, keys, work.wideKeys);
            widen(layer.v, values, work.wideValues);
            if (!isLast) {
                locate(work, layer.k, next, nextKeys);
                locate(work, layer.v, next, nextValues);
            }
            attendTile(work, first, cellsOf(work.item, first), CellType::f32, keys, CellType::f32, values,
                       isLast ? Ahead{} : Ahead{nextKeys, layer.k.headBytes()},
                       isLast ? Ahead{} : Ahead{nextValues, layer.v.headBytes()});
            if (isLast || next % partCells == 0) endParts(work, next);
        }
    }

    // Every row's part ends before position `end`, unless another item goes on with it.
    static void endParts(const Work &work, int32_t end) {
        const int32_t size = work.layer.v.headSize;
        for (int32_t r = 0; r < work.count; r++) {
            Row &row = work.rows[r];
            const Share &share = work.shareOf(r);
            if (row.part.isEmpty()) continue;
            float *values = work.values + r * size;
            if (share.open >= 0 && end >= share.hi) {
                writePartial(work, share.open, work.headOf(r), values, row.part);
            } else if (share.slot < 0 || share.isFirst) {
                fold(row.total, work.totals + r * size, row.part, values, size);
            } else {
                writePartial(work, row.slot++, work.headOf(r), values, row.part);
            }
            row.part = {};
            for (int32_t d = 0; d < size; d += lanes)
                V::store(values + d, V::zero());
        }
    }

    // Adds a part to the total of those before it.
    static void fold(Softmax &total, float *totals, const Softmax &part, const float *values, int32_t size) {
        if (total.isEmpty()) {
            total = part;
            for (int32_t d = 0; d < size; d += lanes)
                V::store(totals + d, V::load(values + d));
            return;
        }
        const float largest = part.largest > total.largest ? part.largest : total.largest;
        const float ofTotal = exp1(total.largest - largest), ofPart = exp1(part.largest - largest);
        total.sum = __builtin_fmaf(total.sum, ofTotal, part.sum * ofPart);
        total.largest = largest;
        const F a = V::set1(ofTotal), b = V::set1(ofPart);
        for (int32_t d = 0; d < size; d += lanes)
            V::store(totals + d, V::fma(V::load(totals + d), a, V::mul(V::load(values + d), b)));
    }

    static size_t scratchFloats(const Layer &layer) {
        const int32_t rows = Plan::sharesMax(layer.rowsPerToken()) * layer.rowsPerToken();
        return static_cast<size_t>(rows + tileCells) * (layer.k.headSize + layer.v.headSize) +
               static_cast<size_t>(rows) * layer.v.headSize + rows * sizeof(Row) / sizeof(float);
    }

    // A finished row: normalised into the result, a sink's share included.
    static void write(const Layer &layer, int32_t token, int32_t head, const float *values,
                      const Softmax &total) {
        float factor = 1.0f / total.sum;
        if (layer.sinks) {
            const float sink = layer.sinks[head];
            const float largest = sink > total.largest ? sink : total.largest;
            const float correction = exp1(total.largest - largest);
            factor = correction / __builtin_fmaf(total.sum, correction, exp1(sink - largest));
        }
        const int32_t size = layer.v.headSize;
        float *out = layer.out + (static_cast<size_t>(token) * layer.heads + head) * size;
        const F f = V::set1(factor);
        for (int32_t d = 0; d < size; d += lanes)
            V::store(out + d, V::mul(V::load(values + d), f));
    }

    static float *partialValues(const Layer &layer, const Partials &partials, int32_t slot, int32_t head) {
        return partials.values + (static_cast<size_t>(slot) * layer.heads + head) * layer.v.headSize;
    }
    static float *partialState(const Layer &layer, const Partials &partials, int32_t slot, int32_t head) {
        return partials.states + (static_cast<size_t>(slot) * layer.heads + head) * 2;
    }

    static void writePartial(const Work &work, int32_t slot, int32_t head, const float *values,
                             const Softmax &state) {
        float *to = partialValues(work.layer, work.partials, slot, head);
        for (int32_t d = 0; d < work.layer.v.headSize; d += lanes)
            V::store(to + d, V::load(values + d));
        float *at = partialState(work.layer, work.partials, slot, head);
        at[0] = state.largest;
        at[1] = state.sum;
    }

    static Softmax readPartial(const Layer &layer, const Partials &partials, int32_t slot, int32_t head) {
        const float *at = partialState(layer, partials, slot, head);
        return {at[0], at[1]};
    }

    // Queries, scaled, and the parts that the rows resume.
    static void loadRows(const Work &work) {
        const Layer &layer = work.layer;
        const int32_t kSize = layer.k.headSize, vSize = layer.v.headSize;
        const F scale = V::set1(layer.softcap != 0.0f ? layer.scale / layer.softcap : layer.scale);
        for (int32_t r = 0; r < work.count; r++) {
            const Share &share = work.shareOf(r);
            const int32_t head = work.headOf(r);
            const float *from = layer.q + share.token * layer.qTokenStride + head * layer.qHeadStride;
            for (int32_t d = 0; d < kSize; d += lanes)
                V::store(work.q + r * kSize + d, V::mul(V::load(from + d), scale));
            Row &row = work.rows[r];
            row = {share.lo, share.hi, share.position, layer.slopeOf(head), {}, {}, share.slot};
            const float *resumed = nullptr;
            if (share.resume >= 0) {
                row.part = readPartial(layer, work.partials, share.resume, head);
                resumed = partialValues(layer, work.partials, share.resume, head);
            }
            for (int32_t d = 0; d < vSize; d += lanes)
                V::store(work.values + r * vSize + d, resumed ? V::load(resumed + d) : V::zero());
        }
    }

    static void attend(const Layer &layer, const Item &item, const Share *shares, int32_t kvHead,
                       float *scratch, const Partials &partials) {
        const int32_t count = item.shares() * layer.rowsPerToken();
        const int32_t kSize = layer.k.headSize, vSize = layer.v.headSize;
        float *q = scratch, *values = q + count * kSize, *totals = values + count * vSize;
        float *wideKeys = totals + count * vSize, *wideValues = wideKeys + tileCells * kSize;
        auto *rows = reinterpret_cast<Row *>(wideValues + tileCells * vSize);
        const Work work = {layer, item, shares, kvHead, partials, count,
                           rows,  q,    values, totals, wideKeys, wideValues};
        loadRows(work);
        if (count <= narrowRowsMax) {
            attendNarrow(work);
        } else {
            attendWide(work);
        }
        for (int32_t r = 0; r < count; r++) {
            const Share &share = work.shareOf(r);
            if (rows[r].total.isEmpty()) continue;
            if (share.slot < 0) {
                write(layer, share.token, work.headOf(r), totals + r * vSize, rows[r].total);
            } else {
                writePartial(work, share.slot, work.headOf(r), totals + r * vSize, rows[r].total);
            }
        }
    }

    // Folds all into the first slot's place.
    static void merge(const Layer &layer, const Plan &plan, int32_t token, int32_t kvHead,
                      const Partials &partials) {
        const Plan::Chain &chain = plan.chain(token);
        const int32_t group = layer.rowsPerToken();
        for (int32_t head = kvHead * group; head < (kvHead + 1) * group; head++) {
            Softmax total = readPartial(layer, partials, chain.firstSlot, head);
            float *totals = partialValues(layer, partials, chain.firstSlot, head);
            for (int32_t slot = chain.firstSlot + 1; slot < chain.firstSlot + chain.slots; slot++) {
                fold(total, totals, readPartial(layer, partials, slot, head),
                     partialValues(layer, partials, slot, head), layer.v.headSize);
            }
            write(layer, token, head, totals, total);
        }
    }

    static constexpr Kernel named(const char *name) {
        return {name, scratchFloats, attend, merge};
    }
};

} // namespace
} // namespace sluice::paged
