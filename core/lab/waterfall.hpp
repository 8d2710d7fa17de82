// Where a run's utilisation was lost: from 100 % down to the largest payload over the largest heap, by cause; and the
// operations that cost most.
//
//     const auto fall = FallOf(*trace, outcome.records);
//     fall.utilisation() + sum of fall.lost / fall.heapBytes == 1          // in bytes, exactly
//
// What a student's allocator does with a byte that is no payload it does not say: it is derived from where payloads
// lay, as told at Loss. Pure; O(n log n) of the operations, and memory for the live blocks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lab/layout.hpp"
#include "lab/trace.hpp"

namespace residue::lab {

// The peak is the first operation after which the live payloads' sum is the largest of the run; what is lost there is
// told by the gaps between live payloads. A block's own room is the least distance, anywhere in the run, from the
// beginning of a payload of at least its size to the beginning of the next one (or to the heap's end): header, payload,
// padding.
enum class Loss : std::uint8_t {
    Overhead,     // headers and padding: of each gap what is the own room of the block before it; gaps too small for
                  // any block; and what lies before the first payload there ever was
    Holes,        // external holes: the rest of the gaps, up to the highest end that a payload ever had
    EarlyGrowth,  // above that: the heap grew before there was a need
    LateGrowth,   // the heap grew after the peak, for less payload than there was then
};
inline constexpr unsigned kLosses = 4;
const char* NameOf(Loss loss);  // "headers and padding"

struct Cost {
    Loss loss = Loss::Overhead;
    // Overhead: it placed the block. Holes: the last that freed something there. Growth: it grew the heap.
    std::uint64_t op = 0;
    std::uint64_t bytes = 0;    // of `lost`
    std::uint64_t address = 0;  // where they lie
};

// The heap grew although there was room beside the blocks.
struct Growth {
    std::uint64_t op = 0;
    std::uint64_t grown = 0;  // bytes
    std::uint64_t free = 0;   // bytes of the heap before it that were in no block's own room
};

struct Waterfall {
    std::uint64_t heapBytes = 0;     // the largest heap
    std::uint64_t payloadBytes = 0;  // the largest sum of payloads
    std::uint64_t peakOp = 0;        // the peak is after it
    std::array<std::uint64_t, kLosses> lost{};  // bytes; their sum is heapBytes - payloadBytes
    std::vector<Cost> costs;          // at most kMostCosts of a cause; the largest first
    std::vector<Growth> growths;      // the largest min(grown, free) first, at most kMostCosts
    std::uint64_t leastBlock = 0;     // bytes that the smallest block takes

    double Utilisation() const {
        return heapBytes == 0 ? 0 : static_cast<double>(payloadBytes) / static_cast<double>(heapBytes);
    }
    double ShareOf(Loss loss) const {  // 0..1 of the heap
        const auto bytes = static_cast<double>(lost[static_cast<unsigned>(loss)]);
        return heapBytes == 0 ? 0 : bytes / static_cast<double>(heapBytes);
    }
};
inline constexpr std::size_t kMostCosts = 5;

// `records` may end early, and be of an invalid run: then it is about what came about, as far as it makes sense. None:
// cancelled.
std::optional<Waterfall> FallOf(const LabTrace& trace, std::span<const Record> records,
                                const std::atomic<bool>* cancelled = nullptr);

// A run over time, for a plot: column i is the i-th equal share of the operations.
struct CurveColumn {
    std::uint64_t payloadMin = 0, payloadMax = 0;  // bytes
    std::uint64_t heap = 0;                        // the largest, from the beginning on
    double utilisation = 0;                        // at the column's end: largest payload so far over `heap`
};
// At most `columns`; fewer where there are fewer operations.
std::vector<CurveColumn> CurveOf(const LabTrace& trace, std::span<const Record> records, std::size_t columns);


}  // namespace residue::lab
