#include "model_wrap.h"

#include <algorithm>
#include <utility>

#include "addon.h"
#include "chat_format.h"
#include "js.h"
#include "text.h"

namespace sluice {

namespace {

constexpr napi_type_tag modelTag{0x6f1d7c0c2f6a4c1bULL, 0x9b53f2b94f0e1a77ULL};

Napi::Object cellObject(Napi::Env env, uint64_t keys, uint64_t values) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("keys", static_cast<double>(keys));
    object.Set("values", static_cast<double>(values));
    return object;
}

Napi::Value windowValue(Napi::Env env, const llama_paged_cells &cells) {
    if (cells.window == LLAMA_PAGED_WINDOW_NONE) return env.Null();
    Napi::Object object = Napi::Object::New(env);
    object.Set("kind", cells.window == LLAMA_PAGED_WINDOW_SLIDING ? "sliding" : "chunked");
    object.Set("size", cells.window_size);
    object.Set("kvCell", cellObject(env, cells.window_keys, cells.window_values));
    return object;
}

Napi::Object infoObject(Napi::Env env, const ModelInfo &info) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("path", fromBytes(env, info.path));
    object.Set("architecture", fromBytes(env, info.architecture));
    object.Set("name", fromBytes(env, info.name));
    object.Set("description", fromBytes(env, info.description));
    object.Set("sizeBytes", static_cast<double>(info.sizeBytes));
    object.Set("parameters", static_cast<double>(info.parameters));
    object.Set("trainContext", info.trainContext);
    object.Set("vocabSize", info.vocabSize);
    object.Set("embeddingSize", info.embeddingSize);
    object.Set("layers", info.layers);
    object.Set("heads", info.heads);
    object.Set("kvHeads", info.kvHeads);
    object.Set("kvCell", cellObject(env, info.cells.keys, info.cells.values));
    object.Set("window", windowValue(env, info.cells));
    object.Set("bosToken", info.bosToken);
    object.Set("eosToken", info.eosToken);
    object.Set("addBos", info.addBos);
    object.Set("chatTemplate", fromBytes(env, info.chatTemplate));
    object.Set("recurrent", info.recurrent);
    object.Set("hybrid", info.hybrid);
    object.Set("encoderOnly", info.encoderOnly);
    Napi::Object packed = Napi::Object::New(env);
    packed.Set("kernel", info.packedWeights.kernel);
    packed.Set("reason", info.packedWeights.reason);
    packed.Set("tensors", info.packedWeights.tensors);
    packed.Set("bytes", static_cast<double>(info.packedWeights.bytes));
    object.Set("packedWeights", packed);
    Napi::Object metadata = Napi::Object::New(env);
    for (const auto &[key, value] : info.metadata)
        metadata.Set(fromBytes(env, key), fromBytes(env, value));
    object.Set("metadata", metadata);
    return object;
}

Napi::Array stringArray(Napi::Env env, const std::vector<std::string> &strings) {
    Napi::Array array = Napi::Array::New(env, strings.size());
    for (uint32_t i = 0; i < strings.size(); i++)
        array.Set(i, fromBytes(env, strings[i]));
    return array;
}

Napi::Object chatObject(Napi::Env env, const RenderedChat &chat) {
    Napi::Array triggers = Napi::Array::New(env, chat.grammarTriggers.size());
    for (uint32_t i = 0; i < chat.grammarTriggers.size(); i++) {
        Napi::Object trigger = Napi::Object::New(env);
        trigger.Set("type", chat.grammarTriggers[i].type);
        trigger.Set("value", fromBytes(env, chat.grammarTriggers[i].value));
        trigger.Set("token", chat.grammarTriggers[i].token);
        triggers.Set(i, trigger);
    }
    Napi::Object object = Napi::Object::New(env);
    object.Set("prompt", fromBytes(env, chat.prompt));
    object.Set("grammar", fromBytes(env, chat.grammar));
    object.Set("grammarLazy", chat.grammarLazy);
    object.Set("grammarTriggers", triggers);
    object.Set("preservedTokens", stringArray(env, chat.preservedTokens));
    object.Set("additionalStops", stringArray(env, chat.additionalStops));
    object.Set("syntax", fromBytes(env, chat.syntax));
    return object;
}

