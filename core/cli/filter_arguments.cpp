#include "cli/filter_arguments.hpp"

#include <CLI/CLI.hpp>
#include <limits>

#include "base/parse_size.hpp"

namespace residue::cli {
namespace {

constexpr std::uint64_t kNoLimit = analysis::BlockFilter::kNoLimit;
using Parse = std::optional<std::uint64_t> (*)(std::string_view);

// "A-B", "A-" (and more), "-B" (up to) or "A" (exactly). A failure is added where it is none of these.
void ParseRange(const char* flag, const std::string& text, Parse parse, const char* expected, std::uint64_t& least,
                std::uint64_t& most, std::vector<Failure>& failures) {
    if (text.empty()) return;
    const std::size_t dash = text.find('-');
    const std::string first = text.substr(0, dash);
    const std::string second = dash == std::string::npos ? first : text.substr(dash + 1);
    const auto low = first.empty() ? std::optional<std::uint64_t>(0) : parse(first);
    const auto high = second.empty() ? std::optional<std::uint64_t>(kNoLimit) : parse(second);
    if (!low || !high || *high < *low || (first.empty() && second.empty())) {
        failures.push_back({flag, "'" + text + "' is no range", expected});
        return;
    }
    least = *low;
    most = *high;
}

// An id, from 1 up.
template <class Id>
void ParseId(const char* flag, const std::string& text, std::optional<Id>& id, std::vector<Failure>& failures) {
    using Number = typename Id::Representation;
    if (text.empty()) return;
    const auto number = ParseWhole(text);
    const std::uint64_t most = std::numeric_limits<Number>::max();
    if (!number || *number == 0 || *number > most) {
        failures.push_back({flag, "'" + text + "' is no number of one", "1 to " + std::to_string(most)});
        return;
    }
    id = Id{static_cast<Number>(*number)};
}

}  // namespace

void FilterArguments::AddFiltersTo(CLI::App& app) {
    app.add_option("--size", size, "only blocks of so many bytes: 1K-4K, 1K- (and more), 64 (exactly)")
        ->type_name("A-B");
    app.add_option("--lifetime", lifetime, "only blocks that lived for so many calls")->type_name("A-B");
    app.add_option("--site", site, "only blocks with this in a function or file of their call trace")
        ->type_name("TEXT");
    app.add_option("--allocator-id", allocator, "only blocks of this allocator (1 is the first)")->type_name("N");
    app.add_option("--thread", thread, "only blocks of this thread (1 is the first)")->type_name("N");
}

void FilterArguments::AddTo(CLI::App& app) {
    AddFiltersTo(app);
    app.add_option("--range", range, "what happened between two positions (after A calls, after B calls)")
        ->type_name("A-B");
}

std::vector<const char*> FilterArguments::Given() const {
    std::vector<const char*> given;
    const auto add = [&given](const char* flag, const std::string& text) {
        if (!text.empty()) given.push_back(flag);
    };
    add("--size", size);
    add("--lifetime", lifetime);
    add("--site", site);
    add("--allocator-id", allocator);
    add("--thread", thread);
    add("--range", range);
    return given;
}

ProfileRequest FilterArguments::Check(std::vector<Failure>& failures) const {
    ProfileRequest request;
    analysis::BlockFilter& filter = request.filter;
    ParseRange("--size", size, ParseBytes, "bytes: 64, 1K-4K or 1M-", filter.leastSize, filter.mostSize, failures);
    ParseRange("--lifetime", lifetime, ParseWhole, "calls: 1, 10-100 or 1000-", filter.leastLife, filter.mostLife,
               failures);
    filter.site = site;
    ParseId("--allocator-id", allocator, filter.allocator, failures);
    ParseId("--thread", thread, filter.thread, failures);
    if (range.empty()) return request;
    std::uint64_t from = 0, to = 0;
    const std::size_t before = failures.size();
    const char* const expected = "two positions, the lower one first: 100-200 or 100-";
    ParseRange("--range", range, ParseWhole, expected, from, to, failures);
    if (failures.size() != before) return request;
    if (from == to) failures.push_back({"--range", "'" + range + "' is empty", expected});
    request.range = std::pair{Position{from}, Position{to}};
    return request;
}

std::optional<Position> ParsePosition(const char* flag, const std::string& text, std::vector<Failure>& failures) {
    if (text.empty()) return std::nullopt;
    const auto number = ParseWhole(text);
    if (!number) failures.push_back({flag, "'" + text + "' is no position", "a number of calls: 0, 100, 1,000"});
    return number ? std::optional(Position{*number}) : std::nullopt;
}

std::string MeasureNames() {
    std::string names;
    for (const analysis::MeasureInfo& info : analysis::MeasureTable()) {
        names += (names.empty() ? "" : ", ") + std::string(info.key);
    }
    return names;
}

analysis::SiteMeasure ParseMeasure(const std::string& text, analysis::SiteMeasure otherwise,
                                   std::vector<Failure>& failures) {
    if (text.empty()) return otherwise;
    if (const analysis::MeasureInfo* const info = analysis::FindMeasure(text)) return info->measure;
    failures.push_back({"--by", "there is no measure '" + text + "'", MeasureNames()});
    return otherwise;
}

}  // namespace residue::cli
