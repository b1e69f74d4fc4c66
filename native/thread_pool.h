#pragma once

#include <memory>

#include "ggml.h"

namespace sluice {

/**
 * ggml's threads that compute graphs on the CPU and live as long as the context. Without one, ggml starts and
 * joins threads for each graph.
 */
class ThreadPool {
public:
    explicit ThreadPool(int threads);

    ggml_threadpool *handle() const { return pool_.get(); }

private:
    std::unique_ptr<ggml_threadpool, void (*)(ggml_threadpool *)> pool_;
};

} // namespace sluice
