// The kernel, written once over a vector type V. Included by paged-kernel-<level>.cpp inside its target
// pragma, hence neither includes nor templates of the standard library here: compiled for a wider target,
// they would break the one-definition rule.
//
// V gives: lanes (16 is a multiple of it), F (vector of float), zero, set1, load, store, add, sub, mul, div,
// max, fma(a, b, c) = a * b + c, sum and maximum across lanes, loadF16/loadBf16/loadI8 (widened to float),
// half (one F16 to float), keep(x, a, b) = x in lanes [a, b) and -infinity in the others, addExponent(p, r) =
// p * 2^n for r = 1.5 * 2^23 + n, absolute, copySign(x, sign), transpose (lanes vectors), and the register
// tiles it has room for: scoreCells, valueVectors, wideRows.

namespace sluice::paged {
namespace {

template <class V> struct KernelOf {
    using F = typename V::F;
    static constexpr int32_t lanes = V::lanes;
    static constexpr float infinity = __builtin_inff();

    // Up to this many query rows read keys and values in place; more of them pay for widening each tile to
    // F32 once.
    static constexpr int32_t narrowRowsMax = 8;
    static constexpr int32_t narrowRows = 4;       // rows that share a load of a key or value
    static constexpr int32_t narrowTile = 64;      // cells
    static constexpr int32_t wideTile = 2 * lanes; // cells
    static constexpr int32_t wideRows = V::wideRows;

    // One query row's visible range and running softmax.
    struct Row {
        int32_t lo;
        int32_t hi;
        int32_t position;
        float slope;
        float largest;
        float sum;
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

    // Scores of a tile of `cells`, [first, first + cells), become weights; the row's softmax moves on.
    // Returns what the row's values accumulated so far have to be multiplied by. The row must see a cell of
    // the tile, or have seen one.
    static float weigh(float *scores, int32_t first, int32_t cells, float softcap, Row &row) {
        const int32_t lo = row.lo - first, hi = row.hi - first;
        F largest = V::set1(-infinity);
        for (int32_t i = 0; i < cells; i += lanes) {
            F x = V::load(scores + i);
            if (softcap != 0.0f) x = V::mul(tanh(x), V::set1(softcap));
            if (row.slope != 0.0f) {
                const F distance = V::add(V::iota(), V::set1(static_cast<float>(first + i - row.position)));
                x = V::fma(distance, V::set1(row.slope), x);
            }
            if (i < lo || i + lanes > hi) x = V::keep(x, lo - i, hi - i);
            V::store(scores + i, x);
            largest = V::max(largest, x);
        }
        const float tileLargest = V::maximum(largest);
        const float newLargest = tileLargest > row.largest ? tileLargest : row.largest;
        const F reference = V::set1(newLargest);
        F sum = V::zero();
        for (int32_t i = 0; i < cells; i += lanes) {
            F weight = exp(V::sub(V::load(scores + i), reference));
            V::store(scores + i, weight);
            sum = V::add(sum, weight);
        }
        const float correction = newLargest == row.largest ? 1.0f : exp1(row.largest - newLargest);
        row.sum = row.sum * correction + V::sum(sum);
        row.largest = newLargest;
        return correction;
    }

    // Where the cells of a tile lie.
    static void locate(const Item &item, const Cells &cells, int32_t kvHead, int32_t pageSize, int32_t first,
                       int32_t count, int32_t padded, const char **at) {
        const auto shift = static_cast<uint32_t>(__builtin_ctz(static_cast<uint32_t>(pageSize)));
        const char *data = cells.data + kvHead * cells.headStride;
        for (int32_t i = 0; i < padded; i++) {
            const int32_t p = first + smaller(i, count - 1);
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
                V::sums(sums[r], scores + r * narrowTile + i);
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
                const F weight = V::set1(weights[r * narrowTile + i]);
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
        static constexpr Score table[narrowRows] = {score<T, 1>, score<T, 2>, score<T, 3>, score<T, 4>};
        return table[rows - 1];
    }
    template <CellType T> static Accumulate accumulateOf(int32_t rows) {
        static constexpr Accumulate table[narrowRows] = {accumulate<T, 1>, accumulate<T, 2>, accumulate<T, 3>,
                                                         accumulate<T, 4>};
        return table[rows - 1];
    }
    static Score scoreOf(CellType type, int32_t rows) {
        if (type == CellType::f16) return scoreOf<CellType::f16>(rows);
        return type == CellType::bf16 ? scoreOf<CellType::bf16>(rows) : scoreOf<CellType::q8_0>(rows);
    }
    static Accumulate accumulateOf(CellType type, int32_t rows) {
        if (type == CellType::f16) return accumulateOf<CellType::f16>(rows);
        return type == CellType::bf16 ? accumulateOf<CellType::bf16>(rows)
                                      : accumulateOf<CellType::q8_0>(rows);
    }

    static bool seesNothing(const Row *rows, int32_t count, int32_t first, int32_t last) {
        for (int32_t r = 0; r < count; r++) {
            if (rows[r].lo < last && rows[r].hi > first) return false;
        }
        return true;
    }

    // Few rows: they are bound by reading memory, so keys and values are used where they lie.
    static void attendNarrow(const Layer &layer, const Item &item, int32_t kvHead, Row *rows, int32_t count,
                             const float *q, float *out) {
        alignas(64) float scores[narrowRows * narrowTile];
        const char *keys[2][narrowTile], *values[narrowTile];
        const int32_t kSize = layer.k.headSize, vSize = layer.v.headSize;
        int32_t cells = smaller(narrowTile, item.last - item.first);
        locate(item, layer.k, kvHead, layer.pageSize, item.first, cells, narrowTile, keys[0]);
        for (int32_t first = item.first, turn = 0; first < item.last; first += narrowTile, turn ^= 1) {
            const int32_t next = first + narrowTile;
            const int32_t nextCells = smaller(narrowTile, item.last - next);
            locate(item, layer.v, kvHead, layer.pageSize, first, cells, narrowTile, values);
            if (nextCells > 0) {
                locate(item, layer.k, kvHead, layer.pageSize, next, nextCells, narrowTile, keys[turn ^ 1]);
            }
            bool fetched = false;
            for (int32_t r = 0; r < count; r += narrowRows) {
                const int32_t n = smaller(narrowRows, count - r);
                if (seesNothing(rows + r, n, first, first + cells)) continue;
                scoreOf(layer.k.type, n)(q + r * kSize, kSize, keys[turn], roundUp(cells, V::scoreCells),
                                         scores, fetched ? Ahead{} : Ahead{values, layer.v.headBytes()});
                float correction[narrowRows];
                for (int32_t i = 0; i < n; i++) {
                    correction[i] =
                        weighOrSkip(scores + i * narrowTile, first, cells, layer.softcap, rows[r + i]);
                }
                const bool more = !fetched && nextCells > 0;
                accumulateOf(layer.v.type, n)(scores, values, cells, out + r * vSize, vSize, correction,
                                              more ? Ahead{keys[turn ^ 1], layer.k.headBytes()} : Ahead{});
                fetched = true;
            }
            cells = nextCells;
        }
    }

    // As weigh(), but a row that sees nothing of the tile, and has seen nothing before, gets weights of zero.
    static float weighOrSkip(float *scores, int32_t first, int32_t cells, float softcap, Row &row) {
        if (row.lo < first + cells && row.hi > first)
            return weigh(scores, first, roundUp(cells, lanes), softcap, row);
        for (int32_t i = 0; i < cells; i += lanes)
            V::store(scores + i, V::zero());
        return 1.0f;
    }

    template <CellType T>
    static void widen(const char *const *keys, int32_t kSize, const char *const *values, CellType vType,
                      int32_t vSize, float *wideKeys, float *wideValues) {
        for (int32_t half = 0; half < wideTile; half += lanes) {
            for (int32_t d = 0; d < kSize; d += lanes) {
                F tile[lanes];
#pragma GCC unroll 16
                for (int32_t i = 0; i < lanes; i++)
                    tile[i] = loadCell<T>(keys[half + i], d);
                V::transpose(tile);
#pragma GCC unroll 16
                for (int32_t i = 0; i < lanes; i++)
                    V::store(wideKeys + (d + i) * wideTile + half, tile[i]);
            }
        }
        for (int32_t i = 0; i < wideTile; i++) {
            for (int32_t d = 0; d < vSize; d += lanes) {
                const F value = vType == CellType::f16    ? loadCell<CellType::f16>(values[i], d)
                                : vType == CellType::bf16 ? loadCell<CellType::bf16>(values[i], d)
                                                          : loadCell<CellType::q8_0>(values[i], d);
                V::store(wideValues + i * vSize + d, value);
            }
        }
    }

    static void widen(const Layer &layer, const char *const *keys, const char *const *values, float *wideKeys,
                      float *wideValues) {
        const auto run = layer.k.type == CellType::f16    ? widen<CellType::f16>
                         : layer.k.type == CellType::bf16 ? widen<CellType::bf16>
                                                          : widen<CellType::q8_0>;
        run(keys, layer.k.headSize, values, layer.v.type, layer.v.headSize, wideKeys, wideValues);
    }

    // scores[r][..] = q[r] . keys for a block of rows and a whole tile.
    static void scoreWide(const float *q, int32_t size, const float *keys, float *scores) {
        F sums[wideRows][2];
#pragma GCC unroll 16
        for (int32_t r = 0; r < wideRows; r++)
            sums[r][0] = sums[r][1] = V::zero();
        for (int32_t d = 0; d < size; d++) {
            const F a = V::load(keys + d * wideTile), b = V::load(keys + d * wideTile + lanes);
#pragma GCC unroll 16
            for (int32_t r = 0; r < wideRows; r++) {
                const F x = V::set1(q[r * size + d]);
                sums[r][0] = V::fma(x, a, sums[r][0]);
                sums[r][1] = V::fma(x, b, sums[r][1]);
            }
        }
#pragma GCC unroll 16
        for (int32_t r = 0; r < wideRows; r++) {
            V::store(scores + r * wideTile, sums[r][0]);
            V::store(scores + r * wideTile + lanes, sums[r][1]);
        }
    }

    template <int32_t N>
    static void accumulateWide(const float *weights, int32_t cells, const float *values, float *out,
                               int32_t size, int32_t d, const float *correction) {
        F sums[wideRows][N];
#pragma GCC unroll 16
        for (int32_t r = 0; r < wideRows; r++)
#pragma GCC unroll 16
            for (int32_t n = 0; n < N; n++)
                sums[r][n] = V::mul(V::load(out + r * size + d + n * lanes), V::set1(correction[r]));
        for (int32_t i = 0; i < cells; i++) {
            F value[N];
#pragma GCC unroll 16
            for (int32_t n = 0; n < N; n++)
                value[n] = V::load(values + i * size + d + n * lanes);
#pragma GCC unroll 16
            for (int32_t r = 0; r < wideRows; r++) {
                const F weight = V::set1(weights[r * wideTile + i]);
#pragma GCC unroll 16
                for (int32_t n = 0; n < N; n++)
                    sums[r][n] = V::fma(weight, value[n], sums[r][n]);
            }
        }
#pragma GCC unroll 16
        for (int32_t r = 0; r < wideRows; r++)
#pragma GCC unroll 16
            for (int32_t n = 0; n < N; n++)
                V::store(out + r * size + d + n * lanes, sums[r][n]);
    }

    // Many rows: they are bound by arithmetic, so each tile is widened to F32, keys transposed, once for all
    // of them.
    static void attendWide(const Layer &layer, const Item &item, int32_t kvHead, Row *rows, int32_t count,
                           const float *q, float *out, float *wideKeys, float *wideValues) {
        alignas(64) float scores[wideRows * wideTile];
        const char *keys[wideTile], *values[wideTile];
        const int32_t kSize = layer.k.headSize, vSize = layer.v.headSize;
        for (int32_t first = item.first; first < item.last; first += wideTile) {
            const int32_t cells = smaller(wideTile, item.last - first);
            locate(item, layer.k, kvHead, layer.pageSize, first, cells, wideTile, keys);
            locate(item, layer.v, kvHead, layer.pageSize, first, cells, wideTile, values);
            widen(layer, keys, values, wideKeys, wideValues);
            for (int32_t r = 0; r < count; r += wideRows) {
                if (seesNothing(rows + r, wideRows, first, first + cells)) continue;
                scoreWide(q + r * kSize, kSize, wideKeys, scores);
                float correction[wideRows];
                for (int32_t i = 0; i < wideRows; i++) {
                    correction[i] =
                        weighOrSkip(scores + i * wideTile, first, cells, layer.softcap, rows[r + i]);
                }
                int32_t d = 0;
                for (; d + 2 * lanes <= vSize; d += 2 * lanes) {
                    accumulateWide<2>(scores, cells, wideValues, out + r * vSize, vSize, d, correction);
                }
                for (; d < vSize; d += lanes) {
                    accumulateWide<1>(scores, cells, wideValues, out + r * vSize, vSize, d, correction);
                }
            }
        }
    }

    static int32_t paddedRows(int32_t rows) {
        return roundUp(rows, wideRows);
    }

    static size_t scratchFloats(const Layer &layer) {
        const int32_t rows = paddedRows(Plan::sharesMax(layer.rowsPerToken()) * layer.rowsPerToken());
        return static_cast<size_t>(rows + wideTile) * (layer.k.headSize + layer.v.headSize) +
               rows * sizeof(Row) / sizeof(float);
    }

    // A finished row: normalised into the result, a sink's share included.
    static void write(const Layer &layer, int32_t token, int32_t head, const float *values, const Row &row) {
        float factor = 1.0f / row.sum;
        if (layer.sinks) {
            const float sink = layer.sinks[head];
            const float largest = sink > row.largest ? sink : row.largest;
            const float correction = exp1(row.largest - largest);
            factor = correction / (row.sum * correction + exp1(sink - largest));
        }
        const int32_t size = layer.v.headSize;
        float *out = layer.out + (static_cast<size_t>(token) * layer.heads + head) * size;
        const F f = V::set1(factor);
        for (int32_t d = 0; d < size; d += lanes)
            V::store(out + d, V::mul(V::load(values + d), f));
    }

    static void writePartial(const Layer &layer, int32_t slot, int32_t head, const float *values,
                             const Row &row, const Partials &partials) {
        const size_t at = static_cast<size_t>(slot) * layer.heads + head;
        const int32_t size = layer.v.headSize;
        for (int32_t d = 0; d < size; d += lanes)
            V::store(partials.values + at * size + d, V::load(values + d));
        partials.states[2 * at] = row.largest;
        partials.states[2 * at + 1] = row.sum;
    }

    static void loadQueries(const Layer &layer, const Item &item, const Share *shares, int32_t kvHead,
                            float *q, Row *rows) {
        const int32_t group = layer.rowsPerToken(), size = layer.k.headSize;
        const F scale = V::set1(layer.softcap != 0.0f ? layer.scale / layer.softcap : layer.scale);
        for (int32_t i = 0; i < item.shares(); i++) {
            const Share &share = shares[item.shareBegin + i];
            for (int32_t g = 0; g < group; g++, q += size) {
                const int32_t head = kvHead * group + g;
                const float *from = layer.q + share.token * layer.qTokenStride + head * layer.qHeadStride;
                for (int32_t d = 0; d < size; d += lanes)
                    V::store(q + d, V::mul(V::load(from + d), scale));
                *rows++ = {share.lo, share.hi, share.position, layer.slopeOf(head), -infinity, 0.0f};
            }
        }
    }

    static void attend(const Layer &layer, const Item &item, const Share *shares, int32_t kvHead,
                       float *scratch, const Partials &partials) {
        const int32_t group = layer.rowsPerToken(), count = item.shares() * group;
        const int32_t kSize = layer.k.headSize, vSize = layer.v.headSize;
        const int32_t padded = paddedRows(count);
        float *q = scratch, *out = q + padded * kSize;
        float *wideKeys = out + padded * vSize, *wideValues = wideKeys + wideTile * kSize;
        auto *rows = reinterpret_cast<Row *>(wideValues + wideTile * vSize);

        loadQueries(layer, item, shares, kvHead, q, rows);
        for (int32_t i = 0; i < padded * vSize; i += lanes)
            V::store(out + i, V::zero());
        if (count <= narrowRowsMax) {
            attendNarrow(layer, item, kvHead, rows, count, q, out);
        } else {
            for (int32_t i = count * kSize; i < padded * kSize; i += lanes)
                V::store(q + i, V::zero());
            for (int32_t r = count; r < padded; r++)
                rows[r] = {0, 0, 0, 0.0f, -infinity, 0.0f};
            attendWide(layer, item, kvHead, rows, padded, q, out, wideKeys, wideValues);
        }
        for (int32_t r = 0; r < count; r++) {
            const Share &share = shares[item.shareBegin + r / group];
            const int32_t head = kvHead * group + r % group;
            const float *values = out + r * vSize;
            if (share.slot < 0) {
                write(layer, share.token, head, values, rows[r]);
            } else {
                writePartial(layer, share.slot, head, values, rows[r], partials);
            }
        }
    }

    static void merge(const Layer &layer, const Plan &plan, int32_t token, int32_t kvHead,
                      const Partials &partials) {
        const int32_t group = layer.rowsPerToken(), size = layer.v.headSize;
        for (int32_t head = kvHead * group; head < (kvHead + 1) * group; head++) {
            Row row = {0, 0, 0, 0.0f, -infinity, 0.0f};
            for (int32_t slot = plan.firstSlot(token); slot >= 0; slot = plan.nextSlot(slot)) {
                const float largest = partials.states[2 * (static_cast<size_t>(slot) * layer.heads + head)];
                if (largest > row.largest) row.largest = largest;
            }
            // Sums up in the first slot's place.
            float *total =
                partials.values + (static_cast<size_t>(plan.firstSlot(token)) * layer.heads + head) * size;
            bool first = true;
            for (int32_t slot = plan.firstSlot(token); slot >= 0; slot = plan.nextSlot(slot), first = false) {
                const size_t at = static_cast<size_t>(slot) * layer.heads + head;
                const float correction = exp1(partials.states[2 * at] - row.largest);
                row.sum += partials.states[2 * at + 1] * correction;
                const F c = V::set1(correction);
                const float *values = partials.values + at * size;
                for (int32_t d = 0; d < size; d += lanes) {
                    const F sum = first ? V::zero() : V::load(total + d);
                    V::store(total + d, V::fma(V::load(values + d), c, sum));
                }
            }
            write(layer, token, head, total, row);
        }
    }

    static constexpr Kernel named(const char *name) {
        return {name, scratchFloats, attend, merge};
    }
};

} // namespace
} // namespace sluice::paged
