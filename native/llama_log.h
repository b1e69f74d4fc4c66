#pragma once

#include <string>
#include <vector>

namespace sluice {

/** Takes llama.cpp's and ggml's log: nothing reaches stderr. Process-wide, idempotent. */
void installLog();

/**
 * Collects what llama.cpp reports as errors on this thread while it lives. Captures nest: the innermost one
 * gets the lines.
 */
class LogCapture {
public:
    LogCapture();
    ~LogCapture();
    LogCapture(const LogCapture &) = delete;
    LogCapture &operator=(const LogCapture &) = delete;

    /** Appended to by the log callback. */
    void add(const char *text, bool isContinuation);

    /** The first error, which names the cause: later ones only say that something failed. */
    std::string reason(const std::string &fallback) const;

    bool contains(const char *text) const;

private:
    static constexpr size_t linesMax = 32;
    std::vector<std::string> lines_;
    LogCapture *outer_;
};

} // namespace sluice
