#pragma once

#include <cstddef>
#include <string>

namespace sluice {

/**
 * llama.cpp's JSON, schema and grammar code recurses: whatever a client may send is bounded before it gets
 * there (60,000 nested groups overflow the stack: llama.cpp issue 26600).
 */
constexpr size_t schemaBytesMax = 64 << 10;
constexpr size_t schemaDepthMax = 32;
/** Of a client's own grammar. Grammars made from schemas and tools may be longer: the sampler bounds those.
 */
constexpr size_t grammarBytesMax = 64 << 10;
constexpr size_t chatBytesMax = 16 << 20;
constexpr size_t chatDepthMax = 64;

/** Depth of nested objects and arrays in a JSON text, without parsing it: brackets inside strings don't
 * count. O(n). */
size_t jsonDepth(const std::string &text);

} // namespace sluice
