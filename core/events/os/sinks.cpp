// VectorSink and TeeSink.
#include "events/sinks.hpp"

#include <cstring>

namespace residue::events {

void VectorSink::Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        if (records[i].kind == EventKind::Continuation) {
            if (events_.empty()) continue;
            Continuation part;
            std::memcpy(&part, &records[i], sizeof part);
            const std::size_t used = part.used < kContinuationBytes ? part.used : kContinuationBytes;
            texts_[events_.size() - 1].append(part.bytes, used);
            continue;
        }
        Event event = records[i];
        event.stamp = stamp;
        if (!event.thread) event.thread = ThreadId{1};
        events_.push_back(event);
    }
}

std::string_view VectorSink::Text(std::size_t index) const noexcept {
    const auto found = texts_.find(index);
    return found == texts_.end() ? std::string_view{} : std::string_view{found->second};
}

void VectorSink::Clear() noexcept {
    events_.clear();
    texts_.clear();
}

std::uint64_t TeeSink::Begin() noexcept {
    (void)second_.Begin();
    return first_.Begin();
}

void TeeSink::Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept {
    first_.Emit(records, count, stamp);
    second_.Emit(records, count, stamp);
}

TraceId TeeSink::Capture(unsigned skip) noexcept {
    const TraceId id = first_.Capture(skip + 1);  // this function is a frame of its own …
    asm volatile("" ::: "memory");                // … so it must not become a jump
    return id;
}

}  // namespace residue::events
