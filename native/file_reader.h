#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace sluice {

/** Forward reading of a regular file whose size is known, buffered. Throws MODEL_NOT_FOUND where it can't be
 * opened. */
class FileReader {
public:
    explicit FileReader(const std::string &path);

    uint64_t size() const { return size_; }
    uint64_t position() const { return position_; }
    uint64_t remaining() const { return size_ - position_; }

    /** False, with nothing promised about `target`, where the file ends before `bytes`. */
    bool read(void *target, uint64_t bytes);
    bool skip(uint64_t bytes);

private:
    struct Close {
        void operator()(std::FILE *file) const { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, Close> file_;
    uint64_t size_ = 0;
    uint64_t position_ = 0;
};

} // namespace sluice
