#include "harness.h"

#include "sampler/lazy_trigger.h"

using namespace sluice::sampler;

namespace {

using Type = GrammarTrigger::Type;

/** Pushes pieces as tokens 0, 1, …; the tokens and skipped bytes of the start as text, or "" if nothing
 * triggers. */
std::string run(const std::vector<GrammarTrigger> &triggers, const std::vector<std::string> &pieces) {
    LazyTrigger trigger(triggers);
    for (size_t i = 0; i < pieces.size(); i++) {
        const auto start = trigger.push(static_cast<int32_t>(i), pieces[i]);
        if (!start) continue;
        std::string out;
        for (const int32_t token : start->tokens)
            out += std::to_string(token) + " ";
        return out + "skip " + std::to_string(start->skipBytes);
    }
    return "";
}

} // namespace

TEST(lazyTrigger_token) {
    const std::vector<GrammarTrigger> triggers = {{Type::token, "", 2}};
    CHECK_EQUAL(run(triggers, {"a", "b", "c"}), std::string("2 skip 0"));
    CHECK_EQUAL(run(triggers, {"a", "b"}), std::string());
}

TEST(lazyTrigger_wordAcrossTokens) {
    const std::vector<GrammarTrigger> triggers = {{Type::word, "<tool>", -1}};
    CHECK_EQUAL(run(triggers, {"so <to", "ol", ">{"}), std::string("0 1 2 skip 3"));
    CHECK_EQUAL(run(triggers, {"so ", "<tool>"}), std::string("1 skip 0"));
    CHECK_EQUAL(run(triggers, {"<tool", "<tool>"}), std::string("1 skip 0"));
    CHECK_EQUAL(run(triggers, {"<too", "<tool"}), std::string());
}

TEST(lazyTrigger_firstWordOfTheListCounts) {
    CHECK_EQUAL(run({{Type::word, "cd", -1}, {Type::word, "b", -1}}, {"abcd"}), std::string("0 skip 2"));
}

TEST(lazyTrigger_patternStartsAtItsGroup) {
    const std::vector<GrammarTrigger> group = {{Type::pattern, "<\\|start\\|>assistant(\\s+to)", -1}};
    CHECK_EQUAL(run(group, {"x<|start|>", "assistant", " to", "="}), std::string("2 skip 0"));
    const std::vector<GrammarTrigger> lookahead = {{Type::pattern, ">>>(?!all)", -1}};
    CHECK_EQUAL(run(lookahead, {"hm >>>", "name"}), std::string("0 skip 3"));
    CHECK_EQUAL(run(lookahead, {"hm >>>all", "name"}), std::string());
}

TEST(lazyTrigger_anchoredPatterns) {
    const std::vector<GrammarTrigger> whole = {{Type::pattern, "^\\s+to$", -1}};
    CHECK_EQUAL(run(whole, {" ", "to"}), std::string("0 1 skip 0"));
    CHECK_EQUAL(run(whole, {"a", " to"}), std::string());
    const std::vector<GrammarTrigger> full = {{Type::patternFull, "[\\s\\S]*(\\{)[\\s\\S]*", -1}};
    CHECK_EQUAL(run(full, {"ab", "c{d"}), std::string("1 skip 1"));
}

// Patterns whose literal part must not be taken from where a match may lack it.
TEST(lazyTrigger_patternsOfManyForms) {
    const std::pair<const char *, const char *> cases[] = {
        {"colou?r", "the color"}, {"ab*c", "ac"},           {"ab{0,1}c", "ac"},   {"one|two", "two"},
        {"(one|two)x", "twox"},   {"[a\\]b(]c", "bc"},      {"\\x41\\x42", "AB"}, {"a+b", "aab"},
        {"\\(a\\)", "(a)"},       {"(a(b|c)\\))d", "ac)d"}, {"x(?:yz)?w", "xw"},  {"a.c", "abc"}};
    for (const auto &[pattern, text] : cases) {
        CHECK_EQUAL(run({{Type::pattern, pattern, -1}}, {text}).empty(), false);
        CHECK_EQUAL(run({{Type::pattern, pattern, -1}}, {"#"}), std::string());
    }
}

TEST(lazyTrigger_undoForgetsTheLastToken) {
    LazyTrigger trigger({{Type::word, "abc", -1}});
    CHECK(!trigger.push(0, "a"));
    CHECK(trigger.push(1, "bcx").has_value());
    trigger.undo();
    CHECK(!trigger.push(2, "b"));
    const auto start = trigger.push(3, "c");
    CHECK(start && start->tokens == std::vector<int32_t>({0, 2, 3}));
}

TEST(lazyTrigger_longTextCostsNoMore) {
    LazyTrigger trigger({{Type::word, "word", -1},
                         {Type::pattern, "(a|aa)+$", -1},
                         {Type::pattern, "[\\s\\S]*?(needle)", -1},
                         {Type::patternFull, "b+", -1}});
    for (int32_t i = 0; i < 3000; i++)
        CHECK(!trigger.push(i, "some text. "));
    CHECK(!trigger.push(3000, "wo"));
    const auto word = trigger.push(3001, "rd");
    CHECK(word && word->tokens == std::vector<int32_t>({3000, 3001}));
    trigger.undo();
    const auto needle = trigger.push(3002, " needle");
    CHECK(needle && needle->tokens == std::vector<int32_t>({3002}) && needle->skipBytes == 1);
}

// A matcher that backtracks needs exponential time for this.
TEST(lazyTrigger_hostilePattern) {
    LazyTrigger trigger({{Type::pattern, "(a+)+b", -1}});
    for (int32_t i = 0; i < 50; i++)
        CHECK(!trigger.push(i, "aaaaaaaaaa"));
}

TEST(lazyTrigger_refusesBadTriggers) {
    CHECK_THROWS(LazyTrigger({{Type::word, "", -1}}), ErrorCode::invalidParams);
    CHECK_THROWS(LazyTrigger({{Type::pattern, "", -1}}), ErrorCode::invalidParams);
    CHECK_THROWS(LazyTrigger({{Type::pattern, "(", -1}}), ErrorCode::invalidParams);
    CHECK_THROWS(LazyTrigger({{Type::pattern, std::string(1025, 'a'), -1}}), ErrorCode::invalidParams);
    CHECK_THROWS(LazyTrigger({{Type::word, std::string(1025, 'a'), -1}}), ErrorCode::invalidParams);
}
