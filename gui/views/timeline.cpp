#include "gui/views/timeline.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/no_events.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"
#include "session/analyst.hpp"
#include "session/scenario.hpp"

namespace residue::gui {
namespace {

// A round number at or above `value`, so that the axis has round labels: 1, 2, 4 or 8 times a power of two for bytes.
std::uint64_t RoundTop(std::uint64_t value) {
    std::uint64_t top = 64;
    while (top < value && top < (1ull << 62)) top *= 2;
    if (top / 4 * 3 >= value && top >= 256) top = top / 4 * 3;
    return top;
}

// 1, 2 or 5 times a power of ten, at least `value`.
double RoundStep(double value) {
    double step = 1;
    while (true) {
        if (step >= value) return step;
        if (step * 2 >= value) return step * 2;
        if (step * 5 >= value) return step * 5;
        step *= 10;
    }
}

// "64 MiB" rather than "64.0 MiB": labels of an axis are round.
std::string AxisLabel(std::uint64_t bytes) {
    if (bytes == 0) return "0";
    if (bytes >= 1024 && bytes < 10240 && bytes % 1024 == 0) return std::to_string(bytes / 1024) + " KiB";
    std::string text = analysis::FormatBytes(bytes);
    if (const std::size_t point = text.find(".0 "); point != std::string::npos) text.erase(point, 2);
    return text;
}

bool Several(const analysis::BandList& list) {
    return list.named.size() + list.others > 1;
}

std::string NameOf(const analysis::BandList& list, std::size_t band) {
    if (band == list.named.size())
        return analysis::FormatCount(list.others) + (list.others == 1 ? " other" : " others");
    const analysis::Band& named = list.named[band];
    const std::string number = std::to_string(named.allocator.value);
    if (named.name.empty()) return "allocator " + number;
    const auto alike = std::count_if(list.named.begin(), list.named.end(),
                                     [&](const analysis::Band& other) { return other.name == named.name; });
    return alike > 1 ? named.name + " (" + number + ")" : named.name;
}

std::size_t CountOf(const analysis::BandList& list) {
    return list.named.size() + (list.others > 0 ? 1 : 0);
}

// What the legend of a stack says when asked.
std::string AboutBands(const analysis::BandList& list) {
    std::string text = "Live bytes by allocator, stacked";
    for (std::size_t band = list.named.size(); band-- > 0;) {
        text += "\n" + NameOf(list, band) + ": at most " + analysis::FormatBytes(list.named[band].peak);
    }
    if (list.others > 0) {
        text += "\n\nThe " + std::to_string(list.named.size()) +
                " allocators with the largest peaks have a band each; " + NameOf(list, list.named.size()) +
                (list.others == 1 ? " has" : " share") + " the topmost.";
    }
    return text + "\n\nMemory that one allocator gave to another is counted once: where it is given out in the end.";
}

}  // namespace

TimelineView::Shade TimelineView::ShadeOf(const ViewContext& context, const analysis::BandList& list,
                                          std::size_t band) const {
    const Theme& theme = *context.theme;
    Shade shade{theme.live, 0, 0};
    if (Several(list) && band == list.named.size()) {
        shade.line = theme.dim;
    } else if (Several(list)) {
        const BlockColour colours(theme, ColourMode::Allocator, context.session->View(), context.session->Now());
        shade.line = colours.OfAllocator(list.named[band].allocator);
        // There are fewer colours than bands: the second band of a colour is paler.
        int before = 0;
        for (std::size_t i = 0; i < band; ++i) {
            before += colours.OfAllocator(list.named[i].allocator) == colours.OfAllocator(list.named[band].allocator);
        }
        if (before > 0) shade.line = Mix(shade.line, theme.text, before == 1 ? 0.45f : 0.7f);
    }
    shade.fill = Mix(theme.panel, shade.line, theme.dark ? 0.42f : 0.5f);
    shade.spike = Mix(theme.panel, shade.line, theme.dark ? 0.24f : 0.28f);
    return shade;
}

std::string TimelineView::Status(ViewContext& context) {
    if (!context.session) return {};
    const std::uint64_t end = context.session->End().value;
    const auto& range = context.selection->range;
    const std::uint64_t from = range ? range->first.value : 0;
    const std::uint64_t to = range ? range->second.value : end;
    std::string text = "events " + analysis::FormatCount(from) + " … " + analysis::FormatCount(to);
    if (range) text += " of " + analysis::FormatCount(end);
    return text;
}

void TimelineView::DrawLegend(ViewContext& context, float left, float right, float centreY) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float half = context.Px(4.5f);
    float x = left;
    if (context.session == nullptr) return;
    const bool known = context.session->Series().HeapKnown();
    const auto widthOf = [&](std::string_view text) {
        return context.Px(16) + TextWidth(fonts.label, text) + context.Px(18);
    };
    const auto entry = [&](int shape, ImU32 colour, std::string_view text) {
        const float width = widthOf(text);
        if (x + width > right) return;
        if (shape == 0) draw->AddRectFilled({x, centreY - half}, {x + 2 * half, centreY + half}, colour, context.Px(1));
        if (shape == 1) draw->AddRectFilled({x, centreY - 1}, {x + 2.4f * half, centreY + context.Px(1)}, colour);
        if (shape == 2)
            draw->AddRectFilled({x + half, centreY - half}, {x + half + context.Px(2), centreY + half}, colour);
        DrawTextIn(draw, fonts.label,
                   {{x + context.Px(15), centreY - context.Px(12)}, {right, centreY + context.Px(12)}}, theme.dim,
                   text);
        x += width;
    };
    static constexpr const char *kHeap = "heap size", *kFragmentation = "external fragmentation", *kErrors = "errors";
    if (list_ && Several(*list_)) {
        // Names as far as they fit before all else; those that do not are counted, and a tooltip has them all.
        const analysis::BandList& list = *list_;
        const std::size_t count = CountOf(list);
        const float behind = widthOf(kErrors) + (known ? widthOf(kHeap) + widthOf(kFragmentation) : 0);
        const float begin = x;
        for (std::size_t band = 0; band < count; ++band) {
            const std::string name = Ellipsized(fonts.label, NameOf(list, band), context.Px(120));
            const std::string more = "+" + std::to_string(count - band) + " more";
            const float after = band + 1 < count ? widthOf("+9 more") : 0;
            if (x + widthOf(name) + after + behind > right) {
                entry(0, theme.dim, more);
                break;
            }
            entry(0, ShadeOf(context, list, band).line, name);
        }
        const Rect all{{begin, centreY - context.Px(12)}, {x - context.Px(12), centreY + context.Px(12)}};
        if (all.Contains(ImGui::GetIO().MousePos) && ImGui::IsWindowHovered()) TooltipNow(context, AboutBands(list));
    } else {
        entry(0, theme.live, "live bytes");
    }
    if (!known && !context.session->MappedOverTime().Steps().empty()) entry(0, theme.heap, "mapped (sampled)");
    if (known) {
        entry(0, theme.heap, kHeap);
        if (context.session->GetLab() == nullptr) entry(1, theme.warn, kFragmentation);
    }
    entry(2, theme.error, kErrors);
}

