#include "sampling.h"

namespace sluice {

namespace {

sampler::Vocab vocabOf(const Model &model) {
    sampler::Vocab vocab;
    vocab.size = model.info().vocabSize;
    vocab.handle = model.vocab();
    for (llama_token token = 0; token < vocab.size; token++) {
        if (llama_vocab_is_eog(vocab.handle, token)) vocab.endOfGeneration.push_back(token);
    }
    return vocab;
}

sampler::LogprobRow logprobsOf(const SampleTarget &target, size_t row) {
    sampler::LogprobRow logprobs;
    logprobs.topTokens = target.topTokens + row * sampler::maxTopLogprobs;
    logprobs.topLogprobs = target.topLogprobs + row * sampler::maxTopLogprobs;
    return logprobs;
}

template <typename Row> void store(const std::vector<Row> &rows, const SampleTarget &target) {
    for (size_t i = 0; i < rows.size(); i++) {
        target.tokens[i] = rows[i].token;
        target.logprobs[i] = rows[i].logprobs.logprob;
        target.topCounts[i] = rows[i].logprobs.topCount;
    }
}

} // namespace

Sampling::Sampling(const Context &context)
    : context_(context), vocab_(vocabOf(context.model())), pool_(context.options().threads, vocab_.size),
      samplers_(context.options().maxSequences), lastUse_(context.options().maxSequences, 0) {}

std::optional<sampler::Sampler> &Sampling::slot(int32_t sequence) {
    if (sequence < 0 || static_cast<size_t>(sequence) >= samplers_.size())
        throw RangeError("sequence out of range");
    return samplers_[static_cast<size_t>(sequence)];
}

void Sampling::set(int32_t sequence, const sampler::Params &params, const int32_t *history,
                   size_t historyCount, size_t generated) {
    slot(sequence).emplace(params, vocab_, history, historyCount, generated);
}

void Sampling::clear(int32_t sequence) {
    slot(sequence).reset();
}

void Sampling::sample(size_t count, const int32_t *outputs, const int32_t *sequences,
                      const SampleTarget &target) {
    sampleRows_.resize(count);
    calls_++;
    for (size_t i = 0; i < count; i++) {
        auto &sampler = slot(sequences[i]);
        if (!sampler) throw RangeError("sequence " + std::to_string(sequences[i]) + " has no sampler");
        uint32_t &lastUse = lastUse_[static_cast<size_t>(sequences[i])];
        if (lastUse == calls_)
            throw RangeError("sequence " + std::to_string(sequences[i]) + " twice in one call");
        lastUse = calls_;
        sampleRows_[i] = {context_.logits(outputs[i]), &*sampler, -1, sampler::RowStatus::ok,
                          logprobsOf(target, i)};
    }
    pool_.sample(sampleRows_.data(), count);
    store(sampleRows_, target);
}

void Sampling::score(size_t count, const int32_t *outputs, const int32_t *tokens, int32_t top,
                     const SampleTarget &target) {
    scoreRows_.resize(count);
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] < 0 || tokens[i] >= vocab_.size) throw RangeError("token outside the vocabulary");
        scoreRows_[i] = {context_.logits(outputs[i]), tokens[i], logprobsOf(target, i)};
    }
    pool_.score(scoreRows_.data(), count, top);
    store(scoreRows_, target);
}

} // namespace sluice
