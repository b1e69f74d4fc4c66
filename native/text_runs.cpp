#include "text_runs.h"

#include <algorithm>

namespace sluice {

namespace {

size_t characterBytes(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    const size_t bytes = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    return std::min(bytes, text.size());
}

/** Unicode's White_Space, UTF-8 encoded. */
bool isSpace(std::string_view character) {
    const auto starts = [&](std::string_view prefix) { return character.substr(0, prefix.size()) == prefix; };
    if (character.size() == 1) return character[0] == ' ' || (character[0] >= '\t' && character[0] <= '\r');
    if (starts("\xe2\x80")) {
        const auto last = static_cast<unsigned char>(character.back());
        return last <= 0x8a || last == 0xa8 || last == 0xa9 || last == 0xaf; // U+2000–200A, 2028, 2029, 202F
    }
    return starts("\xc2\xa0") || starts("\xc2\x85") || starts("\xe3\x80\x80") || starts("\xe1\x9a\x80") ||
           starts("\xe2\x81\x9f");
}

} // namespace

TextRuns splitLongRuns(std::string_view text) {
    TextRuns runs;
    size_t pieceStart = 0;
    size_t runStart = 0;
    bool inSpace = false;
    for (size_t at = 0; at < text.size();) {
        const size_t bytes = characterBytes(text.substr(at));
        const bool isSpaceHere = isSpace(text.substr(at, bytes));
        if (isSpaceHere != inSpace) {
            inSpace = isSpaceHere;
            runStart = at;
        } else if (at + bytes - runStart > (inSpace ? spaceBytesMax : wordBytesMax)) {
            runs.pieces.push_back(text.substr(pieceStart, at - pieceStart));
            pieceStart = runStart = at;
        }
        at += bytes;
        runs.longest = std::max(runs.longest, at - runStart);
    }
    runs.pieces.push_back(text.substr(pieceStart));
    return runs;
}

} // namespace sluice
