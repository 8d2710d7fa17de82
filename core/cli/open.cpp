// residue open [FILE] [--allocator A] [--capacity N|auto]: the window.
// residue open MM.c|DIR --trace TRACE...: a student's allocator, as `residue lab --window` does.
// residue open [--call-traces HOW] [--depth N] [--limit BYTES] [--drop] -- PROGRAM ARGS...: the same, on a program that
// it starts.
#include <CLI/CLI.hpp>
#include <algorithm>

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
    CLI::App app("Starts a program and shows its heap while it runs.", "residue open -- PROGRAM ARGUMENTS...");
    capture::OptionTexts how;
    AddCaptureOptions(app, how);
    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, before, failures); !parsed.goOn) return parsed.exitCode;
    (void)capture::CheckOptions(how, failures);
    if (program.empty()) failures.push_back({"residue open --", "no program", "residue open -- PROGRAM ARGUMENTS..."});
    if (!failures.empty()) return Complain(failures);
    const auto path = capture::FindProgram(program[0]);
    if (!path) return Complain(path.error());
    if (const auto fit = capture::CheckPreloadable(*path); !fit) return Complain(fit.error());
    return BecomeViewer(arguments);
}

}  // namespace

int OpenCommand(const Arguments& arguments) {
    if (std::find(arguments.begin(), arguments.end(), "--") != arguments.end()) return OpenProgram(arguments);
    // The file is checked here, so that the answer is on this terminal and not in a window.
    if (!arguments.empty() && !arguments[0].starts_with("-")) {
        std::vector<Failure> failures;
        if (!IsLab(arguments)) CheckReadable(arguments[0], "FILE", failures);
        if (!failures.empty()) return Complain(failures);
    }
    return BecomeViewer(arguments);
}

}  // namespace residue::cli
