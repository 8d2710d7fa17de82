#include "capture/attach.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "base/parse_size.hpp"
#include "capture/children.hpp"
#include "capture/detail/divert.hpp"
#include "capture/detail/visit.hpp"
#include "capture/launch.hpp"

namespace residue::capture {

namespace {

std::string Where(pid_t process) {
    return fmt::format("process {}", process);
}

std::string InProc(pid_t process, const char* file) {
    return fmt::format("/proc/{}/{}", process, file);
}

std::string LinkOf(const std::string& path) {
    std::array<char, 4096> target{};
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    return {target.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
}

// The lines of /proc/PID/status: "Uid:	0	0	0	0".
class StatusFile {
public:
    explicit StatusFile(pid_t process) {
        std::ifstream file(InProc(process, "status"));
        for (std::string line; std::getline(file, line);) {
            const auto colon = line.find(':');
            if (colon != std::string::npos) lines_[line.substr(0, colon)] = line.substr(colon + 1);
        }
    }
    bool IsThere() const { return !lines_.empty(); }
    char State() const { return Words("State").empty() ? '?' : Words("State")[0][0]; }
    long Number(const char* name, std::size_t word = 0) const {
        const std::vector<std::string> words = Words(name);
        return word < words.size() ? std::strtol(words[word].c_str(), nullptr, 10) : 0;
    }
    // Real, effective, saved, and of files.
    bool IsAllOf(const char* name, unsigned id) const {
        for (std::size_t word = 0; word < 4; ++word) {
            if (Number(name, word) != static_cast<long>(id)) return false;
        }
        return true;
    }
    std::string Name() const { return Words("Name").empty() ? "" : Words("Name")[0]; }

private:
    std::vector<std::string> Words(const char* name) const {
        const auto at = lines_.find(name);
        if (at == lines_.end()) return {};
        std::istringstream text(at->second);
        std::vector<std::string> words;
        for (std::string word; text >> word;) words.push_back(word);
        return words;
    }
    std::map<std::string, std::string> lines_;
};

Outcome<void> CheckState(pid_t process, const StatusFile& status) {
    const auto fail = [process](std::string what, const char* expected) {
        return Fail(Failure{Where(process), std::move(what), expected});
    };
    if (!status.IsThere()) return fail("there is no such process", "one that runs");
    if (process == ::getpid()) return fail("is this program itself", "another one");
    if (status.Number("Tgid") != process) {
        return fail(fmt::format("is a thread of process {}", status.Number("Tgid")), "the process");
    }
    switch (status.State()) {
        case 'Z':
        case 'X': return fail("has ended, and its parent has not asked how", "one that runs");
        case 'T': return fail("is stopped", "one that runs: kill -CONT PID");
        default: break;
    }
    if (status.Number("TracerPid") != 0) {
        return fail(fmt::format("is traced by process {}, a debugger perhaps", status.Number("TracerPid")),
                    "one that is not");
    }
    return {};
}

Outcome<void> CheckRights(pid_t process, const StatusFile& status) {
    const auto fail = [process](std::string what, const char* expected) {
        return Fail(Failure{Where(process), std::move(what), expected});
    };
    if (!status.IsAllOf("Uid", ::geteuid()) || !status.IsAllOf("Gid", ::getegid())) {
        return fail(fmt::format("runs as user {} and group {}, and residue as {} and {}", status.Number("Uid", 1),
                                status.Number("Gid", 1), ::geteuid(), ::getegid()),
                    "one of the same user, without rights of its own");
    }
    if (status.Number("Seccomp_filters") > StatusFile(::getpid()).Number("Seccomp_filters")) {
        return fail("has a filter of system calls (seccomp), which the recorder's could break", "one without");
    }
    for (const char* const kind : {"ns/mnt", "ns/pid"}) {
        if (LinkOf(InProc(process, kind)) != LinkOf(InProc(::getpid(), kind))) {
            return fail("runs in a container, whose files or process numbers are not ours",
                        "residue inside of the same container");
        }
    }
    return {};
}

// Where the files differ, such as below chroot, the loader would find no shim.
Outcome<void> CheckShim(pid_t process, const std::string& shim) {
    struct stat ours {
    }, its{};
    if (::stat(shim.c_str(), &ours) != 0) return Fail(Failure{shim, std::strerror(errno), "what is brought into it"});
    if (::stat((InProc(process, "root") + shim).c_str(), &its) == 0 && ours.st_ino == its.st_ino &&
        ours.st_dev == its.st_dev) {
        return {};
    }
    return Fail(Failure{Where(process), "has a root folder of its own, without " + shim, "one that sees our files"});
}

Failure Explain(pid_t process, const Channel::Answered& answer) {
    Failure failure{Where(process), "", "a program that may be watched"};
    switch (answer.how) {
        case AttachAnswer::AlreadyWatched:
            failure.what = "is watched already, by this program or another one";
            failure.expected = "one recorder at a time";
            break;
        case AttachAnswer::NoChannel:
            failure.what = "could not open the recorder's memory";
            failure.expected = "that it may read /proc/PID/fd of residue";
            break;
        case AttachAnswer::OwnAllocator:
            failure.what = "brings an allocator of its own as a part of the program: its calls cannot be seen";
            failure.expected = "a program with malloc in a library";
            break;
        case AttachAnswer::OtherBuild:
            failure.what = "was watched by another build of residue, which is still in it";
            failure.expected = "the same build again";
            break;
        case AttachAnswer::NoMemory: failure.what = "has no memory left for the recorder"; break;
        default:
            failure.what = "its loader did not take the recorder: " + answer.text;
            failure.expected = "a program with the GNU C library of about the same version";
    }
    return failure;
}

}  // namespace

Outcome<pid_t> ParseProcess(const std::string& text) {
    const auto number = ParseWhole(text);
    if (number && *number > 0 && *number <= 0x7FFFFFFF) return static_cast<pid_t>(*number);
    return Fail(Failure{"--attach", "'" + text + "' is no process", "its number, as ps or pidof say it"});
}

Outcome<std::string> CheckAttachable(pid_t process) {
    if (!detail::CanVisit()) {
        return Fail(Failure{"--attach", "this kind of machine is not one where that can be done yet",
                            "x86-64 with xsave; or start it: residue record -- PROGRAM"});
    }
    const StatusFile status(process);
    if (const auto fit = CheckState(process, status); !fit) return Fail(fit.error());
    if (const auto fit = CheckRights(process, status); !fit) return Fail(fit.error());
    const std::string link = InProc(process, "exe"), path = LinkOf(link);
    if (path.empty()) {
        const bool allowed = errno != EACCES && errno != EPERM;
        return Fail(Failure{Where(process),
                            allowed ? "is a part of the system's kernel" : "does not let itself be looked at",
                            "a program of one's own"});
    }
    if (auto fit = CheckPreloadable(link); !fit) {
        Failure failure = fit.error();
        failure.where = fmt::format("{} ({})", Where(process), status.Name());
        return Fail(failure);
    }
    std::string name = path.substr(path.rfind('/') + 1);
    if (const auto gone = name.find(" (deleted)"); gone != std::string::npos) name.resize(gone);
    return name;
}

Outcome<void> Attach(pid_t process, Channel& channel, const std::string& shim, AttachPatience patience) {
    const ProcessHandle handle(process);
    if (const auto fit = CheckShim(process, shim); !fit) return fit;
    channel.SetProgram(process);
    if (auto sent = detail::Divert(process, shim, channel.Path(), patience.place); !sent) return sent;
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + patience.answer;
    while (!channel.Attached()) {
        if (const auto answer = channel.Answer(); answer.how != AttachAnswer::Attached) {
            return Fail(Explain(process, answer));
        }
        if (handle.HasEnded()) return Fail(Failure{Where(process), "has ended", "one that runs"});
        if (Clock::now() >= end) {
            return Fail(Failure{Where(process),
                                fmt::format("did not take the recorder in within {} ms: its loader may be waiting",
                                            patience.answer.count()),
                                "one that goes on"});
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return {};
}

}  // namespace residue::capture
