#include "team.h"

#include <chrono>

namespace sluice::matmul {

namespace {

// Operations follow each other within microseconds; between two steps helpers sleep.
constexpr auto sleepAfter = std::chrono::microseconds(200);
constexpr int spinsBetweenYields = 64;

thread_local Team *currentTeam = nullptr;

void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// Waits by spinning, and leaves the core to whoever wants it now and then.
class Spin {
public:
    void once() {
        if (++spins_ % spinsBetweenYields == 0) {
            std::this_thread::yield();
        } else {
            pause();
        }
    }
    bool isAtYield() const { return spins_ % spinsBetweenYields == 0; }

private:
    int spins_ = 0;
};

} // namespace

Team *Team::current() {
    return currentTeam;
}

void Team::setCurrent(Team *team) {
    currentTeam = team;
}

Team::Team(int32_t threads) {
    for (int32_t thread = 1; thread < threads; thread++)
        helpers_.emplace_back([this, thread] { help(thread); });
}

Team::~Team() {
    isStopping_ = true;
    { const std::lock_guard<std::mutex> lock(mutex_); }
    wake_.notify_all();
    for (std::thread &helper : helpers_)
        helper.join();
}

void Team::runErased(int32_t count, const void *task, Call call) {
    task_ = task;
    call_ = call;
    next_.store(0, std::memory_order_relaxed);
    count_.store(count, std::memory_order_relaxed);
    if (count > 1 && !helpers_.empty()) {
        state_.store(open);
        if (sleeping_.load() > 0) {
            { const std::lock_guard<std::mutex> lock(mutex_); }
            wake_.notify_all();
        }
    }
    work(0);
    // A helper that comes only now finds the call closed, so that nobody waits for it.
    state_.fetch_and(~open);
    for (Spin spin; state_.load(std::memory_order_acquire) != 0;)
        spin.once();
}

void Team::work(int32_t thread) {
    const int32_t count = count_.load(std::memory_order_relaxed);
    for (int32_t unit; (unit = next_.fetch_add(1, std::memory_order_relaxed)) < count;)
        call_(task_, unit, thread);
}

void Team::help(int32_t thread) {
    while (waitForWork()) {
        if (!join()) continue;
        work(thread);
        state_.fetch_sub(1, std::memory_order_acq_rel);
    }
}

bool Team::hasWork() const {
    return (state_.load() & open) != 0 &&
           next_.load(std::memory_order_relaxed) < count_.load(std::memory_order_relaxed);
}

// False: the team is being ended.
bool Team::waitForWork() {
    const auto begin = std::chrono::steady_clock::now();
    for (Spin spin; !hasWork() && !isStopping_; spin.once()) {
        if (!spin.isAtYield() || std::chrono::steady_clock::now() - begin < sleepAfter) continue;
        std::unique_lock<std::mutex> lock(mutex_);
        sleeping_++;
        wake_.wait(lock, [this] { return isStopping_ || hasWork(); });
        sleeping_--;
    }
    return !isStopping_;
}

bool Team::join() {
    uint32_t state = state_.load();
    while (state & open) {
        if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
}

} // namespace sluice::matmul
