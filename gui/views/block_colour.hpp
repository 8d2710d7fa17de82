// The colour of a block in the present colour mode, and the words that say what a colour means.
//
// Cost: a look-up or two in the log a block. Only for as long as the references live (a frame).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "gui/theme.hpp"
#include "log/event_log.hpp"

namespace residue::gui {

struct ScaleLegend {
    std::string low, high;  // at the dark and the light end of viridis
};

class BlockColour {
public:
    BlockColour(const Theme& theme, ColourMode mode, const log::LogView& log, Position now);

    ImU32 Of(BlockId block) const;
    // The category that tells blocks apart in the modes Site and Allocator.
    ImU32 OfTrace(TraceId trace) const;
    ImU32 OfAllocator(AllocatorId allocator) const;
    bool IsScale() const {
        return mode_ == ColourMode::Size || mode_ == ColourMode::Age || mode_ == ColourMode::Lifetime;
    }
    ScaleLegend Legend() const;
    TraceId TraceOf(BlockId block) const;

private:
    float Along(BlockId block) const;  // 0..1 on the scale

    const Theme& theme_;
    ColourMode mode_;
    const log::LogView& log_;
    Position now_;
};

// Who asked for a block (analysis/site_name.hpp); an empty text where there is no trace.
std::string SiteName(const log::LogView& log, TraceId trace);
// Is `ancestor` the trace itself or one of its callers? Every trace is within trace 0.
bool IsWithin(const log::LogView& log, TraceId trace, TraceId ancestor);
// Is it within one of them? Also where there are none.
bool IsWithinAny(const log::LogView& log, TraceId trace, std::span<const TraceId> ancestors);

}  // namespace residue::gui
