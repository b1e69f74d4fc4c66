#include "hidden_states.h"

#include <cmath>

#include "ggml-backend.h"
#include "gguf_check.h"
#include "llama_log.h"
#include "scaled.h"

namespace sluice {

HiddenStates::HiddenStates(std::shared_ptr<Model> model, const HiddenStatesOptions &options)
    : model_(std::move(model)), options_(options), threadPool_(options.threads) {
    const ModelInfo &info = model_->info();
    model_->requireGenerator();
    for (const int32_t layer : options.layers) {
        // The last layer's graph leaves out the tokens that nobody asked an output of.
        if (layer >= info.layers)
            throw NativeError(ErrorCode::contextFailed, "The model has " + std::to_string(info.layers) +
                                                            " layers: states are read before the last.");
        nodes_.push_back("l_out-" + std::to_string(layer - 1));
    }

    llama_context_params params = llama_context_default_params();
    params.n_ctx = options.maxTokens;
    params.n_batch = options.maxTokens;  // one graph, so that
    params.n_ubatch = options.maxTokens; // each layer's output is whole
    params.n_seq_max = 1;
    params.n_threads = options.threads;
    params.n_threads_batch = options.threads;
    params.op_offload = false;
    params.no_perf = true;
    params.cb_eval = onNode;
    params.cb_eval_user_data = this;

    size_ = static_cast<size_t>(info.embeddingSize);
    const auto lock = model_->lockAdapters();
    create(params);
    if (options.adapter.empty()) return;
    try {
        adapt(options.adapter);
        const llama_token token = 0;
        std::vector<float> states(size_ * nodes_.size());
        read(&token, 1, states.data()); // the first forward counts the adapters
    } catch (...) { // what the model has of the adapter goes while nobody else may touch it
        handle_.reset();
        adapter_.reset();
        throw;
    }
}

HiddenStates::~HiddenStates() {
    const auto lock = model_->lockAdapters();
    handle_.reset();
    adapter_.reset();
}

void HiddenStates::create(const llama_context_params &params) {
    const LogCapture log;
    handle_.reset(llama_init_from_model(model_->handle(), params));
    if (!handle_) throw NativeError(ErrorCode::contextFailed, log.reason("the context couldn't be created"));
    llama_attach_threadpool(handle_.get(), threadPool_.handle(), threadPool_.handle());
}

void HiddenStates::adapt(const std::string &path) {
    checkGguf(path);
    const LogCapture log;
    llama_adapter_lora *adapter = llama_adapter_lora_init(model_->handle(), path.c_str());
    if (adapter == nullptr)
        throw NativeError(ErrorCode::contextFailed, log.reason("the adapter couldn't be loaded"));
    adapter_.reset(adapter);
    float scale = 1;
    llama_set_adapters_lora(handle_.get(), &adapter, 1, &scale);
}

/** Copies first and checks the copy: the caller's array may be shared with other threads. */
void HiddenStates::read(const int32_t *tokens, size_t count, float *states) {
    if (count == 0 || count > options_.maxTokens) throw RangeError("tokens must be between 1 and maxTokens");
    tokens_.assign(tokens, tokens + count);
    for (const llama_token token : tokens_)
        if (token < 0 || token >= model_->info().vocabSize) throw RangeError("token outside the vocabulary");

    std::vector<llama_pos> positions(count);
    std::vector<int32_t> sequenceCounts(count, 1);
    std::vector<int8_t> outputs(count, 0); // nobody wants logits
    llama_seq_id sequence = 0;
    std::vector<llama_seq_id *> sequences(count, &sequence);
    for (size_t i = 0; i < count; i++)
        positions[i] = static_cast<llama_pos>(i);

    taken_ = 0;
    count_ = count;
    states_ = states;
    const LogCapture log;
    llama_memory_clear(llama_get_memory(handle_.get()), false);
    int32_t status = 0;
    try {
        status = llama_decode(handle_.get(),
                              {static_cast<int32_t>(count), tokens_.data(), nullptr, positions.data(),
                               sequenceCounts.data(), sequences.data(), outputs.data()});
        llama_synchronize(handle_.get());
    } catch (const std::exception &error) { // an assert of libllama
        throw NativeError(ErrorCode::forwardFailed, error.what());
    }
    if (status != 0) throw NativeError(ErrorCode::forwardFailed, log.reason("llama_decode failed"));
    if (taken_ < nodes_.size())
        throw NativeError(ErrorCode::forwardFailed,
                          "The model's graph has no output " + nodes_[taken_] + ".");
}

/** ggml asks for each node whether somebody wants it, then shows it; who answers false then ends the graph.
 */
bool HiddenStates::onNode(ggml_tensor *node, bool isAsked, void *self) {
    HiddenStates &states = *static_cast<HiddenStates *>(self);
    if (isAsked) return states.taken_ < states.nodes_.size() && states.nodes_[states.taken_] == node->name;
    return states.take(node);
}

bool HiddenStates::take(const ggml_tensor *node) {
    if (node->type != GGML_TYPE_F32 || static_cast<size_t>(node->ne[0]) != size_ ||
        static_cast<size_t>(node->ne[1]) != count_)
        return false;
    layer_.resize(size_ * count_);
    ggml_backend_tensor_get(node, layer_.data(), 0, layer_.size() * sizeof(float));
    for (size_t token = 0; token < count_; token++)
        writeScaled(&layer_[token * size_], size_, std::sqrt(size_), // a root mean square of 1
                    states_ + (token * nodes_.size() + taken_) * size_);
    taken_++;
    return taken_ < nodes_.size();
}

} // namespace sluice
