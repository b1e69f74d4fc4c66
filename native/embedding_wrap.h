#pragma once

#include <memory>

#include <napi.h>

#include "embedding.h"

namespace sluice {

/** NativeEmbeddingContext of src/native/types.ts. */
class EmbeddingWrap : public Napi::ObjectWrap<EmbeddingWrap> {
public:
    static Napi::Function define(Napi::Env env);
    static Napi::Object create(Napi::Env env, std::shared_ptr<Model> model, const Napi::Object &options);

    explicit EmbeddingWrap(const Napi::CallbackInfo &call);

private:
    void embed(const Napi::CallbackInfo &call);
    void close(const Napi::CallbackInfo &call);

    EmbeddingContext &open() const;

    std::shared_ptr<EmbeddingContext> context_;
};

} // namespace sluice
