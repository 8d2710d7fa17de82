// Scenarios in tests: read and run, and everything that came of it as one text, for golden files.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "events/sinks.hpp"
#include "scenario/scenario.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/scratch_folder.hpp"

namespace residue::scenario {

inline std::shared_ptr<const Program> Good(const std::string& text) {
    Parsed parsed = Parse("test.iridis", text);
    INFO(Render(parsed.diagnostics));
    REQUIRE(parsed.program != nullptr);
    return parsed.program;
}

inline RunResult RunText(const std::string& text, const RunOptions& options = {}, const RunHooks& hooks = {}) {
    return Run(*Good(text), options, hooks);
}

inline const char* NameOf(Ending ending) {
    static constexpr const char* kNames[] = {"finished", "error", "step budget", "memory budget", "stopped"};
    return kNames[static_cast<std::size_t>(ending)];
}

inline std::string Told(const RunResult& result) {
    std::string text = result.output;
    text += Render(result.warnings);
    if (result.error) text += Render(*result.error);
    for (const CallFrame& frame : result.errorTrace)
        text += fmt::format("  {}:{} in {}\n", frame.line, frame.file, frame.procedure);
    const auto tell = [&](const char* what, const std::vector<Leak>& blocks) {
        for (const Leak& block : blocks) {
            text += fmt::format("{}: {:#x}, {} bytes, {}", what, block.address, block.bytes, block.allocator);
            for (const CallFrame& frame : block.trace) text += fmt::format(" <- {}:{}", frame.procedure, frame.line);
            text += "\n";
        }
    };
    tell("leak", result.leaks);
    tell("alive when it stopped", result.lived);
    for (const ExpectationResult& each : result.expectations) {
        text += fmt::format("{}: {}: {}\n", each.met ? "met" : "NOT MET", each.expectation.text, each.text);
    }
    return text +
           fmt::format("{} after {} steps{}\n", NameOf(result.ending), result.steps, result.Passed() ? ", passed" : "");
}

// A text, read and run.
inline std::string ToldOfText(const std::string& name, const std::string& script, const Loader& loader = {},
                              const RunOptions& options = {}) {
    const Parsed parsed = Parse(name, script, loader);
    return Render(parsed.diagnostics) + (parsed.program ? Told(Run(*parsed.program, options, {})) : "");
}

// A file of tests/scenario.
inline std::string ToldOf(const std::filesystem::path& path) {
    const std::filesystem::path folder = path.parent_path();
    RunOptions options;
    if (path.stem() == "no_os") options.osSupported = false;
    const Loader loader = [&](const std::string& name) { return LoadFromDisk((folder / name).string()); };
    return ToldOfText(path.filename().string(), support::ReadFile(path), loader, options);
}

inline std::vector<std::filesystem::path> ScriptsIn(const std::string& folder) {
    std::vector<std::filesystem::path> paths;
    const auto root = std::filesystem::path(RESIDUE_SOURCE_DIR) / "tests/scenario" / folder;
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
        if (entry.path().extension() == ".iridis") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

}  // namespace residue::scenario
