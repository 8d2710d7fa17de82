#include "log/spill.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace residue::log {

namespace {

constexpr std::size_t kAlign = 64, kPage = 4096;

Failure NoSpill(const std::string& folder, const std::string& why) {
    return {folder, "a recording cannot spill there: " + why, "a folder on a disk that can be written"};
}

// A file without a name. Where the file system has none such, one whose name is removed at once.
int OpenNameless(const std::string& folder) {
    const int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
    std::string name = folder + "/residue-spill-XXXXXX";
    const int named = ::mkostemp(name.data(), O_CLOEXEC);
    if (named >= 0) ::unlink(name.c_str());
    return named;
}

}  // namespace

Outcome<std::shared_ptr<Spill>> Spill::Create(const std::string& folder, const SpillOptions& options) {
    struct statfs system {};
    if (::statfs(folder.c_str(), &system) != 0) return Fail(NoSpill(folder, std::strerror(errno)));
    if (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC) {
        return Fail(NoSpill(folder, "it is in memory itself"));
    }
    const int file = OpenNameless(folder);
    if (file < 0) return Fail(NoSpill(folder, std::strerror(errno)));
    return std::shared_ptr<Spill>(new Spill(file, options));
}

Outcome<std::shared_ptr<Spill>> Spill::CreateAnywhere(const SpillOptions& options) {
    std::vector<std::string> folders;
    if (const char* const cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') {
        folders.emplace_back(cache);
    }
    if (const char* const home = std::getenv("HOME"); home != nullptr && *home == '/') {
        folders.push_back(std::string(home) + "/.cache");
        folders.emplace_back(home);
    }
    folders.emplace_back("/var/tmp");
    Outcome<std::shared_ptr<Spill>> made = Fail(NoSpill("/var/tmp", "there is no folder for it"));
    for (const std::string& folder : folders) {
        made = Create(folder, options);
        if (made) break;
    }
    return made;
}

Spill::~Spill() {
    for (const Slab& slab : slabs_) ::munmap(slab.begin, slab.bytes);
    ::close(file_);
}

bool Spill::AddSlab(std::size_t bytes) {
    const std::uint64_t used = Bytes();
    if (bytes > options_.most || used > options_.most - bytes) return false;
    struct statfs system {};
    if (::fstatfs(file_, &system) != 0) return false;
    const std::uint64_t free = system.f_bavail * static_cast<std::uint64_t>(system.f_bsize);
    if (free < options_.spare || free - options_.spare < bytes) return false;
    if (::posix_fallocate(file_, static_cast<off_t>(used), static_cast<off_t>(bytes)) != 0) return false;
    void* const mapped =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, static_cast<off_t>(used));
    if (mapped == MAP_FAILED) return false;
    slabs_.push_back({static_cast<std::byte*>(mapped), bytes});
    bytes_.store(used + bytes, std::memory_order_relaxed);
    next_ = slabs_.back().begin;
    left_ = bytes;
    return true;
}

std::byte* Spill::Take(std::size_t bytes) {
    if (bytes == 0 || bytes > (std::size_t{1} << 40) || IsFull()) return nullptr;
    bytes = (bytes + kAlign - 1) / kAlign * kAlign;
    if (bytes > left_ && !AddSlab(std::max(options_.slab, (bytes + kPage - 1) / kPage * kPage))) {
        full_.store(true, std::memory_order_relaxed);
        return nullptr;
    }
    std::byte* const taken = next_;
    next_ += bytes;
    left_ -= bytes;
    return taken;
}

}  // namespace residue::log
