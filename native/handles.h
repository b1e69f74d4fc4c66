#pragma once

#include <memory>

#include "llama.h"

namespace sluice {

struct FreeContext {
    void operator()(llama_context *context) const { llama_free(context); }
};
using ContextHandle = std::unique_ptr<llama_context, FreeContext>;

struct FreeAdapter {
    void operator()(llama_adapter_lora *adapter) const { llama_adapter_lora_free(adapter); }
};
using AdapterHandle = std::unique_ptr<llama_adapter_lora, FreeAdapter>;

} // namespace sluice
