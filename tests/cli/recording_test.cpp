// Recordings of other tools through the real program.
#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "support/catch.hpp"

using cli_tests::Contains;
using cli_tests::Program;
using Json = nlohmann::json;

namespace {

const std::string kSamples = RESIDUE_SOURCE_DIR "/scenarios/recordings/";

Json Report(const Program& residue, const std::string& file) {
    const auto run = residue({"report", file, "--json"});
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    return Json::parse(run.output);
}

}  // namespace

TEST_CASE("report names the format, and says null and why of what a recording does not say") {
    const Program residue;
    const Json report = Report(residue, kSamples + "notes.mtrace");
    CHECK(report["format"] == "glibc mtrace");
    CHECK(report["provenance"] == "recorded by mtrace");
    CHECK(report["failed"] == 2);
    CHECK(report["live_blocks"] > 0);
    CHECK(report["metrics"]["heap"].is_null());
    CHECK(report["metrics"]["external_fragmentation"].is_null());
    CHECK(report["metrics"]["internal_fragmentation"].is_null());
    CHECK(report["metrics"]["set_aside"].is_null());
    CHECK(report["metrics"]["live_bytes"].is_number());
    CHECK(Contains(report["reason"], "not recorded"));
    CHECK(Report(residue, kSamples + "notes.heaptrack-interpreted.zst")["provenance"] ==
          "recorded by heaptrack; layout simulated");
    const auto text = residue({"report", kSamples + "notes.mtrace"});
    CHECK(Contains(text.output, "how much was free is not known"));
    CHECK_FALSE(Contains(text.output, "only 0 B free"));
    CHECK(Contains(text.output, "notes+0x"));
}

TEST_CASE("a recording becomes any of our formats, and comes back from those that keep all") {
    const Program residue;
    const Json original = Report(residue, kSamples + "notes.heaptrack-interpreted.zst");
    REQUIRE(residue({"convert", kSamples + "notes.heaptrack-interpreted.zst", "a.jsonl"}).exitCode == 0);
    REQUIRE(residue({"convert", "a.jsonl", "b.residue"}).exitCode == 0);
    const auto again = residue({"convert", "b.residue", "c.jsonl", "--json"});
    INFO(again.errors);
    REQUIRE(again.exitCode == 0);
    CHECK(support::ReadFile(residue.folder / "a.jsonl") == support::ReadFile(residue.folder / "c.jsonl"));
    REQUIRE(residue({"convert", kSamples + "notes.mtrace", "d.rep"}).exitCode == 0);
    CHECK(Report(residue, "d.rep")["allocations"] > 0);
    for (const char* name : {"a.jsonl", "b.residue"}) {
        INFO(name);
        const Json report = Report(residue, name);
        for (const char* key : {"events", "allocations", "frees", "live_bytes", "live_blocks", "peak_live_bytes",
                                "peak_event", "total_bytes", "leaks", "metrics", "provenance"}) {
            INFO(key);
            CHECK(report[key] == original[key]);
        }
    }
}
