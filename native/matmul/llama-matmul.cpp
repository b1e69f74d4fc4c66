#include "llama-matmul.h"

#include "ggml-backend.h"
#include "llama-model.h"
#include "matmul-kernel.h"
#include "packed-memory.h"
#include "packed-weights.h"
#include "team.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

using namespace sluice::matmul;

namespace {

bool isPlain(const ggml_tensor &tensor) {
    return tensor.buffer && ggml_backend_buffer_is_host(tensor.buffer) && !tensor.extra;
}

// Matrices that activations are multiplied by. Embedding tables are only looked up in, unless the output
// matrix is the same table.
std::vector<ggml_tensor *> packable(const llama_model &model) {
    std::vector<ggml_tensor *> tensors;
    for (const auto &[name, tensor] : model.tensors_by_name) {
        const bool isTable = name.find("embd") != std::string::npos && tensor != model.output;
        const bool isMatrix = tensor->ne[1] >= panelRows && !PackedWeights::objectionTo(*tensor);
        if (isTable || !isPlain(*tensor) || !isMatrix) continue;
        if (std::find(tensors.begin(), tensors.end(), tensor) == tensors.end()) tensors.push_back(tensor);
    }
    return tensors;
}

// The file's pages under a tensor leave the resident memory; what is looked up in them later is read again.
void forgetMapped(const ggml_tensor &tensor) {
    if (std::strcmp(ggml_backend_buft_name(ggml_backend_buffer_get_type(tensor.buffer)), "CPU_Mapped") != 0)
        return;
    const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto begin = (reinterpret_cast<uintptr_t>(tensor.data) + page - 1) / page * page;
    const auto end = (reinterpret_cast<uintptr_t>(tensor.data) + ggml_nbytes(&tensor)) / page * page;
    if (begin < end) madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
}

} // namespace

const char *llama_pack_kernel() {
    return usableKernel() ? usableKernel()->name : nullptr;
}

llama_pack_info llama_pack_assess(const llama_model *model) {
    const Kernel *kernel = usableKernel();
    if (!kernel) return {nullptr, "no kernel for this CPU", 0, 0};
    const auto tensors = packable(*model);
    if (tensors.empty())
        return {nullptr, "no weights in the CPU's plain memory of a type with a kernel", 0, 0};
    size_t bytes = 0;
    for (const ggml_tensor *tensor : tensors)
        bytes += PackedWeights::bytesOf(*tensor);
    return {kernel->name, nullptr, static_cast<uint32_t>(tensors.size()), bytes};
}

llama_pack_info llama_pack_weights(llama_model *model, uint32_t threads) {
    const llama_pack_info info = llama_pack_assess(model);
    if (!info.kernel) return info;
    const auto tensors = packable(*model);
    const auto memory = allocateLargePages(info.bytes);
    std::vector<size_t> offsets{0};
    for (const ggml_tensor *tensor : tensors)
        offsets.push_back(offsets.back() + PackedWeights::bytesOf(*tensor));
    std::vector<std::shared_ptr<PackedWeights>> packed(tensors.size());
    std::atomic<size_t> next{0};
    const auto work = [&] {
        for (size_t i; (i = next++) < tensors.size();)
            packed[i] = std::make_shared<PackedWeights>(
                *tensors[i], std::shared_ptr<uint8_t>(memory, memory.get() + offsets[i]));
    };
    std::vector<std::thread> helpers;
    for (uint32_t i = 1; i < threads; i++)
        helpers.emplace_back(work);
    work();
    for (std::thread &helper : helpers)
        helper.join();
    for (size_t i = 0; i < tensors.size(); i++) {
        tensors[i]->extra = packed[i].get();
        forgetMapped(*tensors[i]);
    }
    model->packed = std::move(packed);
    for (const auto &[name, tensor] : model->tensors_by_name) {
        if (isPlain(*tensor) && ggml_nrows(tensor) == 1) mark(*tensor);
    }
    return info;
}

llama_team *llama_team_new(int32_t threads) {
    return reinterpret_cast<llama_team *>(new Team(threads));
}

void llama_team_free(llama_team *team) {
    delete reinterpret_cast<Team *>(team);
}

void llama_team_use(llama_team *team) {
    Team::setCurrent(reinterpret_cast<Team *>(team));
}
