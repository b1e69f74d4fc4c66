#pragma once

#include <napi.h>

#include "sampler/sampler.h"

namespace sluice {

/** SamplerParams of src/native/types.ts. Types and bounds of memory are checked here, values by the sampler.
 */
sampler::Params readSamplerParams(const Napi::Object &object);

} // namespace sluice
