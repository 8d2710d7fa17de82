// Which blocks and which stretch of a run are looked at: the flags that report, convert and diff share.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/profile.hpp"
#include "log/failure.hpp"

namespace CLI {
class App;
}

namespace residue::cli {

// What the flags say, and convert's --at.
struct ProfileRequest {
    analysis::BlockFilter filter;
    std::optional<std::pair<Position, Position>> range;  // first < second
    std::optional<Position> at;                          // as if the run ended there
    bool Any() const { return filter.Any() || range || at; }
};

// --size, --lifetime, --site, --allocator-id, --thread; --range.
struct FilterArguments {
    std::string size, lifetime, site, allocator, thread, range;  // empty: not given
    void AddTo(CLI::App& app);
    void AddFiltersTo(CLI::App& app);        // without --range
    std::vector<const char*> Given() const;  // the flags' names
    ProfileRequest Check(std::vector<Failure>& failures) const;
};

// Of --at, --from, --to: after so many calls. A failure is added where it is none.
std::optional<Position> ParsePosition(const char* flag, const std::string& text, std::vector<Failure>& failures);

// --by. Empty: `otherwise`.
analysis::SiteMeasure ParseMeasure(const std::string& text, analysis::SiteMeasure otherwise,
                                   std::vector<Failure>& failures);
std::string MeasureNames();

}  // namespace residue::cli
