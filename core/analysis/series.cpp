#include "analysis/series.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "analysis/pyramid.hpp"
#include "analysis/run_counter.hpp"
#include "log/trace_store.hpp"
#include "model/block_order.hpp"
#include "model/payload_model.hpp"

namespace residue::analysis {

namespace {
constexpr std::uint64_t kPublishRows = 4096;

std::uint64_t NextRevision() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}
}  // namespace

struct Series::State {
    // The builder's. `payload` while rows are such that it tells all there is; then `head` alone.
    std::unique_ptr<model::PayloadModel> payload;
    bool needsHeap = false;      // a row came that `payload` is not made for
    model::HeapModel head;
    RunCounter counter;
    Bands bands;
    std::uint64_t position = 0;  // calls done by the rows read
    bool holesMissing = false;   // somewhere something was live, and holes were not known
    bool callBegun = false;      // a row of the next call was read: this position is final
    std::optional<Position> uncertainFrom, tracesFullFrom;

    // Written by the builder, read by anyone up to what is published.
    Pyramid finals;                              // every position that cannot change any more
    log::StableVector<std::uint64_t> errors;     // the position of each, ascending

    // What is published, at once.
    struct Published {
        std::uint64_t revision = NextRevision();
        Pyramid::View samples;   // of the positions that are final
        std::uint64_t finals = 0;
        Sample last;             // of position `finals`
        std::uint64_t errors = 0;
        std::uint64_t maxLive = 0, maxHeap = 0;
        bool heapKnown = false, holesKnown = false;
        RunMetrics run;
        std::optional<Position> uncertainFrom, tracesFullFrom;
        Bands::View bands;
    };
    mutable std::mutex lock;
    Published published;

    Row Applied() const { return payload ? payload->Applied() : head.Applied(); }
    const std::vector<model::AllocatorState>& Allocators() const {
        return payload ? payload->Allocators() : head.Allocators();
    }
    Sample Present() const {
        if (payload) return {payload->Payload(), 0, 0};
        const model::Totals sum = head.Sum();
        Sample sample;
        sample.live = sum.payload;
        if (!sum.heapKnown) return sample;
        sample.heap = sum.heap;
        if (!sum.partsTold) return sample;
        sample.fragmentation = static_cast<float>(ExternalFragmentation(sum.largestHole, sum.free));
        return sample;
    }

    void Settle() {
        if (payload) payload->Settle();
        counter.Settle();
    }

    // Before the model's step: the figures until here are final.
    void TakePresent(const log::LogView& log) {
        const Sample sample = Present();
        if (log.Source().payloadsOnly && sample.live > 0 && !holesMissing) holesMissing = !head.Sum().partsTold;
        finals.Add(sample);
        counter.Take(Position{position}, sample);
        bands.Take(Allocators(), position, sample.live);
        callBegun = true;
    }

    // False: the row needs a heap.
    bool Read(const log::LogView& log) {
        const Row row = Applied();
        const log::LoggedEvent logged = log.At(row);
        const bool ends = logged.event.EndsCall();
        const bool begins = !logged.event.Trails() && !callBegun;
        if (payload) {
            if (!payload->Takes(logged)) return false;
            if (begins) TakePresent(log);
            payload->Apply(log, logged);
        } else {
            if (begins) TakePresent(log);
            head.Apply(log, logged);
        }
        counter.Count(log, row, logged);
        if (ends) {
            ++position;
            callBegun = false;
        }
        // An error inside a call that has not ended yet will show where it ends.
        const std::uint64_t shows = callBegun ? position + 1 : position;
        if (RunCounter::IsError(logged.event)) errors.Push(shows);
        const bool lost = logged.event.kind == events::EventKind::Gap || logged.event.Has(events::EventFlag::Uncertain);
        if (lost && !uncertainFrom) uncertainFrom = Position{shows};
        if (logged.event.kind == events::EventKind::Marker && !tracesFullFrom &&
            log.Text(row) == log::kNoRoomForTraces) {
            tracesFullFrom = Position{shows};
        }
        return true;
    }

