#include "zero-buffer.h"

#include "ggml-backend.h"

#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace sluice::paged {

void zeroBuffer(ggml_backend_buffer *buffer) {
    auto *data = static_cast<char *>(ggml_backend_buffer_get_base(buffer));
    const size_t size = ggml_backend_buffer_get_size(buffer);
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t head = (page - reinterpret_cast<uintptr_t>(data) % page) % page;
    const bool isPlain = ggml_backend_buffer_get_type(buffer) == ggml_backend_cpu_buffer_type();
    if (!isPlain || size < head + page) return ggml_backend_buffer_clear(buffer, 0);
    const size_t pages = (size - head) / page * page;
    // The memory is private and anonymous, of which this makes fresh zeroes; where it fails, nothing has
    // changed.
    if (madvise(data + head, pages, MADV_DONTNEED) != 0) return ggml_backend_buffer_clear(buffer, 0);
    std::memset(data, 0, head);
    std::memset(data + head + pages, 0, size - head - pages);
}

} // namespace sluice::paged
