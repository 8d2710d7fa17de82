// residue race TRACES... --with A,B,...: the same traces through several allocators, side by side.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "alloc/registry.hpp"
#include "base/parse_size.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/race_data.hpp"
#include "cli/trace_arguments.hpp"
#include "cli/viewer.hpp"
#include "session/lanes.hpp"

namespace residue::cli {
namespace {

// The options as typed; what is wrong with them is collected.
struct RaceArguments {
    std::vector<std::string> traces;
    std::string with = "first-fit,best-fit,segregated-fit,tlsf,buddy,glibc";
    std::string capacity, sort = "given", heap = "100M", timeout = "20", compiler;
    bool json = false, noTiming = false, noLandlock = false, window = false;

    void AddTo(CLI::App& app) {
        app.add_option("TRACES", traces, "malloc-lab .rep, CS107 .script, or folders of them");
        app.add_option("--with", with,
                       "who takes part, with commas between: " + lab::EntrantNames() + " (" + with + ")")
            ->type_name("A,B,...");
        app.add_flag("--json", json, "one JSON object instead of text");
        app.add_option("--sort", sort, std::string("the best lane first, by ") + kRaceOrders)->type_name("COLUMN");
        app.add_option("--capacity", capacity,
                       "bytes of the lanes that live in a buffer, or 'auto': their heaps grow as needed (auto)")
            ->type_name("N|auto");
        app.add_option("--heap", heap, "the most that mem_sbrk gives an mm.c (100M)")->type_name("BYTES");
        app.add_option("--timeout", timeout, "seconds for an mm.c or a system's malloc and a trace (20)")
            ->type_name("SECONDS");
        app.add_option("--compiler", compiler, "the C compiler for an mm.c (cc, gcc or clang)");
        app.add_flag("--no-timing", noTiming, "no throughput: the same output every time");
        app.add_flag("--window", window, "the lanes below each other in the window, on one trace");
        app.add_flag("--no-landlock", noLandlock, "go on where the kernel cannot keep files from an mm.c");
    }
};

std::vector<std::string> Split(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream rest(text);
    for (std::string part; std::getline(rest, part, ',');) parts.push_back(part);
    return parts;
}

lab::RaceOptions OptionsOf(const RaceArguments& given, std::vector<Failure>& failures) {
    lab::RaceOptions options;
    options.cancelled = &Interrupted();
    options.timing = !given.noTiming;
    options.student.needsLandlock = !given.noLandlock;
    if (!given.capacity.empty() && given.capacity != "auto") {
        options.capacity = ParseBytes(given.capacity);
        if (!options.capacity || *options.capacity == 0) {
            failures.push_back(
                {"--capacity", "'" + given.capacity + "' is no number of bytes", "4096, 64K, 10M, 2G or auto"});
        }
    }
    lab::ReadLimits(given.heap, given.timeout, options.student, failures);
    return options;
}

bool Any(const std::vector<lab::RaceResult>& races, lab::RaceLane::State state) {
    return std::any_of(races.begin(), races.end(), [&](const lab::RaceResult& race) {
        return std::any_of(race.lanes.begin(), race.lanes.end(),
                           [&](const lab::RaceLane& lane) { return !lane.isBound && lane.state == state; });
    });
}

int Run(const std::vector<std::string>& files, const std::vector<lab::Entrant>& entrants, lab::RaceOptions options,
        RaceOrder order, bool json) {
    std::vector<lab::RaceResult> races;
    for (const std::string& file : files) {
        const std::string doing = "racing " + std::filesystem::path(file).filename().string();
        auto race = ShowingProgress(doing.c_str(), [&](std::atomic<double>& progress) {
            options.progress = &progress;
            return lab::Race(file, entrants, options);
        });
        if (Interrupted()) return SayInterrupted();
        if (!race) return Complain(race.error());
        TellWarnings(race->warnings);
        // What is told of single operations is beside them; those of many long traces would fill the memory.
        for (lab::RaceLane& lane : race->lanes) lane.steps = {};
        races.push_back(std::move(*race));
    }
    const int printed = Print(json ? RaceJson(races, order) : RaceText(races, order));
    if (printed != kFine) return printed;
    const bool isInvalid = Any(races, lab::RaceLane::State::Invalid);
    if (!isInvalid && !Any(races, lab::RaceLane::State::Ran)) {
        return Complain({"residue race", "no lane could run", "one that is installed and can have so large a heap"});
    }
    return isInvalid ? kDoesNotHold : kFine;
}

// In the window an mm.c comes first: it is the session that the others are lanes beside. Mallocs of other processes, of
// which least is known, come last.
int WindowOrder(const std::string& name) {
    if (lab::IsStudentName(name)) return 0;
    return lab::FindSystemMalloc(name) == nullptr ? 1 : 2;
}

// What the viewer is told.
std::vector<std::string> ViewerWords(const RaceArguments& given, const std::vector<std::string>& files,
                                     std::vector<std::string> names, std::vector<Failure>& failures) {
    if (files.size() != 1) {
        failures.push_back({"--window", std::to_string(files.size()) + " traces", "one"});
    }
    if (given.json) failures.push_back({"--window", "and --json", "one of them"});
    if (given.sort != "given") failures.push_back({"--window", "and --sort", "lanes stand as --with has them"});
    std::stable_sort(names.begin(), names.end(),
                     [](const std::string& a, const std::string& b) { return WindowOrder(a) < WindowOrder(b); });
    if (names.size() > session::Lanes::kMost + 1) {
        failures.push_back({"--with", std::to_string(names.size()) + " lanes in the window",
                            "at most " + std::to_string(session::Lanes::kMost + 1)});
    }
    if (!failures.empty()) return {};
    std::vector<std::string> words = {files[0], "--allocator", names[0]};
    if (lab::IsStudentName(names[0])) words = {names[0], "--trace", files[0]};
    words.insert(words.end(), {"--heap", given.heap, "--timeout", given.timeout});
    if (!given.compiler.empty()) words.insert(words.end(), {"--compiler", given.compiler});
    if (given.noTiming) words.emplace_back("--no-timing");
    if (given.noLandlock) words.emplace_back("--no-landlock");
    if (!given.capacity.empty()) words.insert(words.end(), {"--capacity", given.capacity});
    for (std::size_t i = 1; i < names.size(); ++i) words.insert(words.end(), {"--lane", names[i]});
    return words;
}

}  // namespace

int RaceCommand(const Arguments& arguments) {
    CLI::App app(
        "One trace, several allocators in lock-step: utilisation, fragmentation, search length, failures, throughput,\n"
        "and where they part. Exit codes: 0 fine, 1 an mm.c is invalid on a trace, 2 bad usage or input, or no lane\n"
        "could run.",
        "residue race");
    RaceArguments given;
    given.AddTo(app);
    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, arguments, failures); !parsed.goOn) return parsed.exitCode;
    const std::vector<std::string> files = lab::ExpandTraces(given.traces, failures);
    for (const std::string& file : files) CheckReadable(file, "TRACES", failures);
    const std::vector<std::string> names = Split(given.with);
    for (Failure& failure : lab::CheckEntrants(names)) failures.push_back(std::move(failure));
    const auto order = RaceOrderOf(given.sort);
    if (!order) failures.push_back({"--sort", "there is no column '" + given.sort + "'", kRaceOrders});
    const lab::RaceOptions options = OptionsOf(given, failures);
    std::vector<std::string> words;
    if (given.window && failures.empty()) words = ViewerWords(given, files, names, failures);
    if (!failures.empty()) return Complain(failures);
    if (given.window) return BecomeViewer(words);

    CatchInterrupt();
    lab::BuildOptions building;
    building.compiler = given.compiler;
    building.needsLandlock = !given.noLandlock;
    building.cancelled = &Interrupted();
    std::string messages;
    const auto entrants = lab::MakeEntrants(names, building, messages);
    if (Interrupted()) return SayInterrupted();
    std::fputs(messages.c_str(), stderr);
    if (!entrants) return Complain(entrants.error());
    return Run(files, *entrants, options, *order, given.json);
}

}  // namespace residue::cli
