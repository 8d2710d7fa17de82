#include "analysis/series.hpp"

#include <algorithm>
#include <mutex>

#include "analysis/pyramid.hpp"
#include "analysis/run_counter.hpp"

namespace residue::analysis {

namespace {
constexpr std::uint64_t kPublishRows = 4096;
}

struct Series::State {
    // The builder's.
    model::HeapModel head;
    RunCounter counter;
    std::uint64_t position = 0;  // calls done by the rows read
    bool callBegun = false;      // a row of the next call was read: this position is final

    // Written by the builder, read by anyone up to what is published.
    Pyramid finals;                              // every position that cannot change any more
    log::StableVector<std::uint64_t> errors;     // the position of each, ascending

    // What is published, at once.
    struct Published {
        std::uint64_t finals = 0;
        Sample last;             // of position `finals`
        std::uint64_t errors = 0;
        std::uint64_t maxLive = 0, maxHeap = 0;
        bool heapKnown = false;
        RunMetrics run;
    };
    mutable std::mutex lock;
    Published published;

    Sample Present() const {
        const model::Totals sum = head.Sum();
        Sample sample;
        sample.live = sum.payload;
        if (!sum.heapKnown) return sample;
        sample.heap = sum.heap;
        sample.fragmentation = static_cast<float>(ExternalFragmentation(sum.largestHole, sum.free));
        return sample;
    }

    void Read(const log::LogView& log) {
        const Row row = head.Applied();
        const log::LoggedEvent logged = log.At(row);
        const bool ends = logged.event.EndsCall();
        const bool trails = !ends && events::Info(logged.event.kind).role == events::Role::Trails;
        if (!trails && !callBegun) {
            const Sample sample = Present();
            finals.Add(sample);
            counter.Take(Position{position}, sample);
            callBegun = true;
        }
        head.Apply(log, logged);
        counter.Count(log, row, logged);
        if (ends) {
            ++position;
            callBegun = false;
        }
        // An error inside a call that has not ended yet will show where it ends.
        if (RunCounter::IsError(logged.event)) errors.Push(callBegun ? position + 1 : position);
    }

    void Publish() {
        // A call that has begun and not ended leaves the position before it the last one; its figures are final, so
        // they are the last of `finals`.
        Published fresh;
        fresh.finals = finals.Size() - (callBegun ? 1 : 0);
        fresh.last = callBegun ? finals.At(fresh.finals) : Present();
        fresh.errors = errors.Size();
        fresh.heapKnown = head.Sum().heapKnown;
        std::optional<std::pair<Position, Sample>> open;
        if (!callBegun) open.emplace(Position{position}, fresh.last);
        fresh.run = counter.Result(open, fresh.heapKnown);
        fresh.maxLive = fresh.run.peakLiveBytes;
        fresh.maxHeap = fresh.run.peakHeap;
        const std::lock_guard guard(lock);
        published = fresh;
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
        Extremes extremes = finals.Over(from, std::min(to, seen.finals));
        if (to > seen.finals) extremes.Take(seen.last);
        column.any = true;
        column.liveMin = extremes.liveMin;
        column.liveMax = extremes.liveMax;
        column.heapMin = extremes.heapMin;
        column.heapMax = extremes.heapMax;
        column.fragmentationMin = extremes.fragmentationMin;
        column.fragmentationMax = extremes.fragmentationMax;
        const std::uint64_t count = FirstError(seen, to) - FirstError(seen, from);
        column.errors = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
        return column;
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

bool Series::Extend(const log::LogView& log, std::uint64_t budget) {
    State& s = *state_;
    const std::uint64_t rows = log.Rows().value;
    for (std::uint64_t done = 0; done < budget && s.head.Applied().value < rows; ++done) {
        s.Read(log);
        if (done % kPublishRows == kPublishRows - 1) s.Publish();
    }
    s.Publish();
    return s.head.Applied().value >= rows;
}

const model::HeapModel& Series::Head() const { return state_->head; }
Position Series::Built() const { return Position{state_->Look().finals}; }
RunMetrics Series::Run() const { return state_->Look().run; }
std::uint64_t Series::MaxLive() const { return state_->Look().maxLive; }
std::uint64_t Series::MaxHeap() const { return state_->Look().maxHeap; }
bool Series::HeapKnown() const { return state_->Look().heapKnown; }

SeriesColumn Series::At(Position position) const {
    return state_->Column(state_->Look(), position.value, SaturatingAdd(position.value, 1));
}

void Series::Columns(Position from, Position to, std::size_t count, std::vector<SeriesColumn>& columns) const {
    columns.assign(count, {});
    if (from >= to) return;
    const State::Published seen = state_->Look();
    const auto span = static_cast<unsigned __int128>(to - from);
    const auto edge = [&](std::size_t i) { return from.value + static_cast<std::uint64_t>(span * i / count); };
    for (std::size_t i = 0; i < count; ++i) {
        columns[i] = state_->Column(seen, edge(i), std::max(edge(i) + 1, edge(i + 1)));
    }
}

}  // namespace residue::analysis
