#include "grammar.h"
#include "grammar_bounds.h"
#include "lazy_trigger.h"

#include "llama.h"

#include <algorithm>
#include <optional>

namespace sluice::sampler {

namespace {

struct FreeSampler {
    void operator()(llama_sampler *sampler) const { llama_sampler_free(sampler); }
};
using SamplerHandle = std::unique_ptr<llama_sampler, FreeSampler>;

SamplerHandle parse(const std::string &grammar, const llama_vocab *vocab) {
    if (grammar.empty()) throw SamplerError(ErrorCode::grammarInvalid, "The grammar is empty.");
    checkGrammarBounds(grammar);
    SamplerHandle sampler(llama_sampler_init_grammar(vocab, grammar.c_str(), "root"));
    if (!sampler)
        throw SamplerError(ErrorCode::grammarInvalid,
                           "The grammar doesn't parse, has no rule 'root', or recurses to the left.");
    return sampler;
}

/** A grammar that binds from its first token on. */
class EagerGrammar : public Grammar {
public:
    explicit EagerGrammar(SamplerHandle sampler) : sampler_(std::move(sampler)) {}

    // libllama aborts the process on a token it hasn't allowed: always ask first.
    bool take(int32_t token) override {
        filter(&token, 1, allowed_);
        if (!allowed_[0]) return false;
        llama_sampler_accept(sampler_.get(), token);
        return true;
    }

    void filter(const int32_t *tokens, size_t count, std::vector<uint8_t> &allowed) override {
        candidates_.clear();
        for (size_t i = 0; i < count; i++)
            candidates_.push_back({tokens[i], 0.0f, 0.0f});
        llama_token_data_array array{candidates_.data(), count, -1, false};
        llama_sampler_apply(sampler_.get(), &array);
        allowed.resize(count);
        for (size_t i = 0; i < count; i++)
            allowed[i] = candidates_[i].logit == 0;
    }

private:
    SamplerHandle sampler_;
    std::vector<llama_token_data> candidates_;
    std::vector<uint8_t> allowed_;
};

/** Allows everything until its trigger comes, then becomes an eager grammar. */
class LazyGrammar : public Grammar {
public:
    LazyGrammar(const Params &params, const llama_vocab *vocab)
        : text_(params.grammar), vocab_(vocab), initial_(parse(params.grammar, vocab)),
          trigger_(params.grammarTriggers) {}

    bool take(int32_t token) override {
        if (eager_) return eager_->take(token);
        const auto start = trigger_.push(token, piece(token));
        if (!start || begin(*start)) return true;
        trigger_.undo();
        return false;
    }

    void filter(const int32_t *tokens, size_t count, std::vector<uint8_t> &allowed) override {
        if (eager_) return eager_->filter(tokens, count, allowed);
        allowed.assign(count, 1);
    }

private:
    std::string piece(int32_t token) const {
        std::string text(32, '\0');
        auto size =
            llama_token_to_piece(vocab_, token, text.data(), static_cast<int32_t>(text.size()), 0, true);
        if (size < 0) {
            text.resize(static_cast<size_t>(-size));
            size =
                llama_token_to_piece(vocab_, token, text.data(), static_cast<int32_t>(text.size()), 0, true);
        }
        text.resize(static_cast<size_t>(std::max(size, 0)));
        return text;
    }

    // The text that triggered may already contradict the grammar: libllama then throws, and the token is
    // refused.
    bool begin(const LazyTrigger::Start &start) {
        SamplerHandle sampler = start.skipBytes == 0 ? SamplerHandle(llama_sampler_clone(initial_.get()))
                                                     : skipping(start.skipBytes);
        try {
            for (const int32_t token : start.tokens) {
                if (llama_vocab_is_eog(vocab_, token)) return false;
                llama_sampler_accept(sampler.get(), token);
            }
        } catch (const std::exception &) {
            return false;
        }
        eager_.emplace(std::move(sampler));
        return true;
    }

    /** A grammar to be fed a token of which it must not see the first `bytes`: only a lazy one of libllama's
     * can. */
    SamplerHandle skipping(size_t bytes) const {
        const std::string pattern = "^[\\s\\S]{" + std::to_string(bytes) + "}([\\s\\S]+)$";
        const char *patterns[] = {pattern.c_str()};
        SamplerHandle sampler(
            llama_sampler_init_grammar_lazy_patterns(vocab_, text_.c_str(), "root", patterns, 1, nullptr, 0));
        if (!sampler) throw SamplerError(ErrorCode::grammarInvalid, "The grammar doesn't parse.");
        return sampler;
    }

    const std::string text_;
    const llama_vocab *vocab_;
    const SamplerHandle initial_;
    LazyTrigger trigger_;
    std::optional<EagerGrammar> eager_;
};

} // namespace

std::unique_ptr<Grammar> makeGrammar(const Params &params, const Vocab &vocab) {
    if (params.grammar.empty()) return nullptr;
    if (vocab.handle == nullptr)
        throw SamplerError(ErrorCode::invalidParams, "A grammar needs a vocabulary.");
    if (params.grammarLazy) return std::make_unique<LazyGrammar>(params, vocab.handle);
    return std::make_unique<EagerGrammar>(parse(params.grammar, vocab.handle));
}

void validateGrammar(const std::string &grammar, const llama_vocab *vocab) {
    parse(grammar, vocab);
}

} // namespace sluice::sampler