void TimelineView::Draw(ViewContext& context, ImVec2 size) {
    if (context.session == nullptr) {
        EmptyState(context, size, kIconPlay, "No events yet", "Open a trace (Ctrl+O) to see its memory over time.");
        return;
    }
    session::Session& session = *context.session;
    const std::uint64_t end = session.End().value;
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float left = context.Px(68), axis = context.Px(24);
    const Rect plot{{origin.x + left, origin.y + context.Px(12)},
                    {origin.x + size.x - std::max(keptFree_, context.Px(16)), origin.y + size.y - axis}};
    if (plot.Width() < context.Px(80) || plot.Height() < context.Px(24)) return;
    if (end == 0) {
        const ImVec2 room{plot.max.x - origin.x, size.y};
        if (const auto why = WhyNoEvents(session)) return EmptyState(context, room, kIconPlay, why->title, why->text);
        EmptyState(context, room, kIconPlay, "No calls yet",
                   session.GetSandbox() != nullptr
                       ? "Allocate something in the sandbox: every call becomes a step here."
                   : session.IsLive() ? "They appear here as they are read."
                                      : "This source holds no calls.");
        return;
    }
    Scale scale{0, static_cast<double>(end) + 1, plot.min.x, plot.max.x};
    if (auto& range = context.selection->range) {
        scale.from = static_cast<double>(range->first.value);
        scale.to = static_cast<double>(std::max(range->second.value, range->first.value + 1)) + 1;
    }

    // One column a pixel, or a wider one a position where there are fewer positions than pixels.
    const double span = scale.to - scale.from;
    const std::uint64_t from = static_cast<std::uint64_t>(scale.from);
    const std::uint64_t to = static_cast<std::uint64_t>(scale.to);
    const std::size_t count = std::max<std::size_t>(
        1, std::min(static_cast<std::size_t>(plot.Width()), static_cast<std::size_t>(std::min(span, 1e9))));
    const Asked asked{session.Series().Revision(), from, to, count};
    if (!(asked == asked_)) {
        list_ = session.Series().Columns(Position{from}, Position{to}, count, columns_, bands_);
        asked_ = asked;
    }
    edges_.resize(columns_.size() + 1);
    for (std::size_t i = 0; i < edges_.size(); ++i) {
        const double share = static_cast<double>(i) / static_cast<double>(std::max<std::size_t>(columns_.size(), 1));
        edges_[i] = std::floor(plot.min.x + static_cast<float>(share * static_cast<double>(plot.Width())) + 0.5f);
    }
    const std::uint64_t top =
        RoundTop(std::max<std::uint64_t>(session.Series().HeapKnown() ? session.Series().MaxHeap()
                                                                      : std::max(session.Series().MaxLive(),
                                                                                 session.MappedOverTime().Most()),
                                         1));

    ImDrawList* draw = ImGui::GetWindowDrawList();
    draw->AddRectFilled(plot.min, plot.max, Mix(context.theme->panel, context.theme->window, 0.6f));
    DrawAxes(context, plot, scale, top);
    DrawMapped(context, plot, from, to, top);
    DrawPlot(context, plot, scale, top);
    DrawUncertain(context, plot, scale);
    DrawErrors(context, plot, scale);
    DrawNarrations(context, plot, scale);
    DrawLife(context, plot, scale);
    DrawRange(context, plot, scale);
    DrawPlayhead(context, plot, scale);
    Interact(context, plot, scale, origin.y + size.y);
}

