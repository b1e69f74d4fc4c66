#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model.h"

namespace sluice {

/** Bytes of text that one call takes: beyond any context, and far from llama.cpp's 32-bit lengths. */
constexpr size_t textBytesMax = 64 << 20;

std::vector<llama_token> tokenize(const Model &model, const std::string &text, bool addSpecial,
                                  bool parseSpecial);

/** Raw bytes; UTF-8 only as far as the tokens make it so. Throws RangeError for a token outside the
 * vocabulary. */
std::string detokenize(const Model &model, const llama_token *tokens, size_t count, bool special);

/** VocabTable of src/native/types.ts. */
struct VocabTable {
    std::string bytes;
    std::vector<uint32_t> offsets;
    std::vector<uint8_t> flags;
};
VocabTable vocabTable(const Model &model);

} // namespace sluice
