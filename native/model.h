#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "errors.h"
#include "llama-paged.h"
#include "llama.h"

struct common_chat_templates;

namespace sluice {

/** LoadOptions of src/native/types.ts. */
struct LoadOptions {
    int32_t gpuLayers = -1;
    int32_t mainGpu = 0;
    std::vector<float> tensorSplit;
    bool mmap = true;
    bool mlock = false;
    bool vocabOnly = false;
    /** Store quantised weights a second time, for our own CPU kernels. */
    bool packWeights = false;
};

/** PackedWeightsInfo of src/native/types.ts. */
struct PackedWeightsInfo {
    std::string kernel;
    std::string reason;
    uint32_t tensors = 0;
    uint64_t bytes = 0;
};

/** ModelInfo of src/native/types.ts. */
struct ModelInfo {
    std::string path;
    std::string architecture;
    std::string name;
    std::string description;
    uint64_t sizeBytes = 0;
    uint64_t parameters = 0;
    int32_t trainContext = 0;
    int32_t vocabSize = 0;
    int32_t embeddingSize = 0;
    int32_t layers = 0;
    int32_t heads = 0;
    int32_t kvHeads = 0;
    llama_paged_cells cells{};
    llama_token bosToken = -1;
    llama_token eosToken = -1;
    bool addBos = false;
    std::string chatTemplate;
    bool recurrent = false;
    bool hybrid = false;
    bool encoderOnly = false;
    PackedWeightsInfo packedWeights;
    std::vector<std::pair<std::string, std::string>> metadata;
};

/** A loaded model. Immutable, so every thread may use it at once. */
class Model {
public:
    /** Loads on the calling thread. `onProgress` returns false to cancel. Throws NativeError. */
    static std::shared_ptr<Model> load(const std::string &path, const LoadOptions &options,
                                       const std::function<bool(float)> &onProgress);
    ~Model();
    Model(const Model &) = delete;
    Model &operator=(const Model &) = delete;

    llama_model *handle() const { return handle_.get(); }
    const llama_vocab *vocab() const { return llama_model_get_vocab(handle_.get()); }
    const ModelInfo &info() const { return info_; }
    const LoadOptions &options() const { return options_; }

    /** Throws CONTEXT_FAILED where only the vocabulary is loaded. */
    void requireWeights() const;
    /** Throws CONTEXT_FAILED for an encoder, too. */
    void requireGenerator() const;

    /**
     * libllama counts a model's adapters where a context of it is made or takes one: held then, and while
     * adapters come and go.
     */
    std::unique_lock<std::mutex> lockAdapters() const { return std::unique_lock(adapters_); }

    /** The model's chat template, parsed at the first call. Throws TEMPLATE_FAILED. */
    const common_chat_templates &chatTemplates() const;

private:
    struct FreeModel {
        void operator()(llama_model *model) const { llama_model_free(model); }
    };
    using Handle = std::unique_ptr<llama_model, FreeModel>;

    Model(Handle handle, const std::string &path, const LoadOptions &options,
          PackedWeightsInfo packedWeights);

    Handle handle_;
    LoadOptions options_;
    ModelInfo info_;
    mutable std::mutex adapters_;
    mutable std::once_flag templatesOnce_;
    mutable std::shared_ptr<common_chat_templates> templates_;
};

} // namespace sluice
