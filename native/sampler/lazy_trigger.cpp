#include "lazy_trigger.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace sluice::sampler {

namespace {

constexpr size_t patternMaxBytes = 1024;

// libstdc++'s default matcher recurses once a character and may take exponential time; this one does neither.
#if defined(__GLIBCXX__)
constexpr auto regexFlags = std::regex::ECMAScript | std::regex_constants::__polynomial;
#else
constexpr auto regexFlags = std::regex::ECMAScript;
#endif

/** Skips a class or a group, whose opening bracket is at `at`; returns the index behind it. */
size_t skipBrackets(const std::string &pattern, size_t at) {
    int depth = 0;
    bool isInClass = false;
    for (; at < pattern.size(); at++) {
        const char c = pattern[at];
        if (c == '\\') {
            at++;
        } else if (isInClass) {
            isInClass = c != ']';
        } else if (c == '[') {
            isInClass = true;
        } else if (c == '(' || c == ')') {
            depth += c == '(' ? 1 : -1;
        }
        if (depth == 0 && !isInClass) return at + 1;
    }
    return at;
}

/** The longest run of plain characters that every match holds, looking at the outermost level only. */
std::string literalOf(const std::string &pattern) {
    std::string longest;
    std::string run;
    const auto endRun = [&] {
        if (run.size() > longest.size()) longest = run;
        run.clear();
    };
    for (size_t at = 0; at < pattern.size();) {
        const char c = pattern[at];
        if (c == '|') return "";
        if (c == '*' || c == '?' || c == '{') {
            if (!run.empty()) run.pop_back(); // it may be missing
            endRun();
            at = c == '{' ? std::min(pattern.find('}', at), pattern.size() - 1) + 1 : at + 1;
        } else if (c == '(' || c == '[') {
            endRun();
            at = skipBrackets(pattern, at);
        } else if (c == '\\') {
            const char escaped = at + 1 < pattern.size() ? pattern[at + 1] : '\0';
            if (std::ispunct(static_cast<unsigned char>(escaped))) {
                run += escaped;
            } else if (std::strchr("dDsSwWbBtnrfv", escaped)) {
                endRun();
            } else {
                return ""; // an escape with digits behind it
            }
            at += 2;
        } else if (c == '.' || c == '^' || c == '$' || c == '+') {
            endRun();
            at++;
        } else {
            run += c;
            at++;
        }
    }
    endRun();
    return longest;
}

} // namespace

LazyTrigger::LazyTrigger(const std::vector<GrammarTrigger> &triggers) {
    for (const GrammarTrigger &trigger : triggers) {
        switch (trigger.type) {
        case GrammarTrigger::Type::token:
            tokens_.push_back(trigger.token);
            break;
        case GrammarTrigger::Type::word:
            if (trigger.value.empty() || trigger.value.size() > textMaxBytes)
                throw SamplerError(ErrorCode::invalidParams,
                                   "A grammar trigger's word is empty or too long.");
            words_.push_back(trigger.value);
            break;
        case GrammarTrigger::Type::pattern:
            addPattern(trigger.value);
            break;
        case GrammarTrigger::Type::patternFull: {
            const std::string &value = trigger.value;
            const bool hasStart = !value.empty() && value.front() == '^';
            const bool hasEnd = value.size() > hasStart && value.back() == '$';
            addPattern((hasStart ? "" : "^") + value + (hasEnd ? "" : "$"));
            break;
        }
        }
    }
}

void LazyTrigger::addPattern(const std::string &pattern) {
    if (pattern.empty() || pattern.size() > patternMaxBytes)
        throw SamplerError(ErrorCode::invalidParams, "A grammar trigger's pattern is empty or too long.");
    const bool anchored = pattern.front() == '^';
    try {
        patterns_.push_back({std::regex(pattern, regexFlags), literalOf(pattern), anchored,
                             pattern.rfind("[\\s\\S]*", 0) == 0, anchored && pattern.back() == '$'});
    } catch (const std::regex_error &error) {
        throw SamplerError(ErrorCode::invalidParams,
                           std::string("A grammar trigger's pattern is invalid: ") + error.what());
    }
}

std::optional<LazyTrigger::Start> LazyTrigger::push(int32_t token, const std::string &piece) {
    trim();
    text_ += piece;
    pieces_.push_back({token, piece.size()});
    if (std::find(tokens_.begin(), tokens_.end(), token) != tokens_.end()) return Start{{token}, 0};
    const auto offset = findStart(piece.size());
    if (!offset) return std::nullopt;
    return startAt(*offset);
}

void LazyTrigger::undo() {
    text_.resize(text_.size() - pieces_.back().bytes);
    pieces_.pop_back();
}

std::optional<size_t> LazyTrigger::findStart(size_t newBytes) const {
    if (newBytes == 0) return std::nullopt;
    for (const std::string &word : words_) {
        const size_t reach = newBytes + word.size() - 1; // an older match would have been found before
        const size_t found = text_.find(word, text_.size() - std::min(text_.size(), reach));
        if (found != std::string::npos) return found;
    }
    for (const Pattern &pattern : patterns_)
        if (const auto found = matchPattern(pattern)) return found;
    return std::nullopt;
}

/** Where the first group that isn't empty starts, or else the match. */
std::optional<size_t> LazyTrigger::matchPattern(const Pattern &pattern) const {
    if (pattern.anchored && startGone_) return std::nullopt;
    // A search is tried from every byte, at some 100 ns each: worth avoiding.
    if (text_.find(pattern.literal) == std::string::npos) return std::nullopt;
    const auto flags = pattern.anchored || pattern.leadingGap ? std::regex_constants::match_continuous
                                                              : std::regex_constants::match_default;
    std::smatch match;
    const bool found = pattern.whole ? std::regex_match(text_, match, pattern.regex)
                                     : std::regex_search(text_, match, pattern.regex, flags);
    if (!found) return std::nullopt;
    for (size_t group = 1; group < match.size(); group++)
        if (match.length(group) > 0) return static_cast<size_t>(match.position(group));
    return static_cast<size_t>(match.position(0));
}

LazyTrigger::Start LazyTrigger::startAt(size_t offset) const {
    Start start{{}, 0};
    size_t begin = 0;
    for (const Piece &piece : pieces_) {
        const size_t end = begin + piece.bytes;
        if (end > offset) {
            if (start.tokens.empty()) start.skipBytes = offset > begin ? offset - begin : 0;
            start.tokens.push_back(piece.token);
        }
        begin = end;
    }
    return start;
}

// Before a push, so that undo() always finds its piece. Halving keeps the moves rare.
void LazyTrigger::trim() {
    if (text_.size() <= textMaxBytes) return;
    size_t bytes = 0;
    size_t count = 0;
    while (text_.size() - bytes > textMaxBytes / 2)
        bytes += pieces_[count++].bytes;
    text_.erase(0, bytes);
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(count));
    startGone_ = true;
}

} // namespace sluice::sampler