    void Publish() {
        // A call that has begun and not ended leaves the position before it the last one; its figures are final, so
        // they are the last of `finals`.
        Published fresh;
        fresh.samples = finals.Snapshot();
        fresh.finals = finals.Size() - (callBegun ? 1 : 0);
        fresh.last = callBegun ? fresh.samples.At(fresh.finals) : Present();
        fresh.errors = errors.Size();
        const model::Totals sum = payload ? model::Totals() : head.Sum();
        fresh.heapKnown = sum.heapKnown && counter.HeapWasKnown();
        fresh.holesKnown = fresh.heapKnown && sum.partsTold && !holesMissing;
        std::optional<std::pair<Position, Sample>> open;
        if (!callBegun) open.emplace(Position{position}, fresh.last);
        fresh.run = counter.Result(open, fresh.heapKnown);
        fresh.maxLive = fresh.run.peakLiveBytes;
        fresh.maxHeap = fresh.run.peakHeap;
        fresh.uncertainFrom = uncertainFrom;
        fresh.tracesFullFrom = tracesFullFrom;
        fresh.bands = bands.Publish(Allocators(), fresh.finals, !callBegun);
        const std::lock_guard guard(lock);
        published = std::move(fresh);
    }

    Published Look() const {
        const std::lock_guard guard(lock);
        return published;
    }

    // Positions [from, to).
    SeriesColumn Column(const Published& seen, std::uint64_t from, std::uint64_t to) const {
        SeriesColumn column;
        to = std::min(to, seen.finals + 1);
        if (from >= to) return column;
        Extremes extremes = seen.samples.Over(from, std::min(to, seen.finals));
        if (to > seen.finals) extremes.Take(seen.last, seen.finals);
        column.any = true;
        column.liveMin = extremes.liveMin;
        column.liveMax = extremes.liveMax;
        column.liveMinAt = Position{extremes.liveMinAt};
        column.liveMaxAt = Position{extremes.liveMaxAt};
        column.heapMin = extremes.heapMin;
        column.heapMax = extremes.heapMax;
        column.fragmentationMin = extremes.fragmentationMin;
        column.fragmentationMax = extremes.fragmentationMax;
        const std::uint64_t count = FirstError(seen, to) - FirstError(seen, from);
        column.errors = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
        return column;
    }

    void Columns(const Published& seen, Position from, Position to, std::size_t count,
                 std::vector<SeriesColumn>& columns) const {
        columns.assign(count, {});
        if (from >= to) return;
        const auto span = static_cast<unsigned __int128>(to - from);
        const auto edge = [&](std::size_t i) { return from.value + static_cast<std::uint64_t>(span * i / count); };
        for (std::size_t i = 0; i < count; ++i) {
            columns[i] = Column(seen, edge(i), std::max(edge(i) + 1, edge(i + 1)));
        }
    }

    // The index of the first error at `position` or later.
    std::uint64_t FirstError(const Published& seen, std::uint64_t position_) const {
        std::uint64_t low = 0, high = seen.errors;
        while (low < high) {
            const std::uint64_t middle = low + (high - low) / 2;
            if (errors[middle] < position_) low = middle + 1;
            else high = middle;
        }
        return low;
    }
};

Series::Series() : state_(std::make_unique<State>()) {}
Series::~Series() = default;

void Series::BeginWithPayload() { state_->payload = std::make_unique<model::PayloadModel>(); }

void Series::Begin(const log::LogView& log, std::shared_ptr<const model::BlockOrder> order) {
    State& s = *state_;
    const Row row = s.Applied();
    s.head = model::HeapModel(std::move(order));
    s.head.Advance(log, row, row.value);
    s.payload.reset();
    s.needsHeap = false;
}

bool Series::Extend(const log::LogView& log, std::uint64_t budget) {
    State& s = *state_;
    const std::uint64_t rows = log.Rows().value;
    for (std::uint64_t done = 0; done < budget && s.Applied().value < rows; ++done) {
        if (!s.Read(log)) {
            s.needsHeap = true;
            break;
        }
        if (done % kPublishRows == kPublishRows - 1) s.Publish();
    }
    s.Publish();
    return s.Applied().value >= rows;
}

