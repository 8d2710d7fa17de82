#include "lab/staging.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace residue::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = std::size_t{16} << 20;  // of all files together
constexpr std::size_t kMostFiles = 256;
constexpr const char* kStudent = "a C file, or a folder with mm.c in it";

Failure SystemFailure(const std::string& where) {
    return {where, std::strerror(errno), ""};
}

bool IsHeader(const fs::path& path) {
    return path.extension() == ".h";
}
bool IsSource(const fs::path& path) {
    return path.extension() == ".c";
}

// The whole file, if it is a plain one, and no more of it than `room`.
Outcome<std::string> ReadPlain(const std::string& path, std::size_t room) {
    const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 && errno == ELOOP) return Fail(Failure{path, "is a link", "a plain file"});
    if (file < 0) return Fail(SystemFailure(path));
    struct stat info {};
    const bool plain = ::fstat(file, &info) == 0 && S_ISREG(info.st_mode);
    std::string text;
    ssize_t got = plain ? 1 : 0;
    while (got > 0 && text.size() <= room) {
        char bytes[65536];
        got = ::read(file, bytes, sizeof(bytes));
        if (got > 0) text.append(bytes, static_cast<std::size_t>(got));
    }
    const int error = errno;
    ::close(file);
    if (!plain) return Fail(Failure{path, "is no plain file", kStudent});
    if (got < 0) return Fail(Failure{path, std::strerror(error), "a file that can be read"});
    if (text.size() > room) {
        return Fail(Failure{path, "is too large", fmt::format("at most {} MiB of sources", kMostBytes >> 20)});
    }
    return text;
}

// The one to compile of a folder.
Outcome<std::string> ChooseSource(const std::string& folder, const std::vector<std::string>& names) {
    std::vector<std::string> sources;
    for (const std::string& name : names) {
        if (IsSource(name)) sources.push_back(name);
    }
    for (const char* usual : {"mm.c", "allocator.c"}) {
        if (std::find(sources.begin(), sources.end(), usual) != sources.end()) return usual;
    }
    if (sources.size() == 1) return sources[0];
    const char* const what = sources.empty() ? "has no C file in it" : "has several C files, none of them mm.c";
    return Fail(Failure{folder, what, "mm.c, or allocator.c, or one C file"});
}

Outcome<std::vector<std::string>> NamesIn(const std::string& folder, bool sourcesToo) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        const fs::path name = at->path().filename();
        if (!IsHeader(name) && !(sourcesToo && IsSource(name))) continue;
        if (names.size() == kMostFiles) {
            return Fail(Failure{folder, fmt::format("has more than {} C files and headers", kMostFiles), kStudent});
        }
        names.push_back(name.string());
    }
    if (error) return Fail(Failure{folder, error.message(), "a folder that can be read"});
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

Outcome<Staging> Staging::Make(const std::string& student) {
    struct stat info {};
    if (::lstat(student.c_str(), &info) != 0) return Fail(Failure{student, std::strerror(errno), kStudent});
    Staging staging;
    if (auto made = staging.MakeFolders(); !made) return Fail(made.error());
    const bool isFolder = S_ISDIR(info.st_mode);
    const fs::path folder = isFolder ? fs::path(student) : fs::path(student).parent_path();
    const std::string own = isFolder ? "" : fs::path(student).filename().string();
    auto names = NamesIn(folder.empty() ? "." : folder.string(), isFolder);
    if (!names) return Fail(names.error());
    if (isFolder) {
        auto source = ChooseSource(student, *names);
        if (!source) return Fail(source.error());
        staging.source_ = *source;
    } else {
        staging.source_ = own;
        if (std::find(names->begin(), names->end(), own) == names->end()) names->push_back(own);
    }
    for (const std::string& name : *names) {
        if (auto copied = staging.Copy((folder / name).string(), name); !copied) return Fail(copied.error());
    }
    return staging;
}

Staging::Staging(Staging&& other) noexcept
    : folder_(std::exchange(other.folder_, {})),
      source_(std::move(other.source_)),
      text_(std::move(other.text_)),
      names_(std::move(other.names_)),
      bytes_(other.bytes_) {}

Staging::~Staging() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

bool Staging::Has(const std::string& name) const {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
}

Outcome<void> Staging::MakeFolders() {
    std::error_code error;
    std::string pattern = (fs::temp_directory_path(error) / "residue-lab-XXXXXX").string();
    if (error || ::mkdtemp(pattern.data()) == nullptr) {
        return Fail(Failure{pattern, std::strerror(errno), "a folder for temporary files (TMPDIR)"});
    }
    folder_ = pattern;
    for (const char* part : {"source", "support", "build", "empty"}) {
        if (::mkdir(Folder(part).c_str(), 0700) != 0) return Fail(SystemFailure(Folder(part)));
    }
    return {};
}

Outcome<void> Staging::Copy(const std::string& from, const std::string& name) {
    auto text = ReadPlain(from, kMostBytes - bytes_);
    if (!text) return Fail(text.error());
    bytes_ += text->size();
    names_.push_back(name);
    if (auto written = Write("source", name, *text); !written) return written;
    if (name == source_) text_ = std::move(*text);
    return {};
}

Outcome<void> Staging::Write(const char* part, const std::string& name, const std::string& text) const {
    const std::string path = Folder(part) + "/" + name;
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return Fail(SystemFailure(path));
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t written = ::write(file, text.data() + done, text.size() - done);
        if (written <= 0) break;
        done += static_cast<std::size_t>(written);
    }
    const int error = errno;
    ::close(file);
    if (done < text.size()) return Fail(Failure{path, std::strerror(error), "room for the sources"});
    return {};
}

}  // namespace residue::lab
