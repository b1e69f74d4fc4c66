#include "packed-memory.h"

#include <new>
#include <sys/mman.h>

namespace sluice::matmul {

namespace {

constexpr size_t largePage = 2 << 20;

} // namespace

std::shared_ptr<uint8_t> allocateLargePages(size_t bytes) {
    // A large page more than asked for, so that the memory holds the whole of each of its pages.
    const size_t mapped = (bytes + largePage - 1) / largePage * largePage + largePage;
    void *memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    const std::shared_ptr<void> owner(memory, [mapped](void *begin) { munmap(begin, mapped); });
    const auto address = reinterpret_cast<uintptr_t>(memory);
    auto *aligned = reinterpret_cast<uint8_t *>((address + largePage - 1) / largePage * largePage);
    madvise(aligned, bytes, MADV_HUGEPAGE); // where it is refused, pages are small
    return {owner, aligned};
}

} // namespace sluice::matmul
