#pragma once

#include <functional>

namespace sluice {

/** Runs `body` on a thread with a stack of 64 MiB (memory is used as far as it is touched), and waits.
 * Rethrows. */
void runOnLargeStack(const std::function<void()> &body);

} // namespace sluice
