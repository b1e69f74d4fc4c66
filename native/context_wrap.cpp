#include "context_wrap.h"

#include <algorithm>
#include <utility>

#include "addon.h"
#include "context_options.h"
#include "grammar_prefix.h"
#include "js.h"
#include "sampler_errors.h"
#include "sampler_params.h"

namespace sluice {

namespace {

Napi::Object infoObject(Napi::Env env, const ContextInfo &info) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("placement", info.placedByPages ? "pages" : "sequences");
    object.Set("attention", info.pagedAttention ? "paged" : "stock");
    object.Set("attentionReason", info.attentionReason);
    object.Set("kvBytes", static_cast<double>(info.kvBytes));
    object.Set("windowPages", info.windowPages);
    object.Set("bytesPerPage", static_cast<double>(info.bytesPerPage));
    return object;
}

template <typename T> T *atLeast(const View<T> &view, size_t length, const char *name) {
    if (view.length < length) throw RangeError(std::string(name) + " is too short");
    return view.data;
}

SampleTarget targetOf(const Napi::Value &value, size_t rows) {
    const Napi::Object result = toObject(value, "result");
    const size_t tops = rows * sampler::maxTopLogprobs;
    return {atLeast(int32View(result.Get("tokens"), "tokens"), rows, "tokens"),
            atLeast(float32View(result.Get("logprobs"), "logprobs"), rows, "logprobs"),
            atLeast(uint8View(result.Get("topCounts"), "topCounts"), rows, "topCounts"),
            atLeast(int32View(result.Get("topTokens"), "topTokens"), tops, "topTokens"),
            atLeast(float32View(result.Get("topLogprobs"), "topLogprobs"), tops, "topLogprobs")};
}

uint32_t pageOf(const Napi::Value &value, const Context &context) {
    return static_cast<uint32_t>(toInteger(value, "page", 0, context.options().pages - 1));
}

uint32_t windowPageOf(const Napi::Value &value, const Context &context) {
    const uint32_t pages = context.info().windowPages;
    return pages == 0 ? 0 : static_cast<uint32_t>(toInteger(value, "windowPage", 0, pages - 1));
}

uint8_t *pageBytes(const Napi::Value &value, const Context &context) {
    return atLeast(uint8View(value, "bytes"), context.info().bytesPerPage, "bytes");
}

} // namespace

Napi::Function ContextWrap::define(Napi::Env env) {
    return DefineClass(env, "NativeContext",
                       {
                           InstanceMethod<&ContextWrap::forward>("forward"),
                           InstanceMethod<&ContextWrap::abort>("abort"),
                           InstanceMethod<&ContextWrap::setSampler>("setSampler"),
                           InstanceMethod<&ContextWrap::clearSampler>("clearSampler"),
                           InstanceMethod<&ContextWrap::sample>("sample"),
                           InstanceMethod<&ContextWrap::logprobs>("logprobs"),
                           InstanceMethod<&ContextWrap::logits>("logits"),
                           InstanceMethod<&ContextWrap::trimSequence>("trimSequence"),
                           InstanceMethod<&ContextWrap::readPage>("readPage"),
                           InstanceMethod<&ContextWrap::writePage>("writePage"),
                           InstanceMethod<&ContextWrap::graphsReused>("graphsReused"),
                           InstanceMethod<&ContextWrap::close>("close"),
                       });
}

Napi::Object ContextWrap::create(Napi::Env env, std::shared_ptr<Model> model, const Napi::Object &options) {
    auto state = makeContext<State>(std::move(model), readContextOptions(options));
    state->blockTables = Napi::Persistent(options.Get("blockTables").As<Napi::Object>());
    if (state->context.info().windowPages > 0)
        state->windowTable = Napi::Persistent(options.Get("windowTable").As<Napi::Object>());
    if (state->context.options().abortFlag != nullptr)
        state->abortFlag = Napi::Persistent(options.Get("abortFlag").As<Napi::Object>());
    return Addon::of(env).construct<State>(Addon::of(env).contextClass, std::move(state));
}

ContextWrap::ContextWrap(const Napi::CallbackInfo &call)
    : ObjectWrap(call), state_(Addon::of(call.Env()).takePending<State>()) {
    call.This().As<Napi::Object>().DefineProperty(Napi::PropertyDescriptor::Value(
        "info", infoObject(call.Env(), state_->context.info()), napi_enumerable));
}

ContextWrap::State &ContextWrap::open() const {
    if (!state_) throw NativeError(ErrorCode::closed, "The context was closed.");
    return *state_;
}

