// What `residue report` can be asked to hold of a recording, for a build server: --fail-on-leak, --max-peak, and which
// leaks are known and not meant (--suppressions, in LeakSanitizer's syntax).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/report_data.hpp"
#include "log/failure.hpp"

namespace CLI {
class App;
}

namespace residue::cli {

// Does a pattern of a suppression match `text` somewhere? '*' stands for anything, '^' for the beginning, '$' for the
// end, as in LeakSanitizer's.
bool MatchesSuppression(std::string_view pattern, std::string_view text);

// The patterns of a suppression file: lines `leak:PATTERN`; blank ones and those that begin with '#' count for nothing.
// Others, and a file that cannot be read, are failures by line.
std::vector<std::string> ReadSuppressions(const std::string& path, std::vector<Failure>& failures);

struct ReportChecks {
    bool failOnLeak = false;
    std::string mostPeak, suppressionFile;  // as given
    void AddTo(CLI::App& app);
    void Check(std::vector<Failure>& failures);

    // Takes the leaks out of which a frame is suppressed, and counts them.
    void Suppress(Report& report) const;
    // What does not hold, a sentence each.
    std::vector<std::string> Broken(const Report& report) const;

private:
    std::optional<std::uint64_t> peak_;
    std::vector<std::string> patterns_;
};

}  // namespace residue::cli
