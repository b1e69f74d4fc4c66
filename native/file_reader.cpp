#include "file_reader.h"

#include <sys/stat.h>

#include "errors.h"

namespace sluice {

FileReader::FileReader(const std::string &path) : file_(std::fopen(path.c_str(), "rb")) {
    struct stat status {};
    if (!file_ || fstat(fileno(file_.get()), &status) != 0)
        throw NativeError(ErrorCode::modelNotFound, "The model file doesn't exist or can't be read.");
    if (!S_ISREG(status.st_mode))
        throw NativeError(ErrorCode::modelInvalid, "The model is not a regular file.");
    size_ = static_cast<uint64_t>(status.st_size);
}

bool FileReader::read(void *target, uint64_t bytes) {
    if (bytes > remaining() || std::fread(target, 1, bytes, file_.get()) != bytes) return false;
    position_ += bytes;
    return true;
}

bool FileReader::skip(uint64_t bytes) {
    // Reading through the buffer is cheaper than seeking, which drops it; vocabularies are 100,000s of short
    // strings.
    constexpr uint64_t chunk = 256;
    if (bytes > remaining()) return false;
    if (bytes > chunk) {
        if (fseeko(file_.get(), static_cast<off_t>(bytes), SEEK_CUR) != 0) return false;
        position_ += bytes;
        return true;
    }
    char scratch[chunk];
    return read(scratch, bytes);
}

} // namespace sluice
