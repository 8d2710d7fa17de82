// The object that DESIGN.md, "Programs", fixes.
#include <nlohmann/json.hpp>

#include "analysis/formula.hpp"
#include "cli/report_data.hpp"

namespace residue::cli {
namespace {

using Json = nlohmann::ordered_json;

// Counts and bytes are whole numbers in JSON too, up to where a double holds them exactly.
Json MetricJson(const analysis::MetricInfo& info, const ReportHeap& heap) {
    const std::optional<double> value = analysis::MetricValue(info, heap.atPeak, heap.run);
    if (!value) return nullptr;
    if (info.unit == analysis::MetricUnit::Fraction) return *value;
    return static_cast<std::uint64_t>(*value);
}

Json SitesJson(const std::vector<ReportSite>& sites, const char* count, bool bytes) {
    Json list = Json::array();
    for (const ReportSite& site : sites) {
        Json object = {{count, site.blocks}};
        if (bytes) object["bytes"] = site.bytes;
        object["trace"] = site.trace;
        list.push_back(std::move(object));
    }
    return list;
}

// Those that have any; `from` and `to` are inclusive.
Json BinsJson(const analysis::Bins& bins) {
    Json list = Json::array();
    for (std::size_t i = 0; i < bins.bins.size(); ++i) {
        const analysis::Bins::Bin& bin = bins.bins[i];
        if (bin.blocks == 0) continue;
        list.push_back({{"from", analysis::Bins::Least(i)},
                        {"to", analysis::Bins::Most(i)},
                        {"blocks", bin.blocks},
                        {"bytes", bin.bytes}});
    }
    return list;
}

Json AllocatorsJson(const std::vector<ReportAllocator>& allocators) {
    Json list = Json::array();
    for (const ReportAllocator& allocator : allocators) {
        list.push_back({{"name", allocator.name},
                        {"parent", allocator.parent.empty() ? Json(nullptr) : Json(allocator.parent)},
                        {"made", allocator.made},
                        {"allocations", allocator.allocations},
                        {"frees", allocator.frees},
                        {"resizes", allocator.resizes},
                        {"failed", allocator.failed},
                        {"bad_frees", allocator.badFrees},
                        {"total_bytes", allocator.totalBytes},
                        {"peak_live_bytes", allocator.peakBytes},
                        {"live_bytes", allocator.liveBytes},
                        {"live_blocks", allocator.liveBlocks}});
    }
    return list;
}

void AddProfile(const std::optional<ReportProfile>& profile, Json& object) {
    if (!profile) {
        for (const char* key : {"sites", "sizes", "lifetimes"}) object[key] = nullptr;
        return;
    }
    object["sites"] = {{"peak", SitesJson(profile->atPeak, "blocks", true)},
                       {"allocations", SitesJson(profile->allocations, "allocations", true)},
                       {"temporary", SitesJson(profile->temporary, "temporary", false)}};
    object["sizes"] = BinsJson(profile->sizes);
    object["lifetimes"] = BinsJson(profile->lifetimes);
    if (!profile->asked) return;
    object["filter"] = {{"text", profile->hidden},
                        {"from", profile->from},
                        {"to", profile->to},
                        {"peak", profile->peak},
                        {"hidden_blocks", profile->hiddenBlocks},
                        {"hidden_bytes", profile->hiddenBytes}};
}

}  // namespace

std::string ReportJson(const Report& report) {
    Json leaks = Json::array();
    for (const ReportLeak& leak : report.leaks) {
        leaks.push_back({{"bytes", leak.bytes}, {"blocks", leak.blocks}, {"trace", leak.trace}});
    }
    Json warnings = Json::array();
    for (const Warning& warning : report.warnings)
        warnings.push_back({{"where", warning.where}, {"text", warning.text}});

    const import::TraceFigures& figures = report.figures;
    Json object = {
        {"file", report.file},
        {"format", report.format},
        {"events", figures.operations},
        {"allocations", figures.allocations},
        {"frees", figures.frees},
        {"resizes", figures.resizes},
        {"failed", report.failed},
        {"bad_frees", figures.badFrees},
        {"live_bytes", figures.liveBytes},
        {"live_blocks", figures.liveBlocks},
        {"peak_live_bytes", figures.peakLiveBytes},
        {"peak_event", figures.peakPosition},
        {"total_bytes", figures.totalBytes},
        {"leaks", std::move(leaks)},
        {"warnings", std::move(warnings)},
        {"provenance", report.provenance},
    };
    if (!report.allocators.empty()) object["allocators"] = AllocatorsJson(report.allocators);
    if (report.suppressedBlocks != 0) {
        object["suppressed"] = {{"bytes", report.suppressedBytes}, {"blocks", report.suppressedBlocks}};
    }
    if (report.heap) {
        Json metrics = Json::object();
        for (const analysis::MetricInfo& info : analysis::MetricTable())
            metrics[info.key] = MetricJson(info, *report.heap);
        object["metrics"] = std::move(metrics);
        if (report.heap->peakMapped != 0) object["peak_mapped_bytes_sampled"] = report.heap->peakMapped;
        if (!report.heap->atPeak.heap) {
            object["reason"] = "what memory the allocator had is not recorded: figures of the whole heap are null";
        } else if (!report.heap->atPeak.holes) {
            object["reason"] = "only payloads are told: what depends on headers and holes is null";
        }
    } else {
        object["metrics"] = nullptr;
        object["reason"] = report.reason;
    }
    AddProfile(report.profile, object);
    return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace residue::cli
