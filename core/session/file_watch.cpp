#include "session/file_watch.hpp"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

namespace residue::session {
namespace {

namespace fs = std::filesystem;

constexpr int kLook = 50;    // milliseconds between two looks
constexpr int kSettle = 15;  // and while something changes
constexpr int kMostLooks = 40;  // then a file that changes all the time is taken as it is
constexpr int kGone = 20;    // looks for which a file may be away: between its removal and the new one
constexpr std::size_t kMostFiles = 1024;

}  // namespace

FileWatch::FileWatch(std::vector<std::string> paths, std::function<void()> changed)
    : paths_(std::move(paths)), changed_(std::move(changed)) {
    thread_ = std::thread([this, known = Look()]() mutable {
        try {
            Watch(std::move(known));
        } catch (const std::bad_alloc&) {  // then nothing is watched any more; what is shown stays
        }
    });
}

FileWatch::~FileWatch() {
    {
        const std::lock_guard lock(lock_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

FileWatch::Stamps FileWatch::Look() const {
    Stamps stamps;
    const auto add = [&](const std::string& path) {
        struct stat info {};
        if (stamps.size() < kMostFiles && ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
            stamps[path] = {info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
        }
    };
    const auto addFolder = [&](const fs::path& folder, bool sourcesToo) {
        std::error_code error;
        for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
            const fs::path kind = at->path().extension();
            if (kind == ".h" || (sourcesToo && kind == ".c")) add(at->path().string());
        }
    };
    for (const std::string& path : paths_) {
        std::error_code error;
        if (fs::is_directory(path, error)) {
            addFolder(path, true);
            continue;
        }
        add(path);
        const fs::path folder = fs::path(path).parent_path();
        if (path.ends_with(".c")) addFolder(folder.empty() ? fs::path(".") : folder, false);
    }
    return stamps;
}

bool FileWatch::Wait(int milliseconds) {
    std::unique_lock lock(lock_);
    return !wake_.wait_for(lock, std::chrono::milliseconds(milliseconds), [this] { return stopping_; });
}

void FileWatch::Watch(Stamps known) {
    int gone = 0;
    while (Wait(kLook)) {
        Stamps now = Look();
        if (now == known) {
            gone = 0;
            continue;
        }
        Stamps last;
        for (int looks = 0; looks < kMostLooks && last != now && Wait(kSettle); ++looks) {
            last = std::exchange(now, Look());
        }
        // A file that is away for a moment is being replaced.
        const bool fewer = now.size() < known.size();
        if (fewer && ++gone < kGone) continue;
        gone = 0;
        if (now == known) continue;
        known = std::move(now);
        changed_();
    }
}

}  // namespace residue::session
