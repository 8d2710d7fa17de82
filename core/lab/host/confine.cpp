// Limits, and filters of system calls (seccomp), written in the kernel's small machine language (linux/filter.h).
#include "lab/host/confine.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace residue::lab::host {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_X86_64;
constexpr std::uint32_t kFirstForeignCall = 0x4000'0000;  // x32's
#elif defined(__aarch64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t kFirstForeignCall = 0xFFFF'FFFF;
#else
#error "which machine is this?"
#endif

bool Limit(__rlimit_resource_t what, std::uint64_t soft, std::uint64_t hard) {
    rlimit now{};
    if (::getrlimit(what, &now) != 0) return false;
    // A limit can be lowered only; where it is lower already it stays.
    const rlimit wanted{soft < now.rlim_max ? soft : now.rlim_max, hard < now.rlim_max ? hard : now.rlim_max};
    return ::setrlimit(what, &wanted) == 0;
}

// A filter, put together from the front. Tests jump over their own action only, so they read in order.
class Filter {
public:
    Filter() {
        Load(offsetof(seccomp_data, arch));
        Add(BPF_JMP | BPF_JEQ | BPF_K, kMachine, 1, 0);
        Return(SECCOMP_RET_KILL_PROCESS);
        Load(offsetof(seccomp_data, nr));
        Add(BPF_JMP | BPF_JGE | BPF_K, kFirstForeignCall, 0, 1);
        Return(SECCOMP_RET_KILL_PROCESS);
    }
    void On(long call, std::uint32_t action) {
        Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1);
        Return(action);
    }
    // The action where the lower half of the argument, masked, is the value; else on to the next test.
    void OnIf(long call, unsigned argument, std::uint32_t mask, std::uint32_t value, std::uint32_t action) {
        Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 5);
        LoadArgument(argument);
        Add(BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
        Add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
        Return(action);
        Load(offsetof(seccomp_data, nr));
    }
    // The action where the first argument is in [begin, end), both below 4 GiB.
    void OnRange(long call, std::uint32_t begin, std::uint32_t end, std::uint32_t action) {
        Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 7);
        Load(offsetof(seccomp_data, args) + 4);
        Add(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 4);
        LoadArgument(0);
        Add(BPF_JMP | BPF_JGE | BPF_K, begin, 0, 2);
        Add(BPF_JMP | BPF_JGE | BPF_K, end, 1, 0);
        Return(action);
        Load(offsetof(seccomp_data, nr));
    }
    bool Install(std::uint32_t otherwise) {
        Return(otherwise);
        if (count_ > kMost) return false;
        const sock_fprog program{static_cast<unsigned short>(count_), code_};
        return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
    }

private:
    static constexpr unsigned kMost = 512;
    void Add(int code, std::uint32_t k, unsigned whenTrue, unsigned whenFalse) {
        if (count_ < kMost) {
            code_[count_] = {static_cast<unsigned short>(code), static_cast<unsigned char>(whenTrue),
                             static_cast<unsigned char>(whenFalse), k};
        }
        ++count_;
    }
    void Load(std::size_t offset) { Add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset), 0, 0); }
    void LoadArgument(unsigned index) { Load(offsetof(seccomp_data, args) + index * 8); }
    void Return(std::uint32_t action) { Add(BPF_RET | BPF_K, action, 0, 0); }

    sock_filter code_[kMost];
    unsigned count_ = 0;
};

constexpr std::uint32_t Errno(int error) {
    return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

// What the student's code may do, while it is loaded and after.
void AddHarmless(Filter& filter) {
    for (const std::uint32_t descriptor : {1u, 2u}) {
        filter.OnIf(SYS_write, 0, ~0u, descriptor, SECCOMP_RET_ALLOW);
        filter.OnIf(SYS_writev, 0, ~0u, descriptor, SECCOMP_RET_ALLOW);
    }
    const auto own = static_cast<std::uint32_t>(::getpid());
    filter.OnIf(SYS_tgkill, 0, ~0u, own, SECCOMP_RET_ALLOW);  // abort()
    for (const long call :
         {SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_getpid, SYS_gettid, SYS_clock_gettime,
          SYS_gettimeofday, SYS_futex, SYS_sched_yield, SYS_getrandom, SYS_restart_syscall}) {
        filter.On(call, SECCOMP_RET_ALLOW);
    }
}

}  // namespace

