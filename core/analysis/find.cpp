#include "analysis/find.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <vector>

#include "analysis/run_counter.hpp"
#include "analysis/site_check.hpp"
#include "base/parse_size.hpp"

namespace residue::analysis {
namespace {

using events::Event;
using events::EventKind;

constexpr std::uint64_t kLookEvery = 1 << 14;  // rows between two looks at the cancel flag
constexpr const char* kExpected =
    "live, heap, frag or size with <, <=, > or >= and a number; address, block or site with what to look for; or error";

std::string_view Trimmed(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
    return text;
}

std::optional<double> ParseShare(std::string_view text) {
    const bool percent = !text.empty() && text.back() == '%';
    if (percent) text.remove_suffix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    if (percent) value /= 100;
    if (!(value >= 0 && value <= 1)) return std::nullopt;
    return value;
}

bool Compares(const Condition& condition, double value) {
    switch (condition.compare) {
        case Condition::Compare::Less: return value < condition.value;
        case Condition::Compare::AtMost: return value <= condition.value;
        case Condition::Compare::More: return value > condition.value;
        case Condition::Compare::AtLeast: return value >= condition.value;
    }
    return false;
}

// May some position of this column meet it?
bool MayCompare(const Condition& condition, const SeriesColumn& column) {
    const bool upwards = condition.compare == Condition::Compare::More ||
                         condition.compare == Condition::Compare::AtLeast;
    switch (condition.of) {
        case Condition::Of::Live:
            return Compares(condition, static_cast<double>(upwards ? column.liveMax : column.liveMin));
        case Condition::Of::Heap:
            return Compares(condition, static_cast<double>(upwards ? column.heapMax : column.heapMin));
        default:
            return Compares(condition, double{upwards ? column.fragmentationMax : column.fragmentationMin});
    }
}

// The first (or last) position of [from, to) that meets a metric's condition: halves that cannot have one are left out.
std::optional<Position> FindMetric(const Series& series, const Condition& condition, Position from, Position to,
                                   bool forward) {
    if (from >= to) return std::nullopt;
    std::vector<SeriesColumn> column;
    series.Columns(from, to, 1, column);
    if (!column[0].any || !MayCompare(condition, column[0])) return std::nullopt;
    if (to - from == 1) return from;
    const Position middle = from + (to - from) / 2;
    const auto first = forward ? FindMetric(series, condition, from, middle, true)
                               : FindMetric(series, condition, middle, to, false);
    if (first) return first;
    return forward ? FindMetric(series, condition, middle, to, true)
                   : FindMetric(series, condition, from, middle, false);
}

// Whether rows meet a condition; remembers what it found out about call traces.
class RowCheck {
public:
    RowCheck(const log::LogView& log, const Condition& condition)
        : log_(log), condition_(condition), sites_(log, condition.text) {}

