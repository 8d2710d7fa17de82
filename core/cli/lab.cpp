// residue lab MM.c|DIR TRACES...: builds a student's allocator, runs it over traces as mdriver does, and grades it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/lab_data.hpp"
#include "cli/trace_arguments.hpp"
#include "cli/viewer.hpp"
#include "export/atomic_file.hpp"
#include "lab/problem_text.hpp"
#include "lab/saved_run.hpp"
#include "log/native_file.hpp"

namespace residue::cli {
namespace {

// The options as typed.
struct LabArguments {
    std::string student;
    std::vector<std::string> traces;
    std::string junit, save;
    bool json = false, window = false;
    lab::OptionTexts texts;

    void AddTo(CLI::App& app) {
        app.add_option("STUDENT", student, "the allocator: a C file, or a folder with mm.c in it")
            ->type_name("MM.c|DIR");
        app.add_option("TRACES", traces, "malloc-lab .rep, CS107 .script, or folders of them");
        app.add_flag("--json", json, "one JSON object instead of text");
        app.add_option("--junit", junit, "write the outcome as JUnit XML, too")->type_name("OUT.xml");
        app.add_option("--save", save, "what the allocator did on the trace (one) as a recording")
            ->type_name("OUT.residue");
        app.add_flag("--window", window,
                     "open the window on it: built and run again whenever it is saved. What stands behind this are\n"
                     "residue-view's own options");
        texts.AddTo(app);
    }
};

Outcome<void> SaveRun(const LabResults& results, const lab::LabTrace& trace, const std::string& path) {
    const lab::TraceOutcome& outcome = results.traces[0].outcome;
    log::EventLog log;
    lab::WriteLog(trace, outcome.records, results.source,
                  outcome.problem ? lab::ProblemText(0, *outcome.problem) : outcome.notRun, log,
                  outcome.problem ? outcome.problem->op : std::nullopt);
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

int Grade(const LabArguments& given, const lab::Built& built, const std::vector<std::string>& files,
          const lab::LabSettings& settings) {
    LabResults results;
    results.student = given.student;
    results.source = built.source;
    results.compiler = built.compiler;
    results.course = built.course;
    if (settings.generation != 0) results.course.generation = settings.generation;
    results.alignment = settings.run.alignment ? *settings.run.alignment : built.course.alignment;
    results.rules = settings.rules.Over(lab::RulesOf(results.course.generation));
    ProgressLine line;
    for (const std::string& file : files) {
        line.Show(("running " + std::filesystem::path(file).filename().string()).c_str(),
                  static_cast<double>(results.traces.size()) / static_cast<double>(files.size()));
        const auto trace = lab::ReadLabTrace(file);
        if (!trace) return Complain(trace.error());
        TellWarnings(trace->warnings);
        auto outcome = lab::RunTrace(built, *trace, settings.run);
        if (Interrupted()) return SayInterrupted();
        if (!outcome) return Complain(outcome.error());
        results.traces.push_back(
            {file, trace->name, trace->ops.size(), lab::WeightOf(trace->header), trace->peakLive, std::move(*outcome)});
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

// The options again, as the viewer has them.
int OpenWindow(const LabArguments& given, const std::vector<std::string>& files, const Arguments& ofViewer) {
    Arguments words = {given.student};
    for (const std::string& file : files) words.insert(words.end(), {"--trace", file});
    for (const std::string& word : given.texts.Words()) words.push_back(word);
    words.insert(words.end(), ofViewer.begin(), ofViewer.end());
    return BecomeViewer(words);
}

}  // namespace

int LabCommand(const Arguments& all) {
    // What stands behind --window is the viewer's.
    const auto split = std::find(all.begin(), all.end(), "--window");
    const Arguments arguments(all.begin(), split == all.end() ? split : split + 1);
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
    const std::vector<std::string> files = lab::ExpandTraces(given.traces, failures);
    for (const std::string& file : files) CheckReadable(file, "TRACES", failures);
    lab::LabSettings settings = lab::CheckOptions(given.texts, failures);
    settings.build.cancelled = settings.run.cancelled = &Interrupted();
    if (!given.save.empty() && files.size() > 1) {
        failures.push_back({"--save", "several traces are given", "one"});
    }
    if (given.window && (given.json || !given.junit.empty() || !given.save.empty())) {
        failures.push_back({"--window", "prints and writes nothing", "no --json, --junit or --save"});
    }
    if (!failures.empty()) return Complain(failures);
    if (given.window) return OpenWindow(given, files, {split + 1, all.end()});

    CatchInterrupt();
    const auto built = lab::Build(given.student, settings.build);
    if (Interrupted()) return SayInterrupted();
    if (!built) return Complain(built.error());
    std::fputs(built->messages.c_str(), stderr);
    if (!built->fine) return Complain({given.student, "does not build", "code that compiler and linker take"});
    return Grade(given, *built, files, settings);
}

}  // namespace residue::cli
