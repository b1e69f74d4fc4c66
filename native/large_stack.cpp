#include "large_stack.h"

#include <exception>
#include <pthread.h>
#include <stdexcept>

namespace sluice {

namespace {

#ifdef __SANITIZE_ADDRESS__ // frames take several times as much
constexpr size_t stackBytes = 1 << 30;
#else
constexpr size_t stackBytes = 64 << 20;
#endif

struct Job {
    const std::function<void()> &body;
    std::exception_ptr error;
};

void *runJob(void *data) {
    auto *job = static_cast<Job *>(data);
    try {
        job->body();
    } catch (...) {
        job->error = std::current_exception();
    }
    return nullptr;
}

} // namespace

void runOnLargeStack(const std::function<void()> &body) {
    Job job{body, nullptr};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stackBytes);
    pthread_t thread;
    const int status = pthread_create(&thread, &attributes, runJob, &job);
    pthread_attr_destroy(&attributes);
    if (status != 0) throw std::runtime_error("no thread could be started");
    pthread_join(thread, nullptr);
    if (job.error) std::rethrow_exception(job.error);
}

} // namespace sluice
