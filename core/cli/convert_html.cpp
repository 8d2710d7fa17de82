// The report as an HTML page: what report_data knows, put in order for export/html_report.hpp.
#include <algorithm>

#include "analysis/flame.hpp"
#include "analysis/format.hpp"
#include "analysis/formula.hpp"
#include "cli/console.hpp"
#include "cli/convert_formats.hpp"
#include "cli/profile_data.hpp"
#include "cli/report_data.hpp"
#include "export/html_report.hpp"

namespace residue::cli {
namespace {

using analysis::Bins;
using analysis::FormatBytes;
using analysis::FormatCount;

constexpr std::size_t kColumns = 500;
constexpr std::size_t kSitesShown = 12;

std::string Counted(std::uint64_t count, const char* one, const char* many) {
    return FormatCount(count) + " " + (count == 1 ? one : many);
}

exports::HtmlFigures RunFigures(const Report& report) {
    const import::TraceFigures& figures = report.figures;
    return {"The whole run",
            {{"calls", FormatCount(figures.operations), ""},
             {"allocations", FormatCount(figures.allocations), FormatBytes(figures.totalBytes) + " asked for"},
             {"frees", FormatCount(figures.frees), ""},
             {"resizes", FormatCount(figures.resizes), ""},
             {"failed requests", FormatCount(report.failed), ""},
             {"bad frees", FormatCount(figures.badFrees), ""},
             {"peak live bytes", FormatBytes(figures.peakLiveBytes), "after call " + FormatCount(figures.peakPosition)},
             {"live at the end", FormatBytes(figures.liveBytes), Counted(figures.liveBlocks, "block", "blocks")}}};
}

exports::HtmlFigures MetricFigures(const ReportHeap& heap, bool ofRun, std::string title) {
    exports::HtmlFigures figures{std::move(title), {}};
    for (const analysis::MetricInfo& info : analysis::MetricTable()) {
        if (info.ofRun != ofRun || !analysis::MetricValue(info, heap.atPeak, heap.run)) continue;
        std::string name = info.key;
        std::replace(name.begin(), name.end(), '_', ' ');
        figures.rows.push_back({std::move(name), analysis::FormatMetric(info, heap.atPeak, heap.run), info.formula});
    }
    return figures;
}

enum class SiteText { Bytes, Allocations, Temporary };

std::string TextOf(const ReportSite& site, SiteText text) {
    if (text == SiteText::Bytes) return FormatBytes(site.bytes) + " in " + Counted(site.blocks, "block", "blocks");
    const std::string count = Counted(site.blocks, "allocation", "allocations");
    return text == SiteText::Temporary ? count : count + ", " + FormatBytes(site.bytes);
}

exports::HtmlSites Sites(std::string title, const std::vector<ReportSite>& sites, SiteText text) {
    exports::HtmlSites told{std::move(title), {}, 0};
    const auto value = [&](const ReportSite& site) {
        return static_cast<double>(text == SiteText::Bytes ? site.bytes : site.blocks);
    };
    for (std::size_t i = 0; i < std::min(sites.size(), kSitesShown); ++i) {
        const double most = std::max(value(sites[0]), 1.0);
        told.sites.push_back({TextOf(sites[i], text), value(sites[i]) / most, sites[i].trace});
    }
    return told;
}

exports::HtmlSites Leaks(const Report& report) {
    std::vector<ReportSite> sites;
    for (const ReportLeak& leak : report.leaks) sites.push_back({leak.bytes, leak.blocks, leak.trace});
    exports::HtmlSites told = Sites("Never freed", sites, SiteText::Bytes);
    told.more = sites.size() - told.sites.size();
    return told;
}

exports::HtmlHistogram Histogram(std::string title, const Bins& bins, const char* unit) {
    exports::HtmlHistogram told{std::move(title), {}};
    const auto any = [](const Bins::Bin& bin) { return bin.blocks > 0; };
    const auto first = std::find_if(bins.bins.begin(), bins.bins.end(), any);
    const auto last = std::find_if(bins.bins.rbegin(), bins.bins.rend(), any).base();
    std::uint64_t most = 1;
    for (const Bins::Bin& bin : bins.bins) most = std::max(most, bin.blocks);
    for (auto bin = first; bin < last; ++bin) {
        const auto index = static_cast<std::size_t>(bin - bins.bins.begin());
        std::string range = FormatCount(Bins::Least(index));
        if (Bins::Most(index) != Bins::Least(index)) range += " to " + FormatCount(Bins::Most(index));
        told.bars.push_back({range + " " + unit, FormatCount(bin->blocks),
                             static_cast<double>(bin->blocks) / static_cast<double>(most)});
    }
    return told;
}

exports::HtmlTimeline Timeline(const session::Session& session, const ReportHeap& heap) {
    exports::HtmlTimeline timeline;
    timeline.positions = session.End().value;
    const std::size_t columns = std::min<std::uint64_t>(kColumns, timeline.positions + 1);
    session.Series().Columns(Position{}, session.End() + 1, columns, timeline.columns);
    timeline.heapKnown = session.Series().HeapKnown();
    timeline.most = std::max(heap.run.peakLiveBytes, timeline.heapKnown ? heap.run.peakHeap : 0);
    timeline.peakAt = heap.run.peakPosition.value;
    return timeline;
}

exports::HtmlFlame Flame(const log::LogView& log, const analysis::Profile& profile, analysis::SiteMeasure measure,
                         std::string title) {
    analysis::FlameBuilder builder(analysis::Direction::TopDown);
    builder.Add(log, profile, measure);
    return {std::move(title), builder.Finish()};
}

exports::HtmlReport PageOf(const session::Session& session, const Report& report) {
    exports::HtmlReport page;
    page.title = report.file;
    page.subtitle = report.format + (report.provenance.empty() ? "" : " · " + report.provenance);
    const ReportProfile& profile = *report.profile;
    if (profile.asked) {
        page.notes.push_back("Call traces, sizes and lifetimes are of calls " + FormatCount(profile.from) + " to " +
                             FormatCount(profile.to) + ".");
    }
    if (!profile.hidden.empty()) page.notes.push_back(profile.hidden);
    page.timeline = Timeline(session, *report.heap);
    page.figures.push_back(RunFigures(report));
    page.figures.push_back(MetricFigures(
        *report.heap, false, "The heap at the peak, after call " + FormatCount(report.heap->run.peakPosition.value)));
    page.figures.push_back(MetricFigures(*report.heap, true, "The heap over the whole run"));
    page.errors.title = "What went wrong";
    for (const ReportError& error : report.heap->errors) {
        page.errors.rows.push_back({"call " + FormatCount(error.position), "", error.sentence});
    }
    if (report.heap->moreErrors > 0)
        page.errors.rows.push_back({"and " + FormatCount(report.heap->moreErrors) + " more", "", ""});
    page.sites.push_back(Leaks(report));
    if (profile.hasTraces) {
        page.sites.push_back(Sites("Who has most at the peak", profile.atPeak, SiteText::Bytes));
        page.sites.push_back(Sites("Who allocates most often", profile.allocations, SiteText::Allocations));
        page.sites.push_back(
            Sites("Whose blocks are freed at once (temporary)", profile.temporary, SiteText::Temporary));
    }
    page.histograms.push_back(Histogram("How large blocks are", profile.sizes, "B"));
    page.histograms.push_back(Histogram("How long blocks live", profile.lifetimes, "calls"));
    page.warnings.title = "Warnings";
    for (const Warning& warning : report.warnings) page.warnings.rows.push_back({warning.where, "", warning.text});
    return page;
}

}  // namespace

Outcome<void> WriteHtml(ConvertWork& work) {
    const Outcome<std::optional<Report>> report = MakeReport(work.session, work.request.profile);
    if (!report) return Fail(report.error());
    if (!*report) return Fail(Failure{"", "cancelled", ""});
    exports::HtmlReport page = PageOf(work.session, **report);
    work.hidden = (**report).profile->hidden;
    if ((**report).profile->hasTraces) {
        const Outcome<analysis::Profile> profile = ProfileOf(work.session, work.request.profile, work.extras.progress);
        if (!profile) return Fail(profile.error());
        const log::LogView& log = work.session.View();
        page.flames.push_back(
            Flame(log, *profile, analysis::SiteMeasure::PeakBytes,
                  "Call traces of what is live at the peak, after call " + FormatCount(profile->peak.value)));
        page.flames.push_back(Flame(log, *profile, analysis::SiteMeasure::Allocations, "Call traces by allocations"));
    }
    return exports::WriteHtmlReport(page, work.request.out, work.extras);
}

}  // namespace residue::cli
