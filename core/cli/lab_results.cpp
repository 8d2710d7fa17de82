#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/junit.hpp"
#include "cli/lab_data.hpp"
#include "export/text.hpp"
#include "lab/problem_text.hpp"

namespace residue::cli {
namespace {

using Json = nlohmann::ordered_json;
using State = lab::TraceOutcome::State;

constexpr std::size_t kMostShown = 1000;  // bytes of a trace's output in the text

const char* Word(State state) {
    switch (state) {
        case State::Valid: return "yes";
        case State::Invalid: return "no";
        case State::NotRun: return "-";
    }
    return "";
}

std::string Row(std::size_t number, const LabTraceResult& trace) {
    const auto& outcome = trace.outcome;
    const bool valid = outcome.state == State::Valid;
    const bool timed = valid && outcome.seconds > 0;
    const std::string util = valid ? fmt::format("{:.2f}%", outcome.utilisation * 100) : "-";
    const std::string seconds = timed ? fmt::format("{:.9f}", outcome.seconds) : "-";
    const std::string rate =
        timed ? fmt::format("{:.0f}", static_cast<double>(trace.ops) / outcome.seconds / 1e3) : "-";
    return fmt::format("{:>5}  {:>5}  {:>8} {:>9} {:>12} {:>8}  {}\n", number, Word(outcome.state), util, trace.ops,
                       seconds, rate, trace.name);
}

std::string Total(const LabResults& results) {
    std::uint64_t ops = 0;
    double seconds = 0;
    for (const LabTraceResult& trace : results.traces) {
        if (trace.outcome.state != State::Valid) continue;
        ops += trace.ops;
        seconds += trace.outcome.seconds;
    }
    const std::string util = results.score.scored ? fmt::format("{:.2f}%", results.score.utilisation * 100) : "-";
    const std::string rate = results.score.throughput ? fmt::format("{:.0f}", *results.score.throughput / 1e3) : "-";
    return fmt::format("{:>5}  {:>5}  {:>8} {:>9} {:>12} {:>8}\n", "total", results.AllValid() ? "yes" : "no", util,
                       ops, seconds > 0 ? fmt::format("{:.9f}", seconds) : "-", rate);
}

std::string OutputText(std::size_t number, const lab::TraceOutcome& outcome) {
    if (outcome.output.empty()) return "";
    std::string text = exports::TerminalText(outcome.output.substr(0, kMostShown));
    if (text.back() != '\n') text += '\n';
    const std::uint64_t more =
        outcome.output.size() - std::min(outcome.output.size(), kMostShown) + outcome.outputLeftOut;
    if (more > 0) text += fmt::format("... and {} more bytes\n", more);
    return fmt::format("printed in trace {}:\n{}", number, text);
}

Json ProblemJson(const lab::Problem& problem) {
    Json calls = Json::array();
    for (const symbols::Frame& frame : problem.calls) {
        calls.push_back({{"function", frame.function}, {"file", frame.file}, {"line", frame.line}});
    }
    Json json;
    json["operation"] = problem.op ? Json(*problem.op + 1) : Json(nullptr);
    json["line"] = problem.op ? Json(lab::LabTrace::LineOf(*problem.op)) : Json(nullptr);
    json["message"] = problem.message;
    json["pass"] = problem.pass;
    json["address"] = problem.address != 0 ? Json(problem.address) : Json(nullptr);
    json["hint"] = problem.hint;
    json["calls"] = calls;
    return json;
}

Json TraceJson(const LabTraceResult& trace) {
    const auto& outcome = trace.outcome;
    const bool valid = outcome.state == State::Valid;
    Json json;
    json["file"] = trace.path;
    json["valid"] = outcome.state == State::NotRun ? Json(nullptr) : Json(valid);
    json["not_run"] = outcome.notRun;
    json["weight"] = trace.weight;
    json["operations"] = trace.ops;
    json["peak_live_bytes"] = trace.peakLive;
    json["heap_bytes"] = valid ? Json(outcome.heapBytes) : Json(nullptr);
    json["utilisation"] = valid ? Json(outcome.utilisation) : Json(nullptr);
    json["seconds"] = valid && outcome.seconds > 0 ? Json(outcome.seconds) : Json(nullptr);
    json["error"] = outcome.problem ? ProblemJson(*outcome.problem) : Json(nullptr);
    json["output"] = outcome.output;
    json["output_left_out"] = outcome.outputLeftOut;
    return json;
}

template <class T>
Json OrNull(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

}  // namespace

bool LabResults::AllValid() const {
    return std::none_of(traces.begin(), traces.end(),
                        [](const LabTraceResult& trace) { return trace.outcome.state == State::Invalid; });
}

bool LabResults::AnyRan() const {
    return std::any_of(traces.begin(), traces.end(),
                       [](const LabTraceResult& trace) { return trace.outcome.state != State::NotRun; });
}

std::string LabText(const LabResults& results) {
    std::string text = fmt::format("{}: {}, payloads aligned to {}\n", results.source,
                                   lab::NameOf(results.course.generation), results.alignment);
    text += fmt::format("{:>5}  {:>5}  {:>8} {:>9} {:>12} {:>8}  {}\n", "trace", "valid", "util", "ops", "secs", "Kops",
                        "file");
    for (std::size_t i = 0; i < results.traces.size(); ++i) text += Row(i, results.traces[i]);
    text += Total(results);
    for (std::size_t i = 0; i < results.traces.size(); ++i) {
        const auto& outcome = results.traces[i].outcome;
        if (!outcome.notRun.empty()) text += fmt::format("trace {} was not run: {}\n", i, outcome.notRun);
        if (outcome.problem) text += lab::ProblemText(i, *outcome.problem);
        text += OutputText(i, outcome);
    }
    return text + lab::IndexText(results.score, results.AllValid()) + "\n";
}

std::string LabJson(const LabResults& results) {
    Json json;
    json["student"] = results.student;
    json["source"] = results.source;
    json["generation"] = std::string(1, results.course.generation);
    json["compiler"] = results.compiler;
    json["alignment"] = results.alignment;
    json["valid"] = results.AllValid();
    json["traces"] = Json::array();
    for (const LabTraceResult& trace : results.traces) json["traces"].push_back(TraceJson(trace));
    const lab::Score& score = results.score;
    json["score"] = {{"utilisation", score.utilisation},
                     {"throughput", OrNull(score.throughput)},
                     {"utilisation_points", score.utilPoints},
                     {"throughput_points", OrNull(score.throughputPoints)},
                     {"index", OrNull(score.index)},
                     {"utilisation_weight", results.rules.utilWeight},
                     {"min_utilisation", results.rules.minUtil},
                     {"max_utilisation", results.rules.maxUtil},
                     {"min_throughput", results.rules.minThroughput},
                     {"max_throughput", results.rules.maxThroughput}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string LabJUnit(const LabResults& results) {
    std::vector<JUnitCase> cases;
    for (std::size_t i = 0; i < results.traces.size(); ++i) {
        const auto& outcome = results.traces[i].outcome;
        cases.push_back({results.source, results.traces[i].name,
                         outcome.problem ? lab::ProblemText(i, *outcome.problem) : "", outcome.notRun});
    }
    return JUnit("residue lab", cases);
}

}  // namespace residue::cli