void Series::Settle() { state_->Settle(); }
bool Series::NeedsHeap() const { return state_->needsHeap; }
Row Series::Applied() const { return state_->Applied(); }
const model::HeapModel& Series::Head() const { return state_->head; }
Position Series::Built() const { return Position{state_->Look().finals}; }
std::uint64_t Series::Revision() const { return state_->Look().revision; }
RunMetrics Series::Run() const { return state_->Look().run; }
std::uint64_t Series::MaxLive() const { return state_->Look().maxLive; }
std::uint64_t Series::MaxHeap() const { return state_->Look().maxHeap; }
bool Series::HeapKnown() const { return state_->Look().heapKnown; }
bool Series::HolesKnown() const { return state_->Look().holesKnown; }

SeriesColumn Series::At(Position position) const {
    return state_->Column(state_->Look(), position.value, SaturatingAdd(position.value, 1));
}

std::optional<Position> Series::UncertainFrom() const { return state_->Look().uncertainFrom; }
std::optional<Position> Series::TracesFullFrom() const { return state_->Look().tracesFullFrom; }

void Series::Columns(Position from, Position to, std::size_t count, std::vector<SeriesColumn>& columns) const {
    state_->Columns(state_->Look(), from, to, count, columns);
}

std::shared_ptr<const BandList> Series::Columns(Position from, Position to, std::size_t count,
                                                std::vector<SeriesColumn>& columns,
                                                std::vector<BandColumn>& bands) const {
    const State::Published seen = state_->Look();
    state_->Columns(seen, from, to, count, columns);
    bands.assign(count, {});
    const std::size_t named = seen.bands.list->named.size();
    std::array<std::size_t, kMostBands> hints{};
    for (std::size_t i = 0; i < count; ++i) {
        const SeriesColumn& column = columns[i];
        if (!column.any) continue;
        const auto sharesAt = [&](Position at, std::uint64_t live) {
            BandShares shares{};
            shares[named] = live;
            for (std::size_t band = 0; band < named; ++band) {
                shares[band] = seen.bands.At(band, at.value, live, hints[band]);
                shares[named] -= shares[band];
            }
            return shares;
        };
        // In ascending order, for the hints.
        if (column.liveMinAt < column.liveMaxAt) {
            bands[i].atMin = sharesAt(column.liveMinAt, column.liveMin);
            bands[i].atMax = sharesAt(column.liveMaxAt, column.liveMax);
        } else {
            bands[i].atMax = bands[i].atMin = sharesAt(column.liveMaxAt, column.liveMax);
            if (column.liveMinAt != column.liveMaxAt) bands[i].atMin = sharesAt(column.liveMinAt, column.liveMin);
        }
    }
    return seen.bands.list;
}

std::pair<std::shared_ptr<const BandList>, std::vector<ByteRange>> Series::BandRanges(Position from,
                                                                                      Position to) const {
    const State::Published seen = state_->Look();
    const Bands::View& view = seen.bands;
    std::vector<ByteRange> ranges;
    const std::uint64_t end = std::min(to.value, seen.finals + 1);
    for (std::size_t band = 0; band < view.list->named.size() && from.value < end; ++band) {
        ByteRange range;
        const std::uint64_t finals = std::min(end, seen.finals), alone = std::min(finals, view.split);
        if (from.value < alone && band != view.sole) range.Take(0);
        if (from.value < alone && band == view.sole) {
            const Extremes extremes = seen.samples.Over(from.value, alone);
            range.Take({extremes.liveMin, extremes.liveMax});
        }
        const std::uint64_t shared = std::max(from.value, alone);
        if (shared < finals) {
            range.Take(view.steps[band] == nullptr ? ByteRange{0, 0} : view.steps[band]->Over(shared, finals));
        }
        if (end > seen.finals) range.Take(view.last[band]);
        ranges.push_back(range);
    }
    return {view.list, std::move(ranges)};
}

}  // namespace residue::analysis
