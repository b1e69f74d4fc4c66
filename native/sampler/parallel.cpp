#include "parallel.h"

#include <algorithm>

namespace sluice::sampler {

Parallel::Parallel(int threads) {
    for (int thread = 1; thread < threads; thread++)
        threads_.emplace_back([this, thread] { loop(static_cast<size_t>(thread)); });
}

Parallel::~Parallel() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        isStopping_ = true;
    }
    wake_.notify_all();
    for (std::thread &thread : threads_)
        thread.join();
}

void Parallel::runErased(size_t count, const void *task, Call call) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        count_ = count;
        task_ = task;
        call_ = call;
        next_ = 0;
        isOpen_ = true;
    }
    const size_t helpers = std::min(threads_.size(), count > 0 ? count - 1 : 0);
    for (size_t i = 0; i < helpers; i++)
        wake_.notify_one();
    work(0);
    // A thread that wakes only now finds the loop closed, so that nobody waits for it.
    std::unique_lock<std::mutex> lock(mutex_);
    isOpen_ = false;
    idle_.wait(lock, [this] { return running_ == 0; });
}

void Parallel::loop(size_t thread) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return isStopping_ || (isOpen_ && next_ < count_); });
        if (isStopping_) return;
        running_++;
        lock.unlock();
        work(thread);
        lock.lock();
        if (--running_ == 0) idle_.notify_one();
    }
}

void Parallel::work(size_t thread) {
    for (size_t i = next_++; i < count_; i = next_++)
        call_(task_, i, thread);
}

} // namespace sluice::sampler
