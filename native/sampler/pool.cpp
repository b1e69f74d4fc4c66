#include "sampler.h"

#include "chooser.h"
#include "parallel.h"
#include "row.h"
#include "sampler_state.h"
#include "scorer.h"

#include <cmath>
#include <limits>

namespace sluice::sampler {

namespace {

constexpr float notAsked = std::numeric_limits<float>::quiet_NaN();

/** Scratch memory of one thread. */
struct Worker {
    Worker(const simd::Kernels &kernels, int32_t vocabSize)
        : row(kernels, vocabSize), chooser(kernels, vocabSize), scorer(vocabSize) {}

    Row row;
    Chooser chooser;
    Scorer scorer;
};

} // namespace

struct SamplerPool::Impl {
    Impl(int threads, int32_t vocabSize) : parallel(threads) {
        const simd::Kernels &kernels = simd::kernels(simd::level());
        for (int i = 0; i < threads; i++)
            workers.push_back(std::make_unique<Worker>(kernels, vocabSize));
    }

    static void sample(Worker &worker, SampleRow &out) {
        Sampler::State &state = *out.sampler->state_;
        Row &row = worker.row;
        const bool wantsLogprobs = state.topLogprobs >= 0;
        row.load(out.logits, wantsLogprobs ? 1 : Chooser::scaleFor(state.choice));
        out.logprobs.topCount = 0;
        out.logprobs.logprob = notAsked;
        if (wantsLogprobs) worker.scorer.scoreTop(row, state.topLogprobs, out.logprobs);
        state.apply(row);
        const bool hasCandidate = row.max() > -std::numeric_limits<float>::infinity();
        try {
            out.token = state.choose(row, worker.chooser);
        } catch (const std::exception &) {
            out.token = -1; // libllama threw inside the grammar
        }
        if (out.token < 0) {
            out.status = state.grammar && hasCandidate ? RowStatus::grammarFailed : RowStatus::noCandidate;
            return;
        }
        out.status = RowStatus::ok;
        state.accept(out.token);
        if (wantsLogprobs) out.logprobs.logprob = worker.scorer.logprob(out.logits[out.token]);
    }

    static void score(Worker &worker, ScoreRow &out, int32_t top) {
        worker.row.load(out.logits, 1);
        worker.scorer.scoreTop(worker.row, top, out.logprobs);
        out.logprobs.logprob = worker.scorer.logprob(out.logits[out.token]);
    }

    std::vector<std::unique_ptr<Worker>> workers;
    Parallel parallel;
};

SamplerPool::SamplerPool(int threads, int32_t vocabSize)
    : impl_(std::make_unique<Impl>(threads, vocabSize)) {}

SamplerPool::~SamplerPool() = default;

void SamplerPool::sample(SampleRow *rows, size_t count) {
    impl_->parallel.run(count,
                        [&](size_t i, size_t thread) { Impl::sample(*impl_->workers[thread], rows[i]); });
}

void SamplerPool::score(ScoreRow *rows, size_t count, int32_t top) {
    impl_->parallel.run(count,
                        [&](size_t i, size_t thread) { Impl::score(*impl_->workers[thread], rows[i], top); });
}

} // namespace sluice::sampler