// Behind the live bytes of a recorded program: what was mapped for its heap, as it was seen.
void TimelineView::DrawMapped(ViewContext& context, const Rect& plot, std::uint64_t from, std::uint64_t to,
                              std::uint64_t top) {
    const analysis::MappedSteps& steps = context.session->MappedOverTime();
    if (steps.Steps().empty() || context.session->Series().HeapKnown()) return;
    const double each = static_cast<double>(to - from) / static_cast<double>(columns_.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (!columns_[i].any || edges_[i + 1] <= edges_[i]) continue;
        const auto first = from + static_cast<std::uint64_t>(static_cast<double>(i) * each);
        const auto past = from + static_cast<std::uint64_t>(static_cast<double>(i + 1) * each);
        const std::uint64_t most = steps.Between(Position{first}, Position{std::max(past, first + 1)}).second;
        const double share = std::min(1.0, static_cast<double>(most) / static_cast<double>(top));
        const float y = std::floor(plot.max.y - static_cast<float>(share * static_cast<double>(plot.Height())) + 0.5f);
        ImGui::GetWindowDrawList()->AddRectFilled({edges_[i], y}, {edges_[i + 1], plot.max.y}, context.theme->heap);
    }
}

void TimelineView::DrawPlot(ViewContext& context, const Rect& plot, const Scale&, std::uint64_t top) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const bool known = context.session->Series().HeapKnown();
    const float thin = std::max(1.0f, context.Px(1));
    const auto yOf = [&](std::uint64_t bytes) {
        const double share = std::min(1.0, static_cast<double>(bytes) / static_cast<double>(top));
        return std::floor(plot.max.y - static_cast<float>(share * static_cast<double>(plot.Height())) + 0.5f);
    };
    const auto yOfShare = [&](float share) {
        return std::floor(plot.max.y - thin - std::clamp(share, 0.0f, 1.0f) * (plot.Height() - thin) + 0.5f);
    };
    const bool several = Several(*list_);
    const auto [line, fill, spike] = ShadeOf(context, *list_, 0);
    float lastTop = -1, lastFragmentation = -1;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const analysis::SeriesColumn& column = columns_[i];
        const float x0 = edges_[i], x1 = edges_[i + 1];
        if (!column.any || x1 <= x0) {
            lastTop = lastFragmentation = -1;
            continue;
        }
        if (known) draw->AddRectFilled({x0, yOf(column.heapMax)}, {x1, plot.max.y}, theme.heap);
        if (several) continue;
        const float low = yOf(column.liveMin), high = yOf(column.liveMax);
        if (low > high) draw->AddRectFilled({x0, high}, {x1, low}, spike);
        if (plot.max.y > low) draw->AddRectFilled({x0, low}, {x1, plot.max.y}, fill);
        draw->AddRectFilled({x0, high}, {x1, high + thin}, line);
        if (lastTop >= 0 && lastTop != high) {  // the riser between two steps
            draw->AddRectFilled({x0, std::min(lastTop, high)}, {x0 + thin, std::max(lastTop, high)}, line);
        }
        lastTop = high;
    }
    if (several) DrawStack(context, plot, *list_, yOf);
    if (!context.session->Series().HolesKnown()) return;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const analysis::SeriesColumn& column = columns_[i];
        const float x0 = edges_[i], x1 = edges_[i + 1];
        if (!column.any || x1 <= x0) {
            lastFragmentation = -1;
            continue;
        }
        float high = yOfShare(column.fragmentationMax), low = yOfShare(column.fragmentationMin);
        if (lastFragmentation >= 0) {
            high = std::min(high, lastFragmentation);
            low = std::max(low, lastFragmentation);
        }
        const float level = yOfShare((column.fragmentationMax + column.fragmentationMin) / 2);
        draw->AddRectFilled({x0, level}, {x1, level + thin}, theme.warn);
        if (low > high + thin) {
            draw->AddRectFilled({x0, high}, {x0 + thin, low + thin}, WithAlpha(theme.warn, x1 - x0 < 2 ? 0.65f : 1.0f));
        }
        lastFragmentation = level;
    }
}

