// Whole scripts against golden files: the document's samples (samples/), scripts that cannot be read (broken/: every
// message of the reader), scripts that run into something (runs/), and short ones that end at once, several a file
// (stops/: a line `=== what` before each). Adding one edits nothing; messages_test looks whether every message of the
// sources is in one of them.
#include "scenario/scenario_support.hpp"

using namespace residue::scenario;

namespace {

void CheckFolder(const std::string& folder) {
    const auto scripts = ScriptsIn(folder);
    REQUIRE_FALSE(scripts.empty());
    for (const auto& script : scripts) {
        const std::string name = "scenario/golden/" + folder + "/" + script.stem().string() + ".txt";
        CHECK(support::Golden(name, ToldOf(script)) == "");
    }
}

struct Part {
    std::string title;
    std::string text;
};

std::vector<Part> PartsOf(const std::string& text) {
    constexpr std::string_view kSign = "=== ";
    std::vector<Part> parts;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
        const std::string line = text.substr(at, end - at);
        if (line.starts_with(kSign))
            parts.push_back({line.substr(kSign.size(), line.size() - kSign.size() - 1), ""});
        else if (!parts.empty())
            parts.back().text += line;
        at = end;
    }
    return parts;
}

}  // namespace

TEST_CASE("The design document's samples run and say what they say in it", "[scenario]") {
    CheckFolder("samples");
    for (const auto& script : ScriptsIn("samples")) {
        INFO(script);
        Parsed parsed = ParseFile(script.string());
        REQUIRE(parsed.program != nullptr);
        CHECK(parsed.diagnostics.empty());
        CHECK(Run(*parsed.program, {}, {}).Passed());
    }
}

TEST_CASE("The guide's own programs run and hold", "[scenario]") {
    const std::string guide = support::ReadFile(std::filesystem::path(RESIDUE_SOURCE_DIR) / "scenarios" / "README.md");
    std::size_t programs = 0;
    std::size_t end = 0;
    for (std::size_t at = guide.find("```\n"); at != std::string::npos; at = guide.find("```\n", end + 4)) {
        end = guide.find("```", at + 4);
        const std::string text = guide.substr(at + 4, end - at - 4);
        if (text.find("main :: proc()") == std::string::npos) continue;
        ++programs;
        const RunResult result = RunText(text);
        INFO(text << Told(result));
        CHECK(result.Passed());
        CHECK_FALSE(result.expectations.empty());
    }
    CHECK(programs >= 2);
}

TEST_CASE("Every message of the reader is as it was approved", "[scenario]") {
    CheckFolder("broken");
}

TEST_CASE("Every message of a run is as it was approved", "[scenario]") {
    CheckFolder("runs");
}

TEST_CASE("Every way to stop is as it was approved", "[scenario]") {
    const auto files = ScriptsIn("stops");
    REQUIRE_FALSE(files.empty());
    for (const auto& file : files) {
        std::string told;
        for (const Part& part : PartsOf(support::ReadFile(file))) {
            told += "=== " + part.title + "\n" + ToldOfText("test.iridis", part.text);
        }
        CHECK(support::Golden("scenario/golden/stops/" + file.stem().string() + ".txt", told) == "");
    }
}
