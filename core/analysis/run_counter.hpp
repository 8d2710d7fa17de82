// Accumulates RunMetrics: rows as they come, and one sample a position. A part of Series. Cost: O(1) a row, but for the
// median (O(log distinct sizes) a request); memory: one bit a block, and what SizeHistogram needs.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analysis/metrics.hpp"
#include "analysis/size_histogram.hpp"
#include "log/event_log.hpp"

namespace residue::analysis {

struct Sample {
    std::uint64_t live = 0;   // P
    std::uint64_t heap = 0;   // H; 0 where it is not known
    float fragmentation = 0;  // external
};

class RunCounter {
public:
    // Requests, failures, temporary allocations.
    void Count(const log::LogView& log, Row row, const log::LoggedEvent& event);
    // The figures after `position` calls are final. In order of positions.
    void Take(Position position, const Sample& sample);
    // Everything so far, and `open`: the figures of a position that may still change, behind those taken. `heapKnown`:
    // there; where H was not known before, nothing of the whole run is told of it.
    RunMetrics Result(std::optional<std::pair<Position, Sample>> open, bool heapKnown) const;

    // Was H known wherever something was live?
    bool HeapWasKnown() const { return !peaks_.heapMissing; }

    void Settle() { isNewest_ = {}; }  // no Count comes any more: gives memory back

    static bool IsError(const events::Event& event);

private:
    // What Johnstone and Wilson's overheads and the peaks need.
    struct Peaks {
        double sumLive = 0, sumHeap = 0;
        std::uint64_t live = 0, heapAtPeakLive = 0;
        std::uint64_t heap = 0, liveAtPeakHeap = 0;
        Position livePosition{};
        bool heapMissing = false;
        void Take(Position position, const Sample& sample);
    };
    void Requested(const log::LoggedEvent& event);
    void Ended(BlockId block);

    Peaks peaks_;
    RunMetrics counted_;
    SizeHistogram sizes_;
    std::unordered_map<std::uint32_t, std::uint32_t> newest_;  // thread -> the block it allocated last
    std::vector<bool> isNewest_;                               // by block
};

}  // namespace residue::analysis
