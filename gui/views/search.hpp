// The search field's engine: jumps to a position (694), a block (#9), an address (0x1a40), a size (48 B) or a site
// (any text: the next event with that text in its call trace's frames or in its own text). Looking through the log goes
// by a fixed number of rows a frame, onwards from the playhead and once around.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gui/view.hpp"

namespace residue::gui {

class LogSearch {
public:
    // Starts; empty text ends a search that runs.
    void Start(ViewContext& context, const std::string& text, bool backward);
    // Once a frame; true while it looks.
    bool Step(ViewContext& context);
    bool Running() const { return kind_ != Kind::None; }
    void Stop() { kind_ = Kind::None; }

private:
    enum class Kind : std::uint8_t { None, Address, Size, Site };
    bool Matches(const log::LogView& view, Row row);
    void Arrive(ViewContext& context, Row row, const log::LogView& view);

    Kind kind_ = Kind::None;
    std::string text_;  // lower case
    std::uint64_t number_ = 0;
    bool backward_ = false;
    std::uint64_t next_ = 0;                // row to look at
    std::uint64_t left_ = 0;                // rows still to look at
    std::vector<signed char> siteMatches_;  // by trace id: -1 not known yet
};

}  // namespace residue::gui
