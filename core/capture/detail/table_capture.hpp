// Call traces of one thread by unwinding tables: walk, then intern; the second of these is left out where the walk is
// one of those remembered. The counterpart of events/detail/trace_capture.hpp. Freestanding.
//
// Not for a signal handler that comes while Capture runs in its thread: the hooks do not nest.
#pragma once

#include <cstdint>

#include "capture/unwind.hpp"
#include "events/trace_table.hpp"

namespace residue::capture::detail {

class TableCapture {
public:
    // For a thread with this stack; at most `depth` <= events::kMaxTraceDepth frames a trace. Null: no traces.
    void SetUp(events::TraceTable* table, unsigned depth, events::StackBounds stack) noexcept {
        table_ = depth == 0 ? nullptr : table;
        depth_ = depth < events::kMaxTraceDepth ? depth : events::kMaxTraceDepth;
        stack_ = stack;
        for (TraceId& id : ids_) id = {};
    }

    // The trace whose innermost frame is the caller of `from`, usually Here() in a hook. `complete`: it is all there.
    TraceId Capture(const Registers& from, bool& complete) noexcept {
        complete = false;
        if (table_ == nullptr) return {};
        std::uintptr_t frames[events::kMaxTraceDepth];
        const Walked walked = WalkTables(from, stack_, frames, depth_, walk_);
        complete = walked.complete;
        if (walked.slot == Walked::kNotRemembered) return table_->Intern(frames, walked.count, interned_);
        TraceId& id = ids_[walked.slot];
        if (!walked.same || !id) id = table_->Intern(frames, walked.count, interned_);
        return id;
    }

private:
    static_assert(events::kMaxTraceDepth <= WalkMemo::kMost);

    events::TraceTable* table_ = nullptr;
    unsigned depth_ = 0;
    events::StackBounds stack_;
    TraceId ids_[WalkMemo::kWalks] = {};  // of the walks in the memo
    WalkMemo walk_;
    events::TraceMemo interned_;
};

}  // namespace residue::capture::detail
