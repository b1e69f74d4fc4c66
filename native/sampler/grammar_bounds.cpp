#include "grammar_bounds.h"

#include "sampler.h"

#include <algorithm>
#include <cstdint>

namespace sluice::sampler {

namespace {

constexpr size_t sizeMaxBytes = 256 * 1024;
constexpr int depthMax = 64;                // parentheses within each other; the parser recurses
constexpr int rulesMax = 8192;              // the check for left recursion recurses through rules
constexpr uint64_t elementsMax = 4'000'000; // after repetitions are written out; 8 bytes each
constexpr uint64_t countMax = 1'000'000'000;

[[noreturn]] void refuse(const char *reason) {
    throw SamplerError(ErrorCode::grammarInvalid, std::string("Grammar refused: ") + reason + ".");
}

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

bool isWord(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || isDigit(c) || c == '-' || c == '_';
}

/** Walks the symbols of a grammar, counting the elements libllama will make of them. */
class BoundsScanner {
public:
    explicit BoundsScanner(const std::string &text) : at_(text.c_str()) {}

    void run() {
        while (*at_)
            step();
        charge();
    }

private:
    void step() {
        switch (*at_) {
        case '#':
            skipComment();
            return;
        case '"':
            quoted('"');
            return;
        case '[':
            quoted(']');
            return;
        case '<':
            quoted('>');
            return;
        case '{':
            repetition();
            return;
        case '(':
            if (++depth_ > depthMax) refuse("parentheses too deep");
            break;
        case '.':
            symbol(1);
            break;
        case ')':
            depth_ = std::max(0, depth_ - 1);
            symbol(1);
            break;
        case ':':
            if (at_[1] == ':' && ++rules_ > rulesMax) refuse("too many rules");
            if (at_[1] == ':') at_++;
            break;
        default:
            if (isWord(*at_)) {
                while (isWord(at_[1]))
                    at_++;
                symbol(1);
            }
        }
        at_++;
    }

    void skipComment() {
        while (*at_ && *at_ != '\n' && *at_ != '\r')
            at_++;
    }

    /** A literal, a class or a token name: at most one element a byte. */
    void quoted(char close) {
        const char *start = at_++;
        while (*at_ && *at_ != close)
            at_ += *at_ == '\\' && at_[1] ? 2 : 1;
        if (*at_) at_++;
        symbol(static_cast<uint64_t>(at_ - start));
    }

    uint64_t number() {
        uint64_t value = 0;
        for (; isDigit(*at_); at_++)
            value = std::min(value * 10 + static_cast<uint64_t>(*at_ - '0'), countMax);
        return value;
    }

    void spaces() {
        while (*at_ == ' ' || *at_ == '\t' || *at_ == '\r' || *at_ == '\n' || *at_ == '#') {
            if (*at_ == '#') {
                skipComment();
            } else {
                at_++;
            }
        }
    }

    // {m}, {m,}, {m,n}. The parser counts from n down to m, so n < m never ends.
    void repetition() {
        at_++;
        spaces();
        const uint64_t least = number();
        spaces();
        uint64_t most = least;
        if (*at_ == ',') {
            at_++;
            spaces();
            if (isDigit(*at_)) most = number();
        }
        if (most < least) refuse("a repetition whose maximum is below its minimum");
        symbolElements_ = std::min(symbolElements_ * std::max<uint64_t>(most, 1), countMax);
        if (symbolElements_ > elementsMax) refuse("repetitions too large");
    }

    void symbol(uint64_t elements) {
        charge();
        symbolElements_ = elements;
    }

    void charge() {
        elements_ += symbolElements_;
        symbolElements_ = 0;
        if (elements_ > elementsMax) refuse("repetitions too large");
    }

    const char *at_;
    int depth_ = 0;
    int rules_ = 0;
    uint64_t symbolElements_ = 0; // of the last symbol, to which a repetition applies
    uint64_t elements_ = 0;
};

} // namespace

void checkGrammarBounds(const std::string &grammar) {
    if (grammar.size() > sizeMaxBytes) refuse("longer than 256 KiB");
    if (grammar.find('\0') != std::string::npos) refuse("it contains a zero byte");
    BoundsScanner(grammar).run();
}

} // namespace sluice::sampler
