#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "support/catch.hpp"

using cli_tests::Contains;
using cli_tests::kTrace;
using cli_tests::Program;
using Json = nlohmann::json;

namespace {

Json Report(const Program& residue, const std::string& file) {
    const auto run = residue({"report", file, "--json"});
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    return Json::parse(run.output);
}

}  // namespace

TEST_CASE("convert keeps the figures through every format") {
    const Program residue;
    residue.folder.Write("a.rep", kTrace);
    REQUIRE(residue({"convert", "a.rep", "b.script"}).exitCode == 0);
    REQUIRE(residue({"convert", "b.script", "c.rep"}).exitCode == 0);
    const auto native = residue({"convert", "a.rep", "d.residue"});
    INFO(native.errors);
    REQUIRE(native.exitCode == 0);
    REQUIRE(residue({"convert", "d.residue", "e.rep"}).exitCode == 0);

    const Json original = Report(residue, "a.rep");
    for (const char* name : {"b.script", "c.rep", "d.residue", "e.rep"}) {
        INFO(name);
        const Json report = Report(residue, name);
        for (const char* key : {"allocations", "frees", "resizes", "live_bytes", "live_blocks", "peak_live_bytes",
                                "peak_event", "total_bytes"}) {
            INFO(key);
            CHECK(report[key] == original[key]);
        }
    }
    // A recording keeps all of it, the heap's figures included.
    const Json recorded = Report(residue, "d.residue");
    CHECK(recorded["events"] == original["events"]);
    CHECK(recorded["bad_frees"] == 1);
    CHECK(recorded["metrics"] == original["metrics"]);
    CHECK(recorded["provenance"] == original["provenance"]);
}

TEST_CASE("convert --balanced frees at the end what is live") {
    const Program residue;
    residue.folder.Write("a.rep", kTrace);
    const auto run = residue({"convert", "a.rep", "b.rep", "--balanced", "--json"});
    REQUIRE(run.exitCode == 0);
    CHECK(Json::parse(run.output)["out"] == "b.rep");
    const Json report = Report(residue, "b.rep");
    CHECK(report["live_blocks"] == 0);
    CHECK(report["bad_frees"] == 0);
    CHECK(report["leaks"].empty());
}

TEST_CASE("convert overwrites only with --force, and leaves what was there when it fails") {
    const Program residue;
    residue.folder.Write("a.rep", kTrace);
    residue.folder.Write("b.script", "precious");
    const auto refused = residue({"convert", "a.rep", "b.script"});
    CHECK(refused.exitCode == 2);
    CHECK(Contains(refused.errors, "b.script: is already there (expected --force to overwrite it)"));
    CHECK(support::ReadFile(residue.folder / "b.script") == "precious");

    residue.folder.Write("words.rep", "no trace\n");
    CHECK(residue({"convert", "words.rep", "b.script", "--force"}).exitCode == 2);
    CHECK(support::ReadFile(residue.folder / "b.script") == "precious");

    CHECK(residue({"convert", "a.rep", "b.script", "--force"}).exitCode == 0);
    CHECK(Contains(support::ReadFile(residue.folder / "b.script"), "a 0 512"));
}

TEST_CASE("convert says what is wrong with its arguments, all at once") {
    const Program residue;
    residue.folder.Write("a.rep", kTrace);
    CHECK(Contains(residue({"convert", "a.rep"}).errors, "OUT: is missing"));
    CHECK(Contains(residue({"convert", "a.rep", "b.png"}).errors, "b.png: its ending names no format"));
    const auto run = residue({"convert", "missing.rep", "b.residue", "--balanced"});
    CHECK(run.exitCode == 2);
    CHECK(Contains(run.errors, "missing.rep: No such file"));
    CHECK(Contains(run.errors, "--balanced"));
    CHECK(residue({"convert", "a.rep", "nowhere/b.rep"}).exitCode == 2);
}
