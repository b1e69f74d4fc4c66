#include "backend.h"

#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <mutex>
#include <optional>

#include "errors.h"
#include "ggml-backend.h"
#include "llama-matmul.h"
#include "llama.h"
#include "llama_log.h"

namespace sluice {

namespace {

std::mutex mutex;
std::optional<BackendInfo> loaded;

const char *kindOf(enum ggml_backend_dev_type type) {
    switch (type) {
    case GGML_BACKEND_DEVICE_TYPE_CPU:
        return "cpu";
    case GGML_BACKEND_DEVICE_TYPE_GPU:
        return "gpu";
    case GGML_BACKEND_DEVICE_TYPE_IGPU:
        return "igpu";
    default:
        return "accelerator";
    }
}

/** File name of the library that the CPU backend's code lies in. */
std::string cpuVariant() {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (cpu == nullptr)
        throw NativeError(ErrorCode::modelLoadFailed, "No CPU backend was found beside the addon.");
    Dl_info library{};
    void *function =
        ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), "ggml_backend_set_n_threads");
    if (dladdr(function, &library) == 0 || library.dli_fname == nullptr) return {};
    const char *slash = std::strrchr(library.dli_fname, '/');
    return slash == nullptr ? library.dli_fname : slash + 1;
}

std::string weightKernel() {
    const char *name = llama_pack_kernel();
    return name == nullptr ? std::string() : name;
}

std::vector<BackendInfo::Device> listDevices() {
    std::vector<BackendInfo::Device> devices;
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_dev_t device = ggml_backend_dev_get(i);
        size_t freeBytes = 0;
        size_t totalBytes = 0;
        ggml_backend_dev_memory(device, &freeBytes, &totalBytes);
        devices.push_back({ggml_backend_dev_name(device), ggml_backend_dev_description(device),
                           kindOf(ggml_backend_dev_type(device)), freeBytes, totalBytes});
    }
    return devices;
}

bool isRegistered(const std::string &backend) {
    if (backend == "auto" || backend == "cpu") return true;
    const char *name = backend == "cuda" ? "CUDA" : "Vulkan";
    ggml_backend_reg_t registered = ggml_backend_reg_by_name(name);
    return registered != nullptr && ggml_backend_reg_dev_count(registered) > 0;
}

/** ggml keeps the loader's reason to itself: a runtime library or a driver that isn't installed, most often.
 */
std::string whyMissing(const std::string &directory, const std::string &backend) {
    const std::string file = directory + "/libggml-" + backend + ".so";
    const std::unique_ptr<void, int (*)(void *)> library(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL),
                                                         dlclose);
    if (library) return "The " + backend + " backend found no device.";
    const char *reason = dlerror();
    return "The " + backend + " backend didn't load: " + (reason == nullptr ? "unknown reason" : reason);
}

} // namespace

const BackendInfo &initBackends(const std::string &directory, const std::string &backend) {
    if (backend != "auto" && backend != "cpu" && backend != "cuda" && backend != "vulkan")
        throw ArgumentError("backend must be 'auto', 'cpu', 'cuda' or 'vulkan'");
    const std::lock_guard lock(mutex);
    if (!loaded) {
        installLog();
        llama_backend_init();
        ggml_backend_load_all_from_path(directory.c_str());
        loaded =
            BackendInfo{SLUICE_TAG, cpuVariant(), weightKernel(), listDevices(), llama_print_system_info()};
    }
    if (!isRegistered(backend)) throw NativeError(ErrorCode::modelLoadFailed, whyMissing(directory, backend));
    return *loaded;
}

void requireBackends() {
    const std::lock_guard lock(mutex);
    if (!loaded) throw NativeError(ErrorCode::modelLoadFailed, "init() must come first.");
}

} // namespace sluice
