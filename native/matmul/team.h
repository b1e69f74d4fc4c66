#pragma once

// Threads that share out the units of an operation among whoever comes.
//
// ggml's threads meet at a spinning barrier after every node of a graph, some 500 times a step. Where another
// process holds one of the cores, each meeting waits until the system lets that thread go on, and a step
// takes seconds. Here one thread computes the graph, and helpers take units of the large operations as they
// come free: one that is held up delays the step by a unit at most, and small operations wait for nobody.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace sluice::matmul {

class Team {
public:
    // Starts threads - 1 helpers: the caller of run() is the first.
    explicit Team(int32_t threads);
    ~Team();
    Team(const Team &) = delete;
    Team &operator=(const Team &) = delete;

    // The team of the graphs that this thread computes; null: they are computed by ggml's threads.
    static Team *current();
    static void setCurrent(Team *team);

    int32_t threads() const { return static_cast<int32_t>(helpers_.size()) + 1; }

    // Calls task(unit, thread) for each unit in [0, count), thread being in [0, threads()), and returns when
    // all are done. Units are taken in order. The task must not throw. One call at a time.
    template <class Task> void run(int32_t count, const Task &task) {
        runErased(count, &task, [](const void *erased, int32_t unit, int32_t thread) {
            (*static_cast<const Task *>(erased))(unit, thread);
        });
    }

private:
    using Call = void (*)(const void *task, int32_t unit, int32_t thread);

    void runErased(int32_t count, const void *task, Call call);
    void help(int32_t thread);
    bool waitForWork();
    bool hasWork() const;
    bool join();
    void work(int32_t thread);

    // Open: helpers may join the current call. Below that bit: how many have.
    static constexpr uint32_t open = 1u << 31;
    alignas(64) std::atomic<uint32_t> state_{0};
    alignas(64) std::atomic<int32_t> next_{0};
    std::atomic<int32_t> count_{0};
    const void *task_ = nullptr; // these two change only while no helper has joined
    Call call_ = nullptr;

    std::atomic<int32_t> sleeping_{0};
    std::atomic<bool> isStopping_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::thread> helpers_;
};

} // namespace sluice::matmul
