#include "cli/report_data.hpp"

#include <algorithm>

#include "analysis/call_tree.hpp"
#include "analysis/format.hpp"
#include "cli/console.hpp"
#include "cli/log_figures.hpp"
#include "cli/profile_data.hpp"

namespace residue::cli {
namespace {

constexpr std::size_t kChartColumns = 64;
constexpr std::size_t kErrorsTold = 8;
constexpr std::size_t kSitesTold = 20;
constexpr std::uint64_t kRowsAtOnce = 1 << 16;  // between looks at Ctrl-C

// False: Ctrl-C.
bool Settle(session::Session& session) {
    while (!session.Tick(0, kRowsAtOnce)) {
        if (Interrupted().load(std::memory_order_relaxed)) return false;
    }
    return true;
}

std::vector<ReportLeak> Leaks(const log::LogView& log, const model::HeapModel& heap) {
    std::vector<ReportLeak> leaks;
    for (const analysis::Leak& leak : analysis::FindLeaks(log, heap)) {
        leaks.push_back({leak.bytes, leak.blocks, TraceTexts(log, leak.trace)});
    }
    return leaks;
}

// An error that is no failed request of this allocator: named, not explained.
std::string PlainSentence(const events::Event& event) {
    switch (event.kind) {
        case events::EventKind::FreeFailed: {
            const bool twice = event.Error() == MemoryError::DoubleFree;
            std::string sentence = "free of " + analysis::FormatAddress(event.address) +
                                   (twice ? ", which is free already" : ", which is no block") + " (" +
                                   Name(event.Error()) + ").";
            if (!twice && event.address != 0 && event.NearestBlock() != 0) {
                sentence += " The nearest block is at " + analysis::FormatAddress(event.NearestBlock()) + ".";
            }
            return sentence;
        }
        case events::EventKind::AccessFailed:
            return "access of " + analysis::FormatBytes(event.size) + " at " + analysis::FormatAddress(event.address) +
                   (event.error == static_cast<std::uint8_t>(events::AccessError::Dangling) ? ": dangling"
                                                                                            : ": out of bounds");
        case events::EventKind::Gap:
            return analysis::FormatCount(event.Dropped()) + " events were lost here; what follows is uncertain";
        default: return std::string(events::Info(event.kind).text) + ": " + Name(event.Error());
    }
}

// The first errors, each explained where it happened. False: Ctrl-C.
bool TellErrors(session::Session& session, ReportHeap& heap) {
    session.SeekTo(Position{});
    std::uint64_t told = 0;
    while (told < kErrorsTold && session.JumpToError(true)) {
        if (!Settle(session)) return false;
        const std::optional<Row> row = session.PresentRow();
        if (!row) break;
        // Of what led here, the row that is the error: a gap trails the call that is shown.
        const Position before{session.Now().value - 1};
        const events::Event event = session.View().At(session.View().NextError(session.View().RowsAt(before))).event;
        const auto& failure = session.PresentFailure();
        const bool explained = failure && event.kind != events::EventKind::Gap;
        heap.errors.push_back({session.Now().value, explained ? failure->sentence : PlainSentence(event)});
        ++told;
    }
    heap.moreErrors = session.View().ErrorCount() - std::min(session.View().ErrorCount(), told);
    return true;
}

// False: Ctrl-C.
bool MeasureHeap(session::Session& session, ReportHeap& heap) {
    heap.run = session.Series().Run();
    session.JumpToPeak();
    if (!Settle(session)) return false;
    heap.atPeak = session.PresentMetrics();
    session.Series().Columns(Position{}, session.End() + 1, kChartColumns, heap.columns);
    return TellErrors(session, heap);
}

// False: Ctrl-C.
Outcome<bool> DescribeProfile(const log::LogView& log, const ProfileRequest& request,
                              const Outcome<analysis::Profile>& profile, Report& report) {
    if (Interrupted()) return false;
    if (!profile) return Fail(profile.error());
    ReportProfile& told = report.profile.emplace();
    told.from = profile->from.value;
    told.to = profile->to.value;
    told.peak = profile->peak.value;
    told.asked = request.Any();
    told.hidden = HiddenText(request, *profile);
    told.hiddenBlocks = profile->hiddenBlocks;
    told.hiddenBytes = profile->hiddenBytes;
    told.hasTraces = log.Traces() > 0;
    for (const auto& site : TopSites(*profile, analysis::SiteMeasure::PeakBytes, kSitesTold)) {
        told.atPeak.push_back({site.peakBytes, site.peakBlocks, TraceTexts(log, site.trace)});
    }
    for (const auto& site : TopSites(*profile, analysis::SiteMeasure::Allocations, kSitesTold)) {
        told.allocations.push_back({site.allocatedBytes, site.allocations, TraceTexts(log, site.trace)});
    }
    for (const auto& site : TopSites(*profile, analysis::SiteMeasure::Temporary, kSitesTold)) {
        told.temporary.push_back({0, site.temporary, TraceTexts(log, site.trace)});
    }
    told.sizes = profile->allocatedSizes;
    told.lifetimes = profile->lifetimes;
    return true;
}

// What a trace of ids and sizes leaves behind: it has no call traces, so all of it is one entry.
void DescribeTrace(const session::Session& session, Report& report) {
    if (auto reader = import::OpenTrace(session.Path())) report.format = (*reader)->Header().format;
    if (report.figures.liveBlocks > 0) {
        report.leaks.push_back({report.figures.liveBytes, report.figures.liveBlocks, {}});
    }
}

}  // namespace

Outcome<std::optional<Report>> MakeReport(session::Session& session, const ProfileRequest& request) {
    const session::LoadStatus status = session.Status();
    const std::optional<import::TraceFigures> figures = session.Figures();
    if (status.phase == session::Phase::Cancelled) return std::nullopt;
    if (status.phase == session::Phase::Failed && !figures) {
        return Fail(status.failure ? *status.failure : Failure{session.Path(), "cannot be read", ""});
    }
    if (!Settle(session)) return std::nullopt;

    auto profile = ProfileSoon(session, request);
    Report report;
    report.file = session.Path();
    report.warnings = session.Warnings();
    report.provenance = session.View().Source().provenance;
    if (status.phase == session::Phase::Failed) {
        report.provenance = "not replayed";
        report.reason = status.failure ? status.failure->Text() : "the trace could not be replayed";
        if (request.Any()) return Fail(Failure{report.file, "no blocks to look at: " + report.reason, ""});
    } else {
        report.heap.emplace();
    }

    if (figures) {
        report.figures = *figures;
        DescribeTrace(session, report);
        if (report.heap) report.failed = session.Series().Run().failedRequests;
    } else {
        report.format = session.RecordingFormat();
        session.SeekTo(session.End());
        if (!Settle(session)) return std::nullopt;
        const auto counted = CountLog(session.View(), session.Heap(), session.Series().Run(), Interrupted());
        if (!counted) return std::nullopt;
        report.figures = counted->figures;
        report.failed = counted->failed;
        report.leaks = Leaks(session.View(), session.Heap());
        auto allocators = CountAllocators(session.View(), session.Heap(), Interrupted());
        if (!allocators) return std::nullopt;
        report.allocators = std::move(*allocators);
    }
    if (report.figures.overflowed) {
        report.warnings.push_back({report.file, "sums of bytes passed 2^64 and stay at the largest number there is"});
    }
    if (const auto from = session.Series().UncertainFrom()) {
        report.warnings.push_back({report.file, "events were lost: figures from event " +
                                                    analysis::FormatCount(from->value) + " on are uncertain"});
    }
    if (const auto from = session.Series().TracesFullFrom()) {
        report.warnings.push_back({report.file, "there was no room for more call traces: from event " +
                                                    analysis::FormatCount(from->value) + " on some blocks have none"});
    }
    if (!report.heap) return report;
    if (!MeasureHeap(session, *report.heap)) return std::nullopt;
    report.heap->peakMapped = session.MappedOverTime().Most();
    const Outcome<bool> described = DescribeProfile(session.View(), request, profile.get(), report);
    if (!described) return Fail(described.error());
    if (!*described) return std::nullopt;
    return report;
}

}  // namespace residue::cli
