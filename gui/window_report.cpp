#include "gui/window_report.hpp"

#include <nlohmann/json.hpp>

#include "analysis/flame_lookup.hpp"
#include "gui/app.hpp"

namespace residue::gui {
namespace {

using Json = nlohmann::ordered_json;

Json BlockJson(const log::LogView& log, BlockId block) {
    const events::Event birth = log.Birth(block).event;
    const log::BlockLife life = log.Life(block);
    Json json{{"id", block.value},
              {"address", birth.address},
              {"size", birth.size},
              {"born", log.PositionOf(life.born).value},
              {"died", nullptr}};
    if (life.died.value != log::kNever) json["died"] = log.PositionOf(life.died).value;
    return json;
}

// The selected call trace's node in the flame graph.
Json NodeJson(const session::ProfileAnswer& answer, const log::LogView& log, TraceId trace) {
    const std::uint32_t node = analysis::FindNode(answer.flame, log, trace);
    if (node == analysis::FlameNode::kNone) return nullptr;
    const analysis::FlameNode& found = answer.flame.nodes[node];
    return {{"name", answer.flame.NameOf(found)}, {"value", found.value}, {"own", found.own}};
}

Json AnalysisJson(const session::ProfileAnswer& answer) {
    const analysis::SiteFigures& total = answer.profile.total;
    Json json{{"measure", analysis::InfoOf(answer.flame.measure).key},
              {"from", answer.profile.from.value},
              {"to", answer.profile.to.value},
              {"value", answer.flame.nodes[0].value},
              {"live_bytes", total.liveBytes},
              {"live_blocks", total.liveBlocks},
              {"allocations", total.allocations},
              {"frees", total.frees},
              {"hidden_blocks", answer.profile.hiddenBlocks}};
    if (!answer.earlier) return json;
    json["before"] = answer.flame.nodes[0].earlier;
    json["change"] = answer.flame.nodes[0].value - answer.flame.nodes[0].earlier;
    json["grew"] = answer.growth.grew;
    json["shrank"] = answer.growth.shrank;
    json["most"] = answer.growth.grown.empty() ? 0 : answer.growth.grown.front().Change();
    return json;
}

}  // namespace

std::string ReportWindow(App& app) {
    session::Session* const session = app.GetSession();
    if (session == nullptr || session->Status().phase != session::Phase::Ready) return {};
    const log::LogView& log = session->View();
    Json json{{"event", session->Now().value},
              {"events", session->End().value},
              {"view", static_cast<int>(app.Centre())},
              {"live_bytes", session->PresentMetrics().liveBytes},
              {"live_blocks", session->PresentMetrics().liveBlocks}};
    const Selection& selection = app.PresentSelection();
    if (selection.block && *selection.block && selection.block->value <= log.Blocks())
        json["block"] = BlockJson(log, *selection.block);
    if (const auto& range = session->Analyst().Range()) json["range"] = {range->first.value, range->second.value};
    const auto& reply = app.Analysis().Ask(*session);
    if (reply.value != nullptr && reply.fresh && !reply.value->flame.nodes.empty()) {
        json["analysis"] = AnalysisJson(*reply.value);
        if (selection.trace) json["site"] = NodeJson(*reply.value, log, *selection.trace);
    }
    return json.dump();
}

}  // namespace residue::gui
