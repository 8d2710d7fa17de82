// Saving to a path: beside the old file first, then in its place.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "log/native_file.hpp"

namespace residue::log {
namespace {

Failure SystemFailure(const std::string& path, const char* doing) {
    return {path, fmt::format("{}: {}", doing, std::strerror(errno)), ""};
}

class FileOutput final : public NativeOutput {
public:
    explicit FileOutput(std::string shownPath) : shownPath_(std::move(shownPath)) {}
    ~FileOutput() override { Close(); }
    FileOutput(const FileOutput&) = delete;
    FileOutput& operator=(const FileOutput&) = delete;

    void Take(int file) { file_ = file; }
    int File() const { return file_; }
    bool Close() {
        const int file = std::exchange(file_, -1);
        return file < 0 || ::close(file) == 0;
    }
    Outcome<void> Write(std::span<const std::byte> bytes) override {
        while (!bytes.empty()) {
            const ssize_t written = ::write(file_, bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return Fail(SystemFailure(shownPath_, "cannot write"));
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
        return {};
    }

private:
    std::string shownPath_;
    int file_ = -1;
};

// Removes the temporary file unless it has taken the name.
struct Temporary {
    std::string path;
    ~Temporary() {
        if (!path.empty()) ::unlink(path.c_str());
    }
};

Outcome<void> Save(const LogView& log, NativeOutput& output, const std::string& path,
                   const std::atomic<bool>* cancelled, std::atomic<double>* progress) {
    NativeStream stream(output);
    for (bool done = false; !done;) {
        if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) {
            return Fail(Failure{path, "cancelled", ""});
        }
        const Outcome<bool> updated = stream.Update(log);
        if (!updated) return Fail(updated.error());
        done = *updated;
        if (progress != nullptr && log.Rows().value > 0) {
            const double share = static_cast<double>(stream.RowsWritten()) / static_cast<double>(log.Rows().value);
            progress->store(share, std::memory_order_relaxed);
        }
    }
    return stream.Finish(log);
}

}  // namespace

Outcome<void> WriteNative(const LogView& log, const std::string& path, const std::atomic<bool>* cancelled,
                          std::atomic<double>* progress) {
    // Behind a symbolic link, the file that it names is the one to replace.
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
    const std::string target = real != nullptr ? real.get() : path;
    struct stat there {};
    const bool exists = ::stat(target.c_str(), &there) == 0;
    FileOutput output(path);
    if (exists && S_ISDIR(there.st_mode)) return Fail(Failure{path, "is a folder", "a file to write to"});
    if (exists && !S_ISREG(there.st_mode)) {
        output.Take(::open(target.c_str(), O_WRONLY | O_CLOEXEC));
        if (output.File() < 0) return Fail(SystemFailure(path, "cannot open"));
        if (auto saved = Save(log, output, path, cancelled, progress); !saved) return saved;
        if (!output.Close()) return Fail(SystemFailure(path, "cannot write"));
        return {};
    }
    if (exists && ::access(target.c_str(), W_OK) != 0) return Fail(SystemFailure(path, "cannot write"));

    Temporary temporary{target + ".XXXXXX"};
    output.Take(::mkostemp(temporary.path.data(), O_CLOEXEC));
    if (output.File() < 0) {
        temporary.path.clear();
        return Fail(SystemFailure(path, "cannot make a file beside it"));
    }
    mode_t mode = there.st_mode & 07777;
    if (!exists) {
        const mode_t mask = ::umask(0);
        ::umask(mask);
        mode = 0666 & ~mask;
    }
    if (::fchmod(output.File(), mode) != 0) return Fail(SystemFailure(path, "cannot set its permissions"));
    if (auto saved = Save(log, output, path, cancelled, progress); !saved) return saved;
    // On the disk before it takes the name: after a power cut there is the old file or the new one.
    if (::fsync(output.File()) != 0 || !output.Close()) return Fail(SystemFailure(path, "cannot write"));
    if (::rename(temporary.path.c_str(), target.c_str()) != 0) return Fail(SystemFailure(path, "cannot replace"));
    temporary.path.clear();
    return {};
}

}  // namespace residue::log
