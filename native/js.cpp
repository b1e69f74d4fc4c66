#include "js.h"

#include <algorithm>
#include <cmath>

namespace sluice {

namespace {

template <typename T>
View<T> viewOf(const Napi::Value &value, napi_typedarray_type wanted, const char *name,
               const char *typeName) {
    const ArgumentError wrong(std::string(name) + " must be a " + typeName);
    if (!value.IsTypedArray()) throw wrong;
    napi_typedarray_type type{};
    size_t length = 0;
    void *data = nullptr;
    if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != wanted)
        throw wrong;
    return {static_cast<T *>(data), length};
}

} // namespace

Napi::Error toJsError(Napi::Env env, const NativeError &error) {
    Napi::Error jsError = Napi::Error::New(env, error.what());
    jsError.Set("code", Napi::String::New(env, errorCodeName(error.code)));
    return jsError;
}

View<int32_t> int32View(const Napi::Value &value, const char *name) {
    return viewOf<int32_t>(value, napi_int32_array, name, "Int32Array");
}

View<uint8_t> uint8View(const Napi::Value &value, const char *name) {
    return viewOf<uint8_t>(value, napi_uint8_array, name, "Uint8Array");
}

View<float> float32View(const Napi::Value &value, const char *name) {
    return viewOf<float>(value, napi_float32_array, name, "Float32Array");
}

std::string toString(const Napi::Value &value, const char *name) {
    if (!value.IsString()) throw ArgumentError(std::string(name) + " must be a string");
    return value.As<Napi::String>().Utf8Value();
}

bool toBool(const Napi::Value &value, const char *name) {
    if (!value.IsBoolean()) throw ArgumentError(std::string(name) + " must be a boolean");
    return value.As<Napi::Boolean>().Value();
}

double toNumber(const Napi::Value &value, const char *name) {
    if (!value.IsNumber()) throw ArgumentError(std::string(name) + " must be a number");
    return value.As<Napi::Number>().DoubleValue();
}

int64_t toInteger(const Napi::Value &value, const char *name, int64_t min, int64_t max) {
    const double number = toNumber(value, name);
    if (!(number >= static_cast<double>(min) && number <= static_cast<double>(max)) ||
        std::trunc(number) != number)
        throw RangeError(std::string(name) + " must be an integer between " + std::to_string(min) + " and " +
                         std::to_string(max));
    return static_cast<int64_t>(number);
}

Napi::Object toObject(const Napi::Value &value, const char *name) {
    if (!value.IsObject()) throw ArgumentError(std::string(name) + " must be an object");
    return value.As<Napi::Object>();
}

Napi::String fromBytes(Napi::Env env, const std::string &bytes) {
    return Napi::String::New(env, bytes.data(), bytes.size());
}

Napi::Int32Array toInt32Array(Napi::Env env, const int32_t *data, size_t length) {
    Napi::Int32Array array = Napi::Int32Array::New(env, length);
    std::copy_n(data, length, array.Data());
    return array;
}

} // namespace sluice
