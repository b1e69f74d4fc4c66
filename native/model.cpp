#include "model.h"

#include <algorithm>
#include <thread>

#include "chat.h" // libllama-common's
#include "llama-matmul.h"
#include "llama_log.h"
#include "model_files.h"

namespace sluice {

namespace {

/** Metadata values longer than this (chat templates aside) are left out of ModelInfo. */
constexpr size_t metadataBytesMax = 4096;

std::string metaKey(const llama_model *model, int32_t index) {
    char buffer[1024];
    const int32_t length = llama_model_meta_key_by_index(model, index, buffer, sizeof buffer);
    return length < 0 ? std::string() : std::string(buffer);
}

std::string metaValue(const llama_model *model, int32_t index) {
    std::string value(metadataBytesMax, '\0');
    const int32_t length = llama_model_meta_val_str_by_index(model, index, value.data(), value.size());
    if (length < 0 || static_cast<size_t>(length) >= value.size()) return {};
    value.resize(static_cast<size_t>(length));
    return value;
}

std::string metaValue(const llama_model *model, const char *key) {
    char buffer[1024];
    return llama_model_meta_val_str(model, key, buffer, sizeof buffer) < 0 ? std::string()
                                                                           : std::string(buffer);
}

std::string describe(const llama_model *model) {
    char buffer[256];
    llama_model_desc(model, buffer, sizeof buffer);
    return buffer;
}

std::vector<std::pair<std::string, std::string>> readMetadata(const llama_model *model) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (int32_t i = 0; i < llama_model_meta_count(model); i++) {
        const std::string key = metaKey(model, i);
        const std::string value = metaValue(model, i);
        if (!key.empty() && !value.empty() && key != "tokenizer.chat_template")
            entries.emplace_back(key, value);
    }
    return entries;
}

ModelInfo readInfo(const llama_model *model, const std::string &path) {
    const llama_vocab *vocab = llama_model_get_vocab(model);
    const char *chatTemplate = llama_model_chat_template(model, nullptr);
    ModelInfo info;
    info.path = path;
    info.architecture = metaValue(model, "general.architecture");
    info.name = metaValue(model, "general.name");
    info.description = describe(model);
    info.sizeBytes = llama_model_size(model);
    info.parameters = llama_model_n_params(model);
    info.trainContext = llama_model_n_ctx_train(model);
    info.vocabSize = llama_vocab_n_tokens(vocab);
    info.embeddingSize = llama_model_n_embd(model);
    info.layers = llama_model_n_layer(model);
    // llama.cpp aborts where it is asked for the heads of a layer that isn't there.
    info.heads = info.layers > 0 ? llama_model_n_head(model) : 0;
    info.kvHeads = info.layers > 0 ? llama_model_n_head_kv(model) : 0;
    info.cells = llama_paged_get_cells(model);
    info.bosToken = llama_vocab_bos(vocab);
    info.eosToken = llama_vocab_eos(vocab);
    info.addBos = llama_vocab_get_add_bos(vocab);
    info.chatTemplate = chatTemplate == nullptr ? "" : chatTemplate;
    info.recurrent = llama_model_is_recurrent(model);
    info.hybrid = llama_model_is_hybrid(model);
    info.encoderOnly = !llama_model_has_decoder(model) ||
                       metaValue(model, (info.architecture + ".attention.causal").c_str()) == "false";
    info.metadata = readMetadata(model);
    return info;
}

llama_load_mode loadMode(const LoadOptions &options) {
    if (options.mmap && options.mlock) return LLAMA_LOAD_MODE_MMAP_MLOCK;
    if (options.mmap) return LLAMA_LOAD_MODE_MMAP;
    return options.mlock ? LLAMA_LOAD_MODE_MLOCK : LLAMA_LOAD_MODE_NONE;
}

/** ggml's own copies of weights for its kernels would take the memory twice. */
bool canPack(const LoadOptions &options) {
    return options.packWeights && !options.vocabOnly;
}

PackedWeightsInfo pack(llama_model *model) {
    try {
        const llama_pack_info info = llama_pack_weights(model, std::thread::hardware_concurrency());
        if (info.kernel == nullptr) return {"", info.reason, 0, 0};
        return {info.kernel, "", info.tensors, info.bytes};
    } catch (const std::bad_alloc &) {
        return {"", "not enough memory", 0, 0};
    }
}

bool isOutOfMemory(const LogCapture &log) {
    for (const char *text : {"allocate", "out of memory", "bad_alloc", "mmap failed"}) {
        if (log.contains(text)) return true;
    }
    return false;
}

std::string withoutPaths(std::string text, const std::vector<std::string> &paths) {
    for (const std::string &path : paths) {
        for (size_t at = text.find(path); at != std::string::npos; at = text.find(path))
            text.replace(at, path.size(), "the file");
    }
    return text;
}

} // namespace

