#include "capture/detail/divert.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

namespace residue::capture::detail {

namespace {

using Clock = std::chrono::steady_clock;

#if defined(__x86_64__)

// What a system call answers where it is to be begun anew: not for programs, so in no header (linux/errno.h).
constexpr long long kRestart = -512, kRestartNoInterrupt = -513, kRestartNoHandler = -514, kRestartBlock = -516;
constexpr long long kRestartCall = 219;  // restart_syscall

Failure SystemSays(pid_t process, const char* what) {
    std::string text = fmt::format("{}: {}", what, std::strerror(errno));
    std::string expected = "a process that may be traced: one's own";
    std::ifstream file("/proc/sys/kernel/yama/ptrace_scope");
    int scope = 0;
    if (errno == EPERM && file >> scope && scope != 0) {
        text += fmt::format(" (kernel.yama.ptrace_scope is {})", scope);
        expected = "sysctl kernel.yama.ptrace_scope=0, or start it with residue record -- PROGRAM";
    }
    return {fmt::format("process {}", process), std::move(text), std::move(expected)};
}

// About a second: on a busy machine a thread that runs has to get its turn before it can stop.
constexpr int kStopTurns = 2000;

// A thread that is held; let go at the end.
class Held {
public:
    explicit Held(pid_t thread) : thread_(thread) {}
    ~Held() {
        if (seized_) ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    bool Seize() {
        seized_ = ::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0;
        return seized_;
    }
    // False: it did not stop soon. Then it cannot be let go either, but by the end of our own thread.
    bool Stop() {
        if (::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) != 0) return false;
        for (int turn = 0; turn < kStopTurns; ++turn) {
            int status = 0;
            const pid_t got = ::waitpid(thread_, &status, __WALL | WNOHANG);
            if (got < 0 || (got == thread_ && !WIFSTOPPED(status))) return false;
            if (got == 0) {
                std::this_thread::sleep_for(std::chrono::microseconds(turn < 50 ? 20 : 500));
                continue;
            }
            if (status >> 16 == PTRACE_EVENT_STOP) return WSTOPSIG(status) == SIGTRAP;
            // A signal came first: it has it, and stops again.
            if (::ptrace(PTRACE_CONT, thread_, nullptr, WSTOPSIG(status)) != 0) return false;
        }
        return false;
    }
    bool Read(user_regs_struct& registers) const { return ::ptrace(PTRACE_GETREGS, thread_, nullptr, &registers) == 0; }
    bool Write(const user_regs_struct& registers) const {
        return ::ptrace(PTRACE_SETREGS, thread_, nullptr, &registers) == 0;
    }
    bool WriteWord(std::uint64_t at, std::uint64_t word) const {
        return ::ptrace(PTRACE_POKEDATA, thread_, at, word) == 0;
    }

private:
    pid_t thread_;
    bool seized_ = false;
};

// A call that was interrupted by our stop is begun again when the thread comes back, as the system would have it: with
// the instruction once more. So is one that says "interrupted", because of us.
void BeginAgain(user_regs_struct& registers) {
    if (static_cast<long long>(registers.orig_rax) < 0) return;  // it was in no call
    constexpr std::uint64_t kInstruction = 2;
    switch (static_cast<long long>(registers.rax)) {
        case kRestart:
        case kRestartNoInterrupt:
        case kRestartNoHandler:
        case -EINTR: registers.rax = registers.orig_rax; break;
        case kRestartBlock: registers.rax = static_cast<unsigned long long>(kRestartCall); break;
        default: return;  // it is over
    }
    registers.rip -= kInstruction;
}

bool Send(const Held& thread, user_regs_struct registers, std::uint64_t visit) {
    BeginAgain(registers);
    registers.rsp -= kRedZone + 8;
    if (!thread.WriteWord(registers.rsp, registers.rip)) return false;
    registers.rip = visit;
    registers.orig_rax = ~0ull;  // nothing for the system to begin again
    return thread.Write(registers);
}

// What a thread does, as far as one can tell without stopping it: waits in that call; -1: anything else.
long CallOf(pid_t process, pid_t thread) {
    std::ifstream file(fmt::format("/proc/{}/task/{}/syscall", process, thread));
    long call = -1;
    file >> call;
    return file ? call : -1;
}

std::vector<pid_t> ThreadsOf(pid_t process) {
    std::vector<pid_t> threads;
    std::error_code error;
    for (std::filesystem::directory_iterator at(fmt::format("/proc/{}/task", process), error), end; !error && at != end;
         at.increment(error)) {
        const std::string name = at->path().filename().string();
        pid_t thread = 0;
        std::from_chars(name.data(), name.data() + name.size(), thread);
        if (thread > 0) threads.push_back(thread);
    }
    // Those that a stop does not make answer "interrupted" come first.
    std::stable_partition(threads.begin(), threads.end(), [process](pid_t thread) {
        const long call = CallOf(process, thread);
        return call != SYS_epoll_wait && call != SYS_epoll_pwait;
    });
    return threads;
}

bool PutCode(pid_t process, std::uint64_t at, const std::vector<std::uint8_t>& code) {
    const int file = ::open(fmt::format("/proc/{}/mem", process).c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    const ssize_t put = ::pwrite(file, code.data(), code.size(), static_cast<off_t>(at));
    ::close(file);
    return put == static_cast<ssize_t>(code.size());
}

// One look at one thread. Failure: it will never be allowed. `stuck` get those that do not even stop (they wait for a
// disk): they stay ours until we end.
Outcome<bool> TryThread(pid_t process, pid_t thread, const Target& target, std::uint64_t visit,
                        std::set<pid_t>& stuck) {
    if (stuck.contains(thread)) return false;
    Held held(thread);
    if (!held.Seize()) {
        if (errno == ESRCH) return false;
        return Fail(SystemSays(process, "it may not be traced"));
    }
    user_regs_struct registers{};
    if (!held.Stop()) {
        stuck.insert(thread);
        return false;
    }
    if (!held.Read(registers)) return false;
    const ThreadPlace place{registers.rip, static_cast<std::int64_t>(registers.orig_rax)};
    if (target.Stands(thread, place)) return Send(held, registers, visit);
    if (static_cast<long long>(registers.orig_rax) >= 0 && static_cast<long long>(registers.rax) == -EINTR) {
        BeginAgain(registers);  // it would not have been interrupted without us
        registers.orig_rax = ~0ull;
        (void)held.Write(registers);
    }
    return false;
}

Outcome<void> TryAll(pid_t process, const std::string& shim, const std::string& channel,
                     std::chrono::milliseconds patience) {
    const Clock::time_point end = Clock::now() + patience;
    std::chrono::microseconds nap{500};
    std::set<pid_t> stuck;
    do {
        auto target = Target::Look(process);
        if (!target) return Fail(target.error());
        VisitPlan plan = (*target)->Functions();
        plan.shim = shim;
        plan.channel = channel;
        const auto room = (*target)->RoomFor(VisitBytes(plan));
        if (!room || !PutCode(process, *room, MakeVisit(plan))) {
            return Fail(Failure{fmt::format("process {}", process),
                                "has no room for the code that brings the recorder in",
                                "some unused bytes behind a module's code, which may be written"});
        }
        for (int round = 0; round < 16 && Clock::now() < end; ++round) {
            const std::vector<pid_t> threads = ThreadsOf(process);
            if (threads.empty()) return Fail(Failure{fmt::format("process {}", process), "has ended", "one that runs"});
            for (const pid_t thread : threads) {
                const auto sent = TryThread(process, thread, **target, *room, stuck);
                if (!sent) return Fail(sent.error());
                if (*sent) return {};
            }
            std::this_thread::sleep_for(nap);
            nap = std::min(nap * 2, std::chrono::microseconds(4000));
        }
    } while (Clock::now() < end);
    return Fail(Failure{
        fmt::format("process {}", process),
        fmt::format("none of its threads came to a place where the recorder can come in, for {} ms", patience.count()),
        "one that leaves its allocator and signal handlers now and then"});
}

#else

Outcome<void> TryAll(pid_t, const std::string&, const std::string&, std::chrono::milliseconds) {
    return Fail(Failure{"--attach", "this kind of machine is not one where that can be done yet", "x86-64"});
}

#endif

}  // namespace

Outcome<void> Divert(pid_t process, const std::string& shim, const std::string& channel,
                     std::chrono::milliseconds patience) {
    Outcome<void> result;
    // Its end lets go whatever is still held.
    std::thread([&] { result = TryAll(process, shim, channel, patience); }).join();
    return result;
}

}  // namespace residue::capture::detail
