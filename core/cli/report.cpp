// residue report FILE [--json] [--allocator A] [--capacity N|auto] [--symbols PROGRAM]
//   [--size A-B] [--lifetime A-B] [--site TEXT] [--allocator-id N] [--thread N] [--range A-B]
#include <CLI/CLI.hpp>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/filter_arguments.hpp"
#include "cli/report_data.hpp"
#include "session/scenario.hpp"

namespace residue::cli {

int ReportCommand(const Arguments& arguments) {
    CLI::App app("What a trace or a recording did to its heap: figures, failures, leaks.", "residue report");
    std::string file;
    bool json = false;
    ReplayArguments replay;
    FilterArguments filter;
    app.add_option("FILE", file, "a trace (.rep, .script) or a recording (.residue, .jsonl, of heaptrack, mtrace, ltrace, valgrind, ...), told by "
                   "content; gzip or zstd too");
    app.add_flag("--json", json, "one JSON object instead of text");
    replay.AddTo(app);
    filter.AddTo(app);

    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, arguments, failures); !parsed.goOn) return parsed.exitCode;
    const session::OpenOptions options = replay.Check(failures);
    const ProfileRequest request = filter.Check(failures);
    CheckReadable(file, "FILE", failures);
    if (!failures.empty()) return Complain(failures);

    CatchInterrupt();
    const auto session = session::Session::Open(file, options);
    if (!WaitUntilLoaded(*session)) return SayInterrupted();
    if (session::Scenario* const scenario = session->GetScenario(); scenario != nullptr && !scenario->Program()) {
        std::fputs(scenario::Render(scenario->Diagnostics()).c_str(), stderr);  // all of it, with the lines
        return kBadInput;
    }
    const auto report = MakeReport(*session, request);
    if (!report) return Complain(report.error());
    if (!*report) return SayInterrupted();
    return Print(json ? ReportJson(**report) : ReportText(**report, OutputIsColoured()));
}

}  // namespace residue::cli
