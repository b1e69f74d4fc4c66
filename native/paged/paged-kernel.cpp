#include "paged-kernel.h"

#include <cmath>

namespace sluice::paged {

// ALiBi for any number of heads: the powers of two below it take every step, the others every second one
// between. https://arxiv.org/abs/2108.12409
float Layer::slopeOf(int32_t head) const {
    if (maxBias == 0.0f) return 0.0f;
    const auto powerOfTwo = static_cast<int32_t>(1u << static_cast<uint32_t>(std::floor(std::log2(heads))));
    if (head < powerOfTwo) return std::pow(std::exp2(-maxBias / powerOfTwo), head + 1);
    return std::pow(std::exp2(-maxBias / 2 / powerOfTwo), 2 * (head - powerOfTwo) + 1);
}

const std::vector<const Kernel *> &usableKernels() {
    static const std::vector<const Kernel *> kernels = [] {
        std::vector<const Kernel *> usable;
#if defined(__x86_64__)
        const bool avx2 =
            __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
        const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
        if (avx2 && avx512) usable.push_back(&avx512Kernel);
        if (avx2) usable.push_back(&avx2Kernel);
#endif
        usable.push_back(&portableKernel);
        return usable;
    }();
    return kernels;
}

} // namespace sluice::paged
