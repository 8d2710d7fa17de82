// Call traces by unwinding tables (.eh_frame): for programs without frame pointers, as all of a distribution's are.
//
//   std::uintptr_t callers[16];
//   const Walked walked = WalkTables(Here(), stack, callers, 16);   // callers[0]: into the caller of this function
//   WalkTables(Here(), stack, callers, 16, memo);                    // the same, with what the thread remembers
//
// What the tables say of a place in the code is worked out once, packed into a word and kept in a cache that all
// threads share; a step is then a look-up in it and two loads from the stack. Nothing here allocates, locks, makes a
// system call, raises a signal or touches errno, and any thread may call it anywhere, signal handlers included. (Where
// the C library has no _dl_find_object, before glibc 2.35, a place seen for the first time is found by dl_iterate_phdr,
// which locks.) Only the given stack and the mapped tables are read, whatever lies there: damage ends the walk.
//
// Cost: 4 ns a frame, with a memo 1 ns for each that is as it was the last time; 0.2 to 1 us for a place that is not
// in the cache. Memory: 512 KiB for all threads together, of which only what is used is touched, and the memos.
// Freestanding. x86-64; on other processors by frame pointers alone.
#pragma once

#include <cstdint>

#include "capture/detail/walk_memo.hpp"
#include "events/stack_walk.hpp"

namespace residue::capture {

// Of one frame. `pc` is a place in its function, exactly: not a return address.
struct Registers {
    std::uintptr_t pc = 0;
    std::uintptr_t sp = 0;
    std::uintptr_t fp = 0;
};

// Those of the function that this is written in. It must have tables of its own (the default; not with
// -fno-asynchronous-unwind-tables).
__attribute__((always_inline)) inline Registers Here() noexcept {
    Registers here;
#if defined(__x86_64__)
    asm volatile("leaq 0(%%rip), %0\n\tmovq %%rsp, %1\n\tmovq %%rbp, %2"
                 : "=&r"(here.pc), "=&r"(here.sp), "=&r"(here.fp));
#else
    here.fp = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
#endif
    return here;
}

struct Walked {
    unsigned count = 0;
    bool complete = false;  // ended at the outermost frame of the thread; false: `max`, or nothing says how to go on
    bool same = false;      // these are the frames of the last walk that was remembered in `slot`
    unsigned slot = kNotRemembered;  // < WalkMemo::kWalks: where the memo has this walk now

    static constexpr unsigned kNotRemembered = ~0u;
};

// Writes at most `max` return addresses, that of `from` first, none of them 0. `stack` is the calling thread's, and
// `from` a frame on it; one elsewhere (an alternative signal stack, a fiber) gives 0.
//
// A place in a module without tables is left by its frame pointer, if that is one by its looks; a place in no module
// (machine code made at run time) ends the walk.
Walked WalkTables(const Registers& from, events::StackBounds stack, std::uintptr_t* out, unsigned max) noexcept;

// What a thread remembers of its last walks: kWalks of them, by where they began (a program allocates in a few places
// by turns). 83 KiB, of which what is used is touched; for one thread at a time. A signal handler that comes in the
// middle of a walk may be given it too (it then walks without). Walks of more than kMost frames do not use it. Zero
// bytes are an empty one.
class WalkMemo {
public:
    static constexpr unsigned kMost = 64;
    static constexpr unsigned kWalkBits = 4;
    static constexpr unsigned kWalks = 1 << kWalkBits;

private:
    friend class detail::MemoWalk;
    using Remembered = detail::RememberedWalk<2 * kMost>;

    Remembered walks_[kWalks];
    unsigned latest_ = 0;                  // of walks_
    detail::MemoFrame fresh_[kMost + 1];   // of the walk under way: what was not remembered, innermost first
    events::StackBounds stack_;
    std::uint64_t generation_ = 0;         // of the rules
    std::atomic<bool> busy_{false};
};

Walked WalkTables(const Registers& from, events::StackBounds stack, std::uintptr_t* out, unsigned max,
                  WalkMemo& memo) noexcept;

// Call after a module has gone (dlclose): another one may come to its place, and until the call walks through it may
// be wrong, no worse. Walks at the same time are no harm.
void ForgetRules() noexcept;

}  // namespace residue::capture
