// residue run FILE [--steps N] [--memory N] [--profile P] [--no-os]: the scenario as a program: its console, and at the
// end what stopped it, what it never gave back, and the duck.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "analysis/format.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/scenario_arguments.hpp"
#include "scenario/scenario.hpp"

namespace residue::cli {
namespace {

// How many, how large, and each with the line that asked for it.
std::string BlocksText(const char* what, const std::vector<scenario::Leak>& blocks) {
    constexpr std::size_t kMostListed = 20;
    if (blocks.empty()) return "";
    std::uint64_t bytes = 0;
    for (const scenario::Leak& block : blocks) bytes += block.bytes;
    std::string text = what + analysis::FormatCount(blocks.size()) + (blocks.size() == 1 ? " block, " : " blocks, ") +
                       analysis::FormatBytes(bytes) + "\n";
    for (std::size_t i = 0; i < std::min(blocks.size(), kMostListed); ++i) {
        const scenario::Leak& block = blocks[i];
        text += "  " + analysis::FormatBytes(block.bytes) + " of `" + block.allocator + "`, from ";
        if (block.trace.empty())
            text += "nowhere\n";
        else
            text += FrameText(block.trace[0]).substr(2);
    }
    if (blocks.size() > kMostListed) text += "  and " + analysis::FormatCount(blocks.size() - kMostListed) + " more\n";
    return text;
}

void TellEnd(const scenario::RunResult& result) {
    std::string text;
    for (const scenario::Diagnostic& warning : result.warnings) text += scenario::Render(warning);
    if (result.error) {
        text += scenario::Render(*result.error);
        for (const scenario::CallFrame& frame : result.errorTrace) text += FrameText(frame);
    }
    text += BlocksText("never given back: ", result.leaks);
    text += BlocksText("alive when it stopped, and so perhaps no leaks: ", result.lived);
    std::fputs(text.c_str(), stderr);
}

}  // namespace

int RunCommand(const Arguments& arguments) {
    CLI::App app("Runs a scenario as a program: its console, then what it never gave back.", "residue run");
    std::string file;
    ScenarioArguments scenarioArguments;
    app.add_option("FILE", file, "a scenario (.iridis)");
    scenarioArguments.AddTo(app);

    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, arguments, failures); !parsed.goOn) return parsed.exitCode;
    const scenario::RunOptions options = scenarioArguments.Check(failures);
    CheckReadable(file, "FILE", failures);
    if (!failures.empty()) return Complain(failures);

    const scenario::Parsed parsed = scenario::ParseFile(file);
    std::fputs(scenario::Render(parsed.diagnostics).c_str(), stderr);
    if (parsed.program == nullptr) return kBadInput;
    CatchInterrupt();
    scenario::RunHooks hooks;
    hooks.console = [](bool isError, std::string_view text) {
        std::FILE* const stream = isError ? stderr : stdout;
        if (isError) std::fflush(stdout);  // both may be one terminal
        std::fwrite(text.data(), 1, text.size(), stream);
    };
    const scenario::RunResult result = RunScenario(*parsed.program, options, std::move(hooks), false);
    const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    TellEnd(result);
    if (result.ending == scenario::Ending::Stopped) return kInterrupted;
    if (!written) return Complain({"standard output", "cannot be written to", ""});
    return result.ending == scenario::Ending::Finished ? kFine : kDoesNotHold;
}

}  // namespace residue::cli
