#pragma once

#include <memory>
#include <string>

#include <napi.h>

#include "context.h"
#include "sampling.h"

namespace sluice {

/** NativeContext of src/native/types.ts. */
class ContextWrap : public Napi::ObjectWrap<ContextWrap> {
public:
    static Napi::Function define(Napi::Env env);
    static Napi::Object create(Napi::Env env, std::shared_ptr<Model> model, const Napi::Object &options);

    explicit ContextWrap(const Napi::CallbackInfo &call);

private:
    /** The context with its samplers, and the arrays of the engine that it reads. */
    struct State {
        State(std::shared_ptr<Model> model, const ContextOptions &options)
            : context(std::move(model), options), sampling(context) {}
        Context context;
        Sampling sampling;
        Napi::ObjectReference blockTables;
        Napi::ObjectReference windowTable; // empty where there are no window pages
        Napi::ObjectReference abortFlag;   // held, since its memory is read while forward() runs
    };

    void forward(const Napi::CallbackInfo &call);
    void abort(const Napi::CallbackInfo &call);
    void setSampler(const Napi::CallbackInfo &call);
    void clearSampler(const Napi::CallbackInfo &call);
    void sample(const Napi::CallbackInfo &call);
    void logprobs(const Napi::CallbackInfo &call);
    Napi::Value logits(const Napi::CallbackInfo &call);
    Napi::Value trimSequence(const Napi::CallbackInfo &call);
    void readPage(const Napi::CallbackInfo &call);
    void writePage(const Napi::CallbackInfo &call);
    Napi::Value graphsReused(const Napi::CallbackInfo &call);
    void close(const Napi::CallbackInfo &call);

    State &open() const;

    std::shared_ptr<State> state_;
};

} // namespace sluice
