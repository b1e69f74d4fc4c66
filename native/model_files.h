#pragma once

#include <string>
#include <vector>

namespace sluice {

/**
 * The files of the model that `path` names, all of them checked: itself, or the parts of a model split by
 * llama.cpp's gguf-split, of which it must be the first. Throws NativeError: MODEL_NOT_FOUND, naming a part
 * that is missing, or MODEL_INVALID.
 */
std::vector<std::string> checkModelFiles(const std::string &path);

} // namespace sluice
