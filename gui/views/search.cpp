#include "gui/views/search.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include "model/nesting.hpp"

namespace residue::gui {
namespace {

constexpr std::uint64_t kRowsPerFrame = 100'000;
constexpr std::uint64_t kSiteRowsPerFrame = 20'000;

std::string Lower(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

// Digits with commas or blanks between them ("1,024"); the rest of the text comes back in `rest`.
bool Number(std::string_view text, int base, std::uint64_t& value, std::string_view& rest) {
    std::string digits;
    std::size_t used = 0;
    while (used < text.size() &&
           (std::isxdigit(static_cast<unsigned char>(text[used])) || text[used] == ',' || text[used] == '\'')) {
        if (base == 10 && std::isalpha(static_cast<unsigned char>(text[used]))) break;
        if (text[used] != ',' && text[used] != '\'') digits += text[used];
        ++used;
    }
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (digits.empty() || result.ec != std::errc() || result.ptr != digits.data() + digits.size()) return false;
    rest = text.substr(used);
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    return true;
}

}  // namespace

void LogSearch::Start(ViewContext& context, const std::string& text, bool backward) {
    kind_ = Kind::None;
    std::string_view trimmed = text;
    while (!trimmed.empty() && trimmed.front() == ' ') trimmed.remove_prefix(1);
    while (!trimmed.empty() && trimmed.back() == ' ') trimmed.remove_suffix(1);
    if (trimmed.empty() || !context.Ready()) return;
    session::Session& session = *context.session;
    const log::LogView& view = session.View();
    std::uint64_t value = 0;
    std::string_view rest;
    if (trimmed.front() == '#' && Number(trimmed.substr(1), 10, value, rest) && rest.empty()) {
        if (value == 0 || value > view.Blocks()) {
            context.commands->Notice("There is no block #" + std::to_string(value) + "; the last one is #" +
                                     std::to_string(view.Blocks()));
            return;
        }
        const BlockId block{static_cast<std::uint32_t>(value)};
        if (!session.Heap().IsLive(block)) session.SeekTo(view.PositionOf(view.Life(block).born));
        context.commands->FocusBlock(block);
        return;
    }
    if ((trimmed.starts_with("0x") || trimmed.starts_with("0X")) && Number(trimmed.substr(2), 16, value, rest) &&
        rest.empty()) {
        // The innermost heap that has the address.
        const auto around = model::NestsDownTo(session.Heap(), session.Shown(), value);
        const AllocatorId owner = around.empty() ? session.Shown() : around.back().child;
        if (const auto block = session.Heap().BlockAt(owner, value)) {
            context.commands->FocusBlock(block->id);
            return;
        }
        kind_ = Kind::Address;
        number_ = value;
    } else if (Number(trimmed, 10, value, rest) && rest.empty()) {
        session.FollowEnd(false);
        session.SeekTo(Position{value});
        return;
    } else if (Number(trimmed, 10, value, rest) && (rest == "B" || rest == "b" || rest == "bytes")) {
        kind_ = Kind::Size;
        number_ = value;
    } else {
        kind_ = Kind::Site;
        text_ = Lower(trimmed);
        siteMatches_.clear();
    }
    backward_ = backward;
    left_ = view.Rows().value;
    const std::uint64_t here = view.RowsAt(std::min(session.Now(), view.Positions())).value;
    next_ = backward ? (here > 1 ? here - 2 : left_ - 1) : here;
    if (next_ >= left_) next_ = backward && left_ > 0 ? left_ - 1 : 0;
}

bool LogSearch::Matches(const log::LogView& view, Row row) {
    const log::LoggedEvent logged = view.At(row);
    const events::Event& event = logged.event;
    switch (kind_) {
        case Kind::None: return false;
        case Kind::Address: return event.kind != events::EventKind::AllocateFailed && event.address == number_;
        case Kind::Size:
            return event.size == number_ &&
                   (event.kind == events::EventKind::Allocated || event.kind == events::EventKind::ResizeEnds ||
                    event.kind == events::EventKind::AllocateFailed);
        case Kind::Site: break;
    }
    if (event.Has(events::EventFlag::HasText) && Lower(view.Text(row)).find(text_) != std::string::npos) return true;
    if (!event.trace) return false;
    if (siteMatches_.size() <= event.trace.value) siteMatches_.resize(event.trace.value + 1, -1);
    signed char& known = siteMatches_[event.trace.value];
    if (known < 0) {
        known = 0;
        for (const log::Frame& frame : view.Frames(event.trace)) {
            if (Lower(frame.function).find(text_) != std::string::npos ||
                Lower(frame.file).find(text_) != std::string::npos) {
                known = 1;
                break;
            }
        }
    }
    return known == 1;
}

void LogSearch::Arrive(ViewContext& context, Row row, const log::LogView& view) {
    const log::LoggedEvent logged = view.At(row);
    context.session->FollowEnd(false);
    context.session->SeekTo(view.PositionOf(row));
    if (logged.block) context.selection->block = logged.block;
    kind_ = Kind::None;
}

bool LogSearch::Step(ViewContext& context) {
    if (kind_ == Kind::None || !context.Ready()) {
        kind_ = Kind::None;
        return false;
    }
    const log::LogView& view = context.session->View();
    const std::uint64_t rows = view.Rows().value;
    std::uint64_t budget = kind_ == Kind::Site ? kSiteRowsPerFrame : kRowsPerFrame;
    while (budget > 0 && left_ > 0) {
        --budget;
        --left_;
        const Row row{next_};
        if (backward_)
            next_ = next_ == 0 ? rows - 1 : next_ - 1;
        else
            next_ = next_ + 1 >= rows ? 0 : next_ + 1;
        if (Matches(view, row)) {
            Arrive(context, row, view);
            return false;
        }
    }
    if (left_ == 0) {
        context.commands->Notice(
            "Nothing found. Search for an event (694), a block (#9), an address (0x1a40), a size "
            "(48 B) or a part of a site's name.");
        kind_ = Kind::None;
    }
    return kind_ != Kind::None;
}

}  // namespace residue::gui
