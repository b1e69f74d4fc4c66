#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "handles.h"
#include "llama.h"
#include "model.h"
#include "thread_pool.h"

namespace sluice {

/** HiddenStatesOptions of src/native/types.ts. */
struct HiddenStatesOptions {
    std::vector<int32_t> layers;
    std::string adapter; // a LoRA as GGUF; empty: none
    uint32_t maxTokens = 0;
    int32_t threads = 0;
};

/**
 * What a model that generates text knows of each token in its middle: the forward ends after the last layer
 * that is asked for. Nothing is kept between calls. One thread at a time.
 */
class HiddenStates {
public:
    /** Throws CONTEXT_FAILED where the model is an encoder, has fewer layers, or isn't the adapter's. */
    HiddenStates(std::shared_ptr<Model> model, const HiddenStatesOptions &options);
    ~HiddenStates();
    HiddenStates(const HiddenStates &) = delete;
    HiddenStates &operator=(const HiddenStates &) = delete;

    const HiddenStatesOptions &options() const { return options_; }
    /** Numbers of a token's state after one layer. */
    size_t size() const { return size_; }

    /**
     * Writes [tokens × layers × size] numbers, each state scaled to a root mean square of 1. Throws
     * RangeError before anything ran, FORWARD_FAILED after.
     */
    void read(const int32_t *tokens, size_t count, float *states);

private:
    void create(const llama_context_params &params);
    void adapt(const std::string &path);
    static bool onNode(ggml_tensor *node, bool isAsked, void *self);
    bool take(const ggml_tensor *node);

    std::shared_ptr<Model> model_;
    const HiddenStatesOptions options_;
    size_t size_ = 0;
    std::vector<std::string> nodes_; // names of the layers' outputs in the graph
    ThreadPool threadPool_;
    AdapterHandle adapter_;
    ContextHandle handle_;

    // of the call that runs
    size_t taken_ = 0; // layers
    size_t count_ = 0; // tokens
    float *states_ = nullptr;
    std::vector<float> layer_;
    std::vector<llama_token> tokens_;
};

} // namespace sluice
