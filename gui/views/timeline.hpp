// The timeline: live bytes, stacked by allocator where there are several, over heap size; external fragmentation as a
// line, errors as ticks that survive any zoom, the playhead. Dragging in the plot brushes a range to zoom into, with
// Shift one that flame graph and profile are about; a double click shows all again; a click or a drag along the axis
// moves the playhead; the wheel zooms around the pointer. Cost: one range query a pixel column (analysis/series.hpp),
// at most 5 rectangles a column and 3 a band more; neighbours of the same height share theirs. Never scans the log.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analysis/series.hpp"
#include "gui/view.hpp"
#include "gui/widgets/text.hpp"

namespace residue::gui {

class TimelineView final : public View {
public:
    const char* Title() const override { return "Timeline"; }
    std::string Status(ViewContext& context) override;
    // The legend, at the left of the title bar from `left` on.
    void DrawLegend(ViewContext& context, float left, float right, float centreY);
    float DrawTitleControls(ViewContext& context, float right, float centreY) override;
    void Draw(ViewContext& context, ImVec2 size) override;

    // Pixels at the right that are kept free (the duck's corner).
    void KeepFree(float pixels) { keptFree_ = pixels; }
    // Shows everything.
    void ShowAll(ViewContext& context) { context.selection->range.reset(); }

private:
    struct Scale {  // positions [from, to] over pixels [left, right]
        double from = 0, to = 1;
        float left = 0, right = 1;
        float X(double position) const {
            return left + static_cast<float>((position - from) / (to - from) * static_cast<double>(right - left));
        }
        double At(float x) const {
            return from + (to - from) * static_cast<double>(x - left) / static_cast<double>(right - left);
        }
    };
    struct Shade {  // a band's colours
        ImU32 line = 0, fill = 0, spike = 0;
    };
    Shade ShadeOf(const ViewContext& context, const analysis::BandList& list, std::size_t band) const;
    void DrawMapped(ViewContext& context, const Rect& plot, std::uint64_t from, std::uint64_t to, std::uint64_t top);
    void DrawPlot(ViewContext& context, const Rect& plot, const Scale& scale, std::uint64_t top);
    template <class YOf>
    void DrawStack(ViewContext& context, const Rect& plot, const analysis::BandList& list, YOf yOf);
    void DrawUncertain(ViewContext& context, const Rect& plot, const Scale& scale);
    void DrawErrors(ViewContext& context, const Rect& plot, const Scale& scale);
    void DrawNarrations(ViewContext& context, const Rect& plot, const Scale& scale);
    void DrawLife(ViewContext& context, const Rect& plot, const Scale& scale);
    void DrawAxes(ViewContext& context, const Rect& plot, const Scale& scale, std::uint64_t top);
    void DrawRange(ViewContext& context, const Rect& plot, const Scale& scale);
    void DrawPlayhead(ViewContext& context, const Rect& plot, const Scale& scale);
    void Interact(ViewContext& context, const Rect& plot, const Scale& scale, float axisBottom);
    void Readout(ViewContext& context, Position from, Position to) const;

    enum class Drag { None, Playhead, Brush, Range } drag_ = Drag::None;
    double brushFrom_ = 0;
    float keptFree_ = 0;
    struct Asked {  // what columns_ and bands_ answer
        std::uint64_t revision = 0, from = 0, to = 0;
        std::size_t count = 0;
        friend bool operator==(const Asked&, const Asked&) = default;
    } asked_;
    std::vector<analysis::SeriesColumn> columns_;
    std::vector<analysis::BandColumn> bands_;  // beside columns_
    std::shared_ptr<const analysis::BandList> list_;
    std::vector<float> edges_;  // screen x where each column begins; one more than columns
};

}  // namespace residue::gui
