#include "lab/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace residue::lab {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kToAnswer{500};
constexpr int kPollMs = 20;

std::vector<char*> Pointers(const std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

struct Pipe {
    int read = -1, write = -1;
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) == 0) read = ends[0], write = ends[1];
    }
    ~Pipe() {
        CloseWrite();
        if (read >= 0) ::close(read);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    void CloseWrite() {
        if (write >= 0) ::close(write);
        write = -1;
    }
};

// Descriptors to their places. First all go where none of the places is, so that none is overwritten. `told` goes along
// and ends with exec.
bool Place(const std::vector<std::pair<int, int>>& descriptors, int input, int output, int& told) {
    constexpr int kAbove = 64;
    const int inputAbove = ::fcntl(input, F_DUPFD_CLOEXEC, kAbove),
              outputAbove = ::fcntl(output, F_DUPFD_CLOEXEC, kAbove);
    told = ::fcntl(told, F_DUPFD_CLOEXEC, kAbove);
    std::array<int, 8> above{};
    if (descriptors.size() > above.size() || inputAbove < 0 || outputAbove < 0 || told < 0) return false;
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
        above[i] = ::fcntl(descriptors[i].first, F_DUPFD_CLOEXEC, kAbove);
        if (above[i] < 0) return false;
    }
    bool fine = ::dup2(inputAbove, 0) >= 0 && ::dup2(outputAbove, 1) >= 0 && ::dup2(outputAbove, 2) >= 0;
    for (std::size_t i = 0; i < descriptors.size(); ++i) fine = fine && ::dup2(above[i], descriptors[i].second) >= 0;
    return fine;
}

// In the child, between fork and exec: only what is safe there.
[[noreturn]] void Become(const ChildOptions& options, char** words, char** environment, int input, int output,
                         int told) {
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &usual, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::setsid();
    constexpr unsigned kCloseOnExec = 4;  // CLOSE_RANGE_CLOEXEC
    constexpr unsigned kFirst = 3;
    bool fine = Place(options.descriptors, input, output, told);
    unsigned above = kFirst;
    for (const auto& descriptor : options.descriptors) {
        above = std::max(above, static_cast<unsigned>(descriptor.second) + 1);
    }
    ::syscall(SYS_close_range, above, ~0u, kCloseOnExec);
    fine = fine && (options.folder.empty() || ::chdir(options.folder.c_str()) == 0);
    if (fine) ::execve(words[0], words, environment);
    const int error = errno;
    const ssize_t ignored = ::write(told, &error, sizeof(error));
    (void)ignored;
    ::_exit(127);
}

// Reads what is there; false: the other side has closed it.
bool ReadSome(int pipe, std::size_t most, ChildEnd& end) {
    std::array<char, 16384> bytes;
    const ssize_t got = ::read(pipe, bytes.data(), bytes.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    const auto count = static_cast<std::size_t>(got);
    const std::size_t room = most > end.output.size() ? most - end.output.size() : 0;
    end.output.append(bytes.data(), std::min(room, count));
    end.leftOut += count - std::min(room, count);
    return count > 0;
}

// Has it ended? It stays a zombie, so that its group's number is its own until all of it has been killed.
bool HasEnded(pid_t child) {
    siginfo_t information{};
    const int waited = ::waitid(P_PID, static_cast<id_t>(child), &information, WEXITED | WNOHANG | WNOWAIT);
    return waited == 0 && information.si_pid == child;
}

void Drain(int pipe, std::size_t most, ChildEnd& end) {
    const int flags = ::fcntl(pipe, F_GETFL);
    ::fcntl(pipe, F_SETFL, flags | O_NONBLOCK);
    constexpr int kMostReads = 64;  // of a pipe that holds 64 KiB
    for (int i = 0; i < kMostReads; ++i) {
        const std::uint64_t before = end.output.size() + end.leftOut;
        if (!ReadSome(pipe, most, end) || end.output.size() + end.leftOut == before) break;
    }
}

void Follow(pid_t child, int pipe, const ChildOptions& options, ChildEnd& end) {
    auto deadline = Clock::now() + options.deadline;
    bool open = true;
    while (!HasEnded(child)) {
        pollfd waiting{pipe, POLLIN, 0};
        if (!open) {
            ::poll(nullptr, 0, kPollMs / 4);
        } else if (::poll(&waiting, 1, kPollMs) > 0) {
            open = ReadSome(pipe, options.mostOutput, end);
        }
        if (options.cancelled != nullptr && options.cancelled->load()) {
            end.cancelled = true;
            break;
        }
        if (Clock::now() < deadline) continue;
        if (end.tooSlow || options.signalAtDeadline == 0) {
            end.tooSlow = true;
            break;
        }
        end.tooSlow = true;
        ::kill(child, options.signalAtDeadline);
        deadline = Clock::now() + kToAnswer;
    }
    ::kill(-child, SIGKILL);
    ::kill(child, SIGKILL);
    if (open) Drain(pipe, options.mostOutput, end);
}

}  // namespace

Outcome<ChildEnd> RunChild(const ChildOptions& options) {
    const auto failure = [&](int error) {
        return Fail(Failure{options.command[0], std::string("cannot be started: ") + std::strerror(error), ""});
    };
    const std::vector<char*> words = Pointers(options.command), environment = Pointers(options.environment);
    const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    Pipe output, told;
    if (input < 0 || output.read < 0 || told.read < 0) {
        if (input >= 0) ::close(input);
        return failure(errno);
    }
    const pid_t child = ::fork();
    if (child == 0) {
        Become(options, const_cast<char**>(words.data()), const_cast<char**>(environment.data()), input, output.write,
               told.write);
    }
    const int forkError = errno;
    ::close(input);
    output.CloseWrite();
    told.CloseWrite();
    if (child < 0) return failure(forkError);
    int error = 0;
    ssize_t got = 0;
    do got = ::read(told.read, &error, sizeof(error));
    while (got < 0 && errno == EINTR);
    ChildEnd end;
    if (got != sizeof(error)) Follow(child, output.read, options, end);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (got == sizeof(error)) return failure(error);
    if (WIFEXITED(status)) end.exitCode = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    return end;
}

}  // namespace residue::lab
