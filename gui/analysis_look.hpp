// What the panels that sum up call traces show, all of them the same: flame graph, call tree, profile, and what the
// filter hides. One question a frame, whoever asks: the session works on one at a time.
#pragma once

#include <string>

#include "session/analyst.hpp"
#include "session/session.hpp"

namespace residue::gui {

struct AnalysisLook {
    analysis::SiteMeasure measure = analysis::SiteMeasure::LiveBytes;
    analysis::Direction direction = analysis::Direction::TopDown;
    bool compared = false;  // the end of the range against its beginning
    std::string search;     // of the flame graph

    const session::Reply<session::ProfileAnswer>& Ask(session::Session& session) {
        if (!asked_) reply_ = session.Analyst().AskProfile(measure, direction, compared);
        asked_ = true;
        return reply_;
    }
    // The app's, once a frame.
    void NextFrame() { asked_ = false; }
    // The app's, before another session takes the place of the present one.
    void Forget() { reply_ = {}, asked_ = false, search.clear(); }

private:
    session::Reply<session::ProfileAnswer> reply_;
    bool asked_ = false;
};

}  // namespace residue::gui
