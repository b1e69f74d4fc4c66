#include "thread_pool.h"

#include "errors.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"

namespace sluice {

namespace {

/** The CPU backend is loaded at run time, so its functions are looked up, not linked. */
template <typename Function> Function cpuFunction(const char *name) {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    void *function =
        cpu == nullptr ? nullptr : ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), name);
    if (function == nullptr) throw NativeError(ErrorCode::contextFailed, "No CPU backend is loaded.");
    return reinterpret_cast<Function>(function);
}

} // namespace

ThreadPool::ThreadPool(int threads)
    : pool_(nullptr, cpuFunction<decltype(&ggml_threadpool_free)>("ggml_threadpool_free")) {
    ggml_threadpool_params params = ggml_threadpool_params_default(threads);
    pool_.reset(cpuFunction<decltype(&ggml_threadpool_new)>("ggml_threadpool_new")(&params));
    if (!pool_) throw NativeError(ErrorCode::contextFailed, "The compute threads couldn't be started.");
}

} // namespace sluice
