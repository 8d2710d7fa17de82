// Of the text report: who allocates, and how large blocks are and how long they live.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "cli/report_data.hpp"
#include "cli/report_page.hpp"

namespace residue::cli {
namespace {

using analysis::FormatBytes;
using analysis::FormatCount;

constexpr std::size_t kSitesShown = 5;
constexpr std::size_t kFramesShown = 4;
constexpr double kBarCells = 24;

void TellSites(const char* title, const std::vector<ReportSite>& sites, bool bytes, bool allocations, Page& page) {
    if (sites.empty()) return;
    page.Section(title);
    for (std::size_t i = 0; i < std::min(sites.size(), kSitesShown); ++i) {
        const ReportSite& site = sites[i];
        const char* const unit =
            allocations ? (site.blocks == 1 ? "allocation" : "allocations") : (site.blocks == 1 ? "block" : "blocks");
        const std::string blocks = fmt::format("{} {}", FormatCount(site.blocks), unit);
        page.Line(!bytes ? fmt::format("  {:>12} {}", FormatCount(site.blocks), unit)
                  : !allocations
                      ? fmt::format("  {:>12} in {}", FormatBytes(site.bytes), blocks)
                      : fmt::format("  {:>12} {}, {}", FormatCount(site.blocks), unit, FormatBytes(site.bytes)));
        if (site.trace.empty()) page.Line(page.Dim("      no call trace was recorded"));
        for (std::size_t f = 0; f < std::min(site.trace.size(), kFramesShown); ++f) {
            page.Line(fmt::format("      {} {}", f == 0 ? "at" : "by", Harmless(site.trace[f])));
        }
        if (site.trace.size() > kFramesShown) {
            page.Line(page.Dim(fmt::format("      and {} more frames", site.trace.size() - kFramesShown)));
        }
    }
}

std::string Bar(std::uint64_t value, std::uint64_t most) {
    static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const double cells = most == 0 ? 0 : kBarCells * static_cast<double>(value) / static_cast<double>(most);
    const auto eighths = std::max<std::size_t>(static_cast<std::size_t>(std::lround(cells * 8)), value > 0 ? 1 : 0);
    std::string bar;
    for (std::size_t i = 0; i < eighths / 8; ++i) bar += "█";
    return bar + kEighths[eighths % 8];
}

// Every bin from the first that has any to the last, those between too: gaps are part of the shape.
void TellBins(const char* title, const analysis::Bins& bins, const char* unit, Page& page) {
    const auto any = [](const analysis::Bins::Bin& bin) { return bin.blocks > 0; };
    const auto first = std::find_if(bins.bins.begin(), bins.bins.end(), any);
    if (first == bins.bins.end()) return;
    const auto last = std::find_if(bins.bins.rbegin(), bins.bins.rend(), any).base();
    std::uint64_t most = 0;
    for (const analysis::Bins::Bin& bin : bins.bins) most = std::max(most, bin.blocks);
    page.Section(title);
    for (auto bin = first; bin != last; ++bin) {
        const auto index = static_cast<std::size_t>(bin - bins.bins.begin());
        const std::uint64_t least = analysis::Bins::Least(index), highest = analysis::Bins::Most(index);
        const std::string range =
            least == highest ? FormatCount(least) : fmt::format("{} to {}", FormatCount(least), FormatCount(highest));
        page.Row(fmt::format("{} {}", range, unit), FormatCount(bin->blocks), Bar(bin->blocks, most));
    }
}

}  // namespace

void TellProfile(const ReportProfile& profile, Page& page) {
    if (profile.asked) {
        page.Section(
            fmt::format("Looked at below: calls {} to {}", FormatCount(profile.from), FormatCount(profile.to)));
        if (!profile.hidden.empty()) page.Line("  " + Harmless(profile.hidden));
    }
    if (profile.hasTraces) {
        TellSites("Who has most at the peak", profile.atPeak, true, false, page);
        TellSites("Who allocates most often", profile.allocations, true, true, page);
        TellSites("Who allocates what is freed at once (temporary)", profile.temporary, false, true, page);
    }
    TellBins("How large blocks are", profile.sizes, "B", page);
    TellBins("How long blocks live", profile.lifetimes, "calls", page);
}

}  // namespace residue::cli
