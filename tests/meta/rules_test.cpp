// House rules that a machine can check. Each is a row of Rules(), with a line that must be found guilty: a rule that
// finds nothing wrong there is itself wrong.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>
#include <regex>
#include <set>

#include "meta/source_tree.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

namespace {

using meta::SourceFile;

struct Rule {
    std::string name;
    std::function<bool(const SourceFile&)> concerns;
    std::regex forbidden;  // in a line's code, or in the line as written
    bool asWritten = false;
    std::string guiltyFile;
    std::string guiltyLine;
};

std::vector<Rule> Rules() {
    const auto everywhere = [](const SourceFile&) { return true; };
    return {
        {".value() on a Result is undefined behaviour on an error; test it and use *result", everywhere,
         std::regex(R"(\.\s*value\s*\(\s*\))"), false, "core/log/a.cpp", "return result.value();"},
        {"no `using namespace` in headers", [](const SourceFile& file) { return file.IsHeader(); },
         std::regex(R"(\busing\s+namespace\b)"), false, "gui/a.hpp", "using namespace std;"},
        {"OpenGL, EGL, GLFW and ImGui stay in gui/ and its tests",
         [](const SourceFile& file) { return !file.IsUnder("gui") && !file.IsUnder("tests/gui"); },
         std::regex(R"re(^\s*#\s*include\s*["<](imgui|backends/imgui|GL/|GLES|EGL/|GLFW/|glad/))re"), true,
         "core/session/a.cpp", "#include <imgui.h>"},
        {"Catch2 is included through tests/support/catch.hpp",
         [](const SourceFile& file) { return !file.IsUnder("tests/support"); },
         std::regex(R"re(^\s*#\s*include\s*["<]catch2)re"), true, "tests/log/a.cpp", "#include <catch2/catch.hpp>"},
        {"heavy headers stay out of headers",
         [](const SourceFile& file) { return file.IsHeader() && !file.IsUnder("tests"); },
         std::regex(R"re(^\s*#\s*include\s*["<](fmt/|CLI/|nlohmann/json\.hpp))re"), true, "core/log/a.hpp",
         "#include <fmt/format.h>"},
        {"no paths of one machine", everywhere, std::regex("[\" ]/([w]ork|[r]oot|[f]arm|[h]ome)/[a-z]"), true,
         "tests/log/a.cpp", std::string("Open(\"/") + "root/trace.rep\");"},
        {"nothing is left open", everywhere, std::regex(R"(\b([T]ODO|[F]IXME|[X]XX)\b)"), true, "core/log/a.cpp",
         std::string("// TO") + "DO: later"},
    };
}

std::vector<std::string> Broken(const Rule& rule, const std::vector<SourceFile>& files) {
    std::vector<std::string> broken;
    for (const SourceFile& file : files) {
        if (!rule.concerns(file)) continue;
        const auto& lines = rule.asWritten ? file.lines : file.code;
        for (std::size_t i = 0; i < lines.size(); ++i) {
            if (std::regex_search(lines[i], rule.forbidden)) {
                broken.push_back(file.path + ":" + std::to_string(i + 1) + ": " + rule.name);
            }
        }
    }
    return broken;
}

std::vector<std::string> HeadersWithoutOpening(const std::vector<SourceFile>& files) {
    std::vector<std::string> broken;
    for (const SourceFile& file : files) {
        if (!file.IsHeader()) continue;
        if (file.lines.empty() || !file.lines[0].starts_with("// ")) {
            broken.push_back(file.path + ":1: a header opens with what it is");
        }
        if (std::find(file.lines.begin(), file.lines.end(), "#pragma once") == file.lines.end()) {
            broken.push_back(file.path + ":1: #pragma once is missing");
        }
    }
    return broken;
}

std::vector<std::string> LongFiles(const std::vector<SourceFile>& files) {
    std::vector<std::string> broken;
    for (const SourceFile& file : files) {
        if (file.lines.size() > 600) {
            broken.push_back(file.path + ": " + std::to_string(file.lines.size()) + " lines (at most 600)");
        }
    }
    return broken;
}

