// Run until: the first position, onwards or backwards, at which a condition holds. A condition is a short text:
//
//     live >= 1M          live bytes, heap, frag (external fragmentation), after a call: < <= > >=
//     size >= 4096        a call asks for so many bytes
//     address 0x7f12      a call concerns a block that has this byte: its births, deaths, resizes, and bad accesses
//     site parse          a call whose trace has this in a function's or a file's name
//     block 17            its birth and its death
//     error               a failed request, a bad free, a bad access, lost events
//
// Cost: metrics O(log positions) (the series' minima and maxima); all others one pass over the rows on the way, some
// 20 ns each, for a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "analysis/series.hpp"
#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::analysis {

struct Condition {
    enum class Of : std::uint8_t { Live, Heap, Fragmentation, Size, Address, Site, Block, Error };
    enum class Compare : std::uint8_t { Less, AtMost, More, AtLeast };
    Of of = Of::Error;
    Compare compare = Compare::AtLeast;
    double value = 0;            // Fragmentation: 0..1
    std::uint64_t number = 0;    // bytes, address or block
    std::string text;            // Site
    friend bool operator==(const Condition&, const Condition&) = default;
};

// Failure: what was expected, and where in the text.
Outcome<Condition> ParseCondition(std::string_view text);
std::string Describe(const Condition& condition);  // as it can be parsed

// Not `from` itself. Nothing: there is none, or it was cancelled.
std::optional<Position> FindNext(const log::LogView& log, const Series& series, const Condition& condition,
                                 Position from, bool forward, const std::atomic<bool>* cancelled = nullptr);

}  // namespace residue::analysis
