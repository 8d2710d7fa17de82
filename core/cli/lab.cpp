// residue lab MM.c|DIR TRACES...: builds a student's allocator, runs it over traces as mdriver does, and grades it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>

#include "base/parse_size.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/lab_data.hpp"
#include "cli/trace_arguments.hpp"
#include "export/atomic_file.hpp"
#include "lab/saved_run.hpp"
#include "log/native_file.hpp"

namespace residue::cli {
namespace {

// The options as typed; what is wrong with them is collected.
struct LabArguments {
    std::string student;
    std::vector<std::string> traces;
    std::string junit, save;
    std::string compiler, flags;
    std::string heap = "100M", timeout = "20", alignment, generation;
    std::string utilWeight, minUtil, maxUtil, minThroughput, maxThroughput;
    bool json = false, checkAll = false, noTiming = false, noLandlock = false;

    void AddTo(CLI::App& app) {
        app.add_option("STUDENT", student, "the allocator: a C file, or a folder with mm.c in it")
            ->type_name("MM.c|DIR");
        app.add_option("TRACES", traces, "malloc-lab .rep, CS107 .script, or folders of them");
        app.add_flag("--json", json, "one JSON object instead of text");
        app.add_option("--junit", junit, "write the outcome as JUnit XML, too")->type_name("OUT.xml");
        app.add_option("--save", save, "what the allocator did on the trace (one) as a recording")
            ->type_name("OUT.residue");
        app.add_option("--compiler", compiler, "the C compiler (cc, gcc or clang)");
        app.add_option("--cflags", flags, "more flags for it, such as \"-O3 -DNDEBUG\"");
        app.add_option("--heap", heap, "the most that mem_sbrk gives (100M)")->type_name("BYTES");
        app.add_option("--timeout", timeout, "seconds for a trace (20)")->type_name("SECONDS");
        app.add_option("--alignment", alignment, "of payloads (8, or 16 for the 2016 generation, or config.h's)");
        app.add_option("--generation", generation, "whose scores: A 2002, B 2004, C 2016, M MIT (told by the code)");
        app.add_flag("-D,--check-all", checkAll, "check every payload, and call mm_checkheap, before every operation");
        app.add_flag("--no-timing", noTiming, "no throughput: the same output every time");
        app.add_flag("--no-landlock", noLandlock, "go on where the kernel cannot keep files from the code");
        app.add_option("--util-weight", utilWeight, "0..1 of the index is for utilisation; the rest is throughput's");
        app.add_option("--min-util", minUtil, "utilisation without points, 0..1");
        app.add_option("--max-util", maxUtil, "utilisation with all points, 0..1");
        app.add_option("--min-throughput", minThroughput, "Kops/s without points");
        app.add_option("--max-throughput", maxThroughput, "Kops/s with all points");
    }
};

lab::BuildOptions BuildOptionsOf(const LabArguments& given) {
    lab::BuildOptions options;
    options.compiler = given.compiler;
    options.needsLandlock = !given.noLandlock;
    options.cancelled = &Interrupted();
    std::istringstream words(given.flags);
    for (std::string word; words >> word;) options.flags.push_back(word);
    return options;
}

lab::RunOptions RunOptionsOf(const LabArguments& given, std::vector<Failure>& failures) {
    lab::RunOptions options;
    ReadLimits(given.heap, given.timeout, options, failures);
    if (!given.alignment.empty()) {
        options.alignment = ParseWhole(given.alignment);
        constexpr std::uint64_t kMost = 4096;
        const bool fits = options.alignment && *options.alignment > 0 && *options.alignment <= kMost &&
                          (*options.alignment & (*options.alignment - 1)) == 0;
        if (!fits)
            failures.push_back({"--alignment", "'" + given.alignment + "' cannot be", "a power of two, at most 4096"});
    }
    options.checkAll = given.checkAll;
    if (given.noTiming) options.timedRuns = 0;
    options.needsLandlock = !given.noLandlock;
    options.cancelled = &Interrupted();
    return options;
}

// What the user set of the rules; the rest is the generation's.
struct RuleSettings {
    std::optional<double> utilWeight, minUtil, maxUtil, minThroughput, maxThroughput;

