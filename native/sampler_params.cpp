#include "sampler_params.h"

#include "js.h"

namespace sluice {

namespace {

using sampler::GrammarTrigger;

constexpr uint32_t logitBiasMax = 1 << 16;
constexpr uint32_t triggersMax = 64;
constexpr int64_t int32Max = 0x7fffffff;

int32_t int32(const Napi::Object &object, const char *name, int64_t min) {
    return static_cast<int32_t>(toInteger(object.Get(name), name, min, int32Max));
}

float number(const Napi::Object &object, const char *name) {
    return static_cast<float>(toNumber(object.Get(name), name));
}

Napi::Array arrayOf(const Napi::Object &object, const char *name, uint32_t lengthMax) {
    const Napi::Value value = object.Get(name);
    if (!value.IsArray()) throw ArgumentError(std::string(name) + " must be an array");
    const auto array = value.As<Napi::Array>();
    if (array.Length() > lengthMax) throw RangeError(std::string(name) + " is too long");
    return array;
}

GrammarTrigger::Type triggerType(const std::string &type) {
    if (type == "token") return GrammarTrigger::Type::token;
    if (type == "word") return GrammarTrigger::Type::word;
    if (type == "pattern") return GrammarTrigger::Type::pattern;
    if (type == "pattern_full") return GrammarTrigger::Type::patternFull;
    throw RangeError("unknown type of grammar trigger");
}

} // namespace

sampler::Params readSamplerParams(const Napi::Object &object) {
    sampler::Params params;
    params.temperature = number(object, "temperature");
    params.topK = int32(object, "topK", 0);
    params.topP = number(object, "topP");
    params.minP = number(object, "minP");
    params.repeatPenalty = number(object, "repeatPenalty");
    params.frequencyPenalty = number(object, "frequencyPenalty");
    params.presencePenalty = number(object, "presencePenalty");
    params.penaltyLastN = int32(object, "penaltyLastN", -1);
    params.seed = static_cast<uint32_t>(toInteger(object.Get("seed"), "seed", 0, 0xffffffffLL));
    params.ignoreEos = toBool(object.Get("ignoreEos"), "ignoreEos");
    params.topLogprobs = int32(object, "topLogprobs", -1);
    params.grammar = toString(object.Get("grammar"), "grammar");
    params.grammarLazy = toBool(object.Get("grammarLazy"), "grammarLazy");

    const Napi::Array biases = arrayOf(object, "logitBias", logitBiasMax);
    for (uint32_t i = 0; i < biases.Length(); i++) {
        const Napi::Object bias = toObject(biases.Get(i), "logitBias");
        params.logitBias.push_back({int32(bias, "token", 0), number(bias, "bias")});
    }
    const Napi::Array triggers = arrayOf(object, "grammarTriggers", triggersMax);
    for (uint32_t i = 0; i < triggers.Length(); i++) {
        const Napi::Object trigger = toObject(triggers.Get(i), "grammarTriggers");
        params.grammarTriggers.push_back({triggerType(toString(trigger.Get("type"), "type")),
                                          toString(trigger.Get("value"), "value"),
                                          int32(trigger, "token", -1)});
    }
    return params;
}

} // namespace sluice
