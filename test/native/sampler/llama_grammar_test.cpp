// Grammars through libllama, over a real vocabulary: SLUICE_TEST_VOCAB names a vocabulary-only GGUF file.

#include "data.h"
#include "harness.h"
#include "pick.h"

#include "sampler/grammar.h"
#include "sampler/grammar_bounds.h"

#include "llama.h"

#include <cstdlib>
#include <memory>
#include <string>

using namespace sluice::sampler;

namespace {

struct Model {
    Model() {
        llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
        llama_model_params params = llama_model_default_params();
        params.vocab_only = true;
        const char *file = std::getenv("SLUICE_TEST_VOCAB");
        model = file ? llama_model_load_from_file(file, params) : nullptr;
        if (!model) {
            std::fprintf(stderr, "SLUICE_TEST_VOCAB must name a vocabulary-only GGUF file.\n");
            std::exit(2);
        }
        vocab.handle = llama_model_get_vocab(model);
        vocab.size = llama_vocab_n_tokens(vocab.handle);
        for (int32_t token = 0; token < vocab.size; token++)
            if (llama_vocab_is_eog(vocab.handle, token)) vocab.endOfGeneration.push_back(token);
    }
    ~Model() { llama_model_free(model); }

    llama_model *model;
    Vocab vocab;
};

const Vocab &vocab() {
    static const Model model;
    return model.vocab;
}

reference::Tokens tokenize(const std::string &text) {
    reference::Tokens tokens(text.size() + 8);
    const auto count = llama_tokenize(vocab().handle, text.data(), static_cast<int32_t>(text.size()),
                                      tokens.data(), static_cast<int32_t>(tokens.size()), false, true);
    tokens.resize(static_cast<size_t>(count));
    return tokens;
}

std::string piece(int32_t token) {
    char text[256];
    const auto size = llama_token_to_piece(vocab().handle, token, text, sizeof text, 0, true);
    return std::string(text, static_cast<size_t>(size));
}

bool isEnd(int32_t token) {
    return llama_vocab_is_eog(vocab().handle, token);
}

/** Generates until an end of generation or `tokensMax`, from random logits. */
std::string generate(const Params &params, int tokensMax, uint32_t seed) {
    Sampler sampler(params, vocab(), nullptr, 0, 0);
    SamplerPool pool(1, vocab().size);
    std::string text;
    for (int i = 0; i < tokensMax; i++) {
        const auto logits = data::row(vocab().size, data::Kind::normal, seed + static_cast<uint32_t>(i));
        const SampleRow out = pick(pool, sampler, logits);
        if (out.status != RowStatus::ok) return text + "!";
        if (isEnd(out.token)) return text + "$";
        text += piece(out.token);
    }
    return text;
}

Params withGrammar(const std::string &grammar) {
    Params params;
    params.temperature = 1;
    params.topK = 40;
    params.grammar = grammar;
    return params;
}

/** A row where the tokens given have the greatest logits, in that order. */
reference::Logits preferring(const reference::Tokens &tokens) {
    reference::Logits logits(static_cast<size_t>(vocab().size), 0.0f);
    float logit = 50;
    for (const int32_t token : tokens)
        logits[token] = logit--;
    return logits;
}

} // namespace

TEST(llamaGrammar_generatesOnlyWhatItAllows) {
    const std::string grammar = "root ::= (\"yes\" | \"no\") \"!\"";
    for (uint32_t seed = 0; seed < 6; seed++) {
        Params params = withGrammar(grammar);
        params.seed = seed;
        if (seed == 1) params.temperature = 0;
        if (seed == 2) params.topK = 0;
        const std::string text = generate(params, 20, 100 * seed);
        CHECK(text == "yes!$" || text == "no!$");
    }
}

TEST(llamaGrammar_endsOnlyWhenComplete) {
    const int32_t end = vocab().endOfGeneration[0];
    const int32_t a = tokenize("a")[0];
    Params params = withGrammar("root ::= \"a\" \"a\" \"a\"?");
    params.temperature = 0;
    Sampler sampler(params, vocab(), nullptr, 0, 0);
    SamplerPool pool(1, vocab().size);
    const auto logits = preferring({end, a});
    CHECK_EQUAL(pick(pool, sampler, logits).token, a);
    CHECK_EQUAL(pick(pool, sampler, logits).token, a);
    CHECK_EQUAL(pick(pool, sampler, logits).token, end);
}

