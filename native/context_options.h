#pragma once

#include <napi.h>

#include "context.h"

namespace sluice {

/** ContextOptions of src/native/types.ts; every size is checked here, before llama.cpp sees it. */
ContextOptions readContextOptions(const Napi::Object &object);

} // namespace sluice
