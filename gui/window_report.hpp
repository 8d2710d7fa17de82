// What a window shows, as figures for whoever drives it from outside (tests/e2e): one line of JSON.
#pragma once

#include <string>

namespace residue::gui {

class App;

// Of a settled app. Empty: nothing is open, or it is not read yet. Thread: the UI's.
std::string ReportWindow(App& app);

}  // namespace residue::gui
