#include "events/os/asymmetric_fence.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "events/detail/sync.hpp"

namespace residue::events::os {
namespace {

long Membarrier(int command) noexcept { return syscall(__NR_membarrier, command, 0, 0); }

void WaitALittle() noexcept {
    const auto nanoseconds = [] {
        timespec time{};
        clock_gettime(CLOCK_MONOTONIC, &time);
        return time.tv_sec * 1'000'000'000L + time.tv_nsec;
    };
    const long end = nanoseconds() + 20'000;
    while (nanoseconds() < end) detail::Relax();
}

}  // namespace

void FenceAllThreads() noexcept {
    // A system call is a fence for the compiler, membarrier one for the caller's processor too.
    // Registered per process, and again in the child of a fork: hence on demand.
    if (Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) return;
    if (Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 &&
        Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) {
        return;
    }
    WaitALittle();
    static std::atomic<unsigned> fence{0};  // ThreadSanitizer knows read-modify-writes, not fences
    fence.fetch_add(1, std::memory_order_seq_cst);
}

}  // namespace residue::events::os
