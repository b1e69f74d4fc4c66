#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice::matmul {

// Zeroed memory in large pages, where the system has some: weights are read from end to end in every step,
// and with small pages looking up their addresses takes as long as a third of the reading. 64-byte aligned.
// Throws std::bad_alloc.
std::shared_ptr<uint8_t> allocateLargePages(size_t bytes);

} // namespace sluice::matmul
