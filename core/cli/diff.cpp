// residue diff A B [--window] | residue diff FILE --from P --to Q   [--by MEASURE] [--most N] [--json]
//   [--size A-B] [--lifetime A-B] [--site TEXT] [--allocator-id N] [--thread N] [--allocator A] [--capacity N|auto]
#include "cli/diff_data.hpp"

#include <CLI/CLI.hpp>
#include <optional>

#include "base/parse_size.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/filter_arguments.hpp"
#include "cli/profile_data.hpp"
#include "cli/viewer.hpp"

namespace residue::cli {
namespace {

using analysis::SiteMeasure;

struct Request {
    std::string first, second;  // files; the second one is empty where two moments of one are compared
    std::optional<Position> from, to;
    SiteMeasure by = SiteMeasure::LiveBytes;
    std::optional<std::uint64_t> most;
    bool json = false;
    bool window = false;
    ProfileRequest profile;
    session::OpenOptions replay;
};

// Up to `at` (none: the end), or up to the peak before it. Cancelled: a failure.
Outcome<DiffMoment> Look(const session::Session& session, const Request& request, std::optional<Position> at,
                         const char* flag, std::atomic<double>& progress) {
    ProfileRequest wanted = request.profile;
    wanted.at = at;
    Outcome<analysis::Profile> profile = ProfileOf(session, wanted, &progress);
    if (profile && request.by == SiteMeasure::PeakBytes && profile->peak != profile->to) {
        wanted.at = profile->peak;
        profile = ProfileOf(session, wanted, &progress);
    }
    if (!profile) {
        Failure failure = profile.error();
        if (failure.where == "--at") failure.where = flag;
        return Fail(std::move(failure));
    }
    const std::uint64_t position = profile->to.value;
    std::string hidden = HiddenText(wanted, *profile);
    return DiffMoment{session.Path(), position, std::move(*profile), std::move(hidden)};
}

Outcome<DiffReport> Compare(const session::Session& first, const session::Session& second, const Request& request) {
    return ShowingProgress("comparing", [&](std::atomic<double>& progress) -> Outcome<DiffReport> {
        Outcome<DiffMoment> before = Look(first, request, request.from, "--from", progress);
        if (!before) return Fail(before.error());
        Outcome<DiffMoment> after = Look(second, request, request.to, "--to", progress);
        if (!after) return Fail(after.error());
        DiffReport report{std::move(*before), std::move(*after), request.by, true, {}};
        // What the peak holds is what is live there.
        const bool peak = request.by == SiteMeasure::PeakBytes;
        const SiteMeasure measure = peak ? SiteMeasure::LiveBytes : request.by;
        report.live = measure == SiteMeasure::LiveBytes || measure == SiteMeasure::LeakedBytes;
        report.diff =
            analysis::Compare({first.View(), report.before.profile}, {second.View(), report.after.profile}, measure);
        return report;
    });
}

void Check(Request& request, const std::string& by, const std::string& from, const std::string& to,
           const std::string& most, std::vector<Failure>& failures) {
    CheckReadable(request.first, "A", failures);
    if (!request.second.empty()) CheckReadable(request.second, "B", failures);
    request.from = ParsePosition("--from", from, failures);
    request.to = ParsePosition("--to", to, failures);
    const bool moments = !from.empty() || !to.empty();
    if (request.second.empty() && !moments) {
        failures.push_back({"B", "is missing", "a second file, or --from P --to Q for two moments of one"});
    }
    if (!request.second.empty() && moments) {
        failures.push_back({from.empty() ? "--to" : "--from", "is for two moments of one file", "one file"});
    }
    if (request.second.empty() && moments && from.empty()) request.from = Position{};
    if (request.from && request.to && *request.to < *request.from) {
        failures.push_back({"--to", "lies before --from", "two moments, the earlier one first"});
    }
    if (request.window && request.second.empty()) {
        failures.push_back({"--window", "is for two recordings", "A and B"});
    }
    // Said rather than left out in silence: the window begins with its own, and changes them there.
    if (request.window && (!by.empty() || !most.empty() || request.json || request.profile.Any())) {
        failures.push_back({"--window", "goes with no measure, limit, filter or --json",
                            "A and B alone: measures and filters are chosen in the window"});
    }
    request.by = ParseMeasure(by, request.second.empty() ? SiteMeasure::LiveBytes : SiteMeasure::PeakBytes, failures);
    if (request.by == SiteMeasure::GrownBytes) {
        failures.push_back({"--by", "'grown' is what diff tells of every other measure", "live, peak, allocated, ..."});
    }
    if (most.empty()) return;
    request.most = ParseBytes(most);
    if (!request.most) failures.push_back({"--most", "'" + most + "' is no number", "0, 64K, 10M"});
}

int Run(const Request& request) {
    int exitCode = kFine;
    const auto first = OpenLoaded(request.first, request.replay, exitCode);
    if (first == nullptr) return exitCode;
    std::unique_ptr<session::Session> other;
    if (!request.second.empty()) {
        other = OpenLoaded(request.second, request.replay, exitCode);
        if (other == nullptr) return exitCode;
    }
    const Outcome<DiffReport> report = Compare(*first, other != nullptr ? *other : *first, request);
    if (Interrupted()) return SayInterrupted();
    if (!report) return Complain(report.error());
    exitCode = Print(request.json ? DiffJson(*report) : DiffText(*report, OutputIsColoured()));
    if (exitCode != kFine || !request.most || report->diff.change <= 0) return exitCode;
    return static_cast<std::uint64_t>(report->diff.change) > *request.most ? kDoesNotHold : kFine;
}

}  // namespace

int DiffCommand(const Arguments& arguments) {
    CLI::App app(
        "What grew from one run to another, or from one moment of a run to another: by site, size and lifetime. "
        "Sites are matched by the names of their functions.",
        "residue diff");
    Request request;
    ReplayArguments replay;
    FilterArguments filter;
    std::string by, from, to, most;
    app.add_option("A", request.first, "the earlier run");
    app.add_option("B", request.second, "the later run; without it, --from and --to");
    app.add_option("--from", from, "of one file: the earlier moment, after P calls (0)")->type_name("P");
    app.add_option("--to", to, "of one file: the later moment (the end)")->type_name("Q");
    app.add_option("--by", by,
                   "what is compared: live, peak, allocated, allocations, temporary or leaked (of two files "
                   "peak, of two moments live)")
        ->type_name("MEASURE");
    app.add_option("--most", most, "exit with 1 if it grew by more than this (64K, 10M, ...)")->type_name("N");
    app.add_flag("--json", request.json, "one JSON object instead of text");
    app.add_flag("--window", request.window, "of two files: in the window, as a flame graph and beside each other");
    filter.AddFiltersTo(app);
    replay.AddTo(app);

    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, arguments, failures); !parsed.goOn) return parsed.exitCode;
    request.replay = replay.Check(failures);
    request.profile = filter.Check(failures);
    Check(request, by, from, to, most, failures);
    if (!failures.empty()) return Complain(failures);
    if (request.window) return BecomeViewer({request.second, "--against", request.first});
    CatchInterrupt();
    return Run(request);
}

}  // namespace residue::cli
