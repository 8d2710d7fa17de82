// The last walks of a thread, frame by frame, so that the next one need not be walked where it is the same.
//
// A walk is a chain of loads, each waiting for the one before, 4 ns a frame. That a remembered frame is still there is
// seen without waiting: its state (where in the code, stack pointer, frame pointer) follows from the state of the frame
// inside it and from two words of the stack, its return address and the frame pointer that was saved there. So when one
// state of a new walk is a state of the last one, the frames outside it are the same as long as these words are: they
// are all compared, at addresses that are known beforehand, and the result is exactly what walking would give.
//
// A frame pointer counts only where a frame outside depends on it: in code that has none, the register holds anything.
//
// Which of the remembered walks a new one is compared with: the one that began at the same stack pointer and in the
// same call, else the latest. Either is a guess, and a wrong one costs time only.
//
// So a remembered walk of four frames, and a new one (shim/unwind_memo.cpp):
//
//   remembered, outermost first     main     run      parse    malloc's caller
//   new, innermost first            free's caller (walked), parse (walked: the same state), run, main (compared)
#pragma once

#include <atomic>
#include <cstdint>

namespace residue::capture::detail {

class MemoWalk;

struct MemoFrame {
    std::uintptr_t pc;  // where the walk began, else the return address that led here
    std::uintptr_t sp;
    std::uintptr_t fp;
    std::uintptr_t fpFrom;  // the word that it was loaded from; 0: it is that of the frame inside this one
    bool fpMatters;         // this frame's caller, or one outside it, was found by this frame pointer
    // What has to be as it was, that this frame comes after the one inside it again.
    enum class Compare : std::uint8_t {
        ReturnAddress,
        FramePointerToo,
        StackPointerToo,  // and the frame pointer: the frame inside aligned its stack, and kept `sp` itself
        Unknown,
    };
    Compare compare;
    std::uint32_t spBelow;  // StackPointerToo: `sp` was loaded from so many bytes below fpFrom
};

// Zero bytes are none.
template <unsigned kRoom>
struct RememberedWalk {
    MemoFrame frames[kRoom];  // outermost first; the last is where the walk began. Those from `count` on: anything
    unsigned count = 0;
    unsigned walked = 0;      // how many the walk gave
    bool ends = false;        // the tables say that frames[0] has no caller
};

}  // namespace residue::capture::detail