TEST(llamaGrammar_completeEndsEvenWhereEndsAreBanned) {
    Params params = withGrammar("root ::= \"a\"");
    params.ignoreEos = true;
    CHECK_EQUAL(generate(params, 5, 1), std::string("a$"));
}

TEST(llamaGrammar_bannedTokensMakeItFail) {
    Params params = withGrammar("root ::= \"a\"");
    const int32_t a = tokenize("a")[0];
    Sampler sampler(params, vocab(), nullptr, 0, 0);
    SamplerPool pool(1, vocab().size);
    auto logits = preferring({a});
    logits[a] = -data::infinity;
    const SampleRow failed = pick(pool, sampler, logits);
    CHECK(failed.status == RowStatus::grammarFailed);
    CHECK_EQUAL(failed.token, -1);
    logits[a] = 0;
    CHECK_EQUAL(pick(pool, sampler, logits).token, a);
}

TEST(llamaGrammar_replaysGeneratedTokens) {
    const auto history = tokenize("say: ab");
    const reference::Tokens generated = {tokenize("a")[0], tokenize("b")[0]};
    reference::Tokens all = history;
    all.insert(all.end(), generated.begin(), generated.end());
    Params params = withGrammar("root ::= \"a\" \"b\" \"c\"");
    Sampler sampler(params, vocab(), all.data(), all.size(), generated.size());
    SamplerPool pool(1, vocab().size);
    CHECK_EQUAL(pick(pool, sampler, preferring(generated)).token, tokenize("c")[0]);
    CHECK_THROWS(Sampler(params, vocab(), all.data(), all.size(), 3), ErrorCode::grammarInvalid);
    const int32_t end[] = {vocab().endOfGeneration[0]}; // libllama aborts if it is fed this
    CHECK_THROWS(Sampler(params, vocab(), end, 1, 1), ErrorCode::grammarInvalid);
}

TEST(llamaGrammar_lazyBindsAfterItsWord) {
    Params params = withGrammar("root ::= \"[\" [0-9]+ \"]\"");
    params.temperature = 0;
    params.grammarLazy = true;
    params.grammarTriggers = {{GrammarTrigger::Type::word, "[", -1}};
    Sampler sampler(params, vocab(), nullptr, 0, 0);
    SamplerPool pool(1, vocab().size);
    const int32_t free = tokenize(" hello")[0];
    const int32_t open = tokenize("[")[0];
    const int32_t digit = tokenize("7")[0];
    const int32_t close = tokenize("]")[0];
    CHECK_EQUAL(pick(pool, sampler, preferring({free})).token, free);
    CHECK_EQUAL(pick(pool, sampler, preferring({open})).token, open);
    CHECK_EQUAL(pick(pool, sampler, preferring({free, close, digit})).token, digit);
    CHECK_EQUAL(pick(pool, sampler, preferring({free, close})).token, close);
    CHECK(isEnd(pick(pool, sampler, preferring({free})).token));
}

TEST(llamaGrammar_lazyStartsInTheMiddleOfAToken) {
    const int32_t spaced = tokenize(" [")[0];
    CHECK_EQUAL(piece(spaced), std::string(" ["));
    Params params = withGrammar("root ::= \"[\" [0-9] \"]\"");
    params.temperature = 0;
    params.grammarLazy = true;
    params.grammarTriggers = {{GrammarTrigger::Type::word, "[", -1}};
    Sampler sampler(params, vocab(), nullptr, 0, 0);
    SamplerPool pool(1, vocab().size);
    const int32_t free = tokenize(" hello")[0];
    const int32_t digit = tokenize("7")[0];
    CHECK_EQUAL(pick(pool, sampler, preferring({spaced})).token, spaced);
    CHECK_EQUAL(pick(pool, sampler, preferring({free, digit})).token, digit);
}