// In each column two stacks: solid, of the position where the total is lowest; and above it, pale, what the stack of
// the position with the highest total has more. Heights are those of the bands at just that position, so they add up.
template <class YOf>
void TimelineView::DrawStack(ViewContext& context, const Rect& plot, const analysis::BandList& list, YOf yOf) {
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float thin = std::max(1.0f, context.Px(1));
    const std::size_t count = CountOf(list);
    std::vector<std::uint64_t> low(columns_.size()), high(columns_.size());  // the bytes below the present band
    for (std::size_t band = 0; band < count; ++band) {
        const Shade shade = ShadeOf(context, list, band);
        struct Run {  // neighbours of the same height are one rectangle
            float x0 = 0, x1 = 0, top = 0, bottom = 0;
        } solid, pale;
        float lastTop = -1;
        const auto flush = [&](Run& run, ImU32 fill) {
            if (run.x1 > run.x0 && run.bottom > run.top) {
                draw->AddRectFilled({run.x0, run.top}, {run.x1, run.bottom}, fill);
                draw->AddRectFilled({run.x0, run.top}, {run.x1, std::min(run.top + thin, run.bottom)}, shade.line);
            }
            run = {};
        };
        const auto extend = [&](Run& run, ImU32 fill, float x0, float x1, float top, float bottom) {
            if (run.x1 == x0 && run.top == top && run.bottom == bottom) {
                run.x1 = x1;
                return;
            }
            flush(run, fill);
            run = {x0, x1, top, bottom};
        };
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const float x0 = edges_[i], x1 = edges_[i + 1];
            if (!columns_[i].any || x1 <= x0) {
                lastTop = -1;
                continue;
            }
            const float total = yOf(columns_[i].liveMin);
            const float lowBottom = yOf(low[i]), highBottom = std::min(yOf(high[i]), total);
            low[i] += bands_[i].atMin[band];
            high[i] += bands_[i].atMax[band];
            const float lowTop = yOf(low[i]), highTop = std::min(yOf(high[i]), total);
            extend(solid, shade.fill, x0, x1, lowTop, lowBottom);
            extend(pale, shade.spike, x0, x1, highTop, highBottom);
            // The riser between two steps of the same band.
            const bool shown = lowBottom > lowTop || highBottom > highTop;
            const float top = highBottom > highTop ? highTop : lowTop;
            if (shown && lastTop >= 0 && lastTop != top) {
                const float from = std::min(lastTop, top), to = std::min(std::max(lastTop, top), plot.max.y);
                draw->AddRectFilled({x0, from}, {x0 + thin, to}, shade.line);
            }
            lastTop = shown ? top : -1;
        }
        flush(solid, shade.fill);
        flush(pale, shade.spike);
    }
}

