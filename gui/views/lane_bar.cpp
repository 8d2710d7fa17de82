#include "gui/views/lane_bar.hpp"

#include <algorithm>
#include <vector>

#include "alloc/registry.hpp"
#include "analysis/format.hpp"
#include "base/parse_size.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/flow.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

constexpr float kTitle = 24;  // unscaled

std::string JumpText(const char* what, const std::optional<Position>& position) {
    return position ? std::string(what) + " " + analysis::FormatCount(position->value) : std::string(what) + " –";
}

}  // namespace

void LaneBar::DrawJumps(ViewContext& context, session::Lanes& lanes, Flow& flow) {
    if (lanes.Count() == 0) return;
    const auto reply = lanes.Compare(*context.session);
    const session::LanesCompared found = reply.value && reply.fresh ? *reply.value : session::LanesCompared{};
    const auto jump = [&](const char* id, const std::string& text, const std::optional<Position>& to,
                          const std::string& tip) {
        flow.Place(TextWidth(context.fonts->label, text) + context.Px(20));
        if (Button(context, id, text, ButtonKind::Plain, 0, to.has_value()) && to) {
            context.session->Play(false);
            context.session->SeekTo(*to);
        }
        Tooltip(context, reply.fresh ? tip : "Being looked for");
    };
    jump("##divergence", JumpText("divergence", found.divergence), found.divergence,
         "The first event after which two lanes differ: their blocks lie at other places, or one was refused");
    jump("##failure", JumpText("failure", found.failure), found.failure, "The first refused request of any lane");
    jump("##gap", JumpText("widest gap", found.widest), found.widest,
         "Where the heaps differ most: by " + analysis::FormatBytesExact(found.gap));
}

float LaneBar::Draw(ViewContext& context, session::Lanes& lanes, float width) {
    if (!open_ || !context.Ready()) return 0;
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    ImGui::PushID("lanes");
    Flow flow(context, width);
    std::vector<std::string> names;
    for (const alloc::Registration& entry : alloc::Registry()) names.emplace_back(entry.name);
    flow.Place(context.Px(120));
    Choice(context, "##allocator", names, allocator_, context.Px(120));
    Tooltip(context, alloc::Registry()[static_cast<std::size_t>(allocator_)].rule);
    flow.Place(context.Px(64));
    TextField(context, "##capacity", capacity_, "auto", context.Px(64), true);
    Tooltip(context, "Bytes that it has, such as 64K; auto: its heap grows as needed");
    const bool room = lanes.Count() < session::Lanes::kMost;
    const auto add = [&](bool fork) {
        std::optional<std::uint64_t> capacity;
        if (!capacity_.empty() && capacity_ != "auto") {
            capacity = ParseBytes(capacity_);
            if (!capacity || *capacity == 0) {
                note_ = "\"" + capacity_ + "\" is no number of bytes: 4096, 64K, 10M, or auto";
                return;
            }
        }
        note_.clear();
        context.commands->AddLane(names[static_cast<std::size_t>(allocator_)], capacity, fork);
    };
    flow.Place(context.Px(70));
    if (Button(context, "##race", "Race it", ButtonKind::Plain, context.Px(70), room)) add(false);
    Tooltip(context, "The whole trace through this allocator, beside the present one");
    const std::string fork = "Fork at " + analysis::FormatCount(context.session->Now().value);
    const float forkWidth = TextWidth(context.fonts->label, fork) + context.Px(20);
    flow.Place(forkWidth);
    const bool inside = context.session->Now() < context.session->End();
    if (Button(context, "##fork", fork, ButtonKind::Plain, forkWidth, room && inside)) add(true);
    Tooltip(context,
            inside ? "The same until here, and from here on this allocator: between fixed buffers the heap stays as it "
                     "is, else what is live is placed afresh"
                   : "After the last event nothing is left to go on with: step back first");
    DrawJumps(context, lanes, flow);
    flow.Place(context.Px(30));
    if (IconButton(context, "##close", kIconError, ButtonKind::Ghost)) open_ = false;
    Tooltip(context, "Close; lanes stay", "Esc");
    flow.End();
    float height = flow.Height();
    if (!note_.empty()) {
        const float line = context.Px(18), pad = context.Px(kPad), y = origin.y + height - context.Px(4);
        DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->labelSmall,
                   {{origin.x + pad, y}, {origin.x + width - pad, y + line}}, context.theme->error, note_);
        height += line;
    }
    ImGui::SetCursorScreenPos(origin);
    ImGui::Dummy({width, height});
    ImGui::PopID();
    return height;
}

