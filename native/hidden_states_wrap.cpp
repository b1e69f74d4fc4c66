#include "hidden_states_wrap.h"

#include <utility>

#include "addon.h"
#include "js.h"

namespace sluice {

namespace {

constexpr int64_t layersMax = 8;
constexpr int64_t tokensMax = 1 << 16;
constexpr int64_t threadsMax = 512; // GGML_MAX_N_THREADS

HiddenStatesOptions readOptions(const Napi::Object &object) {
    HiddenStatesOptions options;
    const Napi::Object layers = toObject(object.Get("layers"), "layers");
    const int64_t count = toInteger(layers.Get("length"), "layers.length", 1, layersMax);
    int32_t last = 0;
    for (uint32_t i = 0; i < count; i++) {
        last = static_cast<int32_t>(toInteger(layers.Get(i), "layers", last + 1, INT32_MAX));
        options.layers.push_back(last);
    }
    if (!object.Get("adapter").IsUndefined()) options.adapter = toString(object.Get("adapter"), "adapter");
    options.maxTokens = static_cast<uint32_t>(toInteger(object.Get("maxTokens"), "maxTokens", 1, tokensMax));
    options.threads = static_cast<int32_t>(toInteger(object.Get("threads"), "threads", 1, threadsMax));
    return options;
}

} // namespace

Napi::Function HiddenStatesWrap::define(Napi::Env env) {
    return DefineClass(env, "NativeHiddenStates",
                       {
                           InstanceMethod<&HiddenStatesWrap::read>("read"),
                           InstanceMethod<&HiddenStatesWrap::close>("close"),
                       });
}

Napi::Object HiddenStatesWrap::create(Napi::Env env, std::shared_ptr<Model> model,
                                      const Napi::Object &options) {
    auto states = makeContext<HiddenStates>(std::move(model), readOptions(options));
    return Addon::of(env).construct<HiddenStates>(Addon::of(env).hiddenStatesClass, std::move(states));
}

HiddenStatesWrap::HiddenStatesWrap(const Napi::CallbackInfo &call)
    : ObjectWrap(call), states_(Addon::of(call.Env()).takePending<HiddenStates>()) {
    const auto size = Napi::Number::New(call.Env(), static_cast<double>(states_->size()));
    call.This().As<Napi::Object>().DefineProperty(
        Napi::PropertyDescriptor::Value("size", size, napi_enumerable));
}

void HiddenStatesWrap::read(const Napi::CallbackInfo &call) {
    guarded(call.Env(), [&] {
        if (!states_) throw NativeError(ErrorCode::closed, "The context was closed.");
        const auto tokens = int32View(call[0], "tokens");
        const auto states = float32View(call[1], "states");
        if (tokens.length > states_->options().maxTokens)
            throw RangeError("tokens must be between 1 and maxTokens");
        if (states.length < tokens.length * states_->options().layers.size() * states_->size())
            throw RangeError("states is too short");
        states_->read(tokens.data, tokens.length, states.data);
    });
}

void HiddenStatesWrap::close(const Napi::CallbackInfo &) {
    states_.reset();
}

} // namespace sluice
