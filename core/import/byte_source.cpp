#include "import/byte_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "import/decompress.hpp"

namespace residue::import {
namespace {

class FileSource final : public RawSource {
public:
    FileSource(std::string name, int descriptor, std::uint64_t bytes)
        : name_(std::move(name)), descriptor_(descriptor), bytes_(bytes) {}
    ~FileSource() override { ::close(descriptor_); }
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;

    Outcome<std::size_t> Read(char* to, std::size_t capacity) override {
        for (;;) {
            const ssize_t count = ::pread(descriptor_, to, capacity, static_cast<off_t>(offset_));
            if (count >= 0) {
                offset_ += static_cast<std::uint64_t>(count);
                return static_cast<std::size_t>(count);
            }
            if (errno != EINTR) return Fail(Failure{name_, std::string("cannot be read: ") + std::strerror(errno), ""});
        }
    }
    double Progress() const override {
        if (bytes_ == 0) return 1;
        return std::min(1.0, static_cast<double>(offset_) / static_cast<double>(bytes_));
    }
    void Rewind() override { offset_ = 0; }

private:
    std::string name_;
    int descriptor_;
    std::uint64_t bytes_;
    std::uint64_t offset_ = 0;
};

class MemorySource final : public RawSource {
public:
    explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}

    Outcome<std::size_t> Read(char* to, std::size_t capacity) override {
        const std::size_t count = std::min(capacity, bytes_.size() - offset_);
        if (count != 0) std::memcpy(to, bytes_.data() + offset_, count);
        offset_ += count;
        return count;
    }
    double Progress() const override {
        return bytes_.empty() ? 1 : static_cast<double>(offset_) / static_cast<double>(bytes_.size());
    }
    void Rewind() override { offset_ = 0; }

private:
    std::string_view bytes_;
    std::size_t offset_ = 0;
};

// Looks at the first bytes and puts the decompressor they call for in front.
Outcome<std::unique_ptr<ByteSource>> Unpacked(const std::string& name, std::unique_ptr<RawSource> raw) {
    char magic[4];
    std::size_t count = 0;
    while (count < sizeof magic) {
        const Outcome<std::size_t> read = raw->Read(magic + count, sizeof magic - count);
        if (!read) return Fail(read.error());
        if (*read == 0) break;
        count += *read;
    }
    raw->Rewind();
    const std::string_view start(magic, count);
    if (IsGzip(start)) return MakeGzipSource(name, std::move(raw));
    if (IsZstd(start)) return MakeZstdSource(name, std::move(raw));
    return std::unique_ptr<ByteSource>(std::move(raw));
}

}  // namespace

Outcome<std::unique_ptr<ByteSource>> OpenFileSource(const std::string& path) {
    // Without waiting: opening a pipe that nobody writes to would block for ever.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct Closing {  // until somebody has it who closes it
        int descriptor;
        ~Closing() { if (descriptor >= 0) ::close(descriptor); }
    } closing{descriptor};
    if (descriptor < 0) return Fail(Failure{path, std::string("cannot be opened: ") + std::strerror(errno), ""});
    struct stat status {};
    const char* refusal = nullptr;
    if (::fstat(descriptor, &status) != 0) {
        refusal = "cannot be examined";
    } else if (S_ISDIR(status.st_mode)) {
        refusal = "is a directory";
    } else if (!S_ISREG(status.st_mode)) {
        refusal = "is a device, a pipe or a socket";
    }
    if (refusal != nullptr) return Fail(Failure{path, refusal, "a file"});
    auto source = std::make_unique<FileSource>(path, descriptor, static_cast<std::uint64_t>(status.st_size));
    closing.descriptor = -1;
    return Unpacked(path, std::move(source));
}

Outcome<std::unique_ptr<ByteSource>> OpenMemorySource(std::string name, std::string_view bytes) {
    return Unpacked(name, std::make_unique<MemorySource>(bytes));
}

}  // namespace residue::import
