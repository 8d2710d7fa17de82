// A sink that writes the log itself: no lanes, no pump, stamps are steps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "events/sink.hpp"
#include "log/appender.hpp"
#include "log/event_log.hpp"

namespace support {

// Events go straight into a log, made legal; whatever had to be changed for that is a fault of the allocator.
class LogSink final : public residue::events::EventSink {
public:
    std::uint64_t Begin() noexcept override { return ++steps_; }
    void Emit(const residue::events::Event* records, std::size_t count, std::uint64_t stamp) noexcept override {
        for (std::size_t i = 0; i < count; ++i) {
            residue::events::Event event = records[i];
            event.stamp = stamp;
            if (event.kind != residue::events::EventKind::Continuation && !event.thread)
                event.thread = residue::ThreadId{1};
            appender_.Append(&event, 1);
        }
    }
    residue::TraceId Capture(unsigned) noexcept override { return {}; }
    residue::AllocatorId NextAllocatorId() noexcept override { return residue::AllocatorId{++allocators_}; }

    residue::log::LogView View() const { return log_.View(); }
    bool WasLegal() const {
        const auto& counted = appender_.Counted();
        return counted.inferredFrees == 0 && counted.rewrittenFrees == 0 && counted.leftOut == 0;
    }

private:
    residue::log::EventLog log_;
    residue::log::Appender appender_{log_};
    std::uint64_t steps_ = 0;
    std::uint16_t allocators_ = 0;
};

}  // namespace support
