#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace sluice {

/** Bytes of one run that std::regex, at some 300 bytes of stack a character, matches within 4 MiB. */
#ifdef __SANITIZE_ADDRESS__ // frames take several times as much
constexpr size_t runBytesOnAnyStack = 256;
#else
constexpr size_t runBytesOnAnyStack = 4 << 10;
#endif
/** Words longer than this are cut. Texts without spaces (Chinese, base64) reach it rarely, and lose one token
 * border. */
constexpr size_t wordBytesMax = 64 << 10;
/** White space longer than this is cut: expressions like \\s+$ take quadratic time on it. */
constexpr size_t spaceBytesMax = 4 << 10;

struct TextRuns {
    /** The text, cut within runs over their maximum, never within a character. One piece where nothing is
     * cut. */
    std::vector<std::string_view> pieces;
    /** Bytes of the longest run of white space or of anything else, after cutting. */
    size_t longest = 0;
};

/** O(bytes). */
TextRuns splitLongRuns(std::string_view text);

} // namespace sluice
