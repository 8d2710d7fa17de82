// What the commands that run scenarios share: budgets, the profile, an absent OS.
#pragma once

#include <string>
#include <vector>

#include "log/failure.hpp"
#include "scenario/run.hpp"

namespace CLI {
class App;
}

namespace residue::cli {

struct ScenarioArguments {
    std::string steps;  // empty: not given
    std::string memory;
    std::string profile;
    bool noOs = false;
    void AddTo(CLI::App& app);
    scenario::RunOptions Check(std::vector<Failure>& failures) const;
};

// Runs it with Ctrl-C and a progress line (where nothing else is printed).
scenario::RunResult RunScenario(const scenario::Program& program, const scenario::RunOptions& options,
                                scenario::RunHooks hooks, bool showProgress);

// A line of a call trace, as the design document prints them.
std::string FrameText(const scenario::CallFrame& frame);

}  // namespace residue::cli
