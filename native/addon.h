#pragma once

#include <memory>
#include <utility>

#include <napi.h>

#include "errors.h"

namespace sluice {

/** NativeAddon of src/native/types.ts: one object an environment (the main thread, each worker). */
class Addon : public Napi::Addon<Addon> {
public:
    Addon(Napi::Env env, Napi::Object exports);
    static Addon &of(Napi::Env env) { return *env.GetInstanceData<Addon>(); }

    Napi::FunctionReference modelClass;
    Napi::FunctionReference contextClass;
    Napi::FunctionReference embeddingClass;
    Napi::FunctionReference hiddenStatesClass;

    /** Makes a wrapper around `value`. JavaScript can reach the class, but not construct it: nothing is
     * pending then. */
    template <typename T>
    Napi::Object construct(const Napi::FunctionReference &wrapper, std::shared_ptr<T> value) {
        pending_ = std::move(value);
        return wrapper.New({});
    }
    template <typename T> std::shared_ptr<T> takePending() {
        if (!pending_) throw Napi::TypeError::New(modelClass.Env(), "Illegal constructor");
        return std::static_pointer_cast<T>(std::exchange(pending_, nullptr));
    }

private:
    Napi::Value init(const Napi::CallbackInfo &call);
    Napi::Value load(const Napi::CallbackInfo &call);
    Napi::Value createContext(const Napi::CallbackInfo &call);
    Napi::Value createEmbeddingContext(const Napi::CallbackInfo &call);
    Napi::Value createHiddenStates(const Napi::CallbackInfo &call);
    Napi::Value jsonSchemaToGrammar(const Napi::CallbackInfo &call);
    void validateGrammar(const Napi::CallbackInfo &call);
    Napi::Value timeMatmuls(const Napi::CallbackInfo &call);
    Napi::Value counters(const Napi::CallbackInfo &call);

    std::shared_ptr<void> pending_;
};

} // namespace sluice
