// What a scenario tells: its introduction, the narration that holds at the playhead, the question of a prediction; and
// its console.
#pragma once

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeNarrationView();
std::unique_ptr<View> MakeConsoleView();

// The heap panel was clicked while a prediction is asked for: true, it was the answer.
bool AnswerPrediction(ViewContext& context, std::uint64_t address);

}  // namespace residue::gui
