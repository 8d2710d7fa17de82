// Two bits for each granule of 8 bytes of a heap, so that DoubleFree and InvalidPointer are told apart exactly
// (METRICS.md): "a live payload starts here", and "a payload started here, was given back, and was not given out
// since". They lie in the heap's own bookkeeping, 16 bytes for 64 granules; this is a view of them.
// Cost: O(1), NearestLive O(granules / 64). Thread safety: none. Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace residue::alloc {

class GranuleBits {
public:
    using Granule = std::uint32_t;
    static constexpr Granule kNone = 0xFFFF'FFFF;
    static constexpr std::uint64_t kMostGranules = 0x7FFF'FFFF;  // 16 GiB

    // Of both sets.
    static constexpr std::uint64_t BytesFor(std::uint64_t granules) { return (granules + 63) / 64 * 16; }
    // The most granules that fit into `total` granules together with their own bits.
    static constexpr std::uint64_t GranulesIn(std::uint64_t total) {
        const std::uint64_t words = (total + 65) / 66;  // 64 granules cost a word, a granule, in each of the two sets
        return total > 2 * words ? total - 2 * words : 0;
    }

    GranuleBits() = default;
    // `memory` has BytesFor(granules) bytes, which are zero or are set by Clear.
    GranuleBits(std::byte* memory, std::uint64_t granules)
        : givenBack_(memory), live_(memory + BytesFor(granules) / 2) {}

    // The two sets as they lie, one after the other, for an allocator that keeps something else in them.
    std::byte* LowerSet() const { return givenBack_; }
    std::byte* UpperSet() const { return live_; }

    // Nothing was ever given out.
    void Clear(std::uint64_t granules) { std::memset(givenBack_, 0, BytesFor(granules)); }

    bool IsLive(Granule at) const { return Test(live_, at); }
    bool WasGivenBack(Granule at) const { return Test(givenBack_, at); }
    // While a payload is live the other bit says nothing of it: it is the allocator's own, `flag`.
    void MarkLive(Granule at, bool flag = false) {
        Set(live_, at, true);
        Set(givenBack_, at, flag);
    }
    bool FlagOfLive(Granule at) const { return Test(givenBack_, at); }
    void MarkGivenBack(Granule at) {
        Set(live_, at, false);
        Set(givenBack_, at, true);
    }
    // Where payloads start at every second granule only, this bit of the others is the allocator's own.
    bool Spare(Granule at) const { return Test(givenBack_, at); }
    void SetSpare(Granule at, bool value) { Set(givenBack_, at, value); }
    // Every live payload below `end` was given back.
    void MarkAllGivenBack(Granule end) {
        for (Granule word = 0; std::uint64_t{word} * 64 < end; ++word) {
            Store(givenBack_, word, Load(givenBack_, word) | Load(live_, word));
            Store(live_, word, 0);
        }
    }

    // The last live payload at or below `at`, else the first one above; kNone: there is none below `end`. at < end.
    Granule NearestLive(Granule at, Granule end) const {
        std::uint64_t mask = at % 64 == 63 ? ~std::uint64_t{0} : (std::uint64_t{2} << (at % 64)) - 1;
        for (Granule word = at / 64 + 1; word-- > 0; mask = ~std::uint64_t{0}) {
            const std::uint64_t live = Load(live_, word) & mask;
            if (live != 0) return word * 64 + 63 - static_cast<Granule>(__builtin_clzll(live));
        }
        return FirstLive(at, end);
    }
    // The first live payload in [from, end); kNone: there is none.
    Granule FirstLive(Granule from, Granule end) const {
        if (from >= end) return kNone;
        std::uint64_t mask = ~std::uint64_t{0} << (from % 64);
        for (Granule word = from / 64; word <= (end - 1) / 64; ++word, mask = ~std::uint64_t{0}) {
            const std::uint64_t live = Load(live_, word) & mask;
            if (live == 0) continue;
            const Granule at = word * 64 + static_cast<Granule>(__builtin_ctzll(live));
            return at < end ? at : kNone;
        }
        return kNone;
    }

private:
    static std::uint64_t Load(const std::byte* bits, Granule word) {
        std::uint64_t value;
        std::memcpy(&value, bits + std::uint64_t{word} * 8, sizeof value);
        return value;
    }
    static void Store(std::byte* bits, Granule word, std::uint64_t value) {
        std::memcpy(bits + std::uint64_t{word} * 8, &value, sizeof value);
    }
    static bool Test(const std::byte* bits, Granule at) { return (Load(bits, at / 64) >> (at % 64) & 1) != 0; }
    static void Set(std::byte* bits, Granule at, bool value) {
        const std::uint64_t mask = std::uint64_t{1} << (at % 64);
        const std::uint64_t word = Load(bits, at / 64);
        Store(bits, at / 64, value ? word | mask : word & ~mask);
    }

    std::byte* givenBack_ = nullptr;
    std::byte* live_ = nullptr;
};

}  // namespace residue::alloc