std::vector<std::string> LongLines(const std::vector<SourceFile>& files) {
    std::vector<std::string> broken;
    for (const SourceFile& file : files) {
        if (file.path == "core/export/html_style.hpp") continue;  // a style sheet, as it goes into the report
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            const auto columns = std::count_if(file.lines[i].begin(), file.lines[i].end(),
                                               [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
            if (columns <= 120) continue;
            broken.push_back(file.path + ":" + std::to_string(i + 1) +
                             ": a line has at most 120 columns (clang-format)");
        }
    }
    return broken;
}

const std::set<std::string> kTopLevel = {
    "CMakeLists.txt", "CMakePresets.json", "run",  "README.md", "LICENSE", "core", "gui",
    "third_party",    "scenarios",         "tests"};

// Names that git tracks at the top, dot files aside; nullopt where this is no clone.
std::optional<std::set<std::string>> TrackedTopLevel() {
    const std::string command = std::string("git -C '") + RESIDUE_SOURCE_DIR + "' ls-files -z 2>/dev/null";
    FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) return std::nullopt;
    std::string all;
    char buffer[4096];
    for (std::size_t count; (count = fread(buffer, 1, sizeof buffer, pipe)) > 0;) all.append(buffer, count);
    if (pclose(pipe) != 0 || all.empty()) return std::nullopt;
    std::set<std::string> names;
    for (std::size_t at = 0; at < all.size();) {
        const std::string path = all.c_str() + at;
        at += path.size() + 1;
        const std::string top = path.substr(0, path.find('/'));
        if (!top.starts_with(".")) names.insert(top);
    }
    return names;
}

}  // namespace

TEST_CASE("The house rules hold", "[rules]") {
    const auto files = meta::ReadSources(RESIDUE_SOURCE_DIR);
    REQUIRE(files.size() > 20);
    for (const Rule& rule : Rules()) {
        for (const std::string& broken : Broken(rule, files)) FAIL_CHECK(broken);
    }
    for (const std::string& broken : HeadersWithoutOpening(files)) FAIL_CHECK(broken);
    for (const std::string& broken : LongFiles(files)) FAIL_CHECK(broken);
    for (const std::string& broken : LongLines(files)) FAIL_CHECK(broken);
}

TEST_CASE("Each house rule finds its own guilty line, and only where it counts", "[rules]") {
    for (const Rule& rule : Rules()) {
        INFO(rule.name);
        support::ScratchFolder tree;
        tree.Write(rule.guiltyFile, "// A file.\n" + rule.guiltyLine + "\n");
        CHECK(Broken(rule, meta::ReadSources(tree.Path())) ==
              std::vector<std::string>{rule.guiltyFile + ":2: " + rule.name});
    }
}

TEST_CASE("Comments and texts break no rule about code", "[rules]") {
    support::ScratchFolder tree;
    tree.Write("core/log/a.hpp",
               "// x.value() is banned\n/* using namespace std;\n x.value() */ auto t = \"x.value() \\\" x.value()\";\n"
               "auto r = R\"(x.value()\nx.value())\"; auto n = 1'000; // x.value()\n");
    const auto files = meta::ReadSources(tree.Path());
    CHECK(Broken(Rules()[0], files).empty());
    CHECK(Broken(Rules()[1], files).empty());
}

TEST_CASE("A header without an opening comment, a file of 601 lines and one of 121 columns are found", "[rules]") {
    support::ScratchFolder tree;
    tree.Write("core/log/d.cpp", "// " + std::string(118, 'x') + "\n// \xc3\xa4" + std::string(116, 'x') + "\n");
    tree.Write("core/log/a.hpp", "#pragma once\n");
    tree.Write("core/log/b.hpp", "// What it is.\n");
    tree.Write("core/log/c.cpp", std::string(601, '\n'));
    const auto files = meta::ReadSources(tree.Path());
    CHECK(HeadersWithoutOpening(files).size() == 2);
    CHECK(LongFiles(files).size() == 1);
    REQUIRE(LongLines(files).size() == 1);
    CHECK(LongLines(files)[0].starts_with("core/log/d.cpp:1:"));
}

TEST_CASE("The top level is the one that was agreed on", "[rules]") {
    for (const std::string& name : kTopLevel) {
        INFO(name);
        CHECK(std::filesystem::exists(std::filesystem::path(RESIDUE_SOURCE_DIR) / name));
    }
    const auto tracked = TrackedTopLevel();
    if (!tracked) {
        WARN("not a git clone: only what must be there was looked at");
        return;
    }
    for (const std::string& name : *tracked) {
        INFO(name);
        CHECK(kTopLevel.contains(name));
    }
}
