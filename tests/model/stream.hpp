// Builds logs by hand, through the appender, as a lane would deliver them. For tests of the model and of what is
// computed from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "log/appender.hpp"
#include "log/event_log.hpp"

namespace residue::test {

struct Parts {
    std::uint16_t header = 0;
    std::uint32_t padding = 0;
    std::uint64_t rounding = 0;
    std::uint32_t slack = 0;
    std::uint32_t thread = 1;
    std::uint32_t trace = 0;
};

class Stream {
public:
    Stream& Created(std::uint16_t id, std::uint64_t base, std::uint64_t size, std::uint64_t bookkeeping = 0,
                    std::uint16_t parent = 0, std::string_view name = "heap") {
        events::Event e = Make(events::EventKind::AllocatorCreated, id, base, size);
        e.rounding = bookkeeping;
        e.header = parent;
        return Put(e, name);
    }
    Stream& Destroyed(std::uint16_t id) { return Put(Make(events::EventKind::AllocatorDestroyed, id, 0, 0)); }
    Stream& Allocated(std::uint16_t id, std::uint64_t address, std::uint64_t size, Parts parts = {}) {
        return Put(Block(events::EventKind::Allocated, id, address, size, parts));
    }
    Stream& Freed(std::uint16_t id, std::uint64_t address, std::uint32_t thread = 1) {
        events::Event e = Make(events::EventKind::Freed, id, address, 0);
        e.thread = ThreadId{thread};
        return Put(e);
    }
    Stream& FreedStaysDead(std::uint16_t id, std::uint64_t address) {
        events::Event e = Make(events::EventKind::Freed, id, address, 0);
        e.flags = Bit(events::EventFlag::StaysDead);
        return Put(e);
    }
    Stream& Resized(std::uint16_t id, std::uint64_t oldAddress, std::uint64_t address, std::uint64_t size,
                    Parts parts = {}) {
        Put(Make(events::EventKind::ResizeBegins, id, oldAddress, size));
        events::Event e = Block(events::EventKind::ResizeEnds, id, address, size, parts);
        e.argument = oldAddress;
        return Put(e);
    }
    Stream& AllocateFailed(std::uint16_t id, std::uint64_t size, MemoryError error, std::uint64_t free,
                           std::uint64_t largest, std::uint8_t alignmentLog2 = 3) {
        events::Event e = Make(events::EventKind::AllocateFailed, id, largest, size);
        e.argument = free;
        e.error = static_cast<std::uint8_t>(error);
        e.alignmentLog2 = alignmentLog2;
        return Put(e);
    }
    Stream& BulkFreed(std::uint16_t id, std::uint64_t address, std::uint64_t size) {
        return Put(Make(events::EventKind::BulkFreed, id, address, size));
    }
    Stream& Grown(std::uint16_t id, std::uint64_t address, std::uint64_t size) {
        return Put(Make(events::EventKind::RegionGrown, id, address, size));
    }
    Stream& Shrunk(std::uint16_t id, std::uint64_t address, std::uint64_t size) {
        return Put(Make(events::EventKind::RegionShrunk, id, address, size));
    }
    Stream& Of(events::EventKind kind, std::uint16_t id = 0, std::string_view text = {}) {
        return Put(Make(kind, id, 0, 0), text);
    }
    Stream& Put(events::Event event, std::string_view text = {}) {
        event.stamp = ++stamp_;
        appender_.Append(event, text);
        return *this;
    }

    log::LogView View() const { return log_.View(); }
    log::EventLog& Log() { return log_; }

private:
    static events::Event Make(events::EventKind kind, std::uint16_t id, std::uint64_t address, std::uint64_t size) {
        events::Event e;
        e.kind = kind;
        e.allocator = AllocatorId{id};
        e.address = address;
        e.size = size;
        e.thread = ThreadId{1};
        return e;
    }
    static events::Event Block(events::EventKind kind, std::uint16_t id, std::uint64_t address, std::uint64_t size,
                               Parts parts) {
        events::Event e = Make(kind, id, address, size);
        e.header = parts.header;
        e.padding = parts.padding;
        e.rounding = parts.rounding;
        e.slack = parts.slack;
        e.thread = ThreadId{parts.thread};
        e.trace = TraceId{parts.trace};
        return e;
    }

    log::EventLog log_;
    log::Appender appender_{log_};
    std::uint64_t stamp_ = 0;
};

}  // namespace residue::test
