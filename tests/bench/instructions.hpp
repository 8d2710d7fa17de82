// Counts the instructions of operations by single-stepping them in a child: exact, the same on a busy machine, and for
// code in any library. About 2 us an instruction.
//
//     bench::Counted counted = bench::CountInstructions([&](const bench::Step& step) {
//         prepare();                                   // runs at full speed
//         for (int i = 0; i < 100; ++i) step([&] { operation(i); });
//     }, 5000);
//
// What body changes in memory, it changes in the child. Linux; nothing is known where the system forbids ptrace.
#pragma once

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <functional>
#include <new>
#include <vector>

namespace residue::bench {

// Of each step, in order; one that has more than `most` counts as most + 1 and runs on at full speed. Empty: not known.
using Counted = std::vector<std::uint64_t>;
using Step = std::function<void(const std::function<void()>& operation)>;

namespace detail {

// In memory that both share, so that a look costs the parent no system call.
struct Shared {
    volatile std::uint32_t inside = 0;  // an operation
};

// A child under ptrace.
class Stepped {
public:
    explicit Stepped(pid_t child) : child_(child), alive_(child > 0) {}
    ~Stepped() {
        if (!alive_) return;
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
    }
    Stepped(const Stepped&) = delete;
    Stepped& operator=(const Stepped&) = delete;

    // Until it is stopped by SIGTRAP; false where it ended or something else stopped it.
    bool Stops() {
        int status = 0;
        if (!alive_ || waitpid(child_, &status, 0) != child_) return false;
        alive_ = WIFSTOPPED(status);
        return alive_ && WSTOPSIG(status) == SIGTRAP;
    }
    bool Steps() { return ptrace(PTRACE_SINGLESTEP, child_, nullptr, nullptr) == 0 && Stops(); }
    bool Continues() { return ptrace(PTRACE_CONT, child_, nullptr, nullptr) == 0 && Stops(); }

private:
    pid_t child_;
    bool alive_;
};

}  // namespace detail

template <class Body>
Counted CountInstructions(Body body, std::uint64_t most) {
    void* const pages =
        mmap(nullptr, sizeof(detail::Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return {};
    auto* const shared = new (pages) detail::Shared;
    const pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);
        const Step step = [shared](const std::function<void()>& operation) {
            raise(SIGTRAP);  // from here on the parent steps
            shared->inside = 1;
            operation();
            shared->inside = 0;
            raise(SIGTRAP);
        };
        step([] {});  // what a step costs by itself
        body(step);
        _exit(0);
    }
    Counted counted;
    std::uint64_t ofNothing = 0;
    {
        detail::Stepped stepped(child);
        for (bool stops = stepped.Stops(), first = true; stops; stops = stepped.Continues(), first = false) {
            while (stops && shared->inside == 0) stops = stepped.Steps();
            std::uint64_t count = 0;
            for (; stops && shared->inside == 1 && count <= ofNothing + most; ++count) stops = stepped.Steps();
            if (!stops || !stepped.Continues()) break;  // to the end of the step
            if (first) ofNothing = count;
            else counted.push_back(count - std::min(count, ofNothing));
        }
    }
    munmap(pages, sizeof(detail::Shared));
    return counted;
}

}  // namespace residue::bench
