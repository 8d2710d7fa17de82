// What stands in the middle while there is no heap to show: the welcome, a file that loads, a file that failed.
#pragma once

#include <string>
#include <vector>

#include "gui/view.hpp"

namespace residue::gui {

struct WelcomeFiles {
    std::vector<std::string> recent;
    std::vector<std::string> samples;  // shipped traces
};

void DrawWelcome(ViewContext& context, ImVec2 size, const WelcomeFiles& files);
void DrawLoading(ViewContext& context, ImVec2 size);
void DrawFailed(ViewContext& context, ImVec2 size);

// The shipped traces (scenarios/traces), beside the program or in the source folder; empty where they are missing.
std::vector<std::string> ShippedTraces();

}  // namespace residue::gui
