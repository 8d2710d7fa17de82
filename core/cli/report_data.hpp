// Everything `residue report` says about a file, before it is printed as text or as JSON (DESIGN.md, "Programs").
// Cost: the file is read once or twice and replayed once. Main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics.hpp"
#include "analysis/profile.hpp"
#include "analysis/series.hpp"
#include "cli/filter_arguments.hpp"
#include "cli/report_allocators.hpp"
#include "import/trace.hpp"
#include "log/failure.hpp"
#include "session/session.hpp"

namespace residue::cli {

struct ReportLeak {
    std::uint64_t bytes = 0;  // as requested
    std::uint64_t blocks = 0;
    std::vector<std::string> trace;  // "function (file:line)", innermost first; empty where none was recorded
};

struct ReportError {
    std::uint64_t position = 0;  // after that many calls
    std::string sentence;
};

// What only a heap can tell.
struct ReportHeap {
    analysis::Metrics atPeak;  // at the first peak of live bytes
    analysis::RunMetrics run;
    std::vector<analysis::SeriesColumn> columns;  // the whole run, for a small chart
    std::uint64_t peakMapped = 0;                 // sampled; 0: nothing was seen
    std::vector<ReportError> errors;              // the first ones
    std::uint64_t moreErrors = 0;
};

struct ReportSite {
    std::uint64_t bytes = 0;
    std::uint64_t blocks = 0;
    std::vector<std::string> trace;  // as ReportLeak's
};

// Of the blocks that the flags let through, in the stretch that they name.
struct ReportProfile {
    std::uint64_t from = 0, to = 0, peak = 0;  // positions; the peak of that stretch
    bool asked = false;                        // flags named a stretch or a filter
    std::string hidden;                        // what the filter leaves out; empty without one
    std::uint64_t hiddenBlocks = 0, hiddenBytes = 0;
    bool hasTraces = false;               // else all sites are one
    std::vector<ReportSite> atPeak;       // by bytes alive at the peak
    std::vector<ReportSite> allocations;  // by blocks allocated
    std::vector<ReportSite> temporary;    // by blocks freed before their thread's next request
    analysis::Bins sizes;                 // of blocks allocated
    analysis::Bins lifetimes;             // of those that were freed, in calls
};

struct Report {
    std::string file;
    std::string format;
    std::string provenance;
    import::TraceFigures figures;
    std::uint64_t failed = 0;
    std::vector<ReportLeak> leaks;  // by bytes, descending
    std::uint64_t suppressedBytes = 0, suppressedBlocks = 0;  // leaks that are known, and not among them
    std::vector<ReportAllocator> allocators;  // where the log has several
    std::vector<Warning> warnings;
    std::optional<ReportHeap> heap;
    std::string reason;                    // why there is no heap
    std::optional<ReportProfile> profile;  // where there is a heap
};

// `session` is loaded. `request` is about the profile; the figures are always of the whole run. Failure: the file could
// not be read at all, or has not what the request is about. nullopt in the Outcome: Ctrl-C.
Outcome<std::optional<Report>> MakeReport(session::Session& session, const ProfileRequest& request = {});

// The same as text for people and as JSON; both end with a newline. `coloured`: with ANSI codes.
std::string ReportText(const Report& report, bool coloured);
std::string ReportJson(const Report& report);

}  // namespace residue::cli
