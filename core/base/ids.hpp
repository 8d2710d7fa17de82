// Strong integer types: an AllocatorId cannot be passed where a TraceId is meant, nor a Row where a Position is.
// Cost: none; each is its integer. `Id` has equality and order; `Ordinal` also counts.
#pragma once

#include <compare>
#include <cstdint>

namespace residue {

template <class Tag, class Rep>
struct Id {
    using Representation = Rep;
    Rep value{};
    friend constexpr auto operator<=>(const Id&, const Id&) = default;
    constexpr explicit operator bool() const noexcept { return value != 0; }  // id 0 means "none" everywhere
};

template <class Tag>
struct Ordinal {
    std::uint64_t value{};
    friend constexpr auto operator<=>(const Ordinal&, const Ordinal&) = default;
    constexpr Ordinal& operator++() noexcept { ++value; return *this; }
    constexpr Ordinal& operator--() noexcept { --value; return *this; }
    friend constexpr Ordinal operator+(Ordinal a, std::uint64_t n) noexcept { return {a.value + n}; }
    friend constexpr Ordinal operator-(Ordinal a, std::uint64_t n) noexcept { return {a.value - n}; }
    friend constexpr std::uint64_t operator-(Ordinal a, Ordinal b) noexcept { return a.value - b.value; }
};

using AllocatorId = Id<struct AllocatorTag, std::uint16_t>;  // 1-based within a source; 0: not known
using ThreadId = Id<struct ThreadTag, std::uint32_t>;        // 1-based within a source
using TraceId = Id<struct TraceTag, std::uint32_t>;          // a node of a trace table; 0: no call trace
using BlockId = Id<struct BlockTag, std::uint32_t>;          // 1-based, in order of birth; never used again

// Row: how many rows of the log; row r is the r-th event (from 0).
// Position: how many calls are done; position N is "after N calls". What users see and type is always a Position.
using Row = Ordinal<struct RowTag>;
using Position = Ordinal<struct PositionTag>;

}  // namespace residue
