#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

using cli_tests::Contains;
using cli_tests::kTrace;
using cli_tests::Program;
using Json = nlohmann::ordered_json;

namespace {

const std::vector<std::string> kKeys = {
    "file",        "format",    "events",     "allocations", "frees",           "resizes",
    "failed",      "bad_frees", "live_bytes", "live_blocks", "peak_live_bytes", "peak_event",
    "total_bytes", "leaks",     "warnings",   "provenance",  "metrics",         "sites",
    "sizes",       "lifetimes"};

std::vector<std::string> KeysOf(const Json& object) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.push_back(key);
    return keys;
}

}  // namespace

TEST_CASE("report --json has exactly the keys that the design fixes, with the figures known by hand") {
    const Program residue;
    residue.folder.Write("small.rep", kTrace);
    const auto run = residue({"report", "small.rep", "--json"});
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    CHECK(run.errors.empty());
    const Json report = Json::parse(run.output);
    CHECK(KeysOf(report) == kKeys);
    CHECK(report["file"] == "small.rep");
    CHECK(Contains(report["format"], "malloc-lab .rep"));
    CHECK(report["events"] == 8);
    CHECK(report["allocations"] == 4);
    CHECK(report["frees"] == 2);
    CHECK(report["resizes"] == 1);
    CHECK(report["failed"] == 0);
    CHECK(report["bad_frees"] == 1);
    CHECK(report["live_bytes"] == 1088);
    CHECK(report["live_blocks"] == 2);
    CHECK(report["peak_live_bytes"] == 1600);
    CHECK(report["peak_event"] == 6);
    CHECK(report["total_bytes"] == 512 + 128 + 512 + 64 + 1024);
    REQUIRE(report["leaks"].size() == 1);
    CHECK(report["leaks"][0] == Json({{"bytes", 1088}, {"blocks", 2}, {"trace", Json::array()}}));
    CHECK(report["provenance"] == "replayed through fixed buffer, first fit");
    const Json& metrics = report["metrics"];
    CHECK(metrics["live_bytes"] == 1600);
    CHECK(metrics["live_blocks"] == 3);
    CHECK(metrics["peak_live_bytes"] == 1600);
    CHECK(metrics["external_fragmentation"].is_number());
    CHECK(metrics["internal_fragmentation"].is_number());
}

TEST_CASE("A heap that would not fit leaves the trace figures, and says how many bytes it needs") {
    const Program residue;
    residue.folder.Write("giant.rep", "20000\n2\n2\n1\na 0 84000000000000000\na 1 100\n");
    const auto run = residue({"report", "giant.rep", "--json"});
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    const Json report = Json::parse(run.output);
    std::vector<std::string> keys = kKeys;
    keys.insert(std::find(keys.begin(), keys.end(), "sites"), "reason");
    CHECK(KeysOf(report) == keys);
    for (const char* key : {"sites", "sizes", "lifetimes"}) CHECK(report[key].is_null());
    CHECK(report["metrics"].is_null());
    CHECK(report["peak_live_bytes"] == 84000000000000100);
    const std::string reason = report["reason"];
    INFO(reason);
    CHECK(Contains(reason, "84"));

    const auto text = residue({"report", "giant.rep"});
    CHECK(text.exitCode == 0);
    CHECK(Contains(text.output, reason));
}

TEST_CASE("A capacity that is too small gives failed requests, explained") {
    const Program residue;
    residue.folder.Write("small.rep", kTrace);
    const auto json = residue({"report", "small.rep", "--json", "--capacity", "1K"});
    REQUIRE(json.exitCode == 0);
    CHECK(Json::parse(json.output)["failed"] == 2);
    const auto text = residue({"report", "small.rep", "--capacity", "1K", "--allocator", "best-fit"});
    CHECK(text.exitCode == 0);
    CHECK(Contains(text.output, "fixed buffer, best fit"));
    CHECK(Contains(text.output, "What went wrong"));
}

TEST_CASE("The report for people stays as it was approved") {
    const Program residue;
    residue.folder.Write("small.rep", kTrace);
    const auto run = residue({"report", "small.rep"});
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    CHECK(support::Golden("cli/golden/report.txt", run.output) == "");
}

TEST_CASE("What a file says reaches the terminal without control codes") {
    const Program residue;
    residue.folder.Write("bell.rep", "20000\n1\n2\n1\na 0 8\n\x1b[2Jx 0 8\n");
    const auto run = residue({"report", "bell.rep"});
    CHECK(run.output.find('\x1b') == std::string::npos);
    CHECK(run.errors.find('\x1b') == std::string::npos);
}

TEST_CASE("The shared traces are reported, each with its peak") {
    const std::filesystem::path folder = std::filesystem::path(RESIDUE_SHARED_TRACES) / "rep";
    if (!std::filesystem::exists(folder)) {
        WARN("no shared traces here");
        return;
    }
    const Program residue;
    const auto run = residue({"report", (folder / "short1-bal.rep").string(), "--json"});
    REQUIRE(run.exitCode == 0);
    const Json report = Json::parse(run.output);
    CHECK(report["peak_live_bytes"] == 8144);
    CHECK(report["live_blocks"] == 0);
    CHECK(report["leaks"].empty());
}
