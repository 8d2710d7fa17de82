// What the panels that sum up call traces show, all of them the same: flame graph, call tree, profile, and what the
// filter hides. One question a frame, whoever asks: the session works on one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gui/selection.hpp"
#include "session/analyst.hpp"
#include "session/session.hpp"

namespace residue::gui {

struct AnalysisLook {
    analysis::SiteMeasure measure = analysis::SiteMeasure::LiveBytes;
    analysis::Direction direction = analysis::Direction::TopDown;
    bool compared = false;  // the end of the range against its beginning
    std::string search;     // of the flame graph
    std::optional<TraceId> reveal{};  // the flame graph is to show where its blocks count, and then resets it

    // The other recording, while one is compared with.
    struct Other {
        std::string name;
        session::LoadStatus status;
        std::uint64_t calls = 0;  // that it has, or that are read so far
    };
    std::optional<Other> other{};

    const session::Reply<session::ProfileAnswer>& Ask(session::Session& session) {
        if (!asked_) reply_ = session.Analyst().AskProfile(measure, direction, compared);
        asked_ = true;
        return reply_;
    }
    // Selects a node's call traces. One of them at once; all of them when they are found.
    void Choose(Selection& selection, std::shared_ptr<const session::ProfileAnswer> answer, std::uint32_t node) {
        selection.trace = selection.tracesOf = answer->flame.nodes[node].trace;
        selection.traces.reset();
        chosen_ = Chosen{std::move(answer), node};
    }
    // The app's, once a frame.
    void NextFrame(session::Session* session, Selection& selection) {
        asked_ = false;
        if (!chosen_ || session == nullptr) return;
        const auto reply = session->Analyst().AskTraces(chosen_->answer, chosen_->node);
        if (!reply.fresh) return;
        const TraceId trace = chosen_->answer->flame.nodes[chosen_->node].trace;
        if (selection.trace == trace && selection.tracesOf == trace) selection.traces = reply.value;
        chosen_.reset();
    }
    // The app's, before another session takes the place of the present one.
    void Forget() { reply_ = {}, asked_ = false, search.clear(), reveal.reset(), chosen_.reset(); }

private:
    struct Chosen {
        std::shared_ptr<const session::ProfileAnswer> answer;
        std::uint32_t node = 0;
    };
    std::optional<Chosen> chosen_;  // its call traces are being looked for
    session::Reply<session::ProfileAnswer> reply_;
    bool asked_ = false;
};

}  // namespace residue::gui
