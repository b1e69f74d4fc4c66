#pragma once

#include "sampler.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <vector>

namespace sluice::sampler {

/**
 * Waits for what makes a lazy grammar binding. Looks at no more than the last textMaxBytes of the generated
 * text, so that waiting costs the same however long the text gets: a match must fit in there, and a pattern
 * anchored at the start is given up once the start is gone.
 */
class LazyTrigger {
public:
    static constexpr size_t textMaxBytes = 1024;

    /** Throws SamplerError for a bad pattern. */
    explicit LazyTrigger(const std::vector<GrammarTrigger> &triggers);

    /** What the grammar has to be fed once triggered: these tokens, without the first `skipBytes` of the
     * first one. */
    struct Start {
        std::vector<int32_t> tokens;
        size_t skipBytes;
    };

    /** Adds a generated token. */
    std::optional<Start> push(int32_t token, const std::string &piece);

    /** Takes the last push() back, whose Start was of no use. */
    void undo();

private:
    struct Pattern {
        std::regex regex;
        std::string literal; // part of every match; empty: not known
        bool anchored;       // matches at the text's start only
        bool leadingGap; // starts with a gap of any length: what it matches, it also matches from the start
        bool whole;      // must match all of the text
    };
    struct Piece {
        int32_t token;
        size_t bytes;
    };

    void addPattern(const std::string &pattern);
    std::optional<size_t> findStart(size_t newBytes) const;
    std::optional<size_t> matchPattern(const Pattern &pattern) const;
    Start startAt(size_t offset) const;
    void trim();

    std::vector<int32_t> tokens_;
    std::vector<std::string> words_;
    std::vector<Pattern> patterns_;
    std::string text_;
    std::vector<Piece> pieces_; // of text_
    bool startGone_ = false;
};

} // namespace sluice::sampler