void ContextWrap::forward(const Napi::CallbackInfo &call) {
    guarded(call.Env(), [&] {
        State &state = open();
        const ContextOptions &options = state.context.options();
        const Napi::Object batch = toObject(call[0], "batch");
        const auto count =
            static_cast<size_t>(toInteger(batch.Get("count"), "count", 1, options.maxBatchTokens));
        const size_t tableSize = size_t{options.maxSequences} * options.maxPagesPerSequence;
        state.context.forward({
            count,
            atLeast(int32View(batch.Get("tokens"), "tokens"), count, "tokens"),
            atLeast(int32View(batch.Get("positions"), "positions"), count, "positions"),
            atLeast(int32View(batch.Get("sequences"), "sequences"), count, "sequences"),
            atLeast(uint8View(batch.Get("outputs"), "outputs"), count, "outputs"),
            atLeast(int32View(state.blockTables.Value(), "blockTables"), tableSize, "blockTables"),
            state.windowTable.IsEmpty()
                ? nullptr
                : atLeast(int32View(state.windowTable.Value(), "windowTable"), options.pages, "windowTable"),
        });
    });
}

void ContextWrap::abort(const Napi::CallbackInfo &call) {
    guarded(call.Env(), [&] { open().context.abort(); });
}

void ContextWrap::setSampler(const Napi::CallbackInfo &call) {
    guarded(call.Env(), [&] {
        State &state = open();
        const auto sequence =
            static_cast<int32_t>(toInteger(call[0], "sequence", 0, state.context.options().maxSequences - 1));
        sampler::Params params = readSamplerParams(toObject(call[1], "params"));
        params.grammarPrefix = grammarPrefixTokens(state.context.model(), params.grammar);
        // A copy: the sampler checks it first and reads it then, and the memory may be shared.
        const auto view = int32View(call[2], "history");
        const std::vector<int32_t> history(view.data, view.data + view.length);
        const auto generated =
            static_cast<size_t>(toInteger(call[3], "generated", 0, static_cast<int64_t>(history.size())));
        withSamplerErrors(
            [&] { state.sampling.set(sequence, params, history.data(), history.size(), generated); });
    });
}

void ContextWrap::clearSampler(const Napi::CallbackInfo &call) {
    guarded(call.Env(), [&] {
        State &state = open();
        state.sampling.clear(static_cast<int32_t>(
            toInteger(call[0], "sequence", 0, state.context.options().maxSequences - 1)));
    });
}

void ContextWrap::sample(const Napi::CallbackInfo &call) {
    guarded(call.Env(), [&] {
        State &state = open();
        const auto count =
            static_cast<size_t>(toInteger(call[0], "count", 0, state.context.options().maxSequences));
        const int32_t *outputs = atLeast(int32View(call[1], "outputs"), count, "outputs");
        const int32_t *sequences = atLeast(int32View(call[2], "sequences"), count, "sequences");
        withSamplerErrors(
            [&] { state.sampling.sample(count, outputs, sequences, targetOf(call[3], count)); });
    });
}

void ContextWrap::logprobs(const Napi::CallbackInfo &call) {
    guarded(call.Env(), [&] {
        State &state = open();
        const auto count =
            static_cast<size_t>(toInteger(call[0], "count", 0, state.context.options().maxOutputs));
        const int32_t *outputs = atLeast(int32View(call[1], "outputs"), count, "outputs");
        const int32_t *tokens = atLeast(int32View(call[2], "tokens"), count, "tokens");
        const auto top = static_cast<int32_t>(toInteger(call[3], "top", 0, sampler::maxTopLogprobs));
        withSamplerErrors(
            [&] { state.sampling.score(count, outputs, tokens, top, targetOf(call[4], count)); });
    });
}

Napi::Value ContextWrap::logits(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        const Context &context = open().context;
        const float *row = context.logits(
            static_cast<int32_t>(toInteger(call[0], "output", 0, context.options().maxOutputs)));
        const auto size = static_cast<size_t>(context.model().info().vocabSize);
        Napi::Float32Array copy = Napi::Float32Array::New(call.Env(), size);
        std::copy_n(row, size, copy.Data());
        return copy;
    });
}

Napi::Value ContextWrap::trimSequence(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        Context &context = open().context;
        const auto sequence =
            static_cast<int32_t>(toInteger(call[0], "sequence", 0, context.options().maxSequences - 1));
        const auto from = static_cast<int32_t>(toInteger(call[1], "from", 0, 0x7fffffff));
        return Napi::Boolean::New(call.Env(), context.trimSequence(sequence, from));
    });
}

void ContextWrap::readPage(const Napi::CallbackInfo &call) {
    guarded(call.Env(), [&] {
        const Context &context = open().context;
        context.readPage(pageOf(call[0], context), windowPageOf(call[1], context),
                         pageBytes(call[2], context));
    });
}

void ContextWrap::writePage(const Napi::CallbackInfo &call) {
    guarded(call.Env(), [&] {
        Context &context = open().context;
        context.writePage(pageOf(call[0], context), windowPageOf(call[1], context),
                          pageBytes(call[2], context));
    });
}

Napi::Value ContextWrap::graphsReused(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        return Napi::Number::New(call.Env(), static_cast<double>(open().context.graphsReused()));
    });
}

void ContextWrap::close(const Napi::CallbackInfo &) {
    state_.reset();
}

} // namespace sluice
