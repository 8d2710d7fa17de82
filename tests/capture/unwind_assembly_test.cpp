// Frames that no compiler makes at will, in assembly.
#if defined(__x86_64__)
#include "capture/taken_walk.hpp"
#include "capture/unwind.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::capture;
using namespace residue::capture::testing;

extern "C" {
using Call = void (*)(void*);
void residueEndsInCall(Call call, void* data);
void residueLosesFrame(Call call, void* data);
}

// The first ends in its call, and where that returns to begins another function, with a frame of another size by its
// tables. The second says that nobody knows what the caller's rbp was.
asm(R"(
    .pushsection .text
    .type residueEndsInCall, @function
residueEndsInCall:
    .cfi_startproc
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    movq %rdi, %rax
    movq %rsi, %rdi
    call *%rax
    .cfi_endproc
    .size residueEndsInCall, . - residueEndsInCall
    .type residueAfterIt, @function
residueAfterIt:
    .cfi_startproc
    .cfi_def_cfa_offset 64
    addq $8, %rsp
    ret
    .cfi_endproc
    .size residueAfterIt, . - residueAfterIt

    .type residueLosesFrame, @function
residueLosesFrame:
    .cfi_startproc
    .cfi_undefined %rbp
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    movq %rdi, %rax
    movq %rsi, %rdi
    call *%rax
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size residueLosesFrame, . - residueLosesFrame
    .popsection
)");

namespace {

void Take(void* data) { *static_cast<TakenWalk*>(data) = TakenWalk::Take(events::OwnStack()); }

// Goes by its frame pointer, whatever the flags are.
[[gnu::noinline]] void WithFrame(void (*through)(Call, void*), TakenWalk& taken, std::size_t bytes) {
    volatile char* const memory = static_cast<volatile char*>(__builtin_alloca(bytes));
    memory[0] = 1;
    through(Take, &taken);
    asm volatile("" ::: "memory");
}

}  // namespace

TEST_CASE("A call that is the last thing in its function belongs to that function") {
    TakenWalk taken;
    WithFrame(residueEndsInCall, taken, 100);
    INFO(ToText(taken));
    CHECK(taken.Equal());
    CHECK(taken.Complete());
}

TEST_CASE("A frame pointer that nobody knows leads nowhere") {
    TakenWalk taken;
    WithFrame(residueLosesFrame, taken, 100);
    INFO(ToText(taken));
    // Into Take, into residueLosesFrame, into WithFrame; from there only by frame pointer.
    CHECK(taken.Ours().size() == 3);
    CHECK_FALSE(taken.Complete());
}

#endif
