// residue check FILES... [--junit OUT.xml] [--json]: runs scenarios and verifies what they expect.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "analysis/format.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/junit.hpp"
#include "cli/scenario_arguments.hpp"
#include "export/atomic_file.hpp"
#include "scenario/scenario.hpp"

namespace residue::cli {
namespace {

using Json = nlohmann::ordered_json;

// One scenario, checked.
struct Checked {
    std::string file;
    std::string title;                  // empty: it has none
    std::vector<std::string> problems;  // empty: it holds. Each ends with a line end
    std::vector<std::string> warnings;  // likewise; they are no problems, but an author wants to know
    std::size_t expectations = 0, met = 0;
    std::uint64_t steps = 0;
    bool unreadable = false;  // no scenario at all
};

std::string PlaceText(const scenario::Place& place) {
    return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

Checked Check(const std::string& file, const scenario::RunOptions& options) {
    Checked checked;
    checked.file = file;
    const scenario::Parsed parsed = scenario::ParseFile(file);
    if (parsed.program == nullptr) {
        checked.unreadable = true;
        for (const auto& each : parsed.diagnostics) checked.problems.push_back(scenario::Render(each));
        return checked;
    }
    if (parsed.program->HasTitle()) checked.title = parsed.program->Title();
    const scenario::RunResult result = RunScenario(*parsed.program, options, {}, true);
    checked.steps = result.steps;
    for (const auto& each : parsed.diagnostics) checked.warnings.push_back(scenario::Render(each));
    for (const auto& each : result.warnings) checked.warnings.push_back(scenario::Render(each));
    for (const scenario::ExpectationResult& each : result.expectations) {
        ++checked.expectations;
        if (each.met) {
            ++checked.met;
        } else {
            checked.problems.push_back(PlaceText(each.expectation.place) + ": " + each.text + "\n");
        }
    }
    if (result.error && !result.errorExpected) {
        std::string text = scenario::Render(*result.error);
        for (const scenario::CallFrame& frame : result.errorTrace) text += FrameText(frame);
        checked.problems.push_back(std::move(text));
    }
    if (checked.problems.empty() && !result.Passed())
        checked.problems.push_back(file + ": it did not end as it should\n");
    return checked;
}

std::string TextOf(const std::vector<Checked>& all) {
    std::string text;
    std::size_t failed = 0;
    for (const Checked& each : all) {
        const bool fine = each.problems.empty();
        failed += !fine;
        text += (fine ? "ok      " : "FAILED  ") + each.file + (each.title.empty() ? "" : ": " + each.title);
        text += each.unreadable ? " (no program)\n"
                                : " (" + std::to_string(each.met) + " of " + std::to_string(each.expectations) +
                                      " expectations, " + analysis::FormatCount(each.steps) + " steps)\n";
        for (const std::string& problem : each.problems) text += problem;
        for (const std::string& warning : each.warnings) text += warning;
    }
    if (all.size() > 1) {
        text += failed == 0 ? "all " + std::to_string(all.size()) + " hold\n"
                            : std::to_string(failed) + " of " + std::to_string(all.size()) + " do not hold\n";
    }
    return text;
}

std::string JsonOf(const std::vector<Checked>& all) {
    Json list = Json::array();
    for (const Checked& each : all) {
        list.push_back({{"file", each.file},
                        {"title", each.title},
                        {"holds", each.problems.empty()},
                        {"expectations", each.expectations},
                        {"met", each.met},
                        {"steps", each.steps},
                        {"problems", each.problems},
                        {"warnings", each.warnings}});
    }
    return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// As CI servers read it: a suite with a case a file.
std::string JUnitOf(const std::vector<Checked>& all) {
    std::vector<JUnitCase> cases;
    for (const Checked& each : all) {
        std::string whole;
        for (const std::string& problem : each.problems) whole += problem;
        cases.push_back({each.file, each.title.empty() ? each.file : each.title, whole, ""});
    }
    return JUnit("residue check", cases);
}

// A folder stands for the scenarios in it, by name.
std::vector<std::string> Expand(const std::vector<std::string>& given, std::vector<Failure>& failures) {
    std::vector<std::string> files;
    for (const std::string& path : given) {
        std::error_code error;
        if (!std::filesystem::is_directory(path, error)) {
            CheckReadable(path, "FILES", failures);
            files.push_back(path);
            continue;
        }
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
            if (entry.path().extension() == ".iridis") found.push_back(entry.path().string());
        }
        if (error) failures.push_back({path, error.message(), "a folder that can be read"});
        if (!error && found.empty()) failures.push_back({path, "has no scenario in it", "files that end with .iridis"});
        std::sort(found.begin(), found.end());
        files.insert(files.end(), found.begin(), found.end());
    }
    if (given.empty()) failures.push_back({"FILES", "are missing", "scenarios (.iridis), or folders of them"});
    return files;
}

}  // namespace

int CheckCommand(const Arguments& arguments) {
    CLI::App app("Runs scenarios and verifies what their #[expect]s say.", "residue check");
    std::vector<std::string> given;
    std::string junit;
    bool json = false;
    ScenarioArguments scenarioArguments;
    app.add_option("FILES", given, "scenarios (.iridis), or folders of them");
    app.add_option("--junit", junit, "write the outcome as JUnit XML, too")->type_name("OUT.xml");
    app.add_flag("--json", json, "a JSON list instead of text");
    scenarioArguments.AddTo(app);

    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, arguments, failures); !parsed.goOn) return parsed.exitCode;
    const scenario::RunOptions options = scenarioArguments.Check(failures);
    const std::vector<std::string> files = Expand(given, failures);
    if (!failures.empty()) return Complain(failures);

    CatchInterrupt();
    std::vector<Checked> all;
    for (const std::string& file : files) {
        all.push_back(Check(file, options));
        if (Interrupted()) return SayInterrupted();
    }
    if (!junit.empty()) {
        auto file = exports::AtomicFile::Create(junit);
        if (!file) return Complain(file.error());
        file->Write(JUnitOf(all));
        if (const auto written = file->Commit(); !written) return Complain(written.error());
    }
    if (const int code = Print(json ? JsonOf(all) : TextOf(all)); code != kFine) return code;
    const auto is = [&](auto what) { return std::any_of(all.begin(), all.end(), what); };
    if (is([](const Checked& each) { return each.unreadable; })) return kBadInput;
    return is([](const Checked& each) { return !each.problems.empty(); }) ? kDoesNotHold : kFine;
}

}  // namespace residue::cli
