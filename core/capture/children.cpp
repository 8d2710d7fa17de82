#include "capture/children.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

namespace residue::capture {

namespace {

// One that the same user runs: others cannot open what we have.
bool IsOurs(pid_t process) {
    struct stat info {};
    return ::stat(("/proc/" + std::to_string(process)).c_str(), &info) == 0 && info.st_uid == ::geteuid();
}

std::string NameOf(pid_t process) {
    std::array<char, 4096> path{};
    const ssize_t length =
        ::readlink(("/proc/" + std::to_string(process) + "/exe").c_str(), path.data(), path.size());
    const std::string whole(path.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    return whole.empty() ? "a child" : whole.substr(whole.rfind('/') + 1);
}

// There may be many children: less memory for each, which is there as long as its process is.
ChannelOptions ForChildren(const ChannelOptions& like) {
    ChannelOptions options = like;
    options.follow = false;
    options.plan.largeLanes = std::min(options.plan.largeLanes, 4u);
    options.plan.smallLanes = std::min(options.plan.smallLanes, 252u);
    options.plan.traceNodes = std::min(options.plan.traceNodes, 1u << 18);
    return options;
}

}  // namespace

ProcessHandle::ProcessHandle(pid_t process) : file_(static_cast<int>(::syscall(SYS_pidfd_open, process, 0))) {}

ProcessHandle::~ProcessHandle() {
    if (file_ >= 0) ::close(file_);
}

bool ProcessHandle::HasEnded() const {
    pollfd look{file_, POLLIN, 0};
    return file_ < 0 || ::poll(&look, 1, 0) > 0;
}

bool ProcessHandle::Kill(int signal) const {
    return file_ >= 0 && ::syscall(SYS_pidfd_send_signal, file_, signal, nullptr, 0) == 0;
}

Children::Children(Channel& root, const ChannelOptions& like) : root_(root), options_(ForChildren(like)) {}

std::vector<Child> Children::New() {
    std::vector<Child> children;
    const std::vector<pid_t> asking = root_.Asking();
    if (asking.empty()) return children;
    std::erase_if(known_, [](const auto& known) { return known.second.handle.HasEnded(); });
    for (const pid_t process : asking) {
        // It became another program: that one goes on in the same channel.
        if (const auto known = known_.find(process); known != known_.end()) {
            known->second.name->Set(NameOf(process));  // before it goes on, and ends
            (void)root_.Answer(process, known->second.file);
            continue;
        }
        Child child{process, std::make_shared<ProgramName>(), ProcessHandle(process), nullptr};
        child.name->Set(NameOf(process));
        if (child.handle.IsOpen() && IsOurs(process) && known_.size() < kMostAtOnce) {
            if (auto channel = Channel::Make(options_)) child.channel = std::move(*channel);
        }
        if (child.channel == nullptr) {
            ++refused_;
            (void)root_.Answer(process, -1);
            continue;
        }
        child.channel->SetProgram(process);
        if (!root_.Answer(process, child.channel->File())) continue;  // it did not wait
        known_[process] = {ProcessHandle(process), child.name, child.channel->File()};
        children.push_back(std::move(child));
    }
    return children;
}

}  // namespace residue::capture
