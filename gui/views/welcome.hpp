// What stands in the middle while there is no heap to show: the welcome, a file that loads, a file that failed.
#pragma once

#include <string>
#include <vector>

#include "gui/view.hpp"
#include "session/lessons.hpp"

namespace residue::gui {

struct WelcomeFiles {
    std::vector<std::string> recent;
    std::vector<std::string> samples;  // shipped traces
    std::vector<session::Lesson> lessons;
    std::size_t chosen = 0;            // a lesson, by the keyboard
    bool keyboard = false;             // it chose last: show which, and scroll there
};

// The lessons, what was opened lately, the shipped traces. Also over an open session: the picker.
// Up, down, Enter choose a lesson.
bool HandleWelcomeKey(ViewContext& context, const KeyPress& press, WelcomeFiles& files);
void DrawWelcome(ViewContext& context, ImVec2 size, WelcomeFiles& files);
void DrawLoading(ViewContext& context, ImVec2 size);
void DrawFailed(ViewContext& context, ImVec2 size);

// The shipped traces (scenarios/traces), beside the program or in the source folder; empty where they are missing.
std::vector<std::string> ShippedTraces();
std::vector<session::Lesson> ShippedLessons();  // likewise, scenarios/*.iridis

}  // namespace residue::gui
