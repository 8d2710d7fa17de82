// The sandbox: a live allocator under the user's hands, and a random workload on a thread of its own.
// Commands return at once; what they do happens on the sandbox's worker thread and comes back as events.
// Thread: the UI's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"

namespace residue::session {

class Sandbox {
public:
    virtual ~Sandbox() = default;

    // Names of allocators that can be made, as in the registry; "residue" is among them.
    virtual std::vector<std::string> Choices() const = 0;
    // Ends the present allocator (a Residue allocator brings the duck) and makes a new one.
    virtual void Create(const std::string& allocator, std::uint64_t capacity) = 0;
    virtual void Destroy() = 0;
    virtual std::string Present() const = 0;      // name of the present allocator; empty: none
    virtual std::uint64_t Capacity() const = 0;

    virtual void Allocate(std::uint64_t bytes, std::uint64_t alignment = 8) = 0;
    virtual void Free(std::uint64_t address) = 0;        // as shown in the log; any address, so double frees too
    virtual void Resize(std::uint64_t address, std::uint64_t bytes) = 0;
    virtual void DoubleFree() = 0;                       // of the block freed last (makes one if there is none)
    virtual void FreeForeign() = 0;                      // a pointer that it never gave out
    virtual void Fragment() = 0;                         // fills, frees every second block, asks for more than any hole

    // Many blocks at once.
    struct Mark {
        std::uint64_t id = 0;        // of this mark alone; its number is used again once it is released
        std::uint32_t number = 0;    // as the allocator counts: 1 is the oldest
        std::uint64_t address = 0;   // as in the log: where the blocks begin that go with it
    };
    virtual bool HasMarks() const = 0;               // can the present allocator be marked?
    virtual bool CanReset() const = 0;               // can it give everything back at once?
    virtual std::vector<Mark> Marks() const = 0;     // those that are valid, oldest first
    virtual void SetMark() = 0;
    virtual void Release(std::uint64_t id) = 0;      // all that was allocated since, this mark and all younger ones
    virtual void Reset() = 0;                        // all blocks, and all marks

    // The random workload.
    virtual bool Running() const = 0;
    virtual void Run(bool run) = 0;
    virtual double Rate() const = 0;                     // calls a second; infinity: as fast as it can
    virtual void SetRate(double callsPerSecond) = 0;

    // What crossed.
    struct Flow {
        double eventsPerSecond = 0;
        double laneFill = 0;                             // 0..1 of the fullest lane
        std::uint64_t sent = 0, received = 0, dropped = 0;
        bool dropAndCount = false;                       // else Block
    };
    virtual Flow GetFlow() const = 0;
    virtual void SetDropAndCount(bool drop) = 0;
};

}  // namespace residue::session
