// The lessons in scenarios/: each holds, has the form that scenarios/README.md asks for, and stands in its table.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/program.hpp"
#include "support/catch.hpp"

using cli_tests::Contains;
using cli_tests::Program;

namespace {

const std::filesystem::path kFolder = std::filesystem::path(RESIDUE_SOURCE_DIR) / "scenarios";

std::vector<std::string> Lessons() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
        if (entry.path().extension() == ".iridis") names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> LinesOf(const std::string& name) {
    std::ifstream file(kFolder / name);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

struct Head {
    std::string title;
    std::string level;
    std::size_t lines = 0;
};

Head HeadOf(const std::vector<std::string>& lines) {
    Head head;
    while (head.lines < lines.size() && lines[head.lines].starts_with("/// ")) {
        const std::string text = lines[head.lines].substr(4);
        if (head.lines == 0) head.title = text;
        if (text.starts_with("Level: ")) head.level = text.substr(7);
        ++head.lines;
    }
    return head;
}

}  // namespace

TEST_CASE("Every lesson holds") {
    const Program residue;
    const auto lessons = Lessons();
    REQUIRE(lessons.size() >= 14);
    std::vector<std::string> arguments = {"check"};
    for (const std::string& name : lessons) arguments.push_back((kFolder / name).string());
    const auto run = residue(arguments);
    INFO(run.output << run.errors);
    CHECK(run.exitCode == 0);
    CHECK(Contains(run.output, "all " + std::to_string(lessons.size()) + " hold"));
}

TEST_CASE("Every lesson has the form of one") {
    const std::string imports = "import!(\"std.";
    for (const std::string& name : Lessons()) {
        INFO(name);
        const auto lines = LinesOf(name);
        const Head head = HeadOf(lines);
        CHECK(!head.title.empty());
        CHECK(head.lines >= 4);
        CHECK((head.level == "first steps" || head.level == "intermediate" || head.level == "advanced"));
        CHECK(lines.size() >= 30);
        CHECK(lines.size() <= 90);
        std::size_t narrations = 0;
        std::size_t expectations = 0;
        for (std::size_t i = head.lines; i < lines.size(); ++i) {
            INFO("line " << i + 1);
            CHECK(lines[i].size() <= 120);
            narrations += Contains(lines[i], "    /// ");
            expectations += Contains(lines[i], "#[expect(");
            if (Contains(lines[i], "import!(")) CHECK(Contains(lines[i], imports));  // none depends on another
        }
        CHECK(narrations >= 4);
        CHECK(expectations >= 4);
    }
}

TEST_CASE("The table of lessons is that of the files") {
    std::ifstream file(kFolder / "README.md");
    std::stringstream text;
    text << file.rdbuf();
    const std::string readme = text.str();
    for (const std::string& name : Lessons()) {
        const Head head = HeadOf(LinesOf(name));
        const std::string row = "| `" + name + "` | " + head.title + " | " + head.level + " | ";
        INFO("scenarios/README.md lacks the row " << row);
        CHECK(Contains(readme, row));
    }
}
