// Every header compiles on its own: whoever includes it needs nothing before it.
#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "meta/source_tree.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/scratch_folder.hpp"

namespace {

namespace fs = std::filesystem;

// What the build itself compiles with: every include folder and definition of its compile commands.
std::vector<std::string> Flags() {
    std::ifstream file(fs::path(RESIDUE_BIN_DIR).parent_path() / "compile_commands.json");
    std::vector<std::string> flags;
    for (const auto& entry : nlohmann::json::parse(file)) {
        std::istringstream command(entry.at("command").get<std::string>());
        for (std::string word; command >> word;) {
            std::string flag;
            if (word.starts_with("-I")) flag = word;
            if (word == "-isystem") command >> flag, flag = "-isystem" + flag;
            if (!flag.empty() && std::find(flags.begin(), flags.end(), flag) == flags.end()) flags.push_back(flag);
        }
    }
    return flags;
}

bool Exists(const char* compiler) {
    return support::Run({compiler, "--version"}).exitCode == 0;
}

// Empty, or what the compiler says.
std::string CompileAlone(const std::string& compiler, const fs::path& header, const std::vector<std::string>& flags) {
    std::vector<std::string> command = {
        compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wno-pragma-once-outside-header",
        "-x",     "c++",        header.string()};
    command.insert(command.end(), flags.begin(), flags.end());
    const support::Finished run = support::Run(command);
    return run.exitCode == 0 ? "" : header.string() + ":\n" + run.errors.substr(0, 1500);
}

}  // namespace

TEST_CASE("Every header compiles on its own", "[headers]") {
    const std::string compiler = Exists("clang++") ? "clang++" : "g++";
    const std::vector<std::string> flags = Flags();
    REQUIRE_FALSE(flags.empty());
    const bool withWindow = std::any_of(
        flags.begin(), flags.end(), [](const std::string& flag) { return flag.find("imgui") != std::string::npos; });
    std::vector<fs::path> headers;
    for (const meta::SourceFile& file : meta::ReadSources(RESIDUE_SOURCE_DIR)) {
        if (!file.IsHeader() || file.IsUnder("tests")) continue;  // those of the tests are compiled by few files each
        if (withWindow || !file.IsUnder("gui")) headers.push_back(fs::path(RESIDUE_SOURCE_DIR) / file.path);
    }
    REQUIRE(headers.size() > 20);

    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    std::vector<std::string> broken;
    const auto work = [&] {
        for (std::size_t i; (i = next++) < headers.size();) {
            const std::string said = CompileAlone(compiler, headers[i], flags);
            if (said.empty()) continue;
            const std::lock_guard lock(mutex);
            broken.push_back(said);
        }
    };
    std::vector<std::thread> threads(std::max(1U, std::thread::hardware_concurrency()));
    for (std::thread& thread : threads) thread = std::thread(work);
    for (std::thread& thread : threads) thread.join();
    for (const std::string& said : broken) FAIL_CHECK(said);
}

TEST_CASE("A header that needs another before it is found", "[headers]") {
    support::ScratchFolder tree;
    const std::string good = tree.Write("good.hpp", "// Good.\n#pragma once\n#include <string>\nstd::string Name();\n");
    const std::string bad = tree.Write("bad.hpp", "// Bad.\n#pragma once\nstd::string Name();\n");
    CHECK(CompileAlone("g++", good, {}).empty());
    CHECK_FALSE(CompileAlone("g++", bad, {}).empty());
}
