// The picture mode: the settled frame of a moment, drawn without a display and written as PNG. The same moment gives
// the same pixels: no clock, no animation, nothing remembered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gui/app.hpp"
#include "log/failure.hpp"

namespace residue::gui {

struct PictureOptions {
    std::vector<std::string> lanes{};  // other allocators beside it: as AppOptions'
    lab::LabSettings laneSettings{};
    bool timed = false;
    std::string against{};  // an earlier recording, to compare it with
    std::string path;  // empty: nothing is open
    std::optional<session::LabOptions> lab{};  // a student's allocator instead
    session::OpenOptions open;
    std::optional<std::uint64_t> at;  // position; none: the peak of live bytes
    std::string out;
    int width = 1600, height = 900;  // pixels
    float scale = 1;
    bool light = false;
    std::optional<PanelId> only;
    std::optional<Tab> tab;
    CentreTab centre = CentreTab::Heap;
    std::optional<ColourMode> colour;
    std::optional<std::pair<std::uint64_t, std::uint64_t>> addresses;  // shown in the heap panel
    std::optional<std::pair<std::uint64_t, std::uint64_t>> positions;  // shown in the timeline
    std::optional<std::uint64_t> select;                               // a block's id
    std::vector<KeyPress> keys;  // pressed before the picture is taken, each in a frame of its own
    int extraFrames = 0;         // of 1/60 s, after the keys (a sandbox at work)
};

Outcome<bool> MakePicture(const PictureOptions& options);

// "1600x900"; each 1..16384.
Outcome<std::pair<int, int>> ParseSize(const std::string& text);
// "Ctrl+O D Shift+Left", by blanks (platform/key_names.hpp).
Outcome<std::vector<KeyPress>> ParseKeys(const std::string& text);
// "0x1000-0x2000" are addresses, "100-200" positions.
struct ParsedRange {
    std::uint64_t from = 0, to = 0;
    bool addresses = false;
};
Outcome<ParsedRange> ParseRange(const std::string& text);

}  // namespace residue::gui
