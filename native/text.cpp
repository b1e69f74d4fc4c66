#include "text.h"

#include <algorithm>
#include <string_view>

#include "large_stack.h"
#include "text_runs.h"

namespace sluice {

namespace {

enum VocabFlag : uint8_t { control = 1, endOfGeneration = 2, unused = 4 };

std::string pieceOf(const llama_vocab *vocab, llama_token token) {
    std::string piece(64, '\0');
    int32_t length =
        llama_token_to_piece(vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0, true);
    if (length < 0) {
        piece.resize(static_cast<size_t>(-length));
        length =
            llama_token_to_piece(vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0, true);
    }
    piece.resize(static_cast<size_t>(std::max(length, 0)));
    return piece;
}

uint8_t flagsOf(const llama_vocab *vocab, llama_token token) {
    uint8_t flags = 0;
    if (llama_vocab_is_control(vocab, token)) flags |= control;
    if (llama_vocab_is_eog(vocab, token)) flags |= endOfGeneration;
    if ((llama_vocab_get_attr(vocab, token) & LLAMA_TOKEN_ATTR_UNUSED) != 0) flags |= unused;
    return flags;
}

std::vector<llama_token> tokenizePiece(const llama_vocab *vocab, std::string_view text, bool addSpecial,
                                       bool parseSpecial) {
    // A guess that is right for all but odd texts; otherwise llama.cpp says how many there are.
    std::vector<llama_token> tokens(text.size() / 2 + 16);
    const auto run = [&] {
        return llama_tokenize(vocab, text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                              static_cast<int32_t>(tokens.size()), addSpecial, parseSpecial);
    };
    int32_t count = run();
    if (count < 0) {
        if (count == INT32_MIN) throw RangeError("text has too many tokens");
        tokens.resize(static_cast<size_t>(-count));
        count = run();
    }
    tokens.resize(static_cast<size_t>(std::max(count, 0)));
    return tokens;
}

/**
 * Byte-level vocabularies are split by regular expressions first, many of them through std::regex, which
 * recurses once a character of a match: a word of 20 kB overflows a worker's stack. Long words therefore get
 * a stack of their own, and longer ones are cut.
 */
std::vector<llama_token> tokenizeByRegex(const llama_vocab *vocab, const std::string &text, bool addSpecial,
                                         bool parseSpecial) {
    const TextRuns runs = splitLongRuns(text);
    std::vector<llama_token> tokens;
    const auto run = [&] {
        if (runs.pieces.size() == 1) {
            tokens = tokenizePiece(vocab, text, addSpecial, parseSpecial);
            return;
        }
        if (addSpecial && llama_vocab_get_add_bos(vocab)) tokens.push_back(llama_vocab_bos(vocab));
        for (const std::string_view piece : runs.pieces) {
            const auto more = tokenizePiece(vocab, piece, false, parseSpecial);
            tokens.insert(tokens.end(), more.begin(), more.end());
        }
        if (addSpecial && llama_vocab_get_add_eos(vocab)) tokens.push_back(llama_vocab_eos(vocab));
    };
    if (runs.longest <= runBytesOnAnyStack) {
        run();
    } else {
        runOnLargeStack(run);
    }
    return tokens;
}

} // namespace

std::vector<llama_token> tokenize(const Model &model, const std::string &text, bool addSpecial,
                                  bool parseSpecial) {
    if (text.size() > textBytesMax) throw RangeError("text is longer than 64 MiB");
    if (llama_vocab_type(model.vocab()) != LLAMA_VOCAB_TYPE_BPE)
        return tokenizePiece(model.vocab(), text, addSpecial, parseSpecial);
    return tokenizeByRegex(model.vocab(), text, addSpecial, parseSpecial);
}

std::string detokenize(const Model &model, const llama_token *tokens, size_t count, bool special) {
    if (count > textBytesMax) throw RangeError("too many tokens");
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] < 0 || tokens[i] >= model.info().vocabSize)
            throw RangeError("token outside the vocabulary");
    }
    std::string text(count * 6 + 16, '\0');
    const auto run = [&] {
        return llama_detokenize(model.vocab(), tokens, static_cast<int32_t>(count), text.data(),
                                static_cast<int32_t>(text.size()), false, special);
    };
    int32_t length = run();
    if (length < 0) {
        text.resize(static_cast<size_t>(-length));
        length = run();
    }
    text.resize(static_cast<size_t>(std::max(length, 0)));
    return text;
}

VocabTable vocabTable(const Model &model) {
    const auto size = static_cast<size_t>(model.info().vocabSize);
    VocabTable table;
    table.offsets.reserve(size + 1);
    table.flags.reserve(size);
    table.offsets.push_back(0);
    for (size_t id = 0; id < size; id++) {
        const auto token = static_cast<llama_token>(id);
        table.bytes += pieceOf(model.vocab(), token);
        table.offsets.push_back(static_cast<uint32_t>(table.bytes.size()));
        table.flags.push_back(flagsOf(model.vocab(), token));
    }
    return table;
}

} // namespace sluice
