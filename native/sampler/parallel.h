#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace sluice::sampler {

/** Persistent threads that share out the indices of a loop. */
class Parallel {
public:
    /** Starts threads - 1 of them: the caller of run() is the first. */
    explicit Parallel(int threads);
    ~Parallel();
    Parallel(const Parallel &) = delete;
    Parallel &operator=(const Parallel &) = delete;

    /**
     * Calls task(index, thread) for each index in [0, count), thread being in [0, threads). Returns when all
     * are done. The task must not throw. One call at a time.
     */
    template <class Task> void run(size_t count, const Task &task) {
        runErased(count, &task, [](const void *erased, size_t index, size_t thread) {
            (*static_cast<const Task *>(erased))(index, thread);
        });
    }

private:
    using Call = void (*)(const void *task, size_t index, size_t thread);

    void runErased(size_t count, const void *task, Call call);
    void loop(size_t thread);
    void work(size_t thread);

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable idle_;
    std::atomic<size_t> next_{0};
    size_t count_ = 0; // these three change only while no thread is running
    const void *task_ = nullptr;
    Call call_ = nullptr;
    bool isOpen_ = false; // threads may join the current loop
    bool isStopping_ = false;
    int running_ = 0; // threads that have joined it
    std::vector<std::thread> threads_;
};

} // namespace sluice::sampler