void TimelineView::DrawErrors(ViewContext& context, const Rect& plot, const Scale&) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    std::size_t withErrors = 0;
    for (const auto& column : columns_) withErrors += column.errors > 0 ? 1 : 0;
    const bool many = withErrors > 48;
    const float width = std::max(1.0f, context.Px(many ? 1 : 2));
    float nextMark = plot.min.x;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i].errors == 0) continue;
        const float x = edges_[i];
        const float bottom = many ? plot.min.y + context.Px(14) : plot.max.y;
        draw->AddRectFilled({x, plot.min.y}, {x + width, bottom}, theme.error);
        if (x < nextMark) continue;
        nextMark = x + context.Px(12);  // a cross above, where there is room: not told by colour alone
        const float r = context.Px(2.5f), y = plot.min.y - context.Px(5), centre = x + width / 2;
        draw->AddLine({centre - r, y - r}, {centre + r, y + r}, theme.error, context.Px(1.5f));
        draw->AddLine({centre - r, y + r}, {centre + r, y - r}, theme.error, context.Px(1.5f));
    }
}

void TimelineView::DrawAxes(ViewContext& context, const Rect& plot, const Scale& scale, std::uint64_t top) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float thin = std::max(1.0f, context.Px(1));
    const int steps = plot.Height() > context.Px(90) ? 2 : 1;
    for (int i = 0; i <= steps; ++i) {
        const std::uint64_t bytes = top / static_cast<std::uint64_t>(steps) * static_cast<std::uint64_t>(i);
        const float y = plot.max.y - plot.Height() * static_cast<float>(i) / static_cast<float>(steps);
        draw->AddRectFilled({plot.min.x, std::floor(y)}, {plot.max.x, std::floor(y) + thin},
                            WithAlpha(theme.line, 0.6f));
        DrawTextIn(draw, fonts.monoSmall,
                   {{plot.min.x - context.Px(66), y - context.Px(9)}, {plot.min.x - context.Px(8), y + context.Px(9)}},
                   theme.dim, AxisLabel(bytes), Align::Right);
    }
    const double perLabel =
        (scale.to - scale.from) * static_cast<double>(context.Px(96)) / static_cast<double>(plot.Width());
    const double step = RoundStep(std::max(perLabel, 1.0));
    for (double at = std::ceil(scale.from / step) * step; at < scale.to; at += step) {
        const float x = std::floor(scale.X(at));
        draw->AddRectFilled({x, plot.max.y}, {x + thin, plot.max.y + context.Px(4)}, theme.faint);
        const std::string text = analysis::FormatCount(static_cast<std::uint64_t>(at));
        const float width = TextWidth(fonts.monoSmall, text);
        if (x + width / 2 > plot.max.x + context.Px(8)) continue;
        DrawText(draw, fonts.monoSmall, {x - width / 2, plot.max.y + context.Px(6)}, theme.dim, text);
    }
}

