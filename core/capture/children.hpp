// Children of a watched program that are to be recorded too: who asks for a channel of its own gets one.
//
//     Children children(*channel, options);
//     for (Child& child : children.New()) ... Capture::Adopt(std::move(child), ...) ...
//
// A child asks when it first allocates after fork, or when it begins after exec; it waits for the answer, so New is
// called every few milliseconds. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "capture/channel.hpp"

namespace residue::capture {

// A process that need not be a child of ours, held so that its number cannot come to mean another one.
class ProcessHandle {
public:
    ProcessHandle() = default;
    explicit ProcessHandle(pid_t process);  // not open where there is none
    ~ProcessHandle();
    ProcessHandle(ProcessHandle&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
    ProcessHandle& operator=(ProcessHandle&& other) noexcept {
        std::swap(file_, other.file_);
        return *this;
    }
    ProcessHandle(const ProcessHandle&) = delete;
    ProcessHandle& operator=(const ProcessHandle&) = delete;

    bool IsOpen() const { return file_ >= 0; }
    bool HasEnded() const;
    bool Kill(int signal) const;

private:
    int file_ = -1;
};

// The name of a process's program, which changes where it becomes another one. Any thread.
class ProgramName {
public:
    void Set(std::string name) {
        const std::lock_guard lock(mutex_);
        name_ = std::move(name);
    }
    std::string Get() const {
        const std::lock_guard lock(mutex_);
        return name_;
    }

private:
    mutable std::mutex mutex_;
    std::string name_;
};

struct Child {
    pid_t process = 0;
    std::shared_ptr<ProgramName> name;
    ProcessHandle handle;
    std::unique_ptr<Channel> channel;
};

class Children {
public:
    static constexpr std::size_t kMostAtOnce = 256;  // each has a channel and two threads

    // `root` outlives this. Their channels are as `like`, smaller.
    Children(Channel& root, const ChannelOptions& like);
    std::vector<Child> New();
    std::uint64_t Refused() const { return refused_; }

private:
    struct Known {
        ProcessHandle handle;
        std::shared_ptr<ProgramName> name;
        int file = -1;  // of its channel. Where that is closed, the child finds none, or one that is not its own
    };
    Channel& root_;
    ChannelOptions options_;
    std::map<pid_t, Known> known_;
    std::uint64_t refused_ = 0;
};

}  // namespace residue::capture
