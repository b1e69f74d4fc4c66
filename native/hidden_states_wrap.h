#pragma once

#include <memory>

#include <napi.h>

#include "hidden_states.h"

namespace sluice {

/** NativeHiddenStates of src/native/types.ts. */
class HiddenStatesWrap : public Napi::ObjectWrap<HiddenStatesWrap> {
public:
    static Napi::Function define(Napi::Env env);
    static Napi::Object create(Napi::Env env, std::shared_ptr<Model> model, const Napi::Object &options);

    explicit HiddenStatesWrap(const Napi::CallbackInfo &call);

private:
    void read(const Napi::CallbackInfo &call);
    void close(const Napi::CallbackInfo &call);

    std::shared_ptr<HiddenStates> states_;
};

} // namespace sluice
