#include "embedding_wrap.h"

#include <utility>

#include "addon.h"
#include "js.h"

namespace sluice {

namespace {

constexpr int64_t textsMax = 256; // LLAMA_MAX_SEQ
constexpr int64_t batchTokensMax = 1 << 16;
constexpr int64_t threadsMax = 512; // GGML_MAX_N_THREADS

EmbeddingOptions readOptions(const Napi::Object &object) {
    const auto integer = [&](const char *name, int64_t max) {
        return toInteger(object.Get(name), name, 1, max);
    };
    EmbeddingOptions options;
    options.maxTexts = static_cast<uint32_t>(integer("maxTexts", textsMax));
    options.maxBatchTokens = static_cast<uint32_t>(integer("maxBatchTokens", batchTokensMax));
    options.threads = static_cast<int32_t>(integer("threads", threadsMax));
    return options;
}

} // namespace

Napi::Function EmbeddingWrap::define(Napi::Env env) {
    return DefineClass(env, "NativeEmbeddingContext",
                       {
                           InstanceMethod<&EmbeddingWrap::embed>("embed"),
                           InstanceMethod<&EmbeddingWrap::close>("close"),
                       });
}

Napi::Object EmbeddingWrap::create(Napi::Env env, std::shared_ptr<Model> model, const Napi::Object &options) {
    auto context = makeContext<EmbeddingContext>(std::move(model), readOptions(options));
    return Addon::of(env).construct<EmbeddingContext>(Addon::of(env).embeddingClass, std::move(context));
}

EmbeddingWrap::EmbeddingWrap(const Napi::CallbackInfo &call)
    : ObjectWrap(call), context_(Addon::of(call.Env()).takePending<EmbeddingContext>()) {
    const Napi::Env env = call.Env();
    Napi::Object self = call.This().As<Napi::Object>();
    const auto define = [&](const char *name, double value) {
        self.DefineProperty(
            Napi::PropertyDescriptor::Value(name, Napi::Number::New(env, value), napi_enumerable));
    };
    define("size", static_cast<double>(context_->size()));
    define("maxTextTokens", context_->maxTextTokens());
}

EmbeddingContext &EmbeddingWrap::open() const {
    if (!context_) throw NativeError(ErrorCode::closed, "The context was closed.");
    return *context_;
}

void EmbeddingWrap::embed(const Napi::CallbackInfo &call) {
    guarded(call.Env(), [&] {
        EmbeddingContext &context = open();
        const auto tokens = int32View(call[0], "tokens");
        const auto lengths = int32View(call[1], "lengths");
        const auto vectors = float32View(call[2], "vectors");
        if (lengths.length > context.options().maxTexts) throw RangeError("more texts than maxTexts");
        if (vectors.length < lengths.length * context.size()) throw RangeError("vectors is too short");
        context.embed(tokens.data, tokens.length, lengths.data, lengths.length, vectors.data);
    });
}

void EmbeddingWrap::close(const Napi::CallbackInfo &) {
    context_.reset();
}

} // namespace sluice
