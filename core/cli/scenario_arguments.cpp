#include "cli/scenario_arguments.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <future>

#include "base/parse_size.hpp"
#include "cli/console.hpp"

namespace residue::cli {
namespace {

constexpr std::uint64_t kMostMemory = std::uint64_t{512} << 20;

}  // namespace

void ScenarioArguments::AddTo(CLI::App& app) {
    app.add_option("--steps", steps, "how many statements it may carry out (2,000,000)")->type_name("N");
    app.add_option("--memory", memory, "bytes that it may have in all (64M; at most 512M)")->type_name("N");
    app.add_option("--profile", profile, "what Runtime.Profile is: debug, release or distribution")->type_name("P");
    app.add_flag("--no-os", noOs, "as if no operating system were there: OS.IsSupported() is false");
}

scenario::RunOptions ScenarioArguments::Check(std::vector<Failure>& failures) const {
    scenario::RunOptions options;
    if (!steps.empty()) {
        const auto number = ParseBytes(steps);
        if (number && *number > 0) {
            options.stepBudget = *number;
        } else {
            failures.push_back({"--steps", "'" + steps + "' is no number of steps", "2000000, 500K, 10M"});
        }
    }
    if (!memory.empty()) {
        const auto bytes = ParseBytes(memory);
        if (bytes && *bytes > 0 && *bytes <= kMostMemory) {
            options.memoryBudget = *bytes;
        } else {
            failures.push_back({"--memory", "'" + memory + "' is no number of bytes", "64K to 512M"});
        }
    }
    if (profile == "release") {
        options.profile = scenario::Profile::Release;
    } else if (profile == "distribution") {
        options.profile = scenario::Profile::Distribution;
    } else if (!profile.empty() && profile != "debug") {
        failures.push_back({"--profile", "there is no profile '" + profile + "'", "debug, release or distribution"});
    }
    options.osSupported = !noOs;
    return options;
}

scenario::RunResult RunScenario(const scenario::Program& program, const scenario::RunOptions& options,
                                scenario::RunHooks hooks, bool showProgress) {
    std::atomic<std::uint64_t> steps{0};
    hooks.stop = &Interrupted();
    hooks.steps = &steps;
    if (!showProgress) return scenario::Run(program, options, hooks);
    auto running = std::async(std::launch::async, [&] { return scenario::Run(program, options, hooks); });
    ProgressLine line;
    while (running.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
        line.Show("running", static_cast<double>(steps.load()) / static_cast<double>(options.stepBudget));
    }
    return running.get();
}

std::string FrameText(const scenario::CallFrame& frame) {
    return "  " + std::to_string(frame.line) + ":" + frame.file + " in " + frame.procedure + "\n";
}

}  // namespace residue::cli
