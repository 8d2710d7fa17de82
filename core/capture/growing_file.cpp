#include "capture/growing_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace residue::capture {

namespace {
Failure SystemFailure(const std::string& path, const char* doing) {
    return {path, std::string(doing) + ": " + std::strerror(errno), ""};
}
}  // namespace

Outcome<std::unique_ptr<GrowingFile>> GrowingFile::Create(const std::string& path) {
    struct stat there {};
    if (::stat(path.c_str(), &there) == 0) {
        if (S_ISDIR(there.st_mode)) return Fail(Failure{path, "is a folder", "a file to write to"});
        if (!S_ISREG(there.st_mode)) return Fail(Failure{path, "is no plain file", "a file to write to"});
        if (::access(path.c_str(), W_OK) != 0) return Fail(SystemFailure(path, "cannot be replaced"));
    }
    std::string part = path + ".part";
    const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return Fail(SystemFailure(part, "cannot be made"));
    return std::unique_ptr<GrowingFile>(new GrowingFile(path, std::move(part), file));
}

GrowingFile::~GrowingFile() {
    if (file_ >= 0) ::close(file_);
}

Outcome<void> GrowingFile::Write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return Fail(SystemFailure(part_, "cannot be written to"));
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Outcome<void> GrowingFile::Commit() {
    const int file = std::exchange(file_, -1);
    if (::fsync(file) != 0 || ::close(file) != 0) return Fail(SystemFailure(part_, "cannot be written to"));
    if (::rename(part_.c_str(), path_.c_str()) != 0) return Fail(SystemFailure(path_, "cannot be replaced"));
    return {};
}

void GrowingFile::Discard() {
    ::close(std::exchange(file_, -1));
    ::unlink(part_.c_str());
}

}  // namespace residue::capture
