// Short ways to make events for the tests of the log, and the laws that every log keeps.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "events/event.hpp"
#include "log/event_log.hpp"

namespace residue::log::testing {

using events::Bit;
using events::Event;
using events::EventFlag;
using events::EventKind;

inline Event Make(EventKind kind, std::uint64_t address = 0, std::uint64_t size = 0) {
    Event event;
    event.kind = kind;
    event.address = address;
    event.size = size;
    event.allocator = AllocatorId{1};
    event.thread = ThreadId{1};
    return event;
}
inline Event Allocated(std::uint64_t address, std::uint64_t size) { return Make(EventKind::Allocated, address, size); }
inline Event Freed(std::uint64_t address) { return Make(EventKind::Freed, address); }
inline Event ResizeBegins(std::uint64_t address, std::uint64_t size) {
    return Make(EventKind::ResizeBegins, address, size);
}
inline Event ResizeEnds(std::uint64_t oldAddress, std::uint64_t address, std::uint64_t size) {
    Event event = Make(EventKind::ResizeEnds, address, size);
    event.argument = oldAddress;
    return event;
}
inline Event On(AllocatorId allocator, Event event) {
    event.allocator = allocator;
    return event;
}
inline Event By(ThreadId thread, Event event) {
    event.thread = thread;
    return event;
}
inline Event With(std::uint8_t flags, Event event) {
    event.flags = flags;
    return event;
}

inline bool Same(const Event& a, const Event& b) {
    return a.stamp == b.stamp && a.address == b.address && a.size == b.size && a.argument == b.argument &&
           a.rounding == b.rounding && a.padding == b.padding && a.slack == b.slack && a.trace == b.trace &&
           a.thread == b.thread && a.header == b.header && a.allocator == b.allocator && a.kind == b.kind &&
           a.error == b.error && a.alignmentLog2 == b.alignmentLog2 && a.flags == b.flags;
}
inline bool Same(const LoggedEvent& a, const LoggedEvent& b) {
    return Same(a.event, b.event) && a.block == b.block && a.oldBlock == b.oldBlock;
}

// The first difference between two logs; empty: none.
inline std::string Difference(const LogView& a, const LogView& b) {
    if (a.Rows() != b.Rows()) {
        return "rows: " + std::to_string(a.Rows().value) + " and " + std::to_string(b.Rows().value);
    }
    if (a.Positions() != b.Positions()) return "positions";
    if (a.Blocks() != b.Blocks()) return "blocks";
    if (a.ErrorCount() != b.ErrorCount()) return "errors";
    for (Row row{}; row < a.Rows(); ++row) {
        if (!Same(a.At(row), b.At(row))) return "row " + std::to_string(row.value);
        if (a.Text(row) != b.Text(row)) return "text of row " + std::to_string(row.value);
        const auto diedA = a.DiedTogether(row);
        const auto diedB = b.DiedTogether(row);
        if (!std::equal(diedA.begin(), diedA.end(), diedB.begin(), diedB.end())) {
            return "deaths in row " + std::to_string(row.value);
        }
    }
    for (std::uint32_t id = 1; id <= a.Blocks(); ++id) {
        const BlockLife lifeA = a.Life(BlockId{id});
        const BlockLife lifeB = b.Life(BlockId{id});
        if (lifeA.born != lifeB.born || lifeA.died != lifeB.died) return "life of block " + std::to_string(id);
    }
    return {};
}

// What is illegal in a log; empty: nothing. Every block is born once and dies at most once, in the rows that its life
// names; live blocks of one allocator never overlap; a row concerns only blocks that live there.
// `mayOverlap`: a file that tells which blocks its rows concern is believed in this (log/row_check.hpp).
inline std::string Illegal(const LogView& log, bool mayOverlap = false) {
    struct Extent {
        std::uint64_t end;
        std::uint32_t id;
    };
    std::map<std::uint16_t, std::map<std::uint64_t, Extent>> live;  // allocator -> begin -> block
    std::vector<int> births(log.Blocks() + std::size_t{1});
    std::vector<int> deaths(log.Blocks() + std::size_t{1});
    for (Row row{}; row < log.Rows(); ++row) {
        const LoggedEvent logged = log.At(row);
        const Event& event = logged.event;
        const auto where = " in row " + std::to_string(row.value);
        if (!events::IsKnownKind(static_cast<std::uint8_t>(event.kind)) || event.kind == EventKind::Continuation) {
            return "unknown kind" + where;
        }
        const auto dies = [&](BlockId block) -> std::string {
            if (block.value == 0 || block.value > log.Blocks()) return "death of an unknown block" + where;
            if (births[block.value] != 1) return "death of a block not born" + where;
            if (++deaths[block.value] != 1) return "second death" + where;
            if (log.Life(block).died != row) return "a life that ends elsewhere" + where;
            const LoggedEvent birth = log.Birth(block);
            auto& blocks = live[birth.event.allocator.value];
            if (birth.event.allocator != event.allocator) return "death in another allocator" + where;
            if (blocks.erase(birth.event.Begin()) != 1 && !mayOverlap)
                return "death of a block that is not live" + where;
            return {};
        };
        const bool resized = event.kind == EventKind::ResizeEnds && !event.Failed();
        std::string wrong;
        if (event.kind == EventKind::Freed) wrong = dies(logged.block);
        if (wrong.empty() && resized && logged.oldBlock) wrong = dies(logged.oldBlock);
        for (const BlockId block : log.DiedTogether(row)) {
            if (wrong.empty()) wrong = dies(block);
        }
        if (!wrong.empty()) return wrong;
        if (event.kind == EventKind::Allocated || resized) {
            const BlockId block = logged.block;
            if (block.value == 0 || block.value > log.Blocks()) return "birth of no block" + where;
            if (++births[block.value] != 1) return "second birth" + where;
            if (log.Life(block).born != row) return "a life that begins elsewhere" + where;
            const std::uint64_t begin = event.Begin();
            const std::uint64_t end = std::max(event.End(), event.address + 1);
            if (begin > event.address || end <= event.address) return "a block that wraps" + where;
            auto& blocks = live[event.allocator.value];
            if (mayOverlap) continue;
            const auto above = blocks.lower_bound(begin);
            if (above != blocks.end() && above->first < end) return "overlap above" + where;
            if (above != blocks.begin() && std::prev(above)->second.end > begin) return "overlap below" + where;
            blocks[begin] = {end, block.value};
        }
    }
    for (std::uint32_t id = 1; id <= log.Blocks(); ++id) {
        if (births[id] != 1) return "block " + std::to_string(id) + " was never born";
        if ((log.Life(BlockId{id}).died == Row{kNever}) != (deaths[id] == 0)) {
            return "block " + std::to_string(id) + " dies and does not";
        }
    }
    return {};
}

}  // namespace residue::log::testing