bool SetLimits(const Limits& limits) {
    return Limit(RLIMIT_CPU, limits.cpuSeconds, limits.cpuSeconds + 2) &&
           Limit(RLIMIT_AS, limits.addressSpace, limits.addressSpace) &&
           Limit(RLIMIT_FSIZE, limits.fileBytes, limits.fileBytes) &&
           Limit(RLIMIT_NOFILE, limits.openFiles, limits.openFiles) &&
           Limit(RLIMIT_STACK, limits.stackBytes, limits.stackBytes);
}

bool BecomeHarmless() {
    return Limit(RLIMIT_CORE, 0, 0) && ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
           ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool ForbidForCompiler() {
    Filter filter;
    for (const long call : {SYS_socket,
                            SYS_socketpair,
                            SYS_connect,
                            SYS_bind,
                            SYS_listen,
                            SYS_ptrace,
                            SYS_process_vm_readv,
                            SYS_process_vm_writev,
                            SYS_mount,
                            SYS_umount2,
                            SYS_unshare,
                            SYS_setns,
                            SYS_pivot_root,
                            SYS_chroot,
                            SYS_bpf,
                            SYS_perf_event_open,
                            SYS_keyctl,
                            SYS_add_key,
                            SYS_request_key,
                            SYS_userfaultfd,
                            SYS_kexec_load,
                            SYS_reboot,
                            SYS_init_module,
                            SYS_finit_module,
                            SYS_delete_module,
                            SYS_swapon,
                            SYS_swapoff,
                            SYS_open_by_handle_at,
                            425 /* io_uring_setup */}) {
        filter.On(call, Errno(EPERM));
    }
    return filter.Install(SECCOMP_RET_ALLOW);
}

bool AllowLoadingOnly() {
    Filter filter;
    AddHarmless(filter);
    filter.OnIf(SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY, SECCOMP_RET_ALLOW);
    for (const long call : {SYS_read, SYS_pread64, SYS_close, SYS_fstat, SYS_newfstatat, SYS_mmap, SYS_munmap,
                            SYS_mprotect, SYS_madvise, SYS_brk, SYS_prctl, SYS_getcwd, SYS_lseek, SYS_mremap}) {
        filter.On(call, SECCOMP_RET_ALLOW);
    }
    filter.On(SYS_readlinkat, Errno(EACCES));
#ifdef SYS_readlink
    filter.On(SYS_readlink, Errno(EACCES));
    filter.On(SYS_access, Errno(EACCES));
#endif
    return filter.Install(SECCOMP_RET_TRAP);
}

bool AllowRunningOnly(std::uint64_t heapBegin, std::uint64_t heapEnd) {
    Filter filter;
    AddHarmless(filter);
    filter.OnRange(SYS_mprotect, static_cast<std::uint32_t>(heapBegin), static_cast<std::uint32_t>(heapEnd),
                   SECCOMP_RET_ALLOW);
    // The C library's malloc, where it wants more than it has: no memory. assert() and printf() live with that.
    for (const long call : {SYS_brk, SYS_mmap, SYS_mremap}) filter.On(call, Errno(ENOMEM));
    filter.On(SYS_munmap, Errno(EINVAL));
    return filter.Install(SECCOMP_RET_TRAP);
}

// Tests say what is to be taken for missing: "landlock", or "landlock,namespaces". Nothing is less confined by it.
bool IsWithout(const char* what) {
    const char* const without = std::getenv("RESIDUE_LAB_WITHOUT");
    return without != nullptr && std::strstr(without, what) != nullptr;
}

bool RestrictFiles(const Rule* rules, unsigned count) {
    const Landlocked locked = IsWithout("landlock") ? Landlocked::NotThere : EnterLandlock(rules, count);
    if (locked != Landlocked::NotThere) return locked == Landlocked::Yes;
    errno = EPERM;
    return !IsWithout("namespaces") && EnterTree(rules, count);
}

}  // namespace residue::lab::host