    bool Meets(Row row) {
        const log::LoggedEvent logged = log_.At(row);
        const Event& event = logged.event;
        switch (condition_.of) {
            case Condition::Of::Size: {
                const bool asks = event.kind == EventKind::Allocated || event.kind == EventKind::ResizeEnds ||
                                  event.kind == EventKind::AllocateFailed;
                return asks && Compares(condition_, static_cast<double>(event.size));
            }
            case Condition::Of::Address: return Touches(row, logged);
            case Condition::Of::Block:
                return IsAbout(logged, BlockId{static_cast<std::uint32_t>(condition_.number)});
            case Condition::Of::Site: return event.trace && sites_.Has(event.trace);
            case Condition::Of::Error: return RunCounter::IsError(event);
            default: return false;
        }
    }

private:
    bool Lies(BlockId block) const {
        if (!block) return false;
        const Event birth = log_.Birth(block).event;
        return condition_.number >= birth.Begin() && condition_.number < birth.End();
    }
    bool Touches(Row row, const log::LoggedEvent& logged) const {
        const Event& event = logged.event;
        switch (event.kind) {
            case EventKind::Allocated:
            case EventKind::Freed: return Lies(logged.block);
            case EventKind::ResizeEnds: return Lies(logged.block) || Lies(logged.oldBlock);
            case EventKind::FreeFailed: return event.address == condition_.number;  // its block is but the nearest
            case EventKind::AccessFailed: return event.address == condition_.number || Lies(logged.block);
            case EventKind::BulkFreed:
            case EventKind::AllocatorDestroyed:
            case EventKind::RegionShrunk: {
                const auto died = log_.DiedTogether(row);
                return std::any_of(died.begin(), died.end(), [this](BlockId block) { return Lies(block); });
            }
            default: return false;
        }
    }
    static bool IsAbout(const log::LoggedEvent& logged, BlockId block) {
        const bool concerns = logged.event.kind == EventKind::Allocated || logged.event.kind == EventKind::Freed ||
                              logged.event.kind == EventKind::ResizeEnds ||
                              logged.event.kind == EventKind::ResizeBegins;
        return concerns && (logged.block == block || logged.oldBlock == block);
    }
    const log::LogView& log_;
    const Condition& condition_;
    SiteCheck sites_;
};

bool IsMetric(const Condition& condition) {
    return condition.of == Condition::Of::Live || condition.of == Condition::Of::Heap ||
           condition.of == Condition::Of::Fragmentation;
}

}  // namespace

Outcome<Condition> ParseCondition(std::string_view whole) {
    const std::string_view text = Trimmed(whole);
    const auto wrong = [&](std::string what, std::string expected) {
        return Fail(Failure{std::string(text), std::move(what), std::move(expected)});
    };
    const std::size_t wordEnd = std::min(text.find_first_of(" \t<>="), text.size());
    const std::string_view word = text.substr(0, wordEnd);
    std::string_view rest = Trimmed(text.substr(wordEnd));
    Condition condition;
    struct Name { const char* name; Condition::Of of; };
    static constexpr Name kNames[] = {{"live", Condition::Of::Live}, {"heap", Condition::Of::Heap},
                                      {"frag", Condition::Of::Fragmentation}, {"size", Condition::Of::Size},
                                      {"address", Condition::Of::Address}, {"site", Condition::Of::Site},
                                      {"block", Condition::Of::Block}, {"error", Condition::Of::Error}};
    const auto name = std::find_if(std::begin(kNames), std::end(kNames), [&](const Name& n) { return word == n.name; });
    if (name == std::end(kNames)) return wrong("no condition begins like this", kExpected);
    condition.of = name->of;
    if (condition.of == Condition::Of::Error) {
        if (!rest.empty()) return wrong("nothing can follow \"error\"", "error");
        return condition;
    }
    if (condition.of == Condition::Of::Site) {
        if (rest.empty()) return wrong("no name", "site and part of a function's or a file's name");
        condition.text = std::string(rest);
        return condition;
    }
    if (condition.of == Condition::Of::Address || condition.of == Condition::Of::Block) {
        const auto number = ParseWhole(rest);
        const bool fits = number && (condition.of == Condition::Of::Address || (*number > 0 && *number <= 0xffffffff));
        if (!fits) return wrong(fmt::format("\"{}\" is no {}", rest, word), "a whole number, or one like 0x7f12");
        condition.number = *number;
        return condition;
    }
    struct Sign { const char* sign; Condition::Compare compare; };
    static constexpr Sign kSigns[] = {{"<=", Condition::Compare::AtMost}, {">=", Condition::Compare::AtLeast},
                                      {"<", Condition::Compare::Less}, {">", Condition::Compare::More}};
    const auto sign = std::find_if(std::begin(kSigns), std::end(kSigns), [&](const Sign& s) {
        return rest.substr(0, std::string_view(s.sign).size()) == s.sign;
    });
    if (sign == std::end(kSigns)) return wrong("no comparison", "<, <=, > or >= and a number");
    condition.compare = sign->compare;
    rest = Trimmed(rest.substr(std::string_view(sign->sign).size()));
    if (condition.of == Condition::Of::Fragmentation) {
        const auto share = ParseShare(rest);
        if (!share) return wrong(fmt::format("\"{}\" is no share", rest), "a number from 0 to 1, or like 40%");
        condition.value = *share;
        return condition;
    }
    const auto bytes = ParseBytes(rest);
    if (!bytes) return wrong(fmt::format("\"{}\" is no size", rest), "bytes: 4096, 64K, 1.5 MiB");
    condition.number = *bytes;
    condition.value = static_cast<double>(*bytes);
    return condition;
}

std::string Describe(const Condition& condition) {
    static constexpr const char* kSigns[] = {"<", "<=", ">", ">="};
    const char* const sign = kSigns[static_cast<std::size_t>(condition.compare)];
    switch (condition.of) {
        case Condition::Of::Live: return fmt::format("live {} {}", sign, condition.number);
        case Condition::Of::Heap: return fmt::format("heap {} {}", sign, condition.number);
        case Condition::Of::Size: return fmt::format("size {} {}", sign, condition.number);
        case Condition::Of::Fragmentation: return fmt::format("frag {} {}", sign, condition.value);
        case Condition::Of::Address: return fmt::format("address {:#x}", condition.number);
        case Condition::Of::Block: return fmt::format("block {}", condition.number);
        case Condition::Of::Site: return "site " + condition.text;
        case Condition::Of::Error: return "error";
    }
    return {};
}

std::optional<Position> FindNext(const log::LogView& log, const Series& series, const Condition& condition,
                                 Position from, bool forward, const std::atomic<bool>* cancelled) {
    const Position end = log.Positions();
    if (IsMetric(condition)) {
        if (forward) return FindMetric(series, condition, from + 1, end + 1, true);
        return FindMetric(series, condition, Position{}, from, false);
    }
    if (!forward && from.value == 0) return std::nullopt;
    RowCheck check(log, condition);
    // Rows of the positions behind `from`, or of those before it.
    std::uint64_t row = forward ? log.RowsAt(from).value : log.RowsAt(from - 1).value;
    for (std::uint64_t steps = 0; forward ? row < log.Rows().value : row > 0; ++steps) {
        if (steps % kLookEvery == 0 && cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) break;
        if (!forward) --row;
        if (check.Meets(Row{row})) {
            const Position at = log.PositionOf(Row{row});
            if (at <= end) return at;
        }
        if (forward) ++row;
    }
    return std::nullopt;
}

}  // namespace residue::analysis
