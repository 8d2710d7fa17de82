// Figures by position, for the timeline and for jumps: P, H, external fragmentation and errors after every call, with
// the minimum and maximum over any range of positions. Built by one thread while the log grows; read by any.
//
// Cost: O(1) an event on top of the model's step; a range query O(log positions), exact: no column differs from a scan
// of all positions in it. Memory: 23 bytes a position, and 8 an error.
//
// The figures of position N are those after its call and all that trails it, so the last position may still change
// while the log grows; all before it are final. Readers see what was there at the last publication (every few thousand
// rows of an Extend, and at its end). Figures are sums over all allocators (HeapModel::Sum).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "analysis/metrics.hpp"
#include "model/heap_model.hpp"

namespace residue::analysis {

// One horizontal pixel of the timeline: positions [from, to).
struct SeriesColumn {
    std::uint64_t liveMin = 0, liveMax = 0;
    std::uint64_t heapMin = 0, heapMax = 0;
    float fragmentationMin = 0, fragmentationMax = 0;  // external fragmentation, 0..1
    std::uint32_t errors = 0;
    bool any = false;  // false: nothing there yet
};

class Series {
public:
    Series();
    ~Series();

    // The builder: continues where it stopped, up to the log's end or `budget` rows. True when it is at the end.
    bool Extend(const log::LogView& log, std::uint64_t budget);
    const model::HeapModel& Head() const;         // the builder's model, at the end of what is built (builder's thread)

    // Any thread.
    Position Built() const;
    // Column i of `count` covers an equal share of [from, to), at least one position; `any` is false where nothing is
    // built yet.
    void Columns(Position from, Position to, std::size_t count, std::vector<SeriesColumn>& columns) const;
    SeriesColumn At(Position position) const;
    RunMetrics Run() const;                       // over everything built
    std::uint64_t MaxLive() const;
    std::uint64_t MaxHeap() const;
    bool HeapKnown() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace residue::analysis
