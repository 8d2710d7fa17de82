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
    if (report.heap) {
        Json metrics = Json::object();
        for (const analysis::MetricInfo& info : analysis::MetricTable())
            metrics[info.key] = MetricJson(info, *report.heap);
        object["metrics"] = std::move(metrics);
        if (!report.heap->atPeak.heap) {
            object["reason"] = "what memory the allocator had is not recorded: figures of the whole heap are null";
        }
    } else {
        object["metrics"] = nullptr;
        object["reason"] = report.reason;
    }
    return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace residue::cli
