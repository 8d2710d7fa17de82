// Looking for an event in a log of any length, a few thousand rows a frame.
//
//   EventSearch search;
//   search.Start(*EventQuery::Parse("96"), now, true);
//   // each frame:
//   if (search.Advance(log, 20000) == EventSearch::State::Found) session.SeekTo(log.PositionOf(search.At()));
//
// A query is: "#12" a block · "0x1f00" an address within a block, or a pointer · "96", "64K" a size asked for ·
// "free", "fail" words of a kind's name · anything else: part of the innermost frame's function. No ImGui.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "log/event_log.hpp"

namespace residue::gui {

struct EventQuery {
    enum class Kind : std::uint8_t { Block, Address, Size, Text } kind = Kind::Text;
    std::uint64_t number = 0;
    std::string text;  // lower case

    static std::optional<EventQuery> Parse(std::string_view text);  // nothing for an empty text
};

class EventSearch {
public:
    enum class State : std::uint8_t { Idle, Searching, Found, NotFound };

    // From the row behind `from` on (forward), or from the one before it back.
    void Start(EventQuery query, Row from, bool forward);
    void Stop() { state_ = State::Idle; }
    State Advance(const log::LogView& log, std::uint64_t budget);
    State Now() const { return state_; }
    Row At() const { return at_; }  // Found: the row. Searching: how far it is

private:
    bool Matches(const log::LogView& log, Row row);

    EventQuery query_;
    State state_ = State::Idle;
    Row at_{};
    bool forward_ = true;
    std::unordered_map<std::uint32_t, bool> sites_;  // which call traces match the text
};

}  // namespace residue::gui
