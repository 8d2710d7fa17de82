#include "capture/detail/visit.hpp"

#include <algorithm>
#include <cstring>

#include "capture/layout.hpp"

#if defined(__x86_64__)
#include <cpuid.h>

// Position-independent, without a word of data of its own: the words and texts stand behind it, at known distances.
// The stack: flags and 15 registers, then [rbp-8] the signal mask, [rbp-16] all signals.
// rbx: the stack of its own, from its low end; r14, r15: errno's place and value; r12, r13: answer and text.
asm(R"(
.pushsection .text
.balign 16
residue_visit_begin:
    pushfq
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    movq %rsp, %rbp
    subq $32, %rsp
    movq $-1, -16(%rbp)
    movl $14, %eax                  # rt_sigprocmask(SIG_SETMASK, all, kept): no handler comes in between
    movl $2, %edi
    leaq -16(%rbp), %rsi
    leaq -8(%rbp), %rdx
    movl $8, %r10d
    syscall
    movl $9, %eax                   # mmap: 512 KiB, of which few pages are touched
    xorl %edi, %edi
    movl $0x80000, %esi
    movl $3, %edx
    movl $0x4022, %r10d             # private, anonymous, no reserve
    movq $-1, %r8
    xorl %r9d, %r9d
    syscall
    cmpq $-4096, %rax
    ja 9f
    movq %rax, %rbx
    leaq 0x78000(%rbx), %rsp        # above: 32 KiB for the vector units, zero as xsave wants it
    movl $-1, %eax
    movl $-1, %edx
    xsave64 (%rsp)
    call *(residue_visit_end + 24)(%rip)
    movq %rax, %r14
    movl (%r14), %r15d
    xorl %r13d, %r13d
    leaq (residue_visit_end + 64)(%rip), %rdi
    movl $2, %esi                   # RTLD_NOW
    call *(residue_visit_end + 0)(%rip)
    testq %rax, %rax
    jz 5f
    movq %rax, %rdi
    leaq residue_visit_entry(%rip), %rsi
    call *(residue_visit_end + 8)(%rip)
    testq %rax, %rax
    jz 5f
    leaq (residue_visit_end + 64)(%rip), %rdi
    addq (residue_visit_end + 32)(%rip), %rdi
    call *%rax
    movl %eax, %r12d
    testl %eax, %eax
    jz 8f
    jmp 6f
5:  movl $100, %r12d                # AttachAnswer::NoShim
    call *(residue_visit_end + 16)(%rip)
    movq %rax, %r13
6:  movl %r12d, 252(%rbx)           # a Refusal, at the low end of the stack
    testq %r13, %r13
    jz 7f
    xorl %ecx, %ecx
1:  movb (%r13,%rcx), %al
    movb %al, (%rbx,%rcx)
    testb %al, %al
    jz 7f
    incl %ecx
    cmpl $251, %ecx
    jb 1b
7:  movl $2, %eax                   # open(channel, O_RDWR | O_CLOEXEC)
    leaq (residue_visit_end + 64)(%rip), %rdi
    addq (residue_visit_end + 32)(%rip), %rdi
    movl $0x80002, %esi
    xorl %edx, %edx
    syscall
    testq %rax, %rax
    js 8f
    movl %eax, %edi
    movl $18, %eax                  # pwrite64
    movq %rbx, %rsi
    movl $256, %edx
    movq (residue_visit_end + 40)(%rip), %r10
    syscall
    movl $3, %eax                   # close
    syscall
8:  movl %r15d, (%r14)
    movl $-1, %eax
    movl $-1, %edx
    xrstor64 (%rsp)
    leaq -32(%rbp), %rsp
    movl $11, %eax                  # munmap
    movq %rbx, %rdi
    movl $0x80000, %esi
    syscall
9:  movl $14, %eax
    movl $2, %edi
    leaq -8(%rbp), %rsi
    xorl %edx, %edx
    movl $8, %r10d
    syscall
    movq %rbp, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
    popfq
    ret $128
residue_visit_entry:
    .asciz "residue_attach_v1"
    .balign 8
residue_visit_end:
.popsection
)");

extern "C" const std::uint8_t residue_visit_begin[] __attribute__((visibility("hidden")));
extern "C" const std::uint8_t residue_visit_end[] __attribute__((visibility("hidden")));

namespace residue::capture::detail {

namespace {

// Behind the code, and behind it the paths, each with its zero.
struct Words {
    std::uint64_t open, symbol, error, errnoPlace;
    std::uint64_t channelAt;   // from the first path
    std::uint64_t refusalAt;   // in the channel
    std::uint64_t unused[2];
};
static_assert(sizeof(Words) == 64 && sizeof(Refusal) == 256 && offsetof(Refusal, answer) == 252);
static_assert(kRedZone == 128 && static_cast<int>(AttachAnswer::NoShim) == 100);

std::size_t CodeBytes() { return static_cast<std::size_t>(residue_visit_end - residue_visit_begin); }

}  // namespace

bool CanVisit() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    constexpr unsigned kSystemSaves = 1u << 27, kMostState = 0x8000;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kSystemSaves) == 0) return false;
    return __get_cpuid_count(0xD, 0, &a, &b, &c, &d) != 0 && b <= kMostState;
}

std::size_t VisitBytes(const VisitPlan& plan) {
    return CodeBytes() + sizeof(Words) + plan.shim.size() + 1 + plan.channel.size() + 1;
}

std::vector<std::uint8_t> MakeVisit(const VisitPlan& plan) {
    const Words words{plan.open, plan.symbol, plan.error, plan.errnoPlace,
                      plan.shim.size() + 1, offsetof(Header, refusal), {}};
    std::vector<std::uint8_t> bytes(residue_visit_begin, residue_visit_end);
    const auto add = [&bytes](const void* from, std::size_t count) {
        const auto* const first = static_cast<const std::uint8_t*>(from);
        bytes.insert(bytes.end(), first, first + count);
    };
    add(&words, sizeof(words));
    add(plan.shim.c_str(), plan.shim.size() + 1);
    add(plan.channel.c_str(), plan.channel.size() + 1);
    return bytes;
}

bool IsVisit(const std::uint8_t* bytes, std::size_t count) {
    return count >= CodeBytes() && std::memcmp(bytes, residue_visit_begin, CodeBytes()) == 0;
}

}  // namespace residue::capture::detail

#else

namespace residue::capture::detail {
bool CanVisit() { return false; }
std::size_t VisitBytes(const VisitPlan&) { return 0; }
std::vector<std::uint8_t> MakeVisit(const VisitPlan&) { return {}; }
bool IsVisit(const std::uint8_t*, std::size_t) { return false; }
}  // namespace residue::capture::detail

#endif
