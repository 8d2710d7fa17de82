// The heap at a row, worked out the slow way: a byte map a allocator, from the log alone. What HeapModel must equal.
#pragma once

#include <map>
#include <vector>

#include "model/heap_model.hpp"
#include "model/random_stream.hpp"

namespace residue::test {

struct ByteMap {
    enum class Byte : std::uint8_t { None, Usable, Bookkeeping };
    std::vector<Byte> bytes = std::vector<Byte>(kMemory, Byte::None);
    bool known = false;
};

// Regions as the events say, byte by byte. Overlapping regions with bookkeeping are not told apart here.
class Regions {
public:
    void Read(const log::LogView& log, Row row) {
        const log::LoggedEvent logged = log.At(row);
        ReadDead(log, logged);
        ReadRegions(logged.event);
    }
    const ByteMap& Of(AllocatorId id) { return maps_[id.value]; }
    // Blocks that stay dead, as they were born.
    const std::vector<events::Event>& DeadOf(AllocatorId id) { return dead_[id.value]; }

private:
    void ReadDead(const log::LogView& log, const log::LoggedEvent& logged) {
        using events::EventKind;
        const events::Event& e = logged.event;
        auto& dead = dead_[e.allocator.value];
        const auto evict = [&](std::uint64_t begin, std::uint64_t end) {
            std::erase_if(dead, [&](const events::Event& d) { return d.Begin() < end && d.End() > begin; });
        };
        if (e.kind == EventKind::AllocatorDestroyed) dead.clear();
        if (e.kind == EventKind::BulkFreed || e.kind == EventKind::RegionShrunk) evict(e.address, e.address + e.size);
        const BlockId died = e.kind == EventKind::Freed ? logged.block
                             : e.kind == EventKind::ResizeEnds && !e.Failed() ? logged.oldBlock : BlockId{};
        if (died && e.Has(events::EventFlag::StaysDead)) {
            const events::Event birth = log.Birth(died).event;
            if (birth.SetAside() > 0) dead.push_back(birth);
        }
        const bool born = e.kind == EventKind::Allocated || (e.kind == EventKind::ResizeEnds && !e.Failed());
        if (born && e.SetAside() > 0) evict(e.Begin(), e.End());
    }
    void ReadRegions(const events::Event& e) {
        using events::EventKind;
        ByteMap& map = maps_[e.allocator.value];
        if (e.kind == EventKind::AllocatorCreated) {
            map.known = map.known || e.size > 0 || e.address != 0;
            for (std::uint64_t i = 0; i < e.size; ++i) {
                map.bytes[e.address + i] =
                    i + e.Bookkeeping() < e.size ? ByteMap::Byte::Usable : ByteMap::Byte::Bookkeeping;
            }
        } else if (e.kind == EventKind::RegionGrown) {
            map.known = true;
            for (std::uint64_t i = 0; i < e.size; ++i) {
                map.bytes[e.address + i] =
                    i + e.Bookkeeping() < e.size ? ByteMap::Byte::Usable : ByteMap::Byte::Bookkeeping;
            }
        } else if (e.kind == EventKind::RegionShrunk) {
            for (std::uint64_t i = 0; i < e.size; ++i) map.bytes[e.address + i] = ByteMap::Byte::None;
        } else if (e.kind == EventKind::AllocatorDestroyed) {
            map.bytes.assign(kMemory, ByteMap::Byte::None);
        }
    }

    std::map<std::uint16_t, ByteMap> maps_;
    std::map<std::uint16_t, std::vector<events::Event>> dead_;
};

struct Worked {
    model::Totals totals;
    std::vector<model::Hole> holes;
    std::vector<events::Event> blocks;
};

// `regions` has read the rows before `applied`.
inline Worked WorkOut(const log::LogView& log, Row applied, AllocatorId allocator, Regions& regions) {
    Worked w;
    std::vector<bool> occupied(kMemory);
    for (std::uint32_t id = 1; id <= log.Blocks(); ++id) {
        const log::BlockLife life = log.Life(BlockId{id});
        if (life.born >= applied || life.died < applied) continue;
        const events::Event e = log.Birth(BlockId{id}).event;
        if (e.allocator != allocator) continue;
        w.blocks.push_back(e);
        w.totals.payload += e.size;
        w.totals.header += e.header;
        w.totals.padding += e.padding;
        w.totals.rounding += e.rounding;
        w.totals.slack += e.slack;
        ++w.totals.blocks;
        for (std::uint64_t a = e.Begin(); a < e.End(); ++a) occupied[a] = true;
    }
    for (const events::Event& e : regions.DeadOf(allocator)) {
        w.totals.dead += e.SetAside();
        for (std::uint64_t a = e.Begin(); a < e.End(); ++a) occupied[a] = true;
    }
    const ByteMap& map = regions.Of(allocator);
    w.totals.heapKnown = map.known;
    std::uint64_t run = 0;
    for (std::uint64_t a = 0; a <= kMemory; ++a) {
        const bool in = a < kMemory;
        if (in && map.bytes[a] != ByteMap::Byte::None) ++w.totals.heap;
        if (in && map.bytes[a] == ByteMap::Byte::Bookkeeping) ++w.totals.bookkeeping;
        if (in && map.bytes[a] == ByteMap::Byte::Usable && !occupied[a]) {
            ++run;
            continue;
        }
        if (run > 0) {
            w.holes.push_back({a - run, a});
            w.totals.free += run;
            ++w.totals.holes;
            w.totals.largestHole = std::max(w.totals.largestHole, run);
            w.totals.sumOfSquares += static_cast<double>(run * run);
        }
        run = 0;
    }
    return w;
}

}  // namespace residue::test
