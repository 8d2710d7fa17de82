// What `residue diff` prints.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/format.hpp"
#include "cli/diff_data.hpp"
#include "cli/report_page.hpp"

namespace residue::cli {
namespace {

using analysis::Bins;
using analysis::FormatBytes;
using analysis::FormatCount;
using analysis::SiteMeasure;
using Json = nlohmann::ordered_json;

constexpr std::size_t kSitesShown = 10;
constexpr std::size_t kFramesShown = 6;

// The peak is a moment of its own, and what is compared is what is live there.
SiteMeasure Compared(const DiffReport& report) {
    return report.by == SiteMeasure::PeakBytes ? SiteMeasure::LiveBytes : report.by;
}

std::string Amount(std::uint64_t amount, bool bytes) {
    return bytes ? FormatBytes(amount) : FormatCount(amount);
}

std::string Signed(std::int64_t change, bool bytes) {
    const std::uint64_t size = change < 0 ? 0 - static_cast<std::uint64_t>(change) : static_cast<std::uint64_t>(change);
    return (change > 0 ? "+" : change < 0 ? "−" : "") + Amount(size, bytes);
}

std::int64_t Less(std::uint64_t after, std::uint64_t before) {
    return static_cast<std::int64_t>(after - before);
}

void TellSite(const DiffReport& report, const analysis::SiteDiff& site, bool bytes, Page& page) {
    const SiteMeasure measure = Compared(report);
    const auto before = static_cast<std::uint64_t>(Value(site.before, measure));
    const auto after = static_cast<std::uint64_t>(Value(site.after, measure));
    page.Line(
        fmt::format("  {:>12}   {} → {}", Signed(site.change, bytes), Amount(before, bytes), Amount(after, bytes)));
    const std::vector<std::string> frames = report.diff.FramesOf(site);
    if (frames.empty()) page.Line(page.Dim("      no call trace was recorded"));
    for (std::size_t f = 0; f < std::min(frames.size(), kFramesShown); ++f) {
        page.Line(fmt::format("      {} {}", f == 0 ? "at" : "by", Harmless(frames[f])));
    }
    if (frames.size() > kFramesShown) {
        page.Line(page.Dim(fmt::format("      and {} more frames", frames.size() - kFramesShown)));
    }
}

void TellSites(const DiffReport& report, bool grew, bool bytes, Page& page) {
    std::vector<const analysis::SiteDiff*> sites;
    for (const analysis::SiteDiff& site : report.diff.sites) {
        if ((site.change > 0) == grew) sites.push_back(&site);
    }
    if (!grew) std::reverse(sites.begin(), sites.end());
    if (sites.empty()) return;
    page.Section(grew ? "Where it grew" : "Where it shrank");
    for (std::size_t i = 0; i < std::min(sites.size(), kSitesShown); ++i) TellSite(report, *sites[i], bytes, page);
    if (sites.size() > kSitesShown) {
        page.Line(
            page.Dim(fmt::format("  and {} more places (--json has all)", FormatCount(sites.size() - kSitesShown))));
    }
}

std::string RangeText(std::size_t bin, const char* unit) {
    const std::uint64_t least = Bins::Least(bin), most = Bins::Most(bin);
    return (least == most ? FormatCount(least) : FormatCount(least) + " to " + FormatCount(most)) + " " + unit;
}

void TellBins(const char* title, const Bins& before, const Bins& after, const char* unit, Page& page) {
    bool any = false;
    for (std::size_t i = 0; i < after.bins.size(); ++i) {
        const std::uint64_t x = before.bins[i].blocks, y = after.bins[i].blocks;
        if (x == y) continue;
        if (!any) page.Section(title);
        any = true;
        page.Row(RangeText(i, unit), Signed(Less(y, x), false), FormatCount(x) + " → " + FormatCount(y) + " blocks");
    }
}

std::string MomentText(const DiffMoment& moment) {
    return Harmless(moment.file) + ", after call " + FormatCount(moment.position);
}

const Bins& Sizes(const DiffReport& report, const DiffMoment& moment) {
    return report.live ? moment.profile.liveSizes : moment.profile.allocatedSizes;
}

Json BinsJson(const Bins& before, const Bins& after) {
    Json list = Json::array();
    for (std::size_t i = 0; i < after.bins.size(); ++i) {
        const Bins::Bin &x = before.bins[i], &y = after.bins[i];
        if (x == y) continue;
        list.push_back({{"from", Bins::Least(i)},
                        {"to", Bins::Most(i)},
                        {"before", {{"blocks", x.blocks}, {"bytes", x.bytes}}},
                        {"after", {{"blocks", y.blocks}, {"bytes", y.bytes}}}});
    }
    return list;
}

Json MomentJson(const DiffMoment& moment, SiteMeasure measure) {
    Json object = {{"file", moment.file},
                   {"event", moment.position},
                   {"value", Value(moment.profile.total, measure)},
                   {"live_bytes", moment.profile.total.liveBytes},
                   {"live_blocks", moment.profile.total.liveBlocks}};
    if (!moment.hidden.empty()) {
        object["filter"] = moment.hidden;
        object["hidden_blocks"] = moment.profile.hiddenBlocks;
        object["hidden_bytes"] = moment.profile.hiddenBytes;
    }
    return object;
}

}  // namespace

std::string DiffText(const DiffReport& report, bool coloured) {
    const SiteMeasure measure = Compared(report);
    const bool bytes = InfoOf(measure).bytes;
    Page page(coloured);
    page.Title(MomentText(report.before) + " → " + MomentText(report.after));
    for (const DiffMoment* moment : {&report.before, &report.after}) {
        if (!moment->hidden.empty()) page.Line(Harmless(moment->hidden));
    }
    const auto row = [&](const char* name, std::uint64_t before, std::uint64_t after, bool areBytes) {
        page.Row(name, Signed(Less(after, before), areBytes),
                 Amount(before, areBytes) + " → " + Amount(after, areBytes));
    };
    const analysis::SiteFigures &before = report.diff.before, &after = report.diff.after;
    page.Section("All in all");
    row("live bytes", before.liveBytes, after.liveBytes, true);
    row("live blocks", before.liveBlocks, after.liveBlocks, false);
    row("allocations", before.allocations, after.allocations, false);
    row("allocated bytes", before.allocatedBytes, after.allocatedBytes, true);
    row("temporary allocations", before.temporary, after.temporary, false);
    if (report.diff.sites.empty()) page.Line(fmt::format("\nNo site differs in its {}.", InfoOf(measure).label));
    TellSites(report, true, bytes, page);
    TellSites(report, false, bytes, page);
    TellBins(report.live ? "By size of live blocks" : "By size", Sizes(report, report.before),
             Sizes(report, report.after), "B", page);
    TellBins("By lifetime", report.before.profile.lifetimes, report.after.profile.lifetimes, "calls", page);
    return page.Text();
}

std::string DiffJson(const DiffReport& report) {
    const SiteMeasure measure = Compared(report);
    Json sites = Json::array();
    for (const analysis::SiteDiff& site : report.diff.sites) {
        sites.push_back({{"change", site.change},
                         {"before", Value(site.before, measure)},
                         {"after", Value(site.after, measure)},
                         {"trace", report.diff.FramesOf(site)}});
    }
    const Json object = {{"before", MomentJson(report.before, measure)},
                         {"after", MomentJson(report.after, measure)},
                         {"by", InfoOf(report.by).key},
                         {"change", report.diff.change},
                         {"sites", std::move(sites)},
                         {"unchanged_sites", report.diff.same},
                         {"sizes", BinsJson(Sizes(report, report.before), Sizes(report, report.after))},
                         {"lifetimes", BinsJson(report.before.profile.lifetimes, report.after.profile.lifetimes)}};
    return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace residue::cli
