#include "sampler.h"

#include "sampler_state.h"

#include <cmath>
#include <limits>

namespace sluice::sampler {

namespace {

/** Below this, 1 / temperature would leave the range in which exp() tells candidates apart. */
constexpr float temperatureMin = 1e-5f;

void require(bool isValid, const char *message) {
    if (!isValid) throw SamplerError(ErrorCode::invalidParams, message);
}

bool isToken(int32_t token, const Vocab &vocab) {
    return token >= 0 && token < vocab.size;
}

void checkNumbers(const Params &p) {
    require(std::isfinite(p.temperature) && p.temperature >= 0, "temperature must be a number ≥ 0.");
    require(p.topK >= 0, "topK must be ≥ 0.");
    require(p.topP >= 0 && p.topP <= 1, "topP must be between 0 and 1.");
    require(p.minP >= 0 && p.minP <= 1, "minP must be between 0 and 1.");
    require(std::isfinite(p.repeatPenalty) && p.repeatPenalty > 0, "repeatPenalty must be a number > 0.");
    require(std::isfinite(p.frequencyPenalty), "frequencyPenalty must be a number.");
    require(std::isfinite(p.presencePenalty), "presencePenalty must be a number.");
    require(p.penaltyLastN >= -1, "penaltyLastN must be ≥ -1.");
    require(p.topLogprobs >= -1 && p.topLogprobs <= maxTopLogprobs, "topLogprobs must be between -1 and 20.");
}

const Params &checked(const Params &params, const Vocab &vocab, const int32_t *history, size_t historyCount,
                      size_t generated) {
    require(vocab.size > 0, "The vocabulary is empty.");
    checkNumbers(params);
    for (const LogitBias &bias : params.logitBias) {
        require(isToken(bias.token, vocab), "A token of logitBias is not in the vocabulary.");
        require(std::isfinite(bias.bias), "A bias of logitBias must be a number.");
    }
    for (const GrammarTrigger &trigger : params.grammarTriggers)
        require(trigger.type != GrammarTrigger::Type::token || isToken(trigger.token, vocab),
                "A trigger's token is not in the vocabulary.");
    for (const int32_t token : params.grammarPrefix)
        require(isToken(token, vocab), "A token of grammarPrefix is not in the vocabulary.");
    for (size_t i = 0; i < historyCount; i++)
        require(isToken(history[i], vocab), "A token of the history is not in the vocabulary.");
    require(generated <= historyCount, "More tokens generated than the history holds.");
    return params;
}

ChoiceParams choiceOf(const Params &p, const Vocab &vocab) {
    return {p.temperature < temperatureMin ? 0 : p.temperature, p.topK < vocab.size ? p.topK : 0, p.topP,
            p.minP};
}

PenaltyParams penaltiesOf(const Params &p) {
    return {p.repeatPenalty, p.frequencyPenalty, p.presencePenalty, p.penaltyLastN};
}

void replay(Grammar &grammar, const int32_t *tokens, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!grammar.take(tokens[i]))
            throw SamplerError(ErrorCode::grammarInvalid, "The generated tokens don't follow the grammar.");
}

} // namespace

Sampler::State::State(const Params &params, const Vocab &vocab, const int32_t *history, size_t historyCount,
                      size_t generated)
    : vocab(vocab), choice(choiceOf(params, vocab)), seed(params.seed), generated(generated),
      logitBias(params.logitBias), ignoreEos(params.ignoreEos), topLogprobs(params.topLogprobs),
      penalties(penaltiesOf(params), history, historyCount), grammar(makeGrammar(params, vocab)) {
    if (!grammar) return;
    // A lazy grammar starts at its trigger, which comes after them.
    if (!params.grammarLazy) replay(*grammar, params.grammarPrefix.data(), params.grammarPrefix.size());
    replay(*grammar, history + (historyCount - generated), generated);
}

void Sampler::State::apply(Row &row) const {
    for (const LogitBias &bias : logitBias)
        row.change(bias.token) += bias.bias;
    if (ignoreEos)
        for (const int32_t token : vocab.endOfGeneration)
            row.change(token) = -std::numeric_limits<float>::infinity();
    penalties.apply(row);
    if (row.changed()) row.refresh();
}

int32_t Sampler::State::choose(Row &row, Chooser &chooser) {
    TokenRandom random(seed, generated);
    const int32_t token = chooser.choose(row, choice, random, grammar.get());
    if (token >= 0 || !grammar || !ignoreEos) return token;
    // A finished grammar allows nothing but an end of generation, so that has to be given although it is
    // banned.
    for (const int32_t end : vocab.endOfGeneration)
        if (grammar->take(end)) return end;
    return -1;
}

void Sampler::State::accept(int32_t token) {
    penalties.push(token);
    generated++;
}

Sampler::Sampler(const Params &params, const Vocab &vocab, const int32_t *history, size_t historyCount,
                 size_t generated)
    : state_(std::make_unique<State>(checked(params, vocab, history, historyCount, generated), vocab, history,
                                     historyCount, generated)) {}

Sampler::~Sampler() = default;
Sampler::Sampler(Sampler &&) noexcept = default;
Sampler &Sampler::operator=(Sampler &&) noexcept = default;

int32_t Sampler::topLogprobs() const {
    return state_->topLogprobs;
}

} // namespace sluice::sampler
