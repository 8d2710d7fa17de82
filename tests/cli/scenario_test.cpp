// residue run, check and report on scenarios.
#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "support/catch.hpp"

using cli_tests::Contains;
using cli_tests::Program;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* kLeaks =
    "/// Two leaks\n"
    "Memory :: import!(\"std.Memory\")\n"
    "IO :: import!(\"std.IO\")\n"
    "main :: proc()\n"
    "{\n"
    "    IO.PrintLine(\"hello {}\", 42)\n"
    "    #[expect(live_bytes = 40)]\n"
    "    a := Memory.Allocate<u8>(&GlobalAllocator, 40)\n"
    "    IO.ErrorLine(\"oops\")\n"
    "}\n";

}  // namespace

TEST_CASE("run prints the console on its two streams, and at the end what leaked, as the program would") {
    const Program residue;
    residue.folder.Write("leaks.iridis", kLeaks);
    const auto run = residue({"run", "leaks.iridis"});
    CHECK(run.exitCode == 0);
    CHECK(run.output == "hello 42\n");
    CHECK(Contains(run.errors, "oops\n"));
    CHECK(Contains(run.errors, "Unfreed buffer @ 0x"));
    CHECK(Contains(run.errors, "8:leaks.iridis in main"));
    CHECK(Contains(run.errors, "never given back: 1 block, 40 B"));
}

TEST_CASE("run tells what ended a program, with its place, and exits with 1; what is no program with 2") {
    const Program residue;
    residue.folder.Write("loop.iridis", "main :: proc()\n{\n    while true { }\n}\n");
    const auto endless = residue({"run", "loop.iridis", "--steps", "500"});
    CHECK(endless.exitCode == 1);
    CHECK(Contains(endless.errors, "loop.iridis:3"));
    CHECK(Contains(endless.errors, "500 steps"));
    residue.folder.Write("broken.iridis", "main :: proc()\n{\n    x := \n}\n");
    const auto broken = residue({"run", "broken.iridis"});
    CHECK(broken.exitCode == 2);
    CHECK(Contains(broken.errors, "broken.iridis:3:"));
    CHECK(Contains(broken.errors, "^"));
    residue.folder.Write(
        "stops.iridis",
        "main :: proc()\n{\n    a := Memory.Allocate<u8>(&GlobalAllocator, 40)\n    b := 5 / (1 - 1)\n}\n");
    const auto stops = residue({"run", "stops.iridis"});
    CHECK(stops.exitCode == 1);
    CHECK(Contains(stops.errors,
                   "  4:stops.iridis in main\nalive when it stopped, and so perhaps no leaks: 1 block, 40 B\n"
                   "  40 B of `GlobalAllocator`, from 3:stops.iridis in main\n"));
    CHECK_FALSE(Contains(stops.errors, "never given back"));
    const auto checked = residue({"check", "stops.iridis", "broken.iridis"});
    CHECK(Contains(checked.output, "FAILED  stops.iridis (0 of 0 expectations, 2 steps)\n"));
    CHECK(Contains(checked.output, "  4:stops.iridis in main\n"));
    CHECK(Contains(checked.output, "FAILED  broken.iridis (no program)\n"));
    for (const char* wrong : {"--steps=x", "--memory=0", "--memory=4G", "--profile=quick"}) {
        INFO(wrong);
        CHECK(residue({"run", "loop.iridis", wrong}).exitCode == 2);
    }
}

TEST_CASE("check verifies what scenarios expect: text, JSON, JUnit, and its exit code") {
    const Program residue;
    residue.folder.Write("a/good.iridis", kLeaks);
    std::string bad = kLeaks;
    bad.replace(bad.find("live_bytes = 40"), 15, "live_bytes = 41");
    residue.folder.Write("a/bad.iridis", bad);
    const auto good = residue({"check", "a/good.iridis"});
    CHECK(good.exitCode == 0);
    CHECK(Contains(good.output, "ok      a/good.iridis: Two leaks (1 of 1 expectations"));
    const auto both = residue({"check", "a", "--junit", "out.xml"});
    CHECK(both.exitCode == 1);
    CHECK(Contains(both.output, "FAILED  a/bad.iridis"));
    CHECK(Contains(both.output, "a/bad.iridis:7:"));
    CHECK(Contains(both.output, "1 of 2 do not hold"));
    const std::string xml = support::ReadFile(residue.folder.Path() / "out.xml");
    CHECK(Contains(xml, "tests=\"2\" failures=\"1\""));
    CHECK(Contains(xml, "classname=\"a/bad.iridis\""));
    const auto json = Json::parse(residue({"check", "a", "--json"}).output);
    REQUIRE(json.size() == 2);
    CHECK(json[0]["file"] == "a/bad.iridis");
    CHECK(json[0]["holds"] == false);
    CHECK(json[1]["met"] == 1);
    CHECK(residue({"check"}).exitCode == 2);
    CHECK(residue({"check", "nothing.iridis"}).exitCode == 2);
    residue.folder.Write("b/broken.iridis", "main :: proc(\n");
    CHECK(residue({"check", "b"}).exitCode == 2);
}

TEST_CASE("report and convert take a scenario as they take any recording") {
    const Program residue;
    residue.folder.Write("leaks.iridis", kLeaks);
    const auto report = residue({"report", "leaks.iridis", "--json"});
    INFO(report.errors);
    REQUIRE(report.exitCode == 0);
    const Json json = Json::parse(report.output);
    CHECK(json["format"] == "Iridis scenario");
    CHECK(json["live_bytes"] == 40);
    CHECK(json["leaks"][0]["trace"][0] == "main (leaks.iridis:8)");
    CHECK(residue({"convert", "leaks.iridis", "leaks.residue"}).exitCode == 0);
    const auto again = residue({"report", "leaks.residue", "--json"});
    CHECK(Json::parse(again.output)["live_bytes"] == 40);
    residue.folder.Write("broken.iridis", "main :: proc()\n{\n    x := \n    y := )\n}\n");
    const auto broken = residue({"report", "broken.iridis"});
    CHECK(broken.exitCode == 2);
    CHECK(Contains(broken.errors, "broken.iridis:3:"));
    CHECK(Contains(broken.errors, "broken.iridis:4:"));
}

TEST_CASE("a trace becomes a scenario that does the same again") {
    const Program residue;
    residue.folder.Write("small.rep", cli_tests::kTrace);
    REQUIRE(residue({"convert", "small.rep", "small.iridis"}).exitCode == 0);
    const auto check = residue({"check", "small.iridis"});
    INFO(check.output << support::ReadFile(residue.folder.Path() / "small.iridis"));
    CHECK(check.exitCode == 0);
    const Json trace = Json::parse(residue({"report", "small.rep", "--json"}).output);
    const Json scenario = Json::parse(residue({"report", "small.iridis", "--json"}).output);
    for (const char* key : {"allocations", "frees", "resizes", "live_bytes", "live_blocks", "peak_live_bytes"}) {
        INFO(key);
        CHECK(trace[key] == scenario[key]);
    }
}

TEST_CASE("check tells warnings too, though they are no failures") {
    const Program residue;
    residue.folder.Write("thrown.iridis",
                         "main :: proc()\n{\n    b : [64; u8]\n    h := CreateFixedBufferAllocator(&b)\n"
                         "    Memory.Allocate<u8>(&h, 5000)\n}\n");
    const auto check = residue({"check", "thrown.iridis"});
    CHECK(check.exitCode == 0);
    CHECK(Contains(check.output, "warning: "));
    CHECK(Contains(check.output, "thrown.iridis:5:"));
}
