#include "addon.h"

#include <algorithm>

#include "backend.h"
#include "chat_format.h"
#include "context_wrap.h"
#include "embedding_wrap.h"
#include "hidden_states_wrap.h"
#include "js.h"
#include "limits.h"
#include "load.h"
#include "matmul_time.h"
#include "model_registry.h"
#include "model_wrap.h"
#include "sampler_errors.h"

namespace sluice {

Addon::Addon(Napi::Env env, Napi::Object exports) {
    DefineAddon(exports, {
                             InstanceMethod<&Addon::init>("init"),
                             InstanceMethod<&Addon::load>("load"),
                             InstanceMethod<&Addon::createContext>("createContext"),
                             InstanceMethod<&Addon::createEmbeddingContext>("createEmbeddingContext"),
                             InstanceMethod<&Addon::createHiddenStates>("createHiddenStates"),
                             InstanceMethod<&Addon::jsonSchemaToGrammar>("jsonSchemaToGrammar"),
                             InstanceMethod<&Addon::validateGrammar>("validateGrammar"),
                             InstanceMethod<&Addon::timeMatmuls>("timeMatmuls"),
                             InstanceMethod<&Addon::counters>("counters"),
                         });
    modelClass = Napi::Persistent(ModelWrap::define(env));
    contextClass = Napi::Persistent(ContextWrap::define(env));
    embeddingClass = Napi::Persistent(EmbeddingWrap::define(env));
    hiddenStatesClass = Napi::Persistent(HiddenStatesWrap::define(env));
}

Napi::Value Addon::init(const Napi::CallbackInfo &call) {
    const Napi::Env env = call.Env();
    return guarded(env, [&]() -> Napi::Value {
        const Napi::Object options = toObject(call[0], "options");
        const BackendInfo &info = initBackends(toString(options.Get("directory"), "directory"),
                                               toString(options.Get("backend"), "backend"));
        Napi::Array devices = Napi::Array::New(env, info.devices.size());
        for (uint32_t i = 0; i < info.devices.size(); i++) {
            Napi::Object device = Napi::Object::New(env);
            device.Set("name", fromBytes(env, info.devices[i].name));
            device.Set("description", fromBytes(env, info.devices[i].description));
            device.Set("kind", info.devices[i].kind);
            device.Set("memoryFreeBytes", static_cast<double>(info.devices[i].memoryFreeBytes));
            device.Set("memoryTotalBytes", static_cast<double>(info.devices[i].memoryTotalBytes));
            devices.Set(i, device);
        }
        Napi::Object object = Napi::Object::New(env);
        object.Set("llamaRelease", info.llamaRelease);
        object.Set("cpuVariant", info.cpuVariant);
        object.Set("weightKernel", info.weightKernel);
        object.Set("devices", devices);
        object.Set("systemInfo", info.systemInfo);
        return object;
    });
}

Napi::Value Addon::load(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        requireBackends();
        return startLoad(call.Env(), toString(call[0], "path"), toObject(call[1], "options"), call[2]);
    });
}

Napi::Value Addon::createContext(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        return ContextWrap::create(call.Env(), ModelWrap::unwrap(call[0]), toObject(call[1], "options"));
    });
}

Napi::Value Addon::createEmbeddingContext(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        return EmbeddingWrap::create(call.Env(), ModelWrap::unwrap(call[0]), toObject(call[1], "options"));
    });
}

Napi::Value Addon::createHiddenStates(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        return HiddenStatesWrap::create(call.Env(), ModelWrap::unwrap(call[0]), toObject(call[1], "options"));
    });
}

Napi::Value Addon::jsonSchemaToGrammar(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        return fromBytes(call.Env(), sluice::jsonSchemaToGrammar(toString(call[0], "schemaJson")));
    });
}

void Addon::validateGrammar(const Napi::CallbackInfo &call) {
    guarded(call.Env(), [&] {
        const std::string grammar = toString(call[0], "grammar");
        if (grammar.size() > grammarBytesMax)
            throw NativeError(ErrorCode::grammarInvalid, "The grammar is longer than 64 kB.");
        withSamplerErrors([&] { sampler::validateGrammar(grammar, nullptr); });
    });
}

Napi::Value Addon::timeMatmuls(const Napi::CallbackInfo &call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
        requireBackends();
        const Napi::Object options = toObject(call[0], "options");
        const auto integer = [&](const char *name, int64_t max) {
            return toInteger(options.Get(name), name, 1, max);
        };
        MatmulCase matmuls;
        const Napi::Object types = toObject(options.Get("types"), "types");
        const auto count = toInteger(types.Get("length"), "types.length", 1, 8);
        for (uint32_t i = 0; i < count; i++)
            matmuls.types.push_back(toString(types.Get(i), "types"));
        matmuls.inputs = integer("inputs", 1 << 20);
        matmuls.outputs = integer("outputs", 1 << 20);
        matmuls.tokens = integer("tokens", 512);
        matmuls.copies = static_cast<int>(integer("copies", 1024));
        matmuls.threads = static_cast<int>(integer("threads", 1024));
        matmuls.rounds = static_cast<int>(integer("rounds", 100));
        const std::vector<double> times = sluice::timeMatmuls(matmuls);
        Napi::Float64Array result = Napi::Float64Array::New(call.Env(), times.size());
        std::copy(times.begin(), times.end(), result.Data());
        return result;
    });
}

Napi::Value Addon::counters(const Napi::CallbackInfo &call) {
    const auto models = ModelRegistry::instance().counters();
    Napi::Object object = Napi::Object::New(call.Env());
    object.Set("models", static_cast<double>(models.models));
    object.Set("modelReferences", static_cast<double>(models.references));
    object.Set("contexts", static_cast<double>(Context::count()));
    return object;
}

NODE_API_ADDON(Addon)

} // namespace sluice
