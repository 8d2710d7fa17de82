// residue report FILE [--json] [--allocator A] [--capacity N|auto] [--symbols PROGRAM]
//   [--fail-on-leak] [--max-peak BYTES] [--suppressions FILE]
//   [--size A-B] [--lifetime A-B] [--site TEXT] [--allocator-id N] [--thread N] [--range A-B]
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/filter_arguments.hpp"
#include "cli/report_checks.hpp"
#include "cli/report_data.hpp"
#include "session/scenario.hpp"

namespace residue::cli {

int ReportCommand(const Arguments& arguments) {
    CLI::App app("What a trace or a recording did to its heap: figures, failures, leaks.", "residue report");
    std::string file;
    bool json = false;
    ReplayArguments replay;
    FilterArguments filter;
    ReportChecks checks;
    app.add_option("FILE", file,
                   "a trace (.rep, .script) or a recording (.residue, .jsonl, of heaptrack, mtrace, ltrace, valgrind, "
                   "...), told by "
                   "content; gzip or zstd too");
    app.add_flag("--json", json, "one JSON object instead of text");
    replay.AddTo(app);
    filter.AddTo(app);
    checks.AddTo(app);

    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, arguments, failures); !parsed.goOn) return parsed.exitCode;
    session::OpenOptions options = replay.Check(failures);
    options.index = false;  // a few moments are looked at
    const ProfileRequest request = filter.Check(failures);
    checks.Check(failures);
    CheckReadable(file, "FILE", failures);
    if (!failures.empty()) return Complain(failures);

    CatchInterrupt();
    const auto session = session::Session::Open(file, options);
    if (!WaitUntilLoaded(*session)) return SayInterrupted();
    if (session::Scenario* const scenario = session->GetScenario(); scenario != nullptr && !scenario->Program()) {
        std::fputs(scenario::Render(scenario->Diagnostics()).c_str(), stderr);  // all of it, with the lines
        return kBadInput;
    }
    auto report = MakeReport(*session, request);
    if (!report) return Complain(report.error());
    if (!*report) return SayInterrupted();
    checks.Suppress(**report);
    const int printed = Print(json ? ReportJson(**report) : ReportText(**report, OutputIsColoured()));
    const std::vector<std::string> broken = checks.Broken(**report);
    for (const std::string& sentence : broken) {
        std::fprintf(stderr, "residue: %s: %s\n", file.c_str(), sentence.c_str());
    }
    return printed == kFine && !broken.empty() ? kDoesNotHold : printed;
}

}  // namespace residue::cli
