#include "gui/views/block_menu.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/format.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/find_bar.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"
#include "gui/widgets/text.hpp"

namespace residue::gui {

namespace {

struct Entry {
    std::string text;
    const char* key = "";
    bool enabled = true;
    std::function<void()> act;
};

std::vector<Entry> EntriesOf(ViewContext& context, BlockId block) {
    session::Session& session = *context.session;
    const log::LogView& log = session.View();
    const events::Event birth = log.Birth(block).event;
    const log::BlockLife life = log.Life(block);
    const bool dies = life.died.value != log::kNever;
    const auto seek = [&session](Position position) {
        session.Play(false);
        session.FollowEnd(false);
        session.SeekTo(position);
    };
    const Position born = log.PositionOf(life.born);
    const Position died = dies ? log.PositionOf(life.died) : Position{};
    const std::string site = SiteName(log, birth.trace);
    const std::string address = analysis::FormatAddress(birth.address);
    std::vector<Entry> entries;
    entries.push_back({"Go to its birth, event " + analysis::FormatCount(born.value), "", true, [=] { seek(born); }});
    entries.push_back({dies ? "Go to its death, event " + analysis::FormatCount(died.value) : "It never dies", "", dies,
                       [=] { seek(died); }});
    entries.push_back({"Next event at " + address, "H", true,
                       [&context, block] { FindAddressOf(context, block, true); }});
    entries.push_back({"Event before at " + address, "Shift+H", true,
                       [&context, block] { FindAddressOf(context, block, false); }});
    entries.push_back({"Its site in the flame graph", "X", bool{birth.trace},
                       [&context, block] { ShowSiteOf(context, block); }});
    entries.push_back({site.empty() ? "It has no site to filter by" : "Only blocks of " + ShortFunction(site), "",
                       !site.empty(), [&context, site] { context.commands->FilterSite(site); }});
    entries.push_back({"Only blocks of " + analysis::FormatBytesExact(birth.size), "", true,
                       [&context, birth] { context.commands->FilterSize(birth.size); }});
    entries.push_back({"Show it large", "Enter", true, [&context, block] { context.commands->FocusBlock(block); }});
    entries.push_back({"Copy its address", "", true, [birth] {
                           std::string text = analysis::FormatAddress(birth.address);
                           std::erase(text, '\'');  // as other programs read it
                           ImGui::SetClipboardText(text.c_str());
                       }});
    return entries;
}

}  // namespace

void ShowSiteOf(ViewContext& context, BlockId block) {
    const TraceId trace = context.session->View().Birth(block).event.trace;
    if (!trace) {
        context.commands->Notice("No call trace was recorded with this block.");
        return;
    }
    context.analysis->reveal = trace;
    context.commands->ShowCentre(CentreTab::Flame);
}

void BlockMenu::Draw(ViewContext& context) {
    if (std::exchange(opening_, false)) ImGui::OpenPopup("##block");
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, context.Px(4)});
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {0, 0});
    if (ImGui::BeginPopup("##block", ImGuiWindowFlags_NoMove)) {
        const bool there = block_ && block_.value <= context.session->View().Blocks();
        const std::vector<Entry> entries = there ? EntriesOf(context, block_) : std::vector<Entry>{};
        if (entries.empty()) ImGui::CloseCurrentPopup();
        const float pad = context.Px(10), row = context.Px(26);
        float text = 0, keys = 0;
        for (const Entry& entry : entries) {
            text = std::max(text, TextWidth(context.fonts->label, entry.text));
            keys = std::max(keys, TextWidth(context.fonts->monoSmall, entry.key));
        }
        text = std::min(text, context.Px(360));
        const float width = text + keys + 4 * pad;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const Entry& entry = entries[i];
            const ImVec2 at = ImGui::GetCursorScreenPos();
            ImGui::PushID(static_cast<int>(i));
            const bool chosen = ListRow(context, "##row", width, row, false) && entry.enabled;
            ImGui::PopID();
            ImDrawList* draw = ImGui::GetWindowDrawList();
            DrawTextIn(draw, context.fonts->label, {{at.x + pad, at.y}, {at.x + pad + text + 1, at.y + row}},
                       entry.enabled ? context.theme->text : context.theme->faint, entry.text);
            const Rect keyCell{{at.x + width - pad - keys, at.y}, {at.x + width - pad + 1, at.y + row}};
            DrawTextIn(draw, context.fonts->monoSmall, keyCell, context.theme->dim, entry.key, Align::Right);
            if (!chosen) continue;
            entry.act();
            ImGui::CloseCurrentPopup();
        }
        ImGui::EndPopup();
    }
    ImGui::PopStyleVar(2);
}

}  // namespace residue::gui
