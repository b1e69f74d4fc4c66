#pragma once

#include <string>

namespace sluice {

/**
 * Walks a GGUF file's header (metadata and tensor list) with every count and length held against the file's
 * size, so that llama.cpp only meets headers that are what they claim. Reads the header only; memory is
 * bounded by one buffer. Throws NativeError: MODEL_NOT_FOUND or MODEL_INVALID, without the path in the
 * message.
 */
void checkGguf(const std::string &path);

} // namespace sluice
