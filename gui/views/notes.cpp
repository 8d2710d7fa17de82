#include "gui/views/notes.hpp"

#include "analysis/format.hpp"
#include "gui/widgets/text.hpp"

namespace residue::gui {

std::optional<std::uint64_t> LostHere(const session::Session& session) {
    const log::LogView& log = session.View();
    const std::uint64_t now = session.Now().value;
    const Row end = log.RowsAt(Position{now});
    std::uint64_t lost = 0;
    for (Row row = log.NextError(now == 0 ? Row{} : log.RowsAt(Position{now - 1})); row < end;
         row = log.NextError(row + 1)) {
        const events::Event event = log.At(row).event;
        if (event.kind == events::EventKind::Gap) lost += event.Dropped();
    }
    return lost > 0 ? std::optional(lost) : std::nullopt;
}

std::optional<std::string> UncertainNote(const session::Session& session) {
    const auto from = session.Series().UncertainFrom();
    if (!from || session.Now() < *from) return std::nullopt;
    return "Uncertain: events were lost at event " + analysis::FormatCount(from->value) + ".";
}

std::optional<std::string> TracesFullNote(const session::Session& session) {
    const auto from = session.Series().TracesFullFrom();
    if (!from || session.Now() < *from) return std::nullopt;
    return "No room for more call traces since event " + analysis::FormatCount(from->value) +
           ": some blocks have none.";
}

std::string WhyNoTrace(session::Session& session) {
    if (auto full = TracesFullNote(session)) return *full;
    if (session.View().Traces() > 0) return "No call trace was recorded with this event.";
    if (session.GetLab() != nullptr) return "The lines of this call are at the left, under Source.";
    return "This source has no call traces: a trace of sizes does not say who asked.";
}

void DrawNote(const ViewContext& context, float width, std::string_view text) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), above = context.Px(4);
    const float used = DrawWrapped(ImGui::GetWindowDrawList(), context.fonts->labelSmall, {at.x + pad, at.y + above},
                                   width - 2 * pad, context.theme->warn, text);
    ImGui::Dummy({width, used + 2 * above});
}

}  // namespace residue::gui
