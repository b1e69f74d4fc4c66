#include "context_options.h"

#include <array>
#include <utility>

#include "js.h"

namespace sluice {

namespace {

constexpr int64_t cellsMax = 1 << 26;
constexpr int64_t batchTokensMax = 1 << 16;
constexpr int64_t outputsMax = 1 << 12;
constexpr int64_t threadsMax = 512; // GGML_MAX_N_THREADS

template <typename T, size_t N>
T choose(const Napi::Object &object, const char *name,
         const std::array<std::pair<const char *, T>, N> &choices) {
    const std::string text = toString(object.Get(name), name);
    for (const auto &[choice, value] : choices) {
        if (text == choice) return value;
    }
    throw RangeError(std::string(name) + " has an unknown value");
}

ggml_type kvType(const Napi::Object &object, const char *name) {
    return choose<ggml_type, 8>(object, name,
                                {{{"f32", GGML_TYPE_F32},
                                  {"f16", GGML_TYPE_F16},
                                  {"bf16", GGML_TYPE_BF16},
                                  {"q8_0", GGML_TYPE_Q8_0},
                                  {"q5_1", GGML_TYPE_Q5_1},
                                  {"q5_0", GGML_TYPE_Q5_0},
                                  {"q4_1", GGML_TYPE_Q4_1},
                                  {"q4_0", GGML_TYPE_Q4_0}}});
}

uint32_t size(const Napi::Object &object, const char *name, int64_t min, int64_t max) {
    return static_cast<uint32_t>(toInteger(object.Get(name), name, min, max));
}

} // namespace

ContextOptions readContextOptions(const Napi::Object &object) {
    ContextOptions options;
    options.pageSize = size(object, "pageSize", 8, 256);
    if ((options.pageSize & (options.pageSize - 1)) != 0) throw RangeError("pageSize must be a power of two");
    options.pages = size(object, "pages", 1, cellsMax / options.pageSize);
    options.windowPages = size(object, "windowPages", 0, options.pages);
    options.maxSequences =
        size(object, "maxSequences", 1, static_cast<int64_t>(llama_max_parallel_sequences()));
    options.maxPagesPerSequence = size(object, "maxPagesPerSequence", 1, cellsMax / options.pageSize);
    options.maxBatchTokens = size(object, "maxBatchTokens", 1, batchTokensMax);
    options.maxOutputs = size(object, "maxOutputs", 1, outputsMax);
    options.threads = static_cast<int32_t>(size(object, "threads", 1, threadsMax));
    options.kvTypeK = kvType(object, "kvTypeK");
    options.kvTypeV = kvType(object, "kvTypeV");
    options.flashAttention = choose<llama_flash_attn_type, 3>(object, "flashAttention",
                                                              {{{"auto", LLAMA_FLASH_ATTN_TYPE_AUTO},
                                                                {"on", LLAMA_FLASH_ATTN_TYPE_ENABLED},
                                                                {"off", LLAMA_FLASH_ATTN_TYPE_DISABLED}}});
    options.pagedAttention = choose<bool, 2>(object, "attention", {{{"paged", true}, {"stock", false}}});

    const size_t tableSize = size_t{options.maxSequences} * options.maxPagesPerSequence;
    if (int32View(object.Get("blockTables"), "blockTables").length < tableSize)
        throw RangeError("blockTables is too short");
    if (options.windowPages > 0 && int32View(object.Get("windowTable"), "windowTable").length < options.pages)
        throw RangeError("windowTable is too short");
    const Napi::Value abortFlag = object.Get("abortFlag");
    if (!abortFlag.IsUndefined()) {
        const auto flag = int32View(abortFlag, "abortFlag");
        if (flag.length < 1) throw RangeError("abortFlag is too short");
        options.abortFlag = flag.data;
    }
    return options;
}

} // namespace sluice
