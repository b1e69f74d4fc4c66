#include "matmul-kernel.h"

namespace sluice::matmul {

const Kernel *usableKernel() {
#if defined(__x86_64__)
    static const bool usable = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                               __builtin_cpu_supports("avx512vnni");
    if (usable) return &avx512VnniKernel;
#endif
    return nullptr;
}

} // namespace sluice::matmul
