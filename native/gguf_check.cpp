#include "gguf_check.h"

#include <cstdint>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "errors.h"
#include "file_reader.h"
#include "ggml.h"
#include "gguf.h"

namespace sluice {

namespace {

constexpr uint64_t keysMax = 1 << 16;
constexpr uint64_t tensorsMax = 1 << 20;
constexpr uint64_t nameBytesMax = 1 << 10;
/** Chat templates are the longest strings of real files: some 20 kB. */
constexpr uint64_t stringBytesMax = 16 << 20;
constexpr uint32_t alignmentMax = 1 << 16;

[[noreturn]] void invalid(const std::string &what) {
    throw NativeError(ErrorCode::modelInvalid, "Not a usable GGUF file: " + what + ".");
}

/** Bytes of a scalar of GGUF type `type`; 0 for strings, arrays and unknown types. */
uint64_t scalarBytes(uint32_t type) {
    switch (type) {
    case GGUF_TYPE_UINT8:
    case GGUF_TYPE_INT8:
    case GGUF_TYPE_BOOL:
        return 1;
    case GGUF_TYPE_UINT16:
    case GGUF_TYPE_INT16:
        return 2;
    case GGUF_TYPE_UINT32:
    case GGUF_TYPE_INT32:
    case GGUF_TYPE_FLOAT32:
        return 4;
    case GGUF_TYPE_UINT64:
    case GGUF_TYPE_INT64:
    case GGUF_TYPE_FLOAT64:
        return 8;
    default:
        return 0;
    }
}

class HeaderWalk {
public:
    explicit HeaderWalk(const std::string &path) : file_(path) {}

    GgufHeader run() {
        readPreamble();
        for (uint64_t i = 0; i < keys_; i++)
            readKey();
        // The first part of a split model has the metadata of all.
        if (!hasArchitecture_ && header_.part == 0) invalid("general.architecture is missing");
        for (uint64_t i = 0; i < tensors_; i++)
            readTensor();
        checkTensorData();
        return std::move(header_);
    }

private:
    void readPreamble() {
        char magic[4];
        read(magic, sizeof magic);
        if (std::memcmp(magic, "GGUF", 4) != 0) invalid("the file doesn't start with GGUF");
        const auto version = read<uint32_t>();
        if ((version & 0xffff) == 0) invalid("the file is big-endian");
        if (version < 2 || version > GGUF_VERSION) invalid("unknown version " + std::to_string(version));
        tensors_ = read<uint64_t>();
        keys_ = read<uint64_t>();
        // The smallest key takes 8 + 1 + 4 + 1 bytes, the smallest tensor entry 8 + 1 + 4 + 8 + 4 + 8.
        if (tensors_ > tensorsMax || tensors_ > file_.remaining() / 33)
            invalid("impossible number of tensors");
        if (keys_ > keysMax || keys_ > file_.remaining() / 14) invalid("impossible number of metadata keys");
    }

    void readKey() {
        const std::string key = readString(nameBytesMax);
        if (!seenKeys_.insert(key).second) invalid("metadata key twice: " + printable(key));
        const auto type = read<uint32_t>();
        if (key == "general.architecture") {
            if (type != GGUF_TYPE_STRING) invalid("general.architecture is no string");
            hasArchitecture_ = true;
        }
        if (key == GGUF_KEY_GENERAL_ALIGNMENT) return readAlignment(type);
        // llama.cpp aborts on other types of these.
        if (key == "split.no") return readScalar(key, type, GGUF_TYPE_UINT16, header_.part);
        if (key == "split.count") return readScalar(key, type, GGUF_TYPE_UINT16, header_.parts);
        if (key == "split.tensors.count") return readScalar(key, type, GGUF_TYPE_INT32, header_.tensorsOfAll);
        readValue(type);
    }

    template <typename T>
    void readScalar(const std::string &key, uint32_t type, uint32_t expected, T &value) {
        if (type != expected) invalid(key + " is of the wrong type");
        value = read<T>();
    }

    void readAlignment(uint32_t type) {
        if (type != GGUF_TYPE_UINT32) invalid("general.alignment is no uint32");
        alignment_ = read<uint32_t>();
        const bool isPowerOfTwo = alignment_ != 0 && (alignment_ & (alignment_ - 1)) == 0;
        if (!isPowerOfTwo || alignment_ > alignmentMax) invalid("general.alignment is no power of two");
    }

    void readValue(uint32_t type) {
        if (type == GGUF_TYPE_STRING) return skipString();
        if (type == GGUF_TYPE_ARRAY) return readArray();
        const uint64_t bytes = scalarBytes(type);
        if (bytes == 0) invalid("unknown metadata type " + std::to_string(type));
        skip(bytes);
    }

