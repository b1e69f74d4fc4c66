#pragma once

#include <memory>

#include <napi.h>

#include "model.h"

namespace sluice {

/** NativeModel of src/native/types.ts: one reference to a model. */
class ModelWrap : public Napi::ObjectWrap<ModelWrap> {
public:
    static Napi::Function define(Napi::Env env);
    static Napi::Object create(Napi::Env env, std::shared_ptr<Model> model);
    /** The model behind a NativeModel. Throws ArgumentError for anything else, CLOSED after close(). */
    static std::shared_ptr<Model> unwrap(const Napi::Value &value);

    explicit ModelWrap(const Napi::CallbackInfo &call);

private:
    Napi::Value tokenize(const Napi::CallbackInfo &call);
    Napi::Value detokenize(const Napi::CallbackInfo &call);
    Napi::Value vocab(const Napi::CallbackInfo &call);
    Napi::Value renderChat(const Napi::CallbackInfo &call);
    Napi::Value parseChat(const Napi::CallbackInfo &call);
    void close(const Napi::CallbackInfo &call);

    const Model &open() const;

    std::shared_ptr<Model> model_;
};

} // namespace sluice