// A token that triggers with text the grammar refuses is itself refused.
TEST(llamaGrammar_lazyRefusesAContradictingTrigger) {
    const int32_t closed = tokenize("[]")[0];
    CHECK_EQUAL(piece(closed), std::string("[]"));
    Params params = withGrammar("root ::= \"[\" [0-9] \"]\"");
    params.grammarLazy = true;
    params.grammarTriggers = {{GrammarTrigger::Type::word, "[", -1}};
    const int32_t free = tokenize(" hello")[0];
    SamplerPool pool(1, vocab().size);
    for (const float temperature : {0.0f, 0.5f}) {
        params.temperature = temperature;
        Sampler sampler(params, vocab(), nullptr, 0, 0);
        auto logits = preferring({closed, free});
        logits[closed] = 90;
        CHECK_EQUAL(pick(pool, sampler, logits).token, free);
        CHECK_EQUAL(pick(pool, sampler, logits).token, free);
    }
}

TEST(llamaGrammar_lazyBindsAfterItsToken) {
    const int32_t open = tokenize("[")[0];
    Params params = withGrammar("root ::= \"[\" \"x\"");
    params.temperature = 0;
    params.grammarLazy = true;
    params.grammarTriggers = {{GrammarTrigger::Type::token, "", open}};
    const reference::Tokens generated = {tokenize(" hello")[0], open};
    Sampler resumed(params, vocab(), generated.data(), generated.size(), generated.size());
    SamplerPool pool(1, vocab().size);
    CHECK_EQUAL(pick(pool, resumed, preferring(generated)).token, tokenize("x")[0]);
}

TEST(llamaGrammar_longRuns) {
    const std::string grammar = "root ::= \"{\" pair (\",\" pair)* \"}\"\n"
                                "pair ::= \"\\\"\" [a-z]+ \"\\\":\" [0-9]+\n";
    Params params = withGrammar(grammar);
    const std::string text = generate(params, 60, 7);
    CHECK(text.substr(0, 2) == "{\"");
    CHECK(text.find('!') == std::string::npos);
}

TEST(llamaGrammar_validates) {
    validateGrammar("root ::= \"a\"", nullptr);
    validateGrammar("root ::= x{2,5}\nx ::= [^\"\\\\] | \"\\\"\" # {9,1}\n", nullptr);
    for (const char *bad : {"", "root", "x ::= \"a\"", "root ::= root \"a\"", "root ::= missing",
                            "root ::= \"a", "root ::= [a", "root ::= (\"a\"", "root ::= \"a\"{5,2}",
                            "root ::= \"a\" { 5 , # {1,2}\n 2 }", "root ::= .{2000}{2000}"})
        CHECK_THROWS(validateGrammar(bad, nullptr), ErrorCode::grammarInvalid);
}

TEST(llamaGrammar_bounds) {
    const auto repeated = [](const std::string &text, int times) {
        std::string out;
        for (int i = 0; i < times; i++)
            out += text;
        return out;
    };
    CHECK_THROWS(checkGrammarBounds("root ::= \"" + repeated("a", 300000) + "\""), ErrorCode::grammarInvalid);
    CHECK_THROWS(checkGrammarBounds("root ::= " + repeated("(", 65) + "\"a\"" + repeated(")", 65)),
                 ErrorCode::grammarInvalid);
    CHECK_THROWS(checkGrammarBounds("root ::= \"a\"\n" + repeated("a ::= \"a\"\n", 8192)),
                 ErrorCode::grammarInvalid);
    CHECK_THROWS(checkGrammarBounds("root ::= \"" + repeated("a", 5000) + "\"{1000}"),
                 ErrorCode::grammarInvalid);
    CHECK_THROWS(checkGrammarBounds("root ::= \"" + repeated("a", 5000) + "\"{50}{50}"),
                 ErrorCode::grammarInvalid);
    CHECK_THROWS(checkGrammarBounds("root ::= " + repeated("[abcdefgh]{2000} ", 400)),
                 ErrorCode::grammarInvalid);
    CHECK_THROWS(checkGrammarBounds(std::string("root ::= \"a\0\"", 13)), ErrorCode::grammarInvalid);
    checkGrammarBounds("root ::= " + repeated("(", 64) + "\"((((\"" + repeated(")", 64));
    checkGrammarBounds("root ::= " + repeated("([a-z] \"{9,1}\")+ ", 1000));
}
