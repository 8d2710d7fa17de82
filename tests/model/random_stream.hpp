// A stream of everything that can happen to a heap, legal or not: allocators that come and go, growing and unknown
// heaps, a child in its parent's block, overlaps, blocks of no bytes, blocks outside of all regions, bulk frees, blocks
// that stay dead.
#pragma once

#include <algorithm>
#include <random>
#include <vector>

#include "model/stream.hpp"

namespace residue::test {

inline constexpr std::uint64_t kMemory = 4096;  // addresses stay below

struct RandomStream {
    explicit RandomStream(std::uint32_t seed) : random(seed) {}

    struct Given {
        std::uint16_t id = 1;
        std::uint64_t address = 0x200;
    };
    Given AGiven() {  // one of the last blocks, dead or alive
        return given.empty() ? Given{} : given[given.size() - 1 - Below(std::min<std::size_t>(given.size(), 40))];
    }

    std::uint64_t Below(std::uint64_t n) { return random() % n; }

    // Allocator 1: a buffer with bookkeeping; 2: grows; 3: not known; 4: a child of 1; 5: comes and goes.
    void Begin(Stream& stream) {
        stream.Created(1, 0x100, 0x600, 0x20, 0, "buffer").Created(2, 0, 0, 0, 0, "growing");
        stream.Created(3, 0, 0, 0, 0, "malloc");
    }

    void Step(Stream& stream) {
        const auto id = static_cast<std::uint16_t>(1 + Below(5));
        switch (Below(24)) {
            case 0: case 1: case 2: case 3: case 4: case 5: case 6: case 7: Allocate(stream, id); break;
            case 8: case 9: case 10: case 11: case 12: {
                const Given old = AGiven();
                if (old.id == 2 && Below(2) == 0) stream.FreedStaysDead(old.id, old.address);
                else stream.Freed(old.id, old.address);
                break;
            }
            case 13: case 14: {
                const Given old = AGiven();
                stream.Resized(old.id, old.address, Somewhere(old.id), Below(90), SomeParts());
                break;
            }
            case 15: stream.BulkFreed(id, Somewhere(id), Below(300)); break;
            case 16: stream.Grown(2, 0x800 + grown, 8 * (1 + Below(16))); grown += 64; break;
            case 17: stream.Shrunk(2, 0x800 + Below(grown + 1), Below(100)); break;
            case 18: stream.AllocateFailed(id, Below(500), MemoryError::Fragmentation, 10, 5); break;
            case 19: stream.Of(events::EventKind::Marker, 0, "here"); break;
            case 20:
                if (Below(4) == 0) stream.Destroyed(static_cast<std::uint16_t>(4 + Below(2)));
                break;
            case 21: stream.Created(5, 0xE00, 8 * Below(30), Below(16), 0, "guest"); break;
            case 22: {  // a buffer from 1, given to 4 as its region
                const std::uint64_t base = Somewhere(1);
                stream.Allocated(1, base, 96, {8, 0, 0, 0});
                stream.Created(4, base, 96, 8, 1, "child");
                break;
            }
            default: stream.Freed(id, Somewhere(id)); break;
        }
    }

    void Allocate(Stream& stream, std::uint16_t id) {
        const std::uint64_t address = Somewhere(id);
        const std::uint64_t size = Below(5) == 0 ? 0 : Below(64);
        stream.Allocated(id, address, size, size == 0 && Below(2) == 0 ? Parts{} : SomeParts());
        given.push_back({id, address});
    }
    Parts SomeParts() {
        return {static_cast<std::uint16_t>(8 * Below(3)), static_cast<std::uint32_t>(Below(2) * 8), Below(8),
                static_cast<std::uint32_t>(Below(3) == 0 ? 16 : 0), static_cast<std::uint32_t>(1 + Below(3))};
    }
    std::uint64_t Somewhere(std::uint16_t id) {
        const std::uint64_t slot = 8 * Below(180);
        return (id == 2 ? 0x7C0 : id == 5 ? 0xD00 : 0x0F0) + (id == 5 ? slot / 4 : slot) + 0x40;
    }
    std::mt19937 random;
    std::vector<Given> given;
    std::uint64_t grown = 64;
};

// What happens to a program's malloc as recordings tell it, odd things among it.
inline void MallocStep(Stream& stream, RandomStream& random) {
    switch (random.Below(12)) {
        case 0: stream.AllocateFailed(3, random.Below(500), MemoryError::InsufficientMemory, 0, 0); break;
        case 1: stream.Of(events::EventKind::Marker, 0, "here"); break;
        case 2: stream.BulkFreed(3, random.Somewhere(3), random.Below(100)); break;
        case 3: case 4: {
            const auto old = random.AGiven();
            stream.Resized(3, old.address, random.Somewhere(3), random.Below(90), random.SomeParts());
            break;
        }
        case 5: case 6: case 7: stream.Freed(3, random.AGiven().address); break;
        default: random.Allocate(stream, 3); break;
    }
}

}  // namespace residue::test
