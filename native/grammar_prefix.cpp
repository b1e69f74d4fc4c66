#include "grammar_prefix.h"

#include <cctype>

#include "errors.h"
#include "json.h"
#include "text.h"

namespace sluice {

namespace {

const std::string marker = "#after ";

/** Some tokenizers put a space before the first token, which neither the text nor the grammar has. */
bool isAddedSpace(const Model &model, llama_token token, const std::string &prefix) {
    const std::string piece = detokenize(model, &token, 1, true);
    const auto isSpace = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
    return !piece.empty() && isSpace(piece[0]) && !isSpace(prefix[0]);
}

} // namespace

std::string withGrammarPrefix(const std::string &grammar, const std::string &prefix) {
    return prefix.empty() ? grammar : marker + common_json::make(prefix).dump_safe() + "\n" + grammar;
}

std::vector<llama_token> grammarPrefixTokens(const Model &model, const std::string &grammar) {
    if (grammar.compare(0, marker.size(), marker) != 0) return {};
    const std::string line = grammar.substr(marker.size(), grammar.find('\n') - marker.size());
    std::string prefix;
    try {
        prefix = common_json::parse(line).get<std::string>();
    } catch (const common_json_error &error) {
        throw NativeError(ErrorCode::grammarInvalid, "The grammar's prefix is no JSON string.");
    }
    if (prefix.empty()) return {};
    std::vector<llama_token> tokens = tokenize(model, prefix, false, true);
    if (!tokens.empty() && isAddedSpace(model, tokens.front(), prefix)) tokens.erase(tokens.begin());
    return tokens;
}

} // namespace sluice