void TimelineView::Interact(ViewContext& context, const Rect& plot, const Scale& scale, float axisBottom) {
    session::Session& session = *context.session;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    ImGui::SetCursorScreenPos({plot.min.x, plot.min.y - context.Px(10)});
    ImGui::InvisibleButton("plot", {plot.Width(), axisBottom - plot.min.y + context.Px(10)});
    const bool hovered = ImGui::IsItemHovered();
    const ImVec2 mouse = ImGui::GetIO().MousePos;
    const std::uint64_t end = session.End().value;
    const auto positionAt = [&](float x) {
        const double at = scale.At(std::clamp(x, plot.min.x, plot.max.x));
        return Position{std::min(end, static_cast<std::uint64_t>(std::max(0.0, at)))};
    };
    const float playhead = scale.X(static_cast<double>(session.Now().value) + 0.5);
    if (ImGui::IsItemActivated()) {
        const bool onPlayhead = std::abs(mouse.x - playhead) < context.Px(6);
        const bool onAxis = mouse.y > plot.max.y || mouse.y < plot.min.y;
        drag_ = ImGui::GetIO().KeyShift ? Drag::Range : onPlayhead || onAxis ? Drag::Playhead : Drag::Brush;
        brushFrom_ = scale.At(mouse.x);
        if (drag_ == Drag::Playhead) session.FollowEnd(false);
    }
    const bool dragged = ImGui::IsMouseDragging(ImGuiMouseButton_Left, context.Px(4));
    if (ImGui::IsItemActive()) {
        if (drag_ == Drag::Playhead) session.SeekTo(positionAt(mouse.x));
        if ((drag_ == Drag::Brush || drag_ == Drag::Range) && dragged) {
            const float a = std::clamp(scale.X(brushFrom_), plot.min.x, plot.max.x);
            const float b = std::clamp(mouse.x, plot.min.x, plot.max.x);
            const Rect brush{{std::min(a, b), plot.min.y}, {std::max(a, b), plot.max.y}};
            draw->AddRectFilled(brush.min, brush.max, WithAlpha(context.theme->accent, 0.18f));
            draw->AddRect(brush.min, brush.max, context.theme->accent);
            Readout(context, positionAt(brush.min.x), positionAt(brush.max.x));
        }
    } else if (drag_ != Drag::None) {
        if (drag_ == Drag::Range) {
            const Position a = positionAt(scale.X(brushFrom_)), b = positionAt(mouse.x);
            if (a != b) session.Analyst().SetRange(std::pair{std::min(a, b), std::max(a, b)});
        } else if (drag_ == Drag::Brush) {
            const Position a = positionAt(scale.X(brushFrom_)), b = positionAt(mouse.x);
            if (std::abs(mouse.x - scale.X(brushFrom_)) >= context.Px(4)) {
                const Position low = std::min(a, b), high = std::max(a, b);
                if (high - low >= 2) context.selection->range = {low, high};
            } else {
                session.FollowEnd(false);
                session.SeekTo(b);
            }
        }
        drag_ = Drag::None;
    }
    if (hovered && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) {
        context.selection->range.reset();
        drag_ = Drag::None;
    }
    if (hovered && !ImGui::IsItemActive()) {
        const Position at = positionAt(mouse.x);
        context.selection->HoverPosition(at);
        const float x = std::floor(std::clamp(mouse.x, plot.min.x, plot.max.x - 1));
        draw->AddRectFilled({x, plot.min.y}, {x + 1, plot.max.y}, WithAlpha(context.theme->text, 0.4f));
        Readout(context, at, at);
        const float wheel = ImGui::GetIO().MouseWheel;
        if (wheel != 0) {
            const double factor = std::pow(0.8, static_cast<double>(wheel));
            const double pivot = scale.At(mouse.x);
            const double from = std::max(0.0, pivot - (pivot - scale.from) * factor);
            const double to = std::min(static_cast<double>(end), pivot + (scale.to - 1 - pivot) * factor);
            if (from <= 0 && to >= static_cast<double>(end))
                context.selection->range.reset();
            else if (to - from >= 8) {
                context.selection->range = {Position{static_cast<std::uint64_t>(from)},
                                            Position{static_cast<std::uint64_t>(to)}};
            }
        }
    }
    if (hovered || drag_ == Drag::Playhead) {
        if (std::abs(mouse.x - playhead) < context.Px(6) || drag_ == Drag::Playhead) {
            ImGui::SetMouseCursor(ImGuiMouseCursor_ResizeEW);
        }
    }
}

