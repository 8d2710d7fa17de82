// residue: looks at memory allocators from the command line; starts residue-view for what needs drawing.
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "cli/commands.hpp"
#include "cli/console.hpp"

namespace {

using residue::cli::Arguments;

struct Command {
    const char* name;
    int (*run)(const Arguments& arguments);
    const char* usage;
    const char* summary;
};

constexpr Command kCommands[] = {
    {"open", residue::cli::OpenCommand, "[open] [FILE]", "the window, on a trace or a recording"},
    {"open", residue::cli::OpenCommand, "open -- PROGRAM ARGS...", "the window, on a program that it starts"},
    {"open", residue::cli::OpenCommand, "open --attach PID", "the window, on a program that runs already"},
    {"record", residue::cli::RecordCommand, "record -o OUT -- PROGRAM ARGS...",
     "runs a program and writes down its allocations"},
    {"record", residue::cli::RecordCommand, "record -o OUT --attach PID", "the same for one that runs already"},
    {"report", residue::cli::ReportCommand, "report FILE [--json]", "figures, failures and leaks, as text or JSON"},
    {"picture", residue::cli::PictureCommand, "picture FILE --at N -o OUT.png",
     "one moment as a PNG or SVG; needs no display"},
    {"run", residue::cli::RunCommand, "run FILE.iridis", "a scenario as a program: its console, then what leaked"},
    {"check", residue::cli::CheckCommand, "check FILES...", "scenarios: does what they expect hold? (--junit for CI)"},
    {"lab", residue::cli::LabCommand, "lab MM.c|DIR TRACES...",
     "builds, checks and grades a malloc-lab allocator, safely"},
    {"race", residue::cli::RaceCommand, "race TRACES... --with A,B,...",
     "traces through several allocators at once, mm.c and glibc among them"},
    {"convert", residue::cli::ConvertCommand, "convert IN OUT",
     "to another format: traces, recordings, CSV, JSON, ..."},
    {"diff", residue::cli::DiffCommand, "diff A B", "what grew from one run to another, or --from P --to Q in one"},
};

std::string Help() {
    std::string help = "residue: see what a memory allocator does.\n\n";
    for (const Command& command : kCommands) {
        std::string usage = std::string("  residue ") + command.usage;
        usage.resize(std::max<std::size_t>(usage.size(), 42), ' ');
        help += usage + "  " + command.summary + "\n";
    }
    return help +
           "\n`residue COMMAND --help` tells its options. Files: scenarios (.iridis), malloc-lab .rep, CS107 .script,\n"
           ".residue, .jsonl, and recordings of heaptrack, mtrace, ltrace, valgrind --trace-malloc, logalloc and\n"
           "memory_replay; gzip or zstd too. Exit codes: 0 fine, 1 what was checked does not hold, 2 bad usage or "
           "input.\n";
}

std::string CommandNames() {
    std::string names;
    for (const Command& command : kCommands) {
        if (names.ends_with(command.name)) continue;  // it has two lines in the help
        names += std::string(names.empty() ? "" : ", ") + command.name;
    }
    return names;
}

int Main(const Arguments& arguments) {
    namespace cli = residue::cli;
    if (arguments.empty()) {
        std::fputs(Help().c_str(), stderr);
        return cli::kBadInput;
    }
    const std::string& first = arguments[0];
    const Arguments rest(arguments.begin() + 1, arguments.end());
    if (first == "--version") return cli::Print("residue " RESIDUE_VERSION "\n");
    if (first == "help" || first == "--help" || first == "-h") {
        for (const Command& command : kCommands) {
            if (!rest.empty() && rest[0] == command.name) return command.run({"--help"});
        }
        return cli::Print(Help());
    }
    for (const Command& command : kCommands) {
        if (first == command.name) return command.run(rest);
    }
    struct stat info {};
    const bool looksLikeFile = first.find_first_of("./") != std::string::npos || stat(first.c_str(), &info) == 0;
    if (first.starts_with("-") || looksLikeFile) return cli::OpenCommand(arguments);
    return cli::Complain({"residue", "no command and no file '" + first + "'", CommandNames() + ", or a file"});
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return Main(Arguments(argv + 1, argv + argc));
    } catch (const std::bad_alloc&) {
        std::fputs("residue: out of memory\n", stderr);
        return residue::cli::kBadInput;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "residue: %s\n", error.what());
        return residue::cli::kBadInput;
    }
}
