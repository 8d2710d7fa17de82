// Call traces of one thread: walk, then intern; and neither when the stack is one of those seen lately. Freestanding.
//
// A walk is a chain of loads, each waiting for the one before: 4-5 cycles a frame. A remembered walk is checked
// instead: the frame addresses are known, so that all words are loaded at once. It is the whole walk that is checked,
// every frame pointer and every return address, so the result is exactly what walking would give. Reading is safe: the
// first frame is the present one, and the others, which were above it and inside the stack then, are so now.
// Cost with 16 frames: about 5 ns for the stack of the last time, 7 for one seen lately, 25 to walk and find it in the
// memo, more when it is new. 40 KiB a thread, of which only what is used is touched.
#pragma once

#include <cstdint>

#include "events/stack_walk.hpp"
#include "events/trace_table.hpp"

namespace residue::events::detail {

class TraceCapture {
public:
    // For a thread with this stack; at most `depth` <= kMaxTraceDepth frames a trace. Null: no traces.
    void SetUp(TraceTable* table, unsigned depth, StackBounds stack) noexcept {
        table_ = depth == 0 ? nullptr : table;
        depth_ = depth;
        stack_ = stack;
        for (Walk& walk : walks_) walk.count = 0;  // another thread's
    }

    // The trace of the frames from `frame` on, `skip` inner ones left out.
    TraceId Capture(const void* frame, unsigned skip) noexcept {
        const auto start = reinterpret_cast<std::uintptr_t>(frame);
        if (last_->at[0] == start && last_->skip == skip && StillThere(*last_)) return last_->id;
        if (table_ == nullptr) return {};
        StackFrame first;
        if (!ReadFrame(start, stack_, first)) return {};
        const std::uint64_t key = (start ^ (std::uint64_t{first.returns} << 8)) + skip;
        Walk& walk = walks_[key * 0x9E3779B97F4A7C15ull >> (64 - kWalkBits)];
        last_ = &walk;
        if (walk.at[0] == start && walk.skip == skip && StillThere(walk)) return walk.id;
        return WalkAndIntern(walk, start, skip);
    }

private:
    static constexpr unsigned kWalkBits = 4;

    struct Walk {
        unsigned count = 0;  // frames looked at, the left-out ones included; 0: empty
        unsigned skip = 0;
        TraceId id{};
        // at[i]: address of frame i; at[count]: what the last one named as the next.
        std::uintptr_t at[kMaxTraceDepth + 1] = {};
        std::uintptr_t returns[kMaxTraceDepth];
    };

#if defined(__GNUC__)
    __attribute__((no_sanitize_address))
#endif
    static bool StillThere(const Walk& walk) noexcept {
        // Branches, not sums: they are predicted, so no load waits for another.
#pragma GCC unroll 4
        for (unsigned i = 0; i < walk.count; ++i) {
            const auto* const words = reinterpret_cast<const std::uintptr_t*>(walk.at[i]);
            if (words[0] != walk.at[i + 1] || words[1] != walk.returns[i]) return false;
        }
        return walk.count != 0;
    }

#if defined(__GNUC__)
    __attribute__((noinline))
#endif
    TraceId WalkAndIntern(Walk& walk, std::uintptr_t at, unsigned skip) noexcept {
        std::uintptr_t returns[kMaxTraceDepth];
        unsigned found = 0;
        unsigned seen = 0;
        StackFrame frame;
        walk.count = 0;
        while (found < depth_ && ReadFrame(at, stack_, frame)) {
            if (seen < kMaxTraceDepth) {
                walk.at[seen] = at;
                walk.at[seen + 1] = frame.next;
                walk.returns[seen] = frame.returns;
            }
            ++seen;
            if (frame.returns == 0) break;
            if (seen > skip) returns[found++] = frame.returns;
            if (frame.next <= at) break;  // callers' frames lie above; below is dead stack
            at = frame.next;
        }
        const TraceId id = table_->Intern(returns, WithoutGarbage(returns, found, stack_), memo_);
        if (id && seen <= kMaxTraceDepth) {
            walk.skip = skip;
            walk.id = id;
            walk.count = seen;
        }
        return id;
    }

    TraceTable* table_ = nullptr;
    unsigned depth_ = 0;
    StackBounds stack_;
    Walk walks_[1u << kWalkBits];
    const Walk* last_ = walks_;
    TraceMemo memo_;
};

}  // namespace residue::events::detail
