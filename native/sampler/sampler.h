#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

struct llama_vocab;

/**
 * Chooses tokens from raw logits. Start here: a `Sampler` holds what one sequence needs, a `SamplerPool` runs
 * many rows at once.
 *
 * Transforms, in order: logit bias, ban of end-of-generation tokens, penalties, top-k, top-p, min-p,
 * temperature, grammar. Truncation therefore sees the distribution at temperature 1, as in llama.cpp's
 * default chain. Logits are only read; log-probabilities are those of the unmodified row.
 */
namespace sluice::sampler {

constexpr int maxTopLogprobs = 20;

enum class ErrorCode { invalidParams, grammarInvalid };

class SamplerError : public std::runtime_error {
public:
    SamplerError(ErrorCode code, const std::string &message) : std::runtime_error(message), code(code) {}
    const ErrorCode code;
};

struct LogitBias {
    int32_t token;
    float bias;
};

struct GrammarTrigger {
    enum class Type { token, word, pattern, patternFull };
    Type type;
    std::string value; // unused by Type::token
    int32_t token;     // used by Type::token only
};

/** SamplerParams of src/native/types.ts, field by field. */
struct Params {
    float temperature = 0; // below 1e-5: greedy
    int32_t topK = 0;      // 0: off
    float topP = 1;        // 1: off
    float minP = 0;        // 0: off
    float repeatPenalty = 1;
    float frequencyPenalty = 0;
    float presencePenalty = 0;
    int32_t penaltyLastN = 0; // tokens looked back at, prompt included; 0: off, -1: all
    uint32_t seed = 0;
    std::vector<LogitBias> logitBias; // added; entries of one token add up
    bool ignoreEos = false;
    int32_t topLogprobs = -1;           // -1: no log-probabilities; 0–20: that many alternatives
    std::string grammar;                // GBNF with a rule `root`; empty: none
    std::vector<int32_t> grammarPrefix; // tokens before the first generated one that the grammar covers
    bool grammarLazy = false;           // the grammar binds only after a trigger
    std::vector<GrammarTrigger> grammarTriggers;
};

/** What samplers share about a model's vocabulary; outlives every sampler made from it. */
struct Vocab {
    int32_t size = 0;                     // logits a row
    std::vector<int32_t> endOfGeneration; // token ids
    const llama_vocab *handle = nullptr;  // needed by grammars only
};

/** Sampling state of one sequence. Not thread-safe: one call at a time. */
class Sampler {
public:
    /**
     * `history` is the prompt and then `generated` tokens already generated: they fill the penalty window,
     * are replayed through the grammar, and move the random counter, so a resumed sequence goes on as it
     * would have. Throws SamplerError for parameters out of range, a bad grammar, or a history that
     * contradicts it.
     */
    Sampler(const Params &params, const Vocab &vocab, const int32_t *history, size_t historyCount,
            size_t generated);
    ~Sampler();
    Sampler(Sampler &&) noexcept;
    Sampler &operator=(Sampler &&) noexcept;

    int32_t topLogprobs() const; // as in Params

private:
    friend class SamplerPool;
    struct State;
    std::unique_ptr<State> state_;
};

enum class RowStatus : uint8_t {
    ok,
    noCandidate,  // every logit is NaN or -inf, or banned: nothing can be chosen
    grammarFailed // no token continues the grammar, or libllama failed inside it
};

/** Log-probabilities of a row: natural logarithms under the unmodified logits at temperature 1. */
struct LogprobRow {
    float logprob = 0;            // of the token; NaN when not asked for
    uint8_t topCount = 0;         // entries written below
    int32_t *topTokens = nullptr; // [maxTopLogprobs], best first; may be null when none are asked for
    float *topLogprobs = nullptr; // [maxTopLogprobs]
};

/** One row to sample. A sampler may appear once a call; several rows may share `logits`. */
struct SampleRow {
    const float *logits = nullptr; // [vocab.size]
    Sampler *sampler = nullptr;
    int32_t token = -1; // out; -1 unless ok, and the sampler is then unchanged
    RowStatus status = RowStatus::ok;
    LogprobRow logprobs; // out
};

/** One row whose token is given (prompt log-probabilities). */
struct ScoreRow {
    const float *logits = nullptr;
    int32_t token = 0; // in [0, vocabSize)
    LogprobRow logprobs;
};

/**
 * Threads and scratch memory for one vocabulary size. Calls come from one thread at a time; that thread works
 * too, so `threads` = 1 starts none. Nothing is allocated per call once buffers have reached their size.
 */
class SamplerPool {
public:
    SamplerPool(int threads, int32_t vocabSize);
    ~SamplerPool();
    SamplerPool(const SamplerPool &) = delete;
    SamplerPool &operator=(const SamplerPool &) = delete;

    /** Samples each row and accepts its token into the row's sampler. */
    void sample(SampleRow *rows, size_t count);

    /** Scores each row's token with `top` (0–20) alternatives. */
    void score(ScoreRow *rows, size_t count, int32_t top);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/** Throws SamplerError(grammarInvalid) with the reason. `vocab` may be null: token references are then
 * errors. */
void validateGrammar(const std::string &grammar, const llama_vocab *vocab);

} // namespace sluice::sampler
