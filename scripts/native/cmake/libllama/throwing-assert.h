// Included before each of libllama's files: what would abort the process throws instead. A damaged model then
// fails to load, and a failed step fails its requests, while the server lives. ggml's own asserts, in the prebuilt
// libraries, still abort.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

#include "ggml.h"

[[noreturn]] __attribute__((format(printf, 3, 4), cold)) inline void
sluice_throw(const char *file, int line, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *slash = std::strrchr(file, '/');
    throw std::runtime_error(std::string(text) + " (" + (slash ? slash + 1 : file) + ":" + std::to_string(line) + ")");
}

// GGML_ASSERT is defined in terms of it.
#undef GGML_ABORT
#define GGML_ABORT(...) sluice_throw(__FILE__, __LINE__, __VA_ARGS__)
