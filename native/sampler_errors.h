#pragma once

#include "errors.h"
#include "llama_log.h"
#include "sampler/sampler.h"

namespace sluice {

/** Runs `body` with the sampler's errors turned into the addon's; a bad grammar's reason is what libllama
 * logged. */
template <typename Body> void withSamplerErrors(Body &&body) {
    const LogCapture log;
    try {
        body();
    } catch (const sampler::SamplerError &error) {
        if (error.code == sampler::ErrorCode::invalidParams) throw RangeError(error.what());
        throw NativeError(ErrorCode::grammarInvalid, log.reason(error.what()));
    }
}

} // namespace sluice