    lab::ScoreRules Over(lab::ScoreRules rules) const {
        if (utilWeight) rules.utilWeight = *utilWeight;
        if (minUtil) rules.minUtil = *minUtil;
        if (maxUtil) rules.maxUtil = *maxUtil;
        if (minThroughput) rules.minThroughput = *minThroughput * 1e3;
        if (maxThroughput) rules.maxThroughput = *maxThroughput * 1e3;
        return rules;
    }
};

RuleSettings SettingsOf(const LabArguments& given, std::vector<Failure>& failures) {
    constexpr double kFastest = 1e9;
    const auto read = [&](const std::string& text, const char* option, double most) -> std::optional<double> {
        if (text.empty()) return std::nullopt;
        return Number(text, option, 0, most, failures);
    };
    return {read(given.utilWeight, "--util-weight", 1), read(given.minUtil, "--min-util", 1),
            read(given.maxUtil, "--max-util", 1), read(given.minThroughput, "--min-throughput", kFastest),
            read(given.maxThroughput, "--max-throughput", kFastest)};
}

Outcome<void> SaveRun(const LabResults& results, const lab::LabTrace& trace, const std::string& path) {
    const lab::TraceOutcome& outcome = results.traces[0].outcome;
    log::EventLog log;
    lab::WriteLog(trace, outcome.records, results.source,
                  outcome.problem ? LabProblemText(0, *outcome.problem) : outcome.notRun, log);
    log.Close();
    return log::WriteNative(log.View(), path, &Interrupted());
}

lab::Score ScoreOf(const LabResults& results) {
    std::vector<lab::ScoredTrace> scored;
    for (const LabTraceResult& trace : results.traces) {
        if (trace.outcome.state == lab::TraceOutcome::State::NotRun) continue;
        scored.push_back({trace.outcome.state == lab::TraceOutcome::State::Valid, trace.weight,
                          trace.outcome.utilisation, trace.ops, trace.outcome.seconds});
    }
    return lab::ScoreOf(scored, results.rules);
}

// A header of the first generation has no weight of its own meaning.
std::uint64_t WeightOf(const lab::LabTrace& trace) {
    return trace.header.generation == 'B' || trace.header.generation == 'C' ? trace.header.weight : 1;
}

int Grade(const LabArguments& given, const lab::Built& built, const std::vector<std::string>& files,
          const lab::RunOptions& options, const RuleSettings& settings) {
    LabResults results;
    results.student = given.student;
    results.source = built.source;
    results.compiler = built.compiler;
    results.course = built.course;
    if (!given.generation.empty()) results.course.generation = given.generation[0];
    results.alignment = options.alignment ? *options.alignment : built.course.alignment;
    results.rules = settings.Over(lab::RulesOf(results.course.generation));
    ProgressLine line;
    for (const std::string& file : files) {
        line.Show(("running " + std::filesystem::path(file).filename().string()).c_str(),
                  static_cast<double>(results.traces.size()) / static_cast<double>(files.size()));
        const auto trace = lab::ReadLabTrace(file);
        if (!trace) return Complain(trace.error());
        TellWarnings(trace->warnings);
        auto outcome = lab::RunTrace(built, *trace, options);
        if (Interrupted()) return SayInterrupted();
        if (!outcome) return Complain(outcome.error());
        results.traces.push_back(
            {file, trace->name, trace->ops.size(), WeightOf(*trace), trace->peakLive, std::move(*outcome)});
        if (given.save.empty()) continue;
        if (const auto saved = SaveRun(results, *trace, given.save); !saved) return Complain(saved.error());
    }
    results.score = ScoreOf(results);
    if (!given.junit.empty()) {
        auto file = exports::AtomicFile::Create(given.junit);
        if (!file) return Complain(file.error());
        file->Write(LabJUnit(results));
        if (const auto written = file->Commit(); !written) return Complain(written.error());
    }
    if (const int code = Print(given.json ? LabJson(results) : LabText(results)); code != kFine) return code;
    if (!results.AnyRan())
        return Complain({"residue lab", "no trace could be run", "a larger --heap, or other traces"});
    return results.AllValid() ? kFine : kDoesNotHold;
}

}  // namespace

int LabCommand(const Arguments& arguments) {
    CLI::App app(
        "Builds a student's malloc-lab allocator as it is, runs it over traces in a process that can do nothing\n"
        "else, and grades it as mdriver does. Exit codes: 0 valid on all traces, 1 invalid on one, 2 it does not\n"
        "compile, or bad usage or input.",
        "residue lab");
    LabArguments given;
    given.AddTo(app);
    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, arguments, failures); !parsed.goOn) return parsed.exitCode;
    if (given.student.empty()) failures.push_back({"STUDENT", "is missing", "a C file, or a folder with mm.c in it"});
    const std::vector<std::string> files = ExpandTraces(given.traces, failures);
    for (const std::string& file : files) CheckReadable(file, "TRACES", failures);
    const lab::RunOptions options = RunOptionsOf(given, failures);
    const RuleSettings settings = SettingsOf(given, failures);
    if (!given.generation.empty() && std::string("ABCM").find(given.generation) == std::string::npos) {
        failures.push_back({"--generation", "'" + given.generation + "' is not one", "A, B, C or M"});
    }
    if (!given.save.empty() && files.size() > 1) {
        failures.push_back({"--save", "several traces are given", "one"});
    }
    if (!failures.empty()) return Complain(failures);

    CatchInterrupt();
    const auto built = lab::Build(given.student, BuildOptionsOf(given));
    if (Interrupted()) return SayInterrupted();
    if (!built) return Complain(built.error());
    std::fputs(built->messages.c_str(), stderr);
    if (!built->fine) return Complain({given.student, "does not build", "code that compiler and linker take"});
    return Grade(given, *built, files, options, settings);
}

}  // namespace residue::cli
