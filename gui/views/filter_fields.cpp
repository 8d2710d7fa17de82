#include "gui/views/filter_fields.hpp"

#include <algorithm>
#include <cctype>
#include <limits>

#include "base/parse_size.hpp"

namespace residue::gui {
namespace {

constexpr const char* kNames[] = {"size", "life", "site", "thread"};
constexpr std::uint64_t kNoLimit = analysis::BlockFilter::kNoLimit;

std::string_view Trimmed(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
    return text;
}

bool Takes(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text = Trimmed(text.substr(prefix.size()));
    return true;
}

}  // namespace

Outcome<std::pair<std::uint64_t, std::uint64_t>> ParseInterval(std::string_view text, bool bytes) {
    const std::string whole(Trimmed(text));
    std::string_view rest = whole;
    const auto number = [&](std::string_view part) { return bytes ? ParseBytes(part) : ParseWhole(part); };
    const auto failed = [&] {
        return Fail(Failure{"", "\"" + whole + "\" is no range",
                            bytes ? "such as 64, 1K-4K, 1K- or < 4K" : "such as 100, 10-200, 10- or < 50"});
    };
    std::uint64_t least = 0, most = kNoLimit;
    std::string_view::size_type dash = 0;
    if (Takes(rest, ">=")) {
        const auto value = number(rest);
        if (!value) return failed();
        least = *value;
    } else if (Takes(rest, "<=")) {
        const auto value = number(rest);
        if (!value) return failed();
        most = *value;
    } else if (Takes(rest, ">")) {
        const auto value = number(rest);
        if (!value || *value == kNoLimit) return failed();
        least = *value + 1;
    } else if (Takes(rest, "<")) {
        const auto value = number(rest);
        if (!value || *value == 0) return failed();
        most = *value - 1;
    } else if ((dash = rest.find('-')) != std::string_view::npos) {
        const std::string_view low = Trimmed(rest.substr(0, dash)), high = Trimmed(rest.substr(dash + 1));
        if (low.empty() && high.empty()) return failed();
        const auto from = low.empty() ? std::optional<std::uint64_t>(0) : number(low);
        const auto to = high.empty() ? std::optional<std::uint64_t>(kNoLimit) : number(high);
        if (!from || !to || *from > *to) return failed();
        least = *from, most = *to;
    } else {
        const auto value = number(rest);
        if (!value) return failed();
        least = most = *value;
    }
    return std::pair{least, most};
}

bool FilterFields::Any() const {
    return allocator || born ||
           std::any_of(texts.begin(), texts.end(), [](const std::string& text) { return !Trimmed(text).empty(); });
}

Outcome<analysis::BlockFilter> FilterFields::Parse() const {
    analysis::BlockFilter filter;
    for (const Field field : {Size, Life}) {
        if (Trimmed(texts[field]).empty()) continue;
        const auto interval = ParseInterval(texts[field], field == Size);
        if (!interval) return Fail(Failure{kNames[field], interval.error().what, interval.error().expected});
        (field == Size ? filter.leastSize : filter.leastLife) = interval->first;
        (field == Size ? filter.mostSize : filter.mostLife) = interval->second;
    }
    filter.site = Trimmed(texts[Site]);
    if (const std::string_view text = Trimmed(texts[Thread]); !text.empty()) {
        const auto thread = ParseWhole(text);
        if (!thread || *thread > std::numeric_limits<decltype(ThreadId::value)>::max()) {
            return Fail(Failure{kNames[Thread], "\"" + std::string(text) + "\" is no thread", "its number, such as 1"});
        }
        filter.thread = ThreadId{static_cast<decltype(ThreadId::value)>(*thread)};
    }
    filter.allocator = allocator;
    if (born) filter.bornFrom = born->first, filter.bornTo = born->second;
    return filter;
}

std::optional<FilterFields::Field> FilterFields::Wrong() const {
    const auto parsed = Parse();
    if (parsed) return std::nullopt;
    for (const Field field : {Size, Life, Site, Thread}) {
        if (parsed.error().where == kNames[field]) return field;
    }
    return std::nullopt;
}

}  // namespace residue::gui
