// Figures by position, for the timeline and for jumps: P (also by allocator: bands.hpp), H, external fragmentation and
// errors after every call, with the minimum and maximum over any range of positions. Built by one thread while the log
// grows; read by any.
//
// Cost: O(1) an event on top of the model's step; a range query O(log positions), exact: no column differs from a scan
// of all positions in it. Memory: 4 to 12 bytes a position (analysis/pyramid.hpp) and 8 an error;
// 17 a position more with several allocators.
//
// The figures of position N are those after its call and all that trails it, so the last position may still change
// while the log grows; all before it are final. Readers see what was there at the last publication (every few thousand
// rows of an Extend, and at its end). Figures are sums over all allocators (HeapModel::Sum).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "analysis/bands.hpp"
#include "analysis/metrics.hpp"
#include "model/heap_model.hpp"

namespace residue::analysis {

// One horizontal pixel of the timeline: positions [from, to).
struct SeriesColumn {
    std::uint64_t liveMin = 0, liveMax = 0;
    Position liveMinAt{}, liveMaxAt{};  // the first positions where they are
    std::uint64_t heapMin = 0, heapMax = 0;
    float fragmentationMin = 0, fragmentationMax = 0;  // external fragmentation, 0..1
    std::uint32_t errors = 0;
    bool any = false;  // false: nothing there yet
};

class Series {
public:
    Series();
    ~Series();

    // Before the first Extend, for a log that is being read: no heap is kept (and Head is not to be asked for) while
    // the rows are such that live payload is all there is to know (model/payload_model.hpp). An Extend that comes to
    // another row stops there, and NeedsHeap says so: then Begin.
    void BeginWithPayload();
    bool NeedsHeap() const;   // the builder's thread
    // For a log that is whole: what is built stays, and from there on steps are cheaper in bits of `order`, and so are
    // copies of Head.
    void Begin(const log::LogView& log, std::shared_ptr<const model::BlockOrder> order);
    void Settle();            // no Extend comes any more: gives back what only it needs. The builder's thread
    Row Applied() const;      // rows that are built; the builder's thread
    // The builder: continues where it stopped, up to the log's end or `budget` rows. True when it is at the end.
    bool Extend(const log::LogView& log, std::uint64_t budget);
    const model::HeapModel& Head() const;         // the builder's model, at the end of what is built (builder's thread)

    // Any thread.
    Position Built() const;
    // Of what the next call tells: no other state of this or any other series has the same number. Two equal ones
    // around a question say that its answer holds.
    std::uint64_t Revision() const;
    // Column i of `count` covers an equal share of [from, to), at least one position; `any` is false where nothing is
    // built yet.
    void Columns(Position from, Position to, std::size_t count, std::vector<SeriesColumn>& columns) const;
    SeriesColumn At(Position position) const;
    // The same, and what live bytes are made of by allocator; bands[i] belongs to columns[i]. Returns whose they are.
    std::shared_ptr<const BandList> Columns(Position from, Position to, std::size_t count,
                                            std::vector<SeriesColumn>& columns, std::vector<BandColumn>& bands) const;
    // Live bytes of each of BandList::named over positions [from, to); empty where nothing is built.
    std::pair<std::shared_ptr<const BandList>, std::vector<ByteRange>> BandRanges(Position from, Position to) const;
    RunMetrics Run() const;                       // over everything built
    std::uint64_t MaxLive() const;
    std::uint64_t MaxHeap() const;
    bool HeapKnown() const;                       // wherever something was live
    bool HolesKnown() const;                      // the same; where they are not, fragmentation is 0
    // The first position whose figures may be wrong because events were lost (Gap, EventFlag::Uncertain) before or
    // among what led to it.
    std::optional<Position> UncertainFrom() const;
    // From here on blocks may have no call trace because there was no room for more (log/trace_store.hpp).
    std::optional<Position> TracesFullFrom() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace residue::analysis
