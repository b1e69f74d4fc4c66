#include "reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace reference {

namespace {

double weight(float logit, double max, double temperature) {
    return std::exp((static_cast<double>(logit) - max) / temperature);
}

void keepTopP(Tokens &tokens, const Logits &logits, double topP) {
    const double max = static_cast<double>(logits[tokens[0]]);
    double total = 0;
    for (const int32_t token : tokens)
        total += weight(logits[token], max, 1);
    double sum = 0;
    for (size_t i = 0; i < tokens.size(); i++) {
        sum += weight(logits[tokens[i]], max, 1);
        if (sum >= topP * total) {
            tokens.resize(i + 1);
            return;
        }
    }
}

void keepMinP(Tokens &tokens, const Logits &logits, double minP) {
    const double max = static_cast<double>(logits[tokens[0]]);
    const auto isTooSmall = [&](int32_t token) { return weight(logits[token], max, 1) < minP; };
    tokens.erase(std::find_if(tokens.begin(), tokens.end(), isTooSmall), tokens.end());
}

} // namespace

Logits changed(const Logits &logits, const Params &params, const Vocab &vocab, const Tokens &history) {
    Logits out = logits;
    for (const auto &bias : params.logitBias)
        out[bias.token] += bias.bias;
    if (params.ignoreEos)
        for (const int32_t token : vocab.endOfGeneration)
            out[token] = -std::numeric_limits<float>::infinity();
    size_t first = 0;
    if (params.penaltyLastN >= 0 && history.size() > static_cast<size_t>(params.penaltyLastN))
        first = history.size() - static_cast<size_t>(params.penaltyLastN);
    std::map<int32_t, int> counts;
    for (size_t i = first; i < history.size(); i++)
        counts[history[i]]++;
    for (const auto &[token, count] : counts) {
        float &x = out[token];
        x = x > 0 ? x / params.repeatPenalty : x * params.repeatPenalty;
        x -= static_cast<float>(count) * params.frequencyPenalty + params.presencePenalty;
    }
    return out;
}

Tokens sorted(const Logits &logits) {
    Tokens tokens;
    for (size_t i = 0; i < logits.size(); i++)
        if (logits[i] > -std::numeric_limits<float>::infinity()) tokens.push_back(static_cast<int32_t>(i));
    std::stable_sort(tokens.begin(), tokens.end(),
                     [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
    return tokens;
}

std::vector<double> probabilities(const Logits &logits, const Params &params) {
    std::vector<double> out(logits.size(), 0.0);
    Tokens tokens = sorted(logits);
    if (tokens.empty()) return out;
    if (params.temperature == 0) {
        out[tokens[0]] = 1;
        return out;
    }
    if (params.topK > 0) tokens.resize(std::min(tokens.size(), static_cast<size_t>(params.topK)));
    if (params.topP < 1) keepTopP(tokens, logits, static_cast<double>(params.topP));
    if (params.minP > 0) keepMinP(tokens, logits, static_cast<double>(params.minP));
    const double max = static_cast<double>(logits[tokens[0]]);
    const double temperature = static_cast<double>(params.temperature);
    double total = 0;
    for (const int32_t token : tokens)
        total += weight(logits[token], max, temperature);
    for (const int32_t token : tokens)
        out[token] = weight(logits[token], max, temperature) / total;
    return out;
}

std::vector<double> logprobs(const Logits &logits) {
    double max = -std::numeric_limits<double>::infinity();
    for (const float x : logits)
        if (x > max) max = static_cast<double>(x);
    double total = 0;
    for (const float x : logits)
        if (!std::isnan(x)) total += weight(x, max, 1);
    std::vector<double> out;
    for (const float x : logits)
        out.push_back(static_cast<double>(x) - max - std::log(total));
    return out;
}

} // namespace reference
