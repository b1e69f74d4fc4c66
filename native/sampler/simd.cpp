#include "simd.h"

#include <atomic>

namespace sluice::sampler::simd {

const Kernels &portableKernels();
#if defined(__x86_64__)
const Kernels &avx2Kernels();
const Kernels &avx512Kernels();
#endif

namespace {

Level bestLevel() {
    if (supported(Level::avx512)) return Level::avx512;
    if (supported(Level::avx2)) return Level::avx2;
    return Level::portable;
}

std::atomic<Level> &current() {
    static std::atomic<Level> level{bestLevel()};
    return level;
}

} // namespace

bool supported(Level level) {
#if defined(__x86_64__)
    if (level == Level::avx512) return __builtin_cpu_supports("avx512f");
    if (level == Level::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return level == Level::portable;
}

const Kernels &kernels(Level level) {
#if defined(__x86_64__)
    if (level == Level::avx512) return avx512Kernels();
    if (level == Level::avx2) return avx2Kernels();
#endif
    return portableKernels();
}

Level level() {
    return current();
}

void setLevel(Level level) {
    current() = level;
}

} // namespace sluice::sampler::simd
