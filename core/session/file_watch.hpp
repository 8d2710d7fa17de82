// Tells when files have changed: by looking, as editors save in many ways (in place, or by a new file under the old
// name), on any file system.
//
//     FileWatch watch({"mm.c"}, [] { ... });   // called on a thread of its own
//
// A folder stands for the C files and headers directly in it; so do the headers beside a C file. A change counts once
// it has been the same for two looks, so that a file half written is seldom seen; what comes later is a change again.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace residue::session {

class FileWatch {
public:
    FileWatch(std::vector<std::string> paths, std::function<void()> changed);
    ~FileWatch();
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

private:
    using Stamp = std::tuple<std::uint64_t, std::int64_t, std::int64_t, std::int64_t>;  // inode, bytes, seconds, nanos
    using Stamps = std::map<std::string, Stamp>;
    Stamps Look() const;
    void Watch(Stamps known);
    bool Wait(int milliseconds);  // false: the end has come

    const std::vector<std::string> paths_;
    const std::function<void()> changed_;
    std::mutex lock_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace residue::session
