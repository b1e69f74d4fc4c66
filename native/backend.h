#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/** BackendInfo of src/native/types.ts. */
struct BackendInfo {
    struct Device {
        std::string name;
        std::string description;
        const char *kind;
        uint64_t memoryFreeBytes;
        uint64_t memoryTotalBytes;
    };
    std::string llamaRelease;
    std::string cpuVariant;
    std::string weightKernel; // empty: packed weights have no kernel for this CPU
    std::vector<Device> devices;
    std::string systemInfo;
};

/**
 * Loads the ggml backends of a folder, of CPU variants the best; `backend` names the one that must then be
 * there
 * ('auto', 'cpu': none beside the CPU). Process-wide: later calls get the first call's result. Throws
 * NativeError.
 */
const BackendInfo &initBackends(const std::string &directory, const std::string &backend);

/** Throws where initBackends() hasn't succeeded yet. */
void requireBackends();

} // namespace sluice
