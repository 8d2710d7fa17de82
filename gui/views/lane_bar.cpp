#include "gui/views/lane_bar.hpp"

#include <algorithm>
#include <vector>

#include "alloc/registry.hpp"
#include "analysis/format.hpp"
#include "base/parse_size.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/flow.hpp"
#include "gui/widgets/panel.hpp"
#include "lab/entrants.hpp"

namespace residue::gui {

namespace {

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
    const bool hasTrace = !context.session->TraceFile().empty();
    std::vector<std::string> names, rules;
    for (const alloc::Registration& entry : alloc::Registry()) {
        names.emplace_back(entry.name);
        rules.emplace_back(entry.rule);
    }
    const std::size_t ours = names.size();
    for (const lab::SystemMalloc& system : lab::SystemMallocs()) {
        if (!hasTrace) break;
        names.emplace_back(system.name);
        rules.push_back(std::string(system.title) +
                        ", in a process of its own. It tells where its payloads lie, and no more.");
    }
    allocator_ = std::min(allocator_, static_cast<int>(names.size()) - 1);
    flow.Place(context.Px(120));
    Choice(context, "##allocator", names, allocator_, context.Px(120));
    const auto chosen = static_cast<std::size_t>(allocator_);
    Tooltip(context, rules[chosen]);
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
        context.commands->AddLane(names[chosen], capacity, fork);
    };
    flow.Place(context.Px(70));
    if (Button(context, "##race", "Race it", ButtonKind::Plain, context.Px(70), room)) add(false);
    Tooltip(context, hasTrace ? "The whole trace through this allocator, beside the present one"
                              : "All that was recorded asked of this allocator, beside what was recorded");
    const std::string fork = "Fork at " + analysis::FormatCount(context.session->Now().value);
    const float forkWidth = TextWidth(context.fonts->label, fork) + context.Px(20);
    flow.Place(forkWidth);
    const bool inside = context.session->Now() < context.session->End();
    const bool own = chosen < ours;
    if (Button(context, "##fork", fork, ButtonKind::Plain, forkWidth, room && inside && own)) add(true);
    if (!own) Tooltip(context, "The system's mallocs begin with an empty heap: they can be raced, not forked to");
    else if (!inside) Tooltip(context, "After the last event nothing is left to go on with: step back first");
    else if (context.session->Figures())
        Tooltip(context, "The same until here, and from here on this allocator: between fixed buffers the heap stays "
                         "as it is, else what is live is placed afresh");
    else Tooltip(context, "The same until here, and from here on this allocator: what is live is placed afresh");
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

}  // namespace residue::gui
