// The report as people read it: names on the left, figures right-aligned in one column, what they mean behind them.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/format.hpp"
#include "analysis/formula.hpp"
#include "cli/report_data.hpp"
#include "cli/report_page.hpp"

namespace residue::cli {
namespace {

using analysis::FormatBytes;
using analysis::FormatBytesExact;
using analysis::FormatCount;

constexpr std::size_t kLeaksTold = 10;
constexpr std::size_t kFramesTold = 8;
constexpr std::size_t kWarningsTold = 12;

// The exact figure, where the value shows a rounded one.
std::string Exactly(std::uint64_t bytes) {
    const std::string exact = FormatBytesExact(bytes);
    return exact == FormatBytes(bytes) ? "" : exact;
}

std::string Join(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) return std::string(a.empty() ? b : a);
    return fmt::format("{}, {}", a, b);
}

void TellTrace(const Report& report, Page& page) {
    const import::TraceFigures& figures = report.figures;
    page.Section("The whole run");
    page.Row("calls", FormatCount(figures.operations));
    page.Row("allocations", FormatCount(figures.allocations),
             fmt::format("{} asked for, the largest request {}", FormatBytes(figures.totalBytes),
                         FormatBytes(figures.largestRequest)));
    page.Row("frees", FormatCount(figures.frees));
    page.Row("resizes", FormatCount(figures.resizes));
    page.Row("failed requests", report.heap ? FormatCount(report.failed) : "not known");
    page.Row("bad frees", FormatCount(figures.badFrees));
    page.Row("peak live bytes", FormatBytes(figures.peakLiveBytes),
             Join(Exactly(figures.peakLiveBytes), fmt::format("after call {}", FormatCount(figures.peakPosition))));
    page.Row("live at the end", FormatBytes(figures.liveBytes),
             Join(Exactly(figures.liveBytes), fmt::format("{} blocks", FormatCount(figures.liveBlocks))));
}

// One character a column, eighths of the highest value; the maximum of each column, so that no spike is lost.
std::string Chart(const std::vector<analysis::SeriesColumn>& columns, std::uint64_t analysis::SeriesColumn::*value,
                  std::uint64_t highest) {
    static constexpr const char* kBars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    std::string chart;
    for (const analysis::SeriesColumn& column : columns) {
        const double share = highest == 0 ? 0 : static_cast<double>(column.*value) / static_cast<double>(highest);
        const auto eighths = static_cast<std::size_t>(std::clamp(share * 8 + 0.999, 0.0, 8.0));
        chart += kBars[column.any ? eighths : 0];
    }
    return chart;
}

void TellChart(const ReportHeap& heap, Page& page) {
    if (heap.columns.empty() || heap.run.peakLiveBytes == 0) return;
    const std::uint64_t highest = std::max(heap.run.peakHeap, heap.run.peakLiveBytes);
    page.Section("Over time");
    page.Line("  live  " + Chart(heap.columns, &analysis::SeriesColumn::liveMax, highest) + "  " +
              FormatBytes(heap.run.peakLiveBytes));
    if (heap.run.peakHeap > 0) {
        page.Line("  heap  " + Chart(heap.columns, &analysis::SeriesColumn::heapMax, highest) + "  " +
                  FormatBytes(heap.run.peakHeap));
    }
}

// METRICS.md's name: "external fragmentation".
std::string FullName(const analysis::MetricInfo& info) {
    std::string name = info.key;
    std::replace(name.begin(), name.end(), '_', ' ');
    return name;
}

void TellMetrics(const ReportHeap& heap, bool ofRun, Page& page) {
    static constexpr std::string_view kToldBefore[] = {"peak_live_bytes", "peak_event", "failed_requests", "bad_frees"};
    for (const analysis::MetricInfo& info : analysis::MetricTable()) {
        if (info.ofRun != ofRun) continue;
        if (std::find(std::begin(kToldBefore), std::end(kToldBefore), info.key) != std::end(kToldBefore)) continue;
        const std::optional<double> value = analysis::MetricValue(info, heap.atPeak, heap.run);
        std::string note;
        if (value && info.formulaWithNumbers != nullptr) {
            note = analysis::FormulaWithNumbers(info.key, heap.atPeak, heap.run);
        } else if (value && info.unit == analysis::MetricUnit::Bytes) {
            note = Exactly(static_cast<std::uint64_t>(*value));
        }
        page.Row(FullName(info), analysis::FormatMetric(info, heap.atPeak, heap.run), note);
    }
}

void TellErrors(const ReportHeap& heap, Page& page) {
    if (heap.errors.empty()) return;
    page.Section("What went wrong");
    for (const ReportError& error : heap.errors) {
        page.Line(fmt::format("  call {:<9} {}", FormatCount(error.position), Harmless(error.sentence)));
    }
    if (heap.moreErrors > 0) page.Line(page.Dim(fmt::format("  and {} more", FormatCount(heap.moreErrors))));
}

void TellLeaks(const Report& report, Page& page) {
    if (report.leaks.empty() && report.suppressedBlocks == 0) return;
    page.Section("Never freed");
    if (report.suppressedBlocks != 0) {
        page.Line(page.Dim(fmt::format("  {} in {} {} suppressed", FormatBytes(report.suppressedBytes),
                                       FormatCount(report.suppressedBlocks),
                                       report.suppressedBlocks == 1 ? "block is" : "blocks are")));
    }
    for (std::size_t i = 0; i < std::min(report.leaks.size(), kLeaksTold); ++i) {
        const ReportLeak& leak = report.leaks[i];
        const char* unit = leak.blocks == 1 ? "block" : "blocks";
        page.Line(fmt::format("  {:>12} in {} {}{}", FormatBytes(leak.bytes), FormatCount(leak.blocks), unit,
                              leak.trace.empty() ? page.Dim("   no call trace was recorded") : ""));
        for (std::size_t f = 0; f < std::min(leak.trace.size(), kFramesTold); ++f) {
            page.Line(fmt::format("      {} {}", f == 0 ? "at" : "by", Harmless(leak.trace[f])));
        }
        if (leak.trace.size() > kFramesTold) {
            page.Line(page.Dim(fmt::format("      and {} more frames", leak.trace.size() - kFramesTold)));
        }
    }
    if (report.leaks.size() > kLeaksTold) {
        page.Line(page.Dim(fmt::format("  and {} more places", FormatCount(report.leaks.size() - kLeaksTold))));
    }
}

void TellWarnings(const Report& report, Page& page) {
    if (report.warnings.empty()) return;
    page.Section("Warnings");
    for (std::size_t i = 0; i < std::min(report.warnings.size(), kWarningsTold); ++i) {
        page.Line(fmt::format("  {}: {}", Harmless(report.warnings[i].where), Harmless(report.warnings[i].text)));
    }
    if (report.warnings.size() > kWarningsTold) {
        page.Line(page.Dim(
            fmt::format("  and {} more (--json has all)", FormatCount(report.warnings.size() - kWarningsTold))));
    }
}

}  // namespace

