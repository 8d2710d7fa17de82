// The heap that mem_sbrk gives out: at a fixed address, pages behind its end cannot be touched, and what lies between
// its end and the end of its last page is watched. One thread; what students' code calls is said so.
#pragma once

#include <cstddef>
#include <cstdint>

namespace residue::lab::host {

class Heap {
public:
    // Reserves the addresses; false: they are taken, or there is no memory.
    bool Reserve(std::uint64_t bytes);

    enum class Content { Zeroed, Dirty, AsItIs };
    // Empties it for a pass. Zeroed: once, before anything was written. `guarded`: only what was given out can be
    // touched; else all of it can, and growing costs nothing.
    void Begin(Content content, bool guarded);

    // For the student's code. A negative increment, or more than there is: (void*)-1 and ENOMEM.
    void* Sbrk(long increment);
    void Reset();  // mem_reset_brk

    std::uint64_t Low() const;
    std::uint64_t End() const { return end_; }
    std::uint64_t HighWater() const { return highWater_; }  // bytes, of this pass; a reset does not lower it
    // The first byte that was written while it was behind the end, or 0.
    std::uint64_t FirstByteWrittenBehind() const;

private:
    std::uint64_t LookBehind() const;

    std::uint64_t writtenBehind_ = 0;  // before the heap grew over it
    std::uint64_t limit_ = 0;          // bytes
    std::uint64_t end_ = 0;            // address
    std::uint64_t usable_ = 0;         // address: pages below it can be touched
    std::uint64_t highWater_ = 0;
    Content content_ = Content::Zeroed;
    bool guarded_ = true;
};

}  // namespace residue::lab::host
