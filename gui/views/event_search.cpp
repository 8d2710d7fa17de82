#include "gui/views/event_search.hpp"

#include <algorithm>
#include <cctype>

#include "base/parse_size.hpp"

namespace residue::gui {

namespace {

std::string Lowered(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

}  // namespace

std::optional<EventQuery> EventQuery::Parse(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    if (text.empty()) return std::nullopt;
    EventQuery query;
    query.text = Lowered(text);
    if (text.front() == '#') {
        if (const auto number = ParseWhole(text.substr(1))) {
            query.kind = Kind::Block;
            query.number = *number;
            return query;
        }
    }
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        if (const auto number = ParseWhole(text)) {
            query.kind = Kind::Address;
            query.number = *number;
            return query;
        }
    }
    if (const auto size = ParseBytes(text)) {
        query.kind = Kind::Size;
        query.number = *size;
    }
    return query;
}

void EventSearch::Start(EventQuery query, Row from, bool forward) {
    query_ = std::move(query);
    forward_ = forward;
    at_ = forward ? from + 1 : from;
    state_ = State::Searching;
    sites_.clear();
}

bool EventSearch::Matches(const log::LogView& log, Row row) {
    const log::LoggedEvent logged = log.At(row);
    const events::Event& event = logged.event;
    switch (query_.kind) {
        case EventQuery::Kind::Block:
            return logged.block.value == query_.number || logged.oldBlock.value == query_.number;
        case EventQuery::Kind::Size:
            return event.size == query_.number && event.kind != events::EventKind::FreeFailed &&
                   event.kind != events::EventKind::Step;
        case EventQuery::Kind::Address: {
            if (event.kind == events::EventKind::AllocateFailed) return false;  // its address is a size
            if (event.address == query_.number) return true;
            if (!logged.block) return false;
            const events::Event birth = log.Birth(logged.block).event;
            return query_.number >= birth.Begin() && query_.number - birth.Begin() < birth.SetAside();
        }
        case EventQuery::Kind::Text: break;
    }
    if (std::string_view(events::Info(event.kind).text).find(query_.text) != std::string_view::npos) return true;
    if (event.Failed() && event.kind != events::EventKind::AccessFailed &&
        Lowered(Name(event.Error())).find(query_.text) != std::string::npos) {
        return true;
    }
    if (!event.trace) return false;
    const auto [site, isNew] = sites_.try_emplace(event.trace.value, false);
    if (isNew) site->second = Lowered(log.TopFrame(event.trace).function).find(query_.text) != std::string::npos;
    return site->second;
}

EventSearch::State EventSearch::Advance(const log::LogView& log, std::uint64_t budget) {
    for (; state_ == State::Searching && budget > 0; --budget) {
        if (forward_ ? at_ >= log.Rows() : at_.value == 0) {
            state_ = State::NotFound;
            break;
        }
        if (!forward_) --at_;
        if (Matches(log, at_)) {
            state_ = State::Found;
            break;
        }
        if (forward_) ++at_;
    }
    return state_;
}

}  // namespace residue::gui