std::shared_ptr<Model> Model::load(const std::string &path, const LoadOptions &options,
                                   const std::function<bool(float)> &onProgress) {
    const std::vector<std::string> files = checkModelFiles(path);

    // llama.cpp reads llama_max_devices() entries.
    std::vector<float> split(llama_max_devices(), 0.0f);
    std::copy_n(options.tensorSplit.begin(), std::min(options.tensorSplit.size(), split.size()),
                split.begin());

    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = options.gpuLayers;
    params.main_gpu = options.mainGpu;
    params.tensor_split = options.tensorSplit.empty() ? nullptr : split.data();
    params.load_mode = loadMode(options);
    params.vocab_only = options.vocabOnly;
    params.use_extra_bufts = !canPack(options);

    struct Progress {
        const std::function<bool(float)> &report;
        bool isCancelled;
    } progress{onProgress, false};
    params.progress_callback_user_data = &progress;
    params.progress_callback = [](float fraction, void *data) {
        auto *state = static_cast<Progress *>(data);
        state->isCancelled = state->isCancelled || !state->report(fraction);
        return !state->isCancelled;
    };
    if (!onProgress(0)) throw NativeError(ErrorCode::loadCancelled, "Loading was cancelled.");

    LogCapture log;
    Handle handle(llama_model_load_from_file(path.c_str(), params));
    if (progress.isCancelled) throw NativeError(ErrorCode::loadCancelled, "Loading was cancelled.");
    if (!handle) {
        const auto code = isOutOfMemory(log) ? ErrorCode::modelLoadFailed : ErrorCode::modelInvalid;
        throw NativeError(code, withoutPaths(log.reason("the model couldn't be loaded"), files));
    }
    PackedWeightsInfo packed = {"", "not asked for", 0, 0};
    if (canPack(options)) packed = pack(handle.get());
    return std::shared_ptr<Model>(new Model(std::move(handle), path, options, std::move(packed)));
}

Model::Model(Handle handle, const std::string &path, const LoadOptions &options,
             PackedWeightsInfo packedWeights)
    : handle_(std::move(handle)), options_(options), info_(readInfo(handle_.get(), path)) {
    info_.packedWeights = std::move(packedWeights);
}

Model::~Model() = default;

const common_chat_templates &Model::chatTemplates() const {
    if (info_.chatTemplate.empty())
        throw NativeError(ErrorCode::templateFailed, "The model has no chat template.");
    std::call_once(templatesOnce_, [this] {
        try {
            templates_ = common_chat_templates_init(handle_.get(), "");
        } catch (const std::exception &error) {
            throw NativeError(ErrorCode::templateFailed,
                              std::string("The model's chat template is broken: ") + error.what());
        }
    });
    return *templates_;
}

void Model::requireWeights() const {
    if (options_.vocabOnly)
        throw NativeError(ErrorCode::contextFailed, "Only the model's vocabulary is loaded.");
}

void Model::requireGenerator() const {
    requireWeights();
    if (info_.encoderOnly || llama_model_has_encoder(handle()))
        throw NativeError(ErrorCode::contextFailed, "The model is an encoder: it generates no text.");
}

} // namespace sluice
