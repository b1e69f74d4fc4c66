#pragma once

#include <string>

#include <napi.h>

namespace sluice {

/** Starts loading a model; returns a LoadHandle of src/native/types.ts. */
Napi::Object startLoad(Napi::Env env, const std::string &path, const Napi::Object &options,
                       const Napi::Value &onProgress);

} // namespace sluice
