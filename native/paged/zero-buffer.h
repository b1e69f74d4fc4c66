#pragma once

struct ggml_backend_buffer;

namespace sluice::paged {

// Zeroes a buffer. Of large ones in the host's memory no page is touched: the system hands out zeroed ones
// when they are first written, so that a cache takes memory only as it fills.
void zeroBuffer(ggml_backend_buffer *buffer);

} // namespace sluice::paged
