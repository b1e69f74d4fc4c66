#pragma once

// Attention of one ubatch, layer by layer, on the threads that call run(). Pure: no ggml.

#include "paged-kernel.h"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <vector>

namespace sluice::paged {

// Floats on a cache line boundary. Growing forgets the contents.
class FloatBuffer {
public:
    float *reserve(size_t count);

private:
    struct Free {
        void operator()(float *p) const { std::free(p); }
    };
    std::unique_ptr<float, Free> data_;
    size_t capacity_ = 0;
};

// The largest layer that will run, so that nothing is sized while threads work.
struct LayerLimits {
    int32_t rowsPerToken = 1;
    int32_t heads = 0;
    int32_t kvHeads = 0;
    int32_t valueSize = 0;

    void include(const Layer &layer);
};

class Attention {
public:
    explicit Attention(const Kernel &kernel) : kernel_(kernel), scratch_(threadsMax) {}

    // Widens the limits; before prepare().
    void admit(const Layer &layer) { limits_.include(layer); }

    // Plans the ubatch whose layers run next.
    void prepare(const std::vector<Token> &tokens, const BlockTables &tables, const Window &window);

    // One layer. All of `threads` threads call it, with all calls for one layer over before the next begins.
    void run(const Layer &layer, int32_t thread, int32_t threads);

    const Kernel &kernel() const { return kernel_; }
    const Plan &plan() const { return plan_; }

private:
    static constexpr int32_t threadsMax = 512; // GGML_MAX_N_THREADS

    void waitForPhase(int32_t phase, int32_t kvHeads) const;
    void finishTokens(const Layer &layer, const Item &item, int32_t kvHead, const Partials &partials);

    const Kernel &kernel_;
    LayerLimits limits_;
    Plan plan_;
    int32_t threads_ = 1; // of the last run: the plan is cut for as many
    FloatBuffer partialValues_, partialStates_;
    std::vector<FloatBuffer> scratch_;                 // [thread]
    std::unique_ptr<std::atomic<int32_t>[]> finished_; // [token][kvHead] parts done; zero between layers
    size_t finishedCapacity_ = 0;
    alignas(64) std::atomic<int32_t> next_{0}; // work unit to take: item * kvHeads + kvHead
    alignas(64) std::atomic<int32_t> done_{0}; // work units
    alignas(64) std::atomic<int32_t> left_{0}; // threads that found no more
};

} // namespace sluice::paged
