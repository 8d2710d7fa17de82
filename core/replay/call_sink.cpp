#include "replay/call_sink.hpp"

#include <algorithm>

namespace residue::replay {

using events::Event;
using events::EventFlag;
using events::EventKind;

namespace {

// An event with the longest text there is.
constexpr std::size_t kMostRecords = 1 + events::kMaxText / events::kContinuationBytes;

}  // namespace

bool CallSink::Rewrite(Event& event) noexcept {
    if (event.kind == EventKind::Continuation) return true;
    if (event.kind == EventKind::AllocatorCreated) allocator_ = event.allocator;
    if (resizes_) {
        if (event.kind == EventKind::Freed) return false;
        if (event.kind == EventKind::Allocated) {
            event.kind = EventKind::ResizeEnds;
            event.argument = oldAddress_;
        } else if (event.kind == EventKind::AllocateFailed) {
            event.kind = EventKind::ResizeEnds;
        }
    }
    if (event.EndsCall() && (forks_ || ++calls_ > 1)) {
        event.flags = static_cast<std::uint8_t>(event.flags & ~Bit(EventFlag::IsCall));
        event.flags |= Bit(EventFlag::NotACall);
    }
    return true;
}

void CallSink::Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept {
    Event rewritten[kMostRecords];
    count = std::min(count, kMostRecords);
    if (closed_) count = 0;
    std::copy(records, records + count, rewritten);
    // Every Begin() needs its Emit(), be it of nothing.
    if (count != 0 && !Rewrite(rewritten[0])) count = 0;
    next_.Emit(rewritten, count, stamp);
}

void CallSink::BeginResize(std::uintptr_t oldAddress, std::uint64_t bytes) noexcept {
    Event begins;
    begins.kind = EventKind::ResizeBegins;
    begins.address = oldAddress;
    begins.size = bytes;
    begins.allocator = allocator_;
    events::EmitNow(*this, begins);
    oldAddress_ = oldAddress;
    resizes_ = true;
}

void CallSink::Remark(const char* text, std::size_t length, std::uint64_t kindId) noexcept {
    Event marker;
    marker.kind = EventKind::Marker;
    marker.allocator = allocator_;
    marker.size = kindId;
    events::EmitText(*this, marker, text, length);
}

void CallSink::EndOperation(std::uint64_t line) noexcept {
    if (calls_ != 0) return;
    Event step;
    step.kind = EventKind::Step;
    step.argument = line;
    step.allocator = allocator_;
    step.flags = Bit(EventFlag::IsCall);
    events::EmitNow(*this, step);
}

}  // namespace residue::replay
