#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace sluice {

/** What a header says of the file's place in a model. */
struct GgufHeader {
    /** Files of the model; 0 or 1 where this one is all of it. */
    uint16_t parts = 0;
    /** Counted from 0. */
    uint16_t part = 0;
    /** Tensors of all the parts together. */
    int32_t tensorsOfAll = 0;
    std::set<std::string> tensors;
};

/**
 * Walks a GGUF file's header (metadata and tensor list) with every count and length held against the file's
 * size, so that llama.cpp only meets headers that are what they claim. Reads the header only; beside the
 * tensors' names memory is bounded by one buffer. Throws NativeError: MODEL_NOT_FOUND or MODEL_INVALID,
 * without the path in the message.
 */
GgufHeader checkGguf(const std::string &path);

} // namespace sluice
