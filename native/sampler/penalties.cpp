#include "penalties.h"

#include <algorithm>

namespace sluice::sampler {

Penalties::Penalties(const PenaltyParams &params, const int32_t *history, size_t count)
    : params_(params),
      enabled_(params.lastN != 0 && (params.repeat != 1 || params.frequency != 0 || params.presence != 0)) {
    if (!enabled_) return;
    const size_t kept = params.lastN > 0 ? std::min(count, static_cast<size_t>(params.lastN)) : count;
    const int32_t *first = history + (count - kept);
    std::vector<int32_t> sorted(first, first + kept);
    std::sort(sorted.begin(), sorted.end());
    for (const int32_t token : sorted) {
        if (entries_.empty() || entries_.back().token != token) entries_.push_back({token, 0});
        entries_.back().count++;
    }
    if (params.lastN > 0) window_.assign(first, first + kept);
}

void Penalties::push(int32_t token) {
    if (!enabled_) return;
    if (params_.lastN > 0) {
        if (window_.size() < static_cast<size_t>(params_.lastN)) {
            window_.push_back(token);
        } else {
            remove(window_[next_]);
            window_[next_] = token;
            next_ = (next_ + 1) % window_.size();
        }
    }
    add(token);
}

void Penalties::add(int32_t token) {
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), token,
                                     [](const Entry &entry, int32_t t) { return entry.token < t; });
    if (at != entries_.end() && at->token == token) {
        at->count++;
    } else {
        entries_.insert(at, {token, 1});
    }
}

void Penalties::remove(int32_t token) {
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), token,
                                     [](const Entry &entry, int32_t t) { return entry.token < t; });
    if (--at->count == 0) entries_.erase(at);
}

void Penalties::apply(Row &row) const {
    for (const Entry &entry : entries_) {
        float &logit = row.change(entry.token);
        logit = logit <= 0 ? logit * params_.repeat : logit / params_.repeat;
        logit -= static_cast<float>(entry.count) * params_.frequency + params_.presence;
    }
}

} // namespace sluice::sampler
