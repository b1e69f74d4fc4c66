#include "llama_log.h"

#include <algorithm>
#include <mutex>

#include "llama.h"
#include "log.h" // libllama-common's

namespace sluice {

namespace {

thread_local LogCapture *current = nullptr;

void onLog(ggml_log_level level, const char *text, void *) {
    // A continuation carries on a line whose level came before it.
    thread_local bool isWanted = false;
    const bool isContinuation = level == GGML_LOG_LEVEL_CONT;
    if (!isContinuation) isWanted = level == GGML_LOG_LEVEL_ERROR;
    if (isWanted && current != nullptr) current->add(text, isContinuation);
}

/** Errors quote what they are about, which may be long. */
constexpr size_t reasonBytesMax = 300;

/** "llama_model_load: error loading model: …" → "error loading model: …" */
std::string withoutFunctionName(const std::string &line) {
    const size_t colon = line.find(": ");
    if (colon == std::string::npos || line.find(' ') < colon) return line;
    return line.substr(colon + 2);
}

} // namespace

void installLog() {
    static std::once_flag once;
    std::call_once(once, [] {
        llama_log_set(onLog, nullptr);
        common_log_set_verbosity_thold(-1);
    });
}

LogCapture::LogCapture() : outer_(current) {
    current = this;
}

LogCapture::~LogCapture() {
    current = outer_;
}

void LogCapture::add(const char *text, bool isContinuation) {
    std::string line(text);
    while (!line.empty() && (line.back() == '\n' || line.back() == ' '))
        line.pop_back();
    if (isContinuation && !lines_.empty()) {
        lines_.back() += line;
    } else if (!line.empty() && lines_.size() < linesMax) {
        lines_.push_back(line);
    }
}

std::string LogCapture::reason(const std::string &fallback) const {
    return lines_.empty() ? fallback : withoutFunctionName(lines_.front()).substr(0, reasonBytesMax);
}

bool LogCapture::contains(const char *text) const {
    return std::any_of(lines_.begin(), lines_.end(),
                       [text](const std::string &line) { return line.find(text) != std::string::npos; });
}

} // namespace sluice
