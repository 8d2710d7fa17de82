// Call traces as interned, parent-linked nodes: node = (parent, frame), and the node of the innermost frame is the
// trace. Two equal stacks have the same id; stacks with a common outer part share its nodes.
//
//   TraceTable table(1 << 20);                                       // address space only; pages come when used
//   TraceMemo memo;                                                  // one a thread: makes repeated stacks cheap
//   TraceId id = table.Intern(frames, count, memo);
//
// Threads: Intern may run in any number of threads, lock-free. Reading may go on at the same time: every node with
// 1 <= id <= Count() is completely written, its parent is a smaller id, and Count() has reached an id before Intern
// returns it. So a reader that has received an event copies the nodes (lastSeen, Count()] and has all that it needs.
// Two threads that meet the same new stack at once may leave it with two ids (the same frames); nothing else differs.
//
// Cost: a stack equal to the previous one, a compare of its words (2-4 ns at 16 frames); one of the memo's, a hash of
// its words too (about 10 ns); else a hash look-up for each frame below the part in common with the last new stack.
// 8 bytes a node, 8 a distinct frame, and 16 to 32 a node for the hashes, as they are touched. The core is
// freestanding (detail/intern_table.hpp); the table around it reserves pages and so needs the OS (events/os).
#pragma once

#include <atomic>
#include <cstdint>

#include "base/ids.hpp"
#include "events/detail/intern_table.hpp"

namespace residue::events {

inline constexpr unsigned kMaxTraceDepth = 64;  // deeper stacks keep their innermost frames

// The stacks a thread interned lately, in a small direct-mapped cache, and the ids along the last new one. Belongs to
// one thread at a time; works with one table. 17 KiB, of which only what is used is touched.
struct TraceMemo {
    static constexpr unsigned kStacks = 32;
    struct Stack {
        std::uint64_t hash = 0;
        TraceId id{};
        unsigned count = 0;                     // 0: empty
        std::uintptr_t frames[kMaxTraceDepth];  // innermost first
    };
    Stack stacks[kStacks];
    Stack* last = stacks;
    const Stack* path = nullptr;   // the stack that `ids` belongs to
    TraceId ids[kMaxTraceDepth];   // ids[i]: the trace that ends in path->frames[i]
};

class TraceTable {
public:
    // Room for `capacity` nodes, at most 2^28. If the address space cannot be had, the table is full from the start.
    explicit TraceTable(std::uint32_t capacity) noexcept;
    // In memory that is all zero, BytesFor(capacity) long, on a page, and outlives the table. Its layout: events/detail
    // /intern_table.hpp, words [0, 2 * (capacity + 1)) first, then the indices.
    TraceTable(std::uint32_t capacity, void* zeroed) noexcept;
    static std::uint64_t BytesFor(std::uint32_t capacity) noexcept;
    ~TraceTable();
    TraceTable(const TraceTable&) = delete;
    TraceTable& operator=(const TraceTable&) = delete;

    // The trace of `count` return addresses, none of them 0. Id 0 when count is 0 or the table is full (then also
    // later stacks that are not in it yet). More than kMaxTraceDepth frames: the outer ones are left out.
    TraceId Intern(const std::uintptr_t* innermostFirst, unsigned count) noexcept;
    TraceId Intern(const std::uintptr_t* innermostFirst, unsigned count, TraceMemo& memo) noexcept;

    struct Node {
        TraceId parent;       // 0: this is the outermost frame
        std::uint64_t frame;  // return address
    };
    Node At(TraceId id) const noexcept;  // {0, 0} for an id above Count(), and for 0

    std::uint32_t Count() const noexcept { return table_.Count(); }
    std::uint32_t Capacity() const noexcept { return table_.Capacity(); }
    std::uint64_t Refused() const noexcept { return refused_.load(std::memory_order_relaxed); }  // stacks given id 0

private:
    void Use(std::uint32_t capacity, void* zeroed) noexcept;
    TraceId Refuse() noexcept;
    TraceId InternNew(const std::uintptr_t* innermostFirst, unsigned count, TraceMemo& memo) noexcept;
    static unsigned KeepShared(const std::uintptr_t* innermostFirst, unsigned count, TraceMemo& memo) noexcept;

    detail::InternTable<> table_;
    void* pages_ = nullptr;
    std::uint64_t pageBytes_ = 0;
    alignas(64) std::atomic<std::uint64_t> refused_{0};
};

}  // namespace residue::events