    void readArray() {
        const auto type = read<uint32_t>();
        const auto count = read<uint64_t>();
        if (type == GGUF_TYPE_STRING) {
            if (count > file_.remaining() / 8) invalid("an array is longer than the file");
            for (uint64_t i = 0; i < count; i++)
                skipString();
            return;
        }
        const uint64_t bytes = scalarBytes(type);
        if (bytes == 0) invalid("unknown array type " + std::to_string(type)); // arrays of arrays too
        if (count > file_.remaining() / bytes) invalid("an array is longer than the file");
        skip(count * bytes);
    }

    void readTensor() {
        const std::string name = readString(nameBytesMax);
        if (name.size() >= GGML_MAX_NAME) invalid("a tensor's name is too long");
        if (!header_.tensors.insert(name).second) invalid("tensor twice: " + printable(name));
        const auto dimensions = read<uint32_t>();
        if (dimensions == 0 || dimensions > GGML_MAX_DIMS)
            invalid("tensor " + printable(name) + " has " + std::to_string(dimensions) + " dimensions");
        std::vector<uint64_t> sizes(dimensions);
        for (uint64_t &size : sizes)
            size = read<uint64_t>();
        const auto type = read<uint32_t>();
        const auto offset = read<uint64_t>();
        if (offset % alignment_ != 0) invalid("tensor " + printable(name) + " isn't aligned");
        const uint64_t bytes = tensorBytes(name, sizes, type);
        if (offset > file_.size() || bytes > file_.size() - offset)
            invalid("the file ends before tensor " + printable(name));
        dataEnd_ = std::max(dataEnd_, offset + bytes);
    }

    /** Exact, since elements · type size cannot overflow: both are held against the file's size first. */
    uint64_t tensorBytes(const std::string &name, const std::vector<uint64_t> &sizes, uint32_t type) const {
        const auto ggmlType = static_cast<ggml_type>(type);
        if (type >= GGML_TYPE_COUNT || ggml_blck_size(ggmlType) == 0)
            invalid("tensor " + printable(name) + " has an unknown type");
        const auto blockElements = static_cast<uint64_t>(ggml_blck_size(ggmlType));
        const auto blockBytes = static_cast<uint64_t>(ggml_type_size(ggmlType));
        if (sizes[0] % blockElements != 0) invalid("tensor " + printable(name) + " has a broken row");
        uint64_t blocks = sizes[0] / blockElements;
        for (size_t i = 0; i < sizes.size(); i++) {
            if (sizes[i] == 0) invalid("tensor " + printable(name) + " is empty");
            if (i > 0 && blocks > file_.size() / sizes[i])
                invalid("tensor " + printable(name) + " is larger than the file");
            if (i > 0) blocks *= sizes[i];
        }
        if (blocks > file_.size() / blockBytes)
            invalid("tensor " + printable(name) + " is larger than the file");
        return blocks * blockBytes;
    }

    void checkTensorData() {
        const uint64_t headerEnd = file_.position();
        const uint64_t dataStart = (headerEnd + alignment_ - 1) / alignment_ * alignment_;
        if (tensors_ > 0 && (dataStart > file_.size() || dataEnd_ > file_.size() - dataStart))
            invalid("the file is truncated");
    }

    std::string readString(uint64_t bytesMax) {
        const auto length = read<uint64_t>();
        if (length > bytesMax || length > file_.remaining()) invalid("impossible string length");
        std::string text(length, '\0');
        read(text.data(), length);
        return text;
    }

    void skipString() {
        const auto length = read<uint64_t>();
        if (length > stringBytesMax) invalid("impossible string length");
        skip(length);
    }

    template <typename T> T read() {
        T value;
        read(&value, sizeof value);
        return value;
    }

    void read(void *target, uint64_t bytes) {
        if (!file_.read(target, bytes)) invalid("the header is truncated");
    }

    void skip(uint64_t bytes) {
        if (!file_.skip(bytes)) invalid("the header is truncated");
    }

    static std::string printable(const std::string &name) {
        std::string text;
        for (const char c : name.substr(0, 64))
            text += c >= 0x20 && c < 0x7f ? c : '?';
        return text;
    }

    FileReader file_;
    uint64_t tensors_ = 0;
    uint64_t keys_ = 0;
    uint64_t alignment_ = GGUF_DEFAULT_ALIGNMENT;
    uint64_t dataEnd_ = 0;
    bool hasArchitecture_ = false;
    std::set<std::string> seenKeys_;
    GgufHeader header_;
};

} // namespace

GgufHeader checkGguf(const std::string &path) {
    return HeaderWalk(path).run();
}

} // namespace sluice