std::string ReportText(const Report& report, bool coloured) {
    Page page(coloured);
    page.Title(Harmless(report.file));
    page.Line(Harmless(report.format + (report.provenance.empty() ? "" : " · " + report.provenance)));
    TellTrace(report, page);
    if (report.heap && report.heap->peakMapped != 0) {
        page.Row("peak mapped", "~ " + FormatBytes(report.heap->peakMapped), "for its heap, as seen now and then");
    }
    TellAllocators(report.allocators, page);
    if (report.heap) {
        TellChart(*report.heap, page);
        page.Section("The heap over the whole run");
        TellMetrics(*report.heap, true, page);
        page.Section(
            fmt::format("The heap at the peak, after call {}", FormatCount(report.heap->run.peakPosition.value)));
        TellMetrics(*report.heap, false, page);
        if (!report.heap->atPeak.heap) {
            page.Line(page.Dim("  What is not known depends on what memory the allocator had, which is not recorded."));
        } else if (!report.heap->atPeak.holes) {
            page.Line(page.Dim("  What is not known depends on headers and holes: the allocator told only payloads."));
        }
        TellErrors(*report.heap, page);
    } else {
        page.Section("No heap figures");
        page.Line("  " + Harmless(report.reason));
    }
    if (report.profile) TellProfile(*report.profile, page);
    TellLeaks(report, page);
    TellWarnings(report, page);
    return page.Text();
}

}  // namespace residue::cli