Napi::Uint8Array toUint8Array(Napi::Env env, const std::string &bytes) {
    Napi::Uint8Array array = Napi::Uint8Array::New(env, bytes.size());
    std::copy(bytes.begin(), bytes.end(), array.Data());
    return array;
}

} // namespace

Napi::Function ModelWrap::define(Napi::Env env) {
    return DefineClass(env, "NativeModel",
                       {
                           InstanceMethod<&ModelWrap::tokenize>("tokenize"),
                           InstanceMethod<&ModelWrap::detokenize>("detokenize"),
                           InstanceMethod<&ModelWrap::vocab>("vocab"),
                           InstanceMethod<&ModelWrap::renderChat>("renderChat"),
                           InstanceMethod<&ModelWrap::parseChat>("parseChat"),
                           InstanceMethod<&ModelWrap::close>("close"),
                       });
}

Napi::Object ModelWrap::create(Napi::Env env, std::shared_ptr<Model> model) {
    return Addon::of(env).construct<Model>(Addon::of(env).modelClass, std::move(model));
}

ModelWrap::ModelWrap(const Napi::CallbackInfo &call)
    : ObjectWrap(call), model_(Addon::of(call.Env()).takePending<Model>()) {
    call.This().As<Napi::Object>().TypeTag(&modelTag);
    call.This().As<Napi::Object>().DefineProperty(
        Napi::PropertyDescriptor::Value("info", infoObject(call.Env(), model_->info()), napi_enumerable));
}

std::shared_ptr<Model> ModelWrap::unwrap(const Napi::Value &value) {
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&modelTag))
        throw ArgumentError("model must be a NativeModel");
    const std::shared_ptr<Model> model = Unwrap(value.As<Napi::Object>())->model_;
    if (!model) throw NativeError(ErrorCode::closed, "The model was closed.");
    return model;
}

const Model &ModelWrap::open() const {
    if (!model_) throw NativeError(ErrorCode::closed, "The model was closed.");
    return *model_;
}

Napi::Value ModelWrap::tokenize(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        const auto tokens = sluice::tokenize(open(), toString(call[0], "text"), toBool(call[1], "addSpecial"),
                                             toBool(call[2], "parseSpecial"));
        return toInt32Array(call.Env(), tokens.data(), tokens.size());
    });
}

Napi::Value ModelWrap::detokenize(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        const auto tokens = int32View(call[0], "tokens");
        return toUint8Array(
            call.Env(), sluice::detokenize(open(), tokens.data, tokens.length, toBool(call[1], "special")));
    });
}

Napi::Value ModelWrap::vocab(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        const VocabTable table = vocabTable(open());
        Napi::Uint32Array offsets = Napi::Uint32Array::New(call.Env(), table.offsets.size());
        std::copy(table.offsets.begin(), table.offsets.end(), offsets.Data());
        Napi::Object object = Napi::Object::New(call.Env());
        object.Set("bytes", toUint8Array(call.Env(), table.bytes));
        object.Set("offsets", offsets);
        object.Set("flags", toUint8Array(call.Env(), std::string(table.flags.begin(), table.flags.end())));
        return object;
    });
}

Napi::Value ModelWrap::renderChat(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        return chatObject(call.Env(), sluice::renderChat(open(), toString(call[0], "requestJson")));
    });
}

Napi::Value ModelWrap::parseChat(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        open();
        return fromBytes(call.Env(), sluice::parseChat(toString(call[0], "text"), toBool(call[1], "partial"),
                                                       toString(call[2], "syntax")));
    });
}

void ModelWrap::close(const Napi::CallbackInfo &) {
    model_.reset();
}

} // namespace sluice
