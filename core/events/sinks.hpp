// Simple sinks: NullSink swallows, VectorSink keeps everything for a test or a short run, TeeSink feeds two sinks.
// For the way from an allocator's threads to a log use events/lanes.hpp. Hosted (VectorSink uses the heap).
//
//   events::VectorSink seen;
//   allocator.Attach(seen);  ...  REQUIRE(seen.Events().back().kind == EventKind::Freed);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "events/sink.hpp"

namespace residue::events {

// Takes everything, keeps nothing. One thread.
class NullSink final : public EventSink {
public:
    std::uint64_t Begin() noexcept override { return ++steps_; }
    void Emit(const Event*, std::size_t, std::uint64_t) noexcept override {}
    TraceId Capture(unsigned) noexcept override { return {}; }
    AllocatorId NextAllocatorId() noexcept override { return AllocatorId{++allocators_}; }

private:
    std::uint64_t steps_ = 0;
    std::uint16_t allocators_ = 0;
};

// Keeps every event, in order, and its text. Stamps count steps from 1; the thread id is 1 where an event has none;
// traces are off. One thread. Cost: a push into a std::vector, plus a string for an event with a text.
class VectorSink final : public EventSink {
public:
    std::uint64_t Begin() noexcept override { return ++steps_; }
    void Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept override;
    TraceId Capture(unsigned) noexcept override { return {}; }
    AllocatorId NextAllocatorId() noexcept override { return AllocatorId{++allocators_}; }

    // Events only: continuations have become texts. Valid until the next Emit or Clear.
    const std::vector<Event>& Events() const noexcept { return events_; }
    std::string_view Text(std::size_t index) const noexcept;  // empty where there is none
    void Clear() noexcept;

private:
    std::vector<Event> events_;
    std::unordered_map<std::size_t, std::string> texts_;
    std::uint64_t steps_ = 0;
    std::uint16_t allocators_ = 0;
};

// Everything to two sinks. The first gives stamps, traces and allocator ids; the second gets the first's stamps (so a
// Lanes, whose merge depends on its own clock, can only be the first). As thread-safe as the two are.
class TeeSink final : public EventSink {
public:
    TeeSink(EventSink& first, EventSink& second) noexcept : first_(first), second_(second) {}

    std::uint64_t Begin() noexcept override;
    void Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept override;
    TraceId Capture(unsigned skip) noexcept override;
    AllocatorId NextAllocatorId() noexcept override { return first_.NextAllocatorId(); }

private:
    EventSink& first_;
    EventSink& second_;
};

}  // namespace residue::events
