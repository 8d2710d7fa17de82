// residue open [FILE] [--allocator A] [--capacity N|auto]: the window.
// residue open MM.c|DIR --trace TRACE...: a student's allocator, as `residue lab --window` does.
// residue open [--follow] [--call-traces HOW] [--depth N] [--limit BYTES] [--drop | --wait] -- PROGRAM ARGS...: the
// same, on a program that it starts; or with --attach PID, on one that runs already.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "capture/attach.hpp"
#include "capture/launch.hpp"
#include "cli/arguments.hpp"
#include "cli/capture_arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/viewer.hpp"

namespace residue::cli {

namespace {

// What can be told before a window opens, is told here.
int OpenProgram(const Arguments& arguments) {
    const auto [before, program] = capture::SplitAtProgram(arguments);
    CLI::App app("Starts a program, or attaches to one, and shows its heap while it runs.\n"
                 "residue open -- PROGRAM ARGUMENTS...\nresidue open --attach PID", "residue open");
    capture::OptionTexts how;
    AddCaptureOptions(app, how);
    app.add_flag("--follow", how.follow,
                 "the processes that it starts are watched too; the window shows one at a time");
    app.add_option("--attach", how.attach, capture::OptionTexts::kAttachHelp);
    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, before, failures); !parsed.goOn) return parsed.exitCode;
    (void)capture::CheckOptions(how, failures);
    if (how.process && !program.empty()) {
        failures.push_back({"--attach", "there is a program to start, too", "one of the two"});
    } else if (how.attach.empty() && program.empty()) {
        failures.push_back({"residue open --", "no program", "residue open -- PROGRAM ARGUMENTS..."});
    }
    if (!failures.empty()) return Complain(failures);
    if (how.process) {
        if (const auto fit = capture::CheckAttachable(*how.process); !fit) return Complain(fit.error());
        return BecomeViewer(arguments);
    }
    const auto path = capture::FindProgram(program[0]);
    if (!path) return Complain(path.error());
    if (const auto fit = capture::CheckPreloadable(*path); !fit) return Complain(fit.error());
    return BecomeViewer(arguments);
}

}  // namespace

int OpenCommand(const Arguments& arguments) {
    const bool program = std::any_of(arguments.begin(), arguments.end(), [](const std::string& word) {
        return word == "--" || word == "--attach" || word.starts_with("--attach=");
    });
    if (program) return OpenProgram(arguments);
    // The file is checked here, so that the answer is on this terminal and not in a window.
    if (!arguments.empty() && !arguments[0].starts_with("-")) {
        std::vector<Failure> failures;
        if (!IsLab(arguments)) CheckReadable(arguments[0], "FILE", failures);
        if (!failures.empty()) return Complain(failures);
    }
    return BecomeViewer(arguments);
}

}  // namespace residue::cli
