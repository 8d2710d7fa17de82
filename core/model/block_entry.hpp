// A block as the model keeps it: what its birth said.
#pragma once

#include <cstdint>
#include <optional>

#include "base/checked.hpp"
#include "log/event_log.hpp"
#include "model/heap_model.hpp"

namespace residue::model {

// A live block, or a dead one: its bytes cannot be had again yet.
struct BlockEntry {
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
    std::uint64_t rounding = 0;
    std::uint32_t id = 0;
    std::uint32_t trace = 0;
    std::uint32_t padding = 0;
    std::uint32_t slack = 0;
    std::uint16_t header = 0;
    bool region = false;
    bool dead = false;

    std::uint64_t Key() const { return begin; }
    std::uint64_t Weight() const { return header + size + rounding + padding + slack; }
    std::uint64_t End() const { return begin + Weight(); }
    std::uint64_t Address() const { return begin + padding + header; }
    Block ToBlock() const { return {BlockId{id}, begin, End(), Address(), size, TraceId{trace}, region}; }
    friend bool operator==(const BlockEntry&, const BlockEntry&) = default;

    // The block that an event makes; nothing where it would not lie in the address space.
    static std::optional<BlockEntry> Of(const log::LoggedEvent& logged) {
        const events::Event& e = logged.event;
        const std::uint64_t front = std::uint64_t{e.header} + e.padding;
        const auto payloadEnd = CheckedAdd(e.address, e.size);
        const auto roundedEnd = payloadEnd ? CheckedAdd(*payloadEnd, e.rounding) : std::nullopt;
        if (e.address < front || !roundedEnd || !CheckedAdd(*roundedEnd, e.slack)) return std::nullopt;
        BlockEntry entry;
        entry.begin = e.address - front;
        entry.size = e.size;
        entry.rounding = e.rounding;
        entry.id = logged.block.value;
        entry.trace = e.trace.value;
        entry.padding = e.padding;
        entry.slack = e.slack;
        entry.header = e.header;
        entry.region = e.Has(events::EventFlag::Region);
        return entry;
    }
};

}  // namespace residue::model
