// Call traces by frame pointers: each frame holds the caller's frame address and, above it, the return address. Code
// has to be compiled with -fno-omit-frame-pointer; where it is not, the walk ends early or misses frames, but never
// reads outside the thread's stack and never ends anything. Freestanding; x86-64 and AArch64 have the same layout.
//
//   std::uintptr_t frames[16];
//   unsigned n = WalkFrames(__builtin_frame_address(0), OwnStack(), frames, 16, 0);   // frames[0]: into the caller
//
// Cost: about 0.6 ns a frame while the stack is in the cache; OwnStack() is slow: ask once a thread.
#pragma once

#include <cstdint>

namespace residue::events {

struct StackBounds {
    std::uintptr_t low = 0;
    std::uintptr_t high = 0;  // one past the last byte; low == high: not known, and the walk finds nothing
    // Is there code of a loaded module at this address? Null: not known, and every address is taken for one.
    bool (*isCode)(std::uintptr_t address) noexcept = nullptr;
};

// The stack of the calling thread (events/os/stack_bounds.cpp).
StackBounds OwnStack() noexcept;

// The two words of a frame.
struct StackFrame {
    std::uintptr_t next = 0;     // address of the caller's frame
    std::uintptr_t returns = 0;  // where this function returns to
};

// Reads the frame at `at`; false when it does not lie inside `stack`. A garbage frame pointer may hold anything, so it
// is only ever compared with the known bounds: nothing here can wrap.
#if defined(__GNUC__)
__attribute__((no_sanitize_address))
#endif
inline bool ReadFrame(std::uintptr_t at, StackBounds stack, StackFrame& frame) noexcept {
    constexpr std::uintptr_t kWord = sizeof(std::uintptr_t);
    if (at < stack.low || at >= stack.high || stack.high - at < 2 * kWord || at % kWord != 0) return false;
    const auto* const words = reinterpret_cast<const std::uintptr_t*>(at);
    frame.next = words[0];
    frame.returns = words[1];
    return true;
}

// The C library starts threads in code without frame pointers, so a walk may end in whatever the register held there:
// words that differ from one walk to the next, and would make every trace another one. Leaves such frames out at the
// outer end, where one look-up is enough when there are none.
inline unsigned WithoutGarbage(const std::uintptr_t* frames, unsigned count, StackBounds stack) noexcept {
    while (stack.isCode != nullptr && count != 0 && !stack.isCode(frames[count - 1])) --count;
    return count;
}

// Writes at most `max` return addresses, innermost first, `skip` of them left out, and returns how many. `frame`: a
// frame address on the stack of the calling thread; one outside `stack` (an alternative signal stack, a fiber) gives 0.
inline unsigned WalkFrames(const void* frame, StackBounds stack, std::uintptr_t* out, unsigned max,
                           unsigned skip) noexcept {
    std::uintptr_t at = reinterpret_cast<std::uintptr_t>(frame);
    unsigned count = 0;
    StackFrame words;
    while (count < max && ReadFrame(at, stack, words) && words.returns != 0) {
        if (skip != 0) --skip;
        else out[count++] = words.returns;
        if (words.next <= at) break;  // callers' frames lie above; below is dead stack
        at = words.next;
    }
    return WithoutGarbage(out, count, stack);
}

}  // namespace residue::events
