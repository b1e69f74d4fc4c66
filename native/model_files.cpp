#include "model_files.h"

#include <cstdio>

#include "errors.h"
#include "gguf_check.h"

namespace sluice {

namespace {

/** As llama.cpp makes the name of a part out of the first one's. */
std::string suffixOf(unsigned part, unsigned parts) {
    char text[32];
    std::snprintf(text, sizeof text, "-%05u-of-%05u.gguf", part + 1, parts);
    return text;
}

std::string fileName(const std::string &path) {
    return path.substr(path.rfind('/') + 1);
}

bool endsWith(const std::string &text, const std::string &end) {
    return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

[[noreturn]] void invalid(const std::string &what) {
    throw NativeError(ErrorCode::modelInvalid, "Not a usable split model: " + what + ".");
}

/** What the paths of all parts begin with. */
std::string prefixOf(const std::string &path, const GgufHeader &first) {
    if (first.part != 0)
        invalid("this is part " + std::to_string(first.part + 1) + " of " + std::to_string(first.parts) +
                "; name the first");
    const std::string suffix = suffixOf(0, first.parts);
    if (!endsWith(path, suffix)) invalid("the first part's name must end in " + suffix);
    return path.substr(0, path.size() - suffix.size());
}

GgufHeader checkPart(const std::string &path, unsigned part, unsigned parts) {
    try {
        GgufHeader header = checkGguf(path);
        if (header.part != part || header.parts != parts)
            invalid(fileName(path) + " says it is another part");
        return header;
    } catch (const NativeError &error) {
        if (error.code != ErrorCode::modelNotFound)
            throw NativeError(error.code, fileName(path) + ": " + error.what());
        throw NativeError(ErrorCode::modelNotFound, "Part " + std::to_string(part + 1) + " of " +
                                                        std::to_string(parts) +
                                                        " of the model is missing: " + fileName(path) + ".");
    }
}

} // namespace

std::vector<std::string> checkModelFiles(const std::string &path) {
    GgufHeader all = checkGguf(path);
    std::vector<std::string> paths{path};
    if (all.parts <= 1) return paths;
    const std::string prefix = prefixOf(path, all);
    for (unsigned part = 1; part < all.parts; part++) {
        paths.push_back(prefix + suffixOf(part, all.parts));
        for (const std::string &name : checkPart(paths.back(), part, all.parts).tensors) {
            if (!all.tensors.insert(name).second) invalid("two parts hold tensor " + name);
        }
    }
    if (all.tensors.size() != static_cast<size_t>(all.tensorsOfAll))
        invalid("the parts hold " + std::to_string(all.tensors.size()) + " tensors instead of " +
                std::to_string(all.tensorsOfAll));
    return paths;
}

} // namespace sluice
