#include "gui/views/analysis_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analysis/format.hpp"

namespace residue::gui {
namespace {

using analysis::FormatCount;
using analysis::SiteMeasure;

constexpr const char* kMinus = "\u2212";

std::uint64_t SizeOf(std::int64_t value) {
    return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

}  // namespace

std::string FormatValue(SiteMeasure measure, std::int64_t value) {
    const std::string sign = value < 0 ? kMinus : "";
    return sign + (analysis::InfoOf(measure).bytes ? analysis::FormatBytes(SizeOf(value)) : FormatCount(SizeOf(value)));
}

std::string FormatExact(SiteMeasure measure, std::int64_t value) {
    const std::string sign = value < 0 ? kMinus : "";
    if (analysis::InfoOf(measure).bytes) return sign + analysis::FormatBytesExact(SizeOf(value));
    return sign + FormatCount(SizeOf(value)) + (SizeOf(value) == 1 ? " allocation" : " allocations");
}

std::string FormatShare(std::int64_t part, std::int64_t whole) {
    if (whole == 0) return {};
    if (part == whole) return "100 %";
    const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    const double size = std::abs(percent);
    const std::string sign = percent < 0 ? kMinus : "";
    if (part == 0) return "0 %";
    if (size < 0.1) return sign + "< 0.1 %";
    char text[32];
    // Never rounded up to all of it.
    if (size < 10 || (size > 99 && size < 100))
        std::snprintf(text, sizeof text, "%.1f %%", size < 100 ? std::min(size, 99.9) : size);
    else
        std::snprintf(text, sizeof text, "%.0f %%", size);
    return sign + text;
}

std::string DescribeAnswer(const session::ProfileAnswer& answer) {
    const analysis::Profile& profile = answer.profile;
    const SiteMeasure measure = answer.flame.measure;
    const std::string from = FormatCount(profile.from.value), to = FormatCount(profile.to.value);
    const std::string label = analysis::InfoOf(measure).label;
    if (!answer.earlierName.empty()) {
        const std::string stretch = profile.from.value > 0 ? " from " + from + " to " + to : " up to " + to;
        return label + stretch + " against all of " + answer.earlierName;
    }
    if (answer.flame.compared) {
        if (measure == SiteMeasure::LiveBytes) return label + " at " + to + " against " + from;
        return label + " from " + from + " to " + to + " against up to " + from;
    }
    switch (measure) {
        case SiteMeasure::LiveBytes: return label + " at " + to;
        case SiteMeasure::PeakBytes: return label + " (at " + FormatCount(profile.peak.value) + ")";
        case SiteMeasure::LeakedBytes: return label + " of what is live at " + to;
        default: return label + " from " + from + " to " + to;
    }
}

std::string DescribeHidden(const analysis::Profile& profile) {
    if (profile.hiddenBlocks == 0) return "hides nothing";
    return "hides " + FormatCount(profile.hiddenBlocks) + (profile.hiddenBlocks == 1 ? " block, " : " blocks, ") +
           analysis::FormatBytes(profile.hiddenBytes);
}

}  // namespace residue::gui
