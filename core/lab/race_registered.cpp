// A lane of the registry: replayed into a log, of which the figures are taken as `residue report` takes them.
#include <fmt/format.h>

#include "analysis/metrics.hpp"
#include "analysis/series.hpp"
#include "events/lanes.hpp"
#include "lab/payload_pages.hpp"
#include "lab/race_lanes.hpp"
#include "log/pump.hpp"
#include "model/heap_model.hpp"
#include "replay/replay.hpp"

namespace residue::lab {
namespace {

using events::Event;
using events::EventKind;

constexpr std::uint64_t kRowsAtOnce = 1 << 16;  // between looks at `cancelled`

tl::unexpected<Failure> Cancelled() {
    return Fail(Failure{"", "cancelled", ""});
}

// What could not be replayed leaves its failure; the log has what came before.
Outcome<void> ReplayInto(log::EventLog& log, replay::Replay& replay, const LabTrace& trace,
                         const RaceOptions& options) {
    auto reader = import::OpenTrace(trace.path);
    if (!reader) return Fail(reader.error());
    events::Lanes lanes(events::LanesOptions{
        .capacity = 1 << 14, .policy = events::FullPolicy::Block, .stamps = events::StampSource::Steps});
    log::Pump pump(lanes, log);
    static constexpr std::atomic<bool> kNever{false};
    const auto ran = replay.Run(**reader, lanes, options.cancelled != nullptr ? *options.cancelled : kNever, nullptr);
    pump.Stop();
    log.Close();
    if (pump.RanOutOfMemory()) return Fail(OutOfMemory());
    return ran;
}

// Placements, failures and search lengths, which are in the events themselves.
class EventReader {
public:
    EventReader(const LabTrace& trace, RaceLane& lane) : trace_(trace), lane_(lane) {}

    void Read(const log::LogView& log) {
        for (Row row{}; row < log.Rows(); ++row) {
            const Event event = log.At(row).event;
            if (!event.EndsCall()) continue;
            if (lane_.steps.size() == trace_.ops.size()) break;
            lane_.steps.push_back({});
            Take(event);
        }
        lane_.steps.resize(trace_.ops.size());
    }
    // Of allocators that tell it.
    void TellSearches() {
        if (granted_ == 0)
            lane_.searchLength.reason = "no request was granted";
        else
            lane_.searchLength.value = static_cast<double>(probes_) / static_cast<double>(granted_);
    }
    std::uint64_t PageBytes() const { return pages_.Bytes(); }

private:
    void Take(const Event& event) {
        const bool isPlacing = event.kind == EventKind::Allocated || event.kind == EventKind::ResizeEnds;
        const bool isFailed = event.kind == EventKind::AllocateFailed || (isPlacing && event.Failed());
        if (isFailed) return TakeFailure(event);
        if (!isPlacing) return;
        if (event.kind == EventKind::Allocated) {
            ++granted_;
            probes_ += event.Probes();
        }
        pages_.Add(event.address, event.size);
        if (!base_) base_ = event.address;
        if (Asks(Present())) lane_.steps.back().offset = event.address - *base_;
    }

    void TakeFailure(const Event& event) {
        if (lane_.firstFailure) return;
        lane_.firstFailure = RaceFailure{lane_.steps.size(), AskedText(Present()) + ": " + Name(event.Error())};
    }

    const Op& Present() const { return trace_.ops[lane_.steps.size() - 1]; }

    const LabTrace& trace_;
    RaceLane& lane_;
    std::optional<std::uint64_t> base_;
    std::uint64_t granted_ = 0, probes_ = 0;
    PayloadPages pages_;
};

Outcome<analysis::RunMetrics> ReadHeaps(const log::LogView& log, const RaceOptions& options, RaceLane& lane) {
    analysis::Series series;
    while (!series.Extend(log, kRowsAtOnce)) {
        if (IsCancelled(options)) return Cancelled();
    }
    const analysis::RunMetrics run = series.Run();
    if (!series.HeapKnown()) return run;
    for (std::size_t i = 0; i < lane.steps.size(); ++i) lane.steps[i].heap = series.At(Position{i + 1}).heapMax;
    lane.heapPeak.value = run.peakHeap;
    lane.heapEnd.value = series.At(log.Positions()).heapMax;
    return run;
}

Outcome<void> ReadFragmentation(const log::LogView& log, Position peak, const RaceOptions& options, RaceLane& lane) {
    model::HeapModel heap;
    while (!heap.Advance(log, log.RowsAt(peak), kRowsAtOnce)) {
        if (IsCancelled(options)) return Cancelled();
    }
    lane.externalFragmentation.value = analysis::Measure(heap, AllocatorId{}, 0).externalFragmentation;
    return {};
}

Outcome<void> ReadFigures(const log::LogView& log, const LabTrace& trace, bool tellsSearches,
                          const RaceOptions& options, RaceLane& lane) {
    EventReader events(trace, lane);
    events.Read(log);
    if (tellsSearches)
        events.TellSearches();
    else
        lane.searchLength.reason = "it does not tell";
    const auto run = ReadHeaps(log, options, lane);
    if (!run) return Fail(run.error());
    lane.peakLive = run->peakLiveBytes;
    lane.failures = run->failedRequests;
    if (lane.heapPeak.value) {
        lane.utilisation.value = run->peakUtilisation;
        if (!run->peakUtilisation) lane.utilisation.reason = "nothing was placed";
        return ReadFragmentation(log, run->peakPosition, options, lane);
    }
    lane.heapEnd.reason = lane.heapPeak.reason = "its memory is the system's";
    lane.externalFragmentation.reason = "its holes are not known";
    lane.pageBytes = events.PageBytes();
    if (events.PageBytes() == 0)
        lane.utilisation.reason = "nothing was placed";
    else
        lane.utilisation.value = static_cast<double>(lane.peakLive) / static_cast<double>(events.PageBytes());
    return {};
}

}  // namespace

Outcome<void> RunRegistered(const alloc::Registration& entry, const LabTrace& trace, const RaceOptions& options,
                            RaceLane& lane) {
    lane.title = entry.title;
    auto reader = import::OpenTrace(trace.path);
    if (!reader) return Fail(reader.error());
    const auto figures = import::ReadFigures(**reader, options.cancelled);
    if (!figures) return Fail(figures.error());
    auto replay = replay::Replay::Create(*figures, {entry.name, entry.inBuffer ? options.capacity : std::nullopt});
    if (!replay) {
        lane.reason = replay.error().Text();
        return {};
    }
    log::EventLog log;
    if (const auto ran = ReplayInto(log, **replay, trace, options); !ran) return Fail(ran.error());
    if (const auto read = ReadFigures(log.View(), trace, entry.inBuffer, options, lane); !read) {
        return Fail(read.error());
    }
    lane.state = RaceLane::State::Ran;
    if (options.timing) lane.seconds = TimeRegistered(entry, trace, options);
    return {};
}

}  // namespace residue::lab
