// Every block that any allocator of a run gave out: what is alive where, since when, and what pointers may point to.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

namespace residue::scenario::detail {

// How a block ended.
enum class Death : std::uint8_t { Freed, GivenAgain, WithAllocator };

struct BlockRecord {
    std::uint64_t address = 0;
    std::uint64_t size = 0;    // payload, as requested
    std::uint32_t heap = 0;    // which allocator's
    std::uint32_t bornAt = 0;  // a node of CallPaths
    std::uint32_t diedAt = 0;
    Death death = Death::Freed;
    bool live = true;
    bool region = false;  // another allocator's memory: no leak of the script's
    bool Holds(std::uint64_t at, std::uint64_t bytes) const { return at >= address && at - address + bytes <= size; }
};

class Blocks {
public:
    using Number = std::uint32_t;  // from 1; 0: none

    Number Add(const BlockRecord& record);
    void End(Number number, std::uint32_t diedAt, Death death = Death::Freed);
    BlockRecord& At(Number number) { return records_[number - 1]; }
    const BlockRecord& At(Number number) const { return records_[number - 1]; }
    Number Count() const { return static_cast<Number>(records_.size()); }

    // The live block of that allocator that begins there; 0: there is none.
    Number Find(std::uint32_t heap, std::uint64_t address) const;
    // The innermost live block around [address, address + bytes); those of allocators that `skip(heap)` do not count.
    // Looks at 256 blocks at most.
    template <class Skip>
    Number Around(std::uint64_t address, std::uint64_t bytes, Skip skip) const {
        auto at = byAddress_.upper_bound(std::pair(address, ~Number{0}));
        for (std::size_t looked = 0; at != byAddress_.begin() && looked < kMostLookedAt; ++looked) {
            --at;
            const BlockRecord& record = At(at->first.second);
            if (record.Holds(address, bytes) && !skip(record.heap)) return at->first.second;
        }
        return 0;
    }
    Number Around(std::uint64_t address, std::uint64_t bytes) const {
        return Around(address, bytes, [](std::uint32_t) { return false; });
    }
    // The last block, dead or alive, that began at or below there and reached it; for messages. 0: none.
    Number LastAt(std::uint64_t address) const;

    // Live ones of one allocator (0: of all), or of an address range (whole or in part); by address.
    std::vector<Number> LiveOf(std::uint32_t heap) const;
    std::vector<Number> LiveIn(std::uint64_t begin, std::uint64_t end) const;

private:
    static constexpr std::size_t kMostLookedAt = 256;  // live blocks below an address
    static std::uint64_t KeyOf(std::uint32_t heap, std::uint64_t address) {
        return std::uint64_t{heap} << 32 | address;
    }

    std::vector<BlockRecord> records_;
    std::unordered_map<std::uint64_t, Number> byStart_;           // live
    std::map<std::pair<std::uint64_t, Number>, bool> byAddress_;  // live, in address order
};

}  // namespace residue::scenario::detail
