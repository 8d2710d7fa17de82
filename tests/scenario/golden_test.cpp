// Whole scripts against golden files: the document's samples (samples/), scripts that cannot be read (broken/: every
// message of the reader), and scripts that run into something (runs/: every message of a run). Adding one edits
// nothing.
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

TEST_CASE("Every message of the reader is as it was approved", "[scenario]") {
    CheckFolder("broken");
}

TEST_CASE("Every message of a run is as it was approved", "[scenario]") {
    CheckFolder("runs");
}
