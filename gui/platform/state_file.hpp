// What the window remembers between runs, in the user's XDG state folder. A file that cannot be understood is put aside
// (".bad") and never stops the program.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace residue::gui {

struct SavedState {
    bool light = false;
    int colour = 2;                               // ColourMode
    int tab = 0;                                  // Tab
    int centre = 0;                               // CentreTab
    float left = 380, right = 376, bottom = 196;  // sizes of the columns and the timeline, unscaled
    float story = 240;                            // of the narration, below the source
    bool rightFolded = false;
    bool inside = true;  // the allocator's inside is shown
    bool duckSilent = false;
    bool tourDone = false;
    float width = 1600, height = 900;  // of the window, unscaled
    bool maximised = false;
    double speed = 8;
    std::vector<std::string> recent;  // newest first, at most 12
    std::string folder;               // where the file list was last

    void AddRecent(const std::string& path);
    bool operator==(const SavedState&) const = default;
};

// $XDG_STATE_HOME/residue or ~/.local/state/residue; empty where there is neither.
std::string StateFolder();

// Defaults where there is no file. `message` says what was wrong with it, where something was.
SavedState LoadState(const std::string& folder, std::string* message);
// Atomic: written beside it, then renamed. False where that fails (the program goes on without).
bool SaveState(const std::string& folder, const SavedState& state);

}  // namespace residue::gui
