#include "export/atomic_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

namespace residue::exports {
namespace {

constexpr std::size_t kBufferBytes = 256 << 10;

// The rights a new file gets; there is no way to ask for the mask but to set it.
mode_t NewFileMode() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666 & ~mask;
}

// Where a link points to, so that the link stays and its target is replaced.
std::string Resolved(const std::string& path) {
    const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), ::free);
    return real != nullptr ? std::string(real.get()) : path;
}

}  // namespace

tl::unexpected<Failure> AtomicFile::Fault(const char* what, int error) const {
    return Fail(Failure{path_, std::string(what) + ": " + std::strerror(error), ""});
}

Outcome<AtomicFile> AtomicFile::Create(const std::string& path) {
    AtomicFile file;
    file.path_ = path;
    file.buffer_.reserve(kBufferBytes);
    struct stat status {};
    const bool exists = ::stat(path.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) return Fail(Failure{path, "is a directory", "a file to write to"});
    if (exists && !S_ISREG(status.st_mode)) {
        file.descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (file.descriptor_ < 0) return file.Fault("cannot be opened", errno);
        return file;
    }
    if (exists && ::access(path.c_str(), W_OK) != 0) return file.Fault("cannot be written", errno);
    if (exists) file.path_ = Resolved(path);
    file.temporary_ = file.path_ + ".XXXXXX";
    file.descriptor_ = ::mkostemp(file.temporary_.data(), O_CLOEXEC);
    if (file.descriptor_ < 0) {
        const int error = errno;
        file.temporary_.clear();
        return file.Fault("cannot be written", error);
    }
    (void)::fchmod(file.descriptor_, exists ? status.st_mode & 07777 : NewFileMode());
    return file;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      buffer_(std::move(other.buffer_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      error_(other.error_) {}

AtomicFile::~AtomicFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::Write(std::string_view text) {
    if (buffer_.size() + text.size() > kBufferBytes) Flush();
    buffer_ += text;
}

void AtomicFile::Flush() {
    std::string_view rest = buffer_;
    while (!rest.empty() && error_ == 0) {
        const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
        if (written >= 0) rest.remove_prefix(static_cast<std::size_t>(written));
        else if (errno != EINTR) error_ = errno;
    }
    buffer_.clear();
}

Outcome<void> AtomicFile::Commit() {
    Flush();
    if (error_ != 0) return Fault("cannot be written", error_);
    // Some systems tell only here that the disk is full.
    if (::close(std::exchange(descriptor_, -1)) != 0) return Fault("cannot be written", errno);
    if (temporary_.empty()) return {};
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) return Fault("cannot be put in place", errno);
    temporary_.clear();
    return {};
}

}  // namespace residue::exports