float DrawBoundTitle(ViewContext& context, const Rect& rect) {
    const Theme& theme = *context.theme;
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const float height = context.Px(kTitle), pad = context.Px(kPad);
    const Rect bar{rect.min, {rect.max.x, rect.min.y + height}};
    draw->AddRectFilled(bar.min, bar.max, theme.raised);
    std::vector<analysis::SeriesColumn> columns;
    context.session->Series().Columns(Position{0}, context.session->Now() + 1, 1, columns);
    const std::string heap = "heap " + analysis::FormatBytes(columns[0].liveMax) + " · peak util. 1";
    const float width = TextWidth(context.fonts->monoSmall, heap);
    DrawTextIn(draw, context.fonts->monoSmall, {{bar.max.x - pad - width, bar.min.y}, {bar.max.x - pad + 1, bar.max.y}},
               theme.dim, heap);
    DrawTextIn(draw, context.fonts->label, {{bar.min.x + pad, bar.min.y}, {bar.max.x - 2 * pad - width, bar.max.y}},
               theme.dim, "perfect compaction (the bound)");
    return height;
}

float DrawLaneTitle(ViewContext& context, session::Session& lane, int index, const Rect& rect) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const float height = context.Px(kTitle), pad = context.Px(kPad), side = context.Px(22);
    const Rect bar{rect.min, {rect.max.x, rect.min.y + height}};
    draw->AddRectFilled(bar.min, bar.max, theme.raised);
    float right = bar.max.x - pad;
    ImGui::PushID(index);
    if (index >= 0) {
        right -= side;
        ImGui::SetCursorScreenPos({right, bar.min.y + std::floor((height - side) / 2)});
        if (IconButton(context, "##close", kIconError, ButtonKind::Ghost)) context.commands->RemoveLane(index);
        Tooltip(context, "Takes this lane away");
        right -= context.Px(6);
    }
    ImGui::PopID();
    const session::LoadStatus status = lane.Status();
    std::string name = lane.Subtitle();  // "format · through"
    if (const std::size_t dot = name.rfind(" · "); dot != std::string::npos) name = name.substr(dot + 4);
    if (name.empty()) name = index < 0 ? lane.Title() : lane.Options().allocator;
    if (status.phase != session::Phase::Ready) {
        const bool failed = status.phase == session::Phase::Failed;
        name += failed && status.failure ? ": " + status.failure->Text() : ": " + status.doing;
        DrawTextIn(draw, fonts.labelBold, {{bar.min.x + pad, bar.min.y}, {right, bar.max.y}},
                   failed ? theme.error : theme.dim, name);
        return height;
    }
    const analysis::Metrics& now = lane.PresentMetrics();
    const analysis::RunMetrics run = lane.Series().Run();
    std::vector<std::string> figures;
    if (run.failedRequests != 0) figures.push_back(analysis::FormatCount(run.failedRequests) + " failed");
    if (now.heap) figures.push_back("heap " + analysis::FormatBytes(*now.heap));
    if (run.peakUtilisation) figures.push_back("peak util. " + analysis::FormatFraction(*run.peakUtilisation));
    const bool told = lane.GetLab() == nullptr;  // a student's heap does not tell headers from holes
    if (now.holes && told)
        figures.push_back(analysis::FormatCount(*now.holes) + (*now.holes == 1 ? " hole" : " holes"));
    if (now.externalFragmentation && told) {
        figures.push_back("ext. frag. " + analysis::FormatFraction(*now.externalFragmentation));
    }
    if (const std::uint64_t probes = lane.ProbesOfPresent()) {
        figures.push_back(analysis::FormatCount(probes) + (probes == 1 ? " probe" : " probes"));
    }
    // As many as leave the name readable.
    const float least = std::min(TextWidth(fonts.labelBold, name), (right - bar.min.x - pad) * 0.45f);
    std::string text;
    for (const std::string& figure : figures) {
        const std::string longer = text.empty() ? figure : text + " · " + figure;
        if (bar.min.x + 2 * pad + least + TextWidth(fonts.monoSmall, longer) > right) break;
        text = longer;
    }
    const float width = TextWidth(fonts.monoSmall, text);
    DrawTextIn(draw, fonts.monoSmall, {{right - width, bar.min.y}, {right + 1, bar.max.y}},
               run.failedRequests != 0 ? theme.warn : theme.dim, text);
    const Rect left{{bar.min.x + pad, bar.min.y}, {right - width - pad, bar.max.y}};
    DrawTextIn(draw, fonts.labelBold, left, theme.text, name);
    return height;
}

}  // namespace residue::gui
