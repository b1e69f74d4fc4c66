#pragma once

#include <cstdint>
#include <string>

#include <napi.h>

#include "errors.h"

namespace sluice {

/** A JavaScript error with `code`. */
Napi::Error toJsError(Napi::Env env, const NativeError &error);

/** The one place where C++ exceptions become JavaScript's. Every method's body runs inside it. */
template <typename Body> auto guarded(Napi::Env env, Body &&body) -> decltype(body()) {
    try {
        return body();
    } catch (const Napi::Error &) {
        throw;
    } catch (const NativeError &error) {
        throw toJsError(env, error);
    } catch (const ArgumentError &error) {
        throw Napi::TypeError::New(env, error.what());
    } catch (const RangeError &error) {
        throw Napi::RangeError::New(env, error.what());
    } catch (const std::exception &error) {
        throw Napi::Error::New(env, error.what());
    }
}

/** Elements of a typed array (over shared memory too), valid until JavaScript runs again. */
template <typename T> struct View {
    T *data;
    size_t length;
};

View<int32_t> int32View(const Napi::Value &value, const char *name);
View<uint8_t> uint8View(const Napi::Value &value, const char *name);
View<float> float32View(const Napi::Value &value, const char *name);

std::string toString(const Napi::Value &value, const char *name);
bool toBool(const Napi::Value &value, const char *name);
double toNumber(const Napi::Value &value, const char *name);
int64_t toInteger(const Napi::Value &value, const char *name, int64_t min, int64_t max);
Napi::Object toObject(const Napi::Value &value, const char *name);

/** A UTF-8 string of a model file, or whatever such a file claims is one. */
Napi::String fromBytes(Napi::Env env, const std::string &bytes);

/** A copy. */
Napi::Int32Array toInt32Array(Napi::Env env, const int32_t *data, size_t length);

} // namespace sluice