void TimelineView::Readout(ViewContext& context, Position from, Position to) const {
    const analysis::Series& series = context.session->Series();
    std::vector<analysis::SeriesColumn> one;
    std::vector<analysis::BandColumn> bands;
    const Position past = to + 1;
    series.Columns(from, past, 1, one, bands);
    if (one.empty() || !one.front().any) return;
    const analysis::SeriesColumn& column = one.front();
    const auto range = [](const std::string& low, const std::string& high) {
        return low == high ? low : low + " … " + high;
    };
    std::string text = from == to
                           ? "event " + analysis::FormatCount(from.value)
                           : "events " + analysis::FormatCount(from.value) + " … " + analysis::FormatCount(to.value);
    text += "\nlive bytes " + range(analysis::FormatBytes(column.liveMin), analysis::FormatBytes(column.liveMax));
    const auto [list, ranges] = series.BandRanges(from, past);
    if (Several(*list) && ranges.size() == list->named.size()) {
        for (std::size_t band = CountOf(*list); band-- > 0;) {  // as they lie on each other
            if (band == list->named.size()) {
                const std::uint64_t bytes = bands.front().atMax[band];
                if (bytes == 0) continue;
                text += "\n    " + NameOf(*list, band) + " " + analysis::FormatBytes(bytes);
                if (from != to) text += " where all are highest";
            } else if (ranges[band].max > 0) {
                text += "\n    " + NameOf(*list, band) + " " +
                        range(analysis::FormatBytes(ranges[band].min), analysis::FormatBytes(ranges[band].max));
            }
        }
    }
    if (series.HeapKnown()) {
        text += "\nheap size " + range(analysis::FormatBytes(column.heapMin), analysis::FormatBytes(column.heapMax));
        if (series.HolesKnown()) {
            const auto share = [](float value) { return analysis::FormatFraction(static_cast<double>(value)); };
            text += "\nexternal fragmentation " + range(share(column.fragmentationMin), share(column.fragmentationMax));
        }
    }
    if (const auto seen = context.session->MappedOverTime().Between(from, past);
        seen.second > 0 && !series.HeapKnown()) {
        text += "\nmapped, as seen " + range(analysis::FormatBytes(seen.first), analysis::FormatBytes(seen.second));
    }
    if (column.errors > 0) {
        text += "\n" + analysis::FormatCount(column.errors) + (column.errors == 1 ? " error" : " errors");
    }
    if (const auto uncertain = series.UncertainFrom(); uncertain && *uncertain <= to) {
        text += "\nUncertain: events were lost from event " + analysis::FormatCount(uncertain->value) + " on.";
    }
    if (drag_ == Drag::None)
        text += "\n\nClick: go there. Drag: zoom. Shift and drag: keep a range. Double click: show all.";
    TooltipNow(context, text);
}

}  // namespace residue::gui
