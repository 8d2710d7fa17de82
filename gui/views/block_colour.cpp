#include "gui/views/block_colour.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/site_name.hpp"

namespace residue::gui {

namespace {

constexpr double kSmallestLog = 3;  // 8 B
constexpr double kLargestLog = 20;  // 1 MiB

// In these panels orange means "in the way" and yellow "selected", so no category of blocks is painted with Okabe and
// Ito's orange or yellow.
ImU32 Unlike(const Theme& theme, std::size_t number) {
    constexpr ImU32 kOrange = IM_COL32(0xE6, 0x9F, 0x00, 0xFF), kYellow = IM_COL32(0xF0, 0xE4, 0x42, 0xFF);
    std::array<ImU32, 7> usable{};
    std::size_t count = 0;
    for (const ImU32 colour : theme.category) {
        if (colour != kOrange && colour != kYellow) usable[count++] = colour;
    }
    return usable[number % std::max<std::size_t>(count, 1)];
}

}  // namespace

BlockColour::BlockColour(const Theme& theme, ColourMode mode, const log::LogView& log, Position now)
    : theme_(theme), mode_(mode), log_(log), now_(now) {}

ImU32 BlockColour::Of(BlockId block) const {
    switch (mode_) {
        case ColourMode::Site: return OfTrace(TraceOf(block));
        case ColourMode::Allocator: return OfAllocator(log_.Birth(block).event.allocator);
        default: return Viridis(Along(block));
    }
}

ImU32 BlockColour::OfTrace(TraceId trace) const {
    return Unlike(theme_, trace.value);
}

ImU32 BlockColour::OfAllocator(AllocatorId allocator) const {
    return Unlike(theme_, allocator.value == 0 ? 0 : allocator.value - 1u);
}

TraceId BlockColour::TraceOf(BlockId block) const {
    return log_.Birth(block).event.trace;
}

float BlockColour::Along(BlockId block) const {
    if (mode_ == ColourMode::Size) {
        const double size = static_cast<double>(std::max<std::uint64_t>(log_.Birth(block).event.size, 1));
        return static_cast<float>((std::log2(size) - kSmallestLog) / (kLargestLog - kSmallestLog));
    }
    const log::BlockLife life = log_.Life(block);
    const std::uint64_t born = log_.PositionOf(life.born).value;
    if (mode_ == ColourMode::Age) {
        // Newest is brightest; logarithmic, so that both the last call and the last million show.
        const double age = now_.value > born ? static_cast<double>(now_.value - born) : 0;
        const double whole = std::log2(2 + static_cast<double>(now_.value));
        return static_cast<float>(1 - std::log2(1 + age) / whole);
    }
    if (life.died.value == log::kNever) return 1;
    const std::uint64_t died = log_.PositionOf(life.died).value;
    const double span = died > born ? static_cast<double>(died - born) : 0;
    const double whole = std::log2(2 + static_cast<double>(log_.Positions().value));
    return static_cast<float>(0.9 * std::log2(1 + span) / whole);
}

ScaleLegend BlockColour::Legend() const {
    switch (mode_) {
        case ColourMode::Size: return {"8 B", "1 MiB"};
        case ColourMode::Age: return {"oldest", "newest"};
        case ColourMode::Lifetime: return {"short-lived", "never freed"};
        default: return {};
    }
}

std::string SiteName(const log::LogView& log, TraceId trace) {
    return analysis::SiteName(log, trace);
}

bool IsWithinAny(const log::LogView& log, TraceId trace, std::span<const TraceId> ancestors) {
    return ancestors.empty() || std::any_of(ancestors.begin(), ancestors.end(), [&](TraceId ancestor) {
               return IsWithin(log, trace, ancestor);
           });
}

bool IsWithin(const log::LogView& log, TraceId trace, TraceId ancestor) {
    // A parent's id is below its child's, so the walk can stop early.
    while (trace.value > ancestor.value) trace = log.ParentTrace(trace);
    return trace == ancestor;
}

}  // namespace residue::gui
