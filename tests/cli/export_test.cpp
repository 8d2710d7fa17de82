// `residue convert` to files for other programs: each format from the command line, and flags that a format has no use
// for. What the files hold is tested in tests/export.
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/program.hpp"
#include "support/catch.hpp"

using cli_tests::Contains;
using cli_tests::kTrace;
using cli_tests::Program;
using Json = nlohmann::json;

namespace {

// Two functions, three blocks, one of them freed; as a program in any language may print it.
constexpr const char* kRecording =
    "{\"trace\":1,\"frame\":1,\"function\":\"main\"}\n"
    "{\"trace\":2,\"parent\":1,\"frame\":2,\"function\":\"read\"}\n"
    "{\"event\":\"allocated\",\"address\":4096,\"size\":1000,\"trace\":1,\"thread\":1}\n"
    "{\"event\":\"allocated\",\"address\":8192,\"size\":64,\"trace\":2,\"thread\":2}\n"
    "{\"event\":\"freed\",\"address\":4096,\"thread\":1}\n"
    "{\"event\":\"allocated\",\"address\":4096,\"size\":16,\"trace\":2,\"thread\":1}\n";

std::string Converted(const Program& residue, std::vector<std::string> arguments, const std::string& out) {
    arguments.insert(arguments.begin(), "convert");
    arguments.push_back("--force");
    const auto run = residue(arguments);
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    return support::ReadFile(residue.folder / out);
}

std::size_t Lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("convert writes CSV, Chrome traces and folded stacks, by OUT's ending or --to") {
    const Program residue;
    residue.folder.Write("a.rep", kTrace);
    residue.folder.Write("b.jsonl", kRecording);
    CHECK(Lines(Converted(residue, {"a.rep", "a.csv"}, "a.csv")) == 10);                 // a header, positions 0 to 8
    CHECK(Lines(Converted(residue, {"a.rep", "a.csv", "--every", "3"}, "a.csv")) == 5);  // 0, 3, 6, 8
    CHECK(Lines(Converted(residue, {"a.rep", "a.csv", "--rows", "2"}, "a.csv")) == 3);
    CHECK(Converted(residue, {"a.rep", "a.txt", "--to", "csv"}, "a.txt") ==
          Converted(residue, {"a.rep", "a.csv"}, "a.csv"));
    const Json chrome = Json::parse(Converted(residue, {"b.jsonl", "b.trace.json"}, "b.trace.json"));
    CHECK(chrome["traceEvents"].size() > 5);
    CHECK(Converted(residue, {"b.jsonl", "b.folded", "--by", "allocated"}, "b.folded") == "main 1000\nmain;read 80\n");
    CHECK(Converted(residue, {"b.jsonl", "b.folded"}, "b.folded") == "main 1000\nmain;read 64\n");  // the peak
    CHECK(Converted(residue, {"b.jsonl", "b.folded", "--by", "live", "--at", "1"}, "b.folded") == "main 1000\n");
    CHECK(Converted(residue, {"b.jsonl", "b.folded", "--by", "allocated", "--range", "1-3"}, "b.folded") ==
          "main;read 64\n");
}

TEST_CASE("convert's filters say what they hide") {
    const Program residue;
    residue.folder.Write("b.jsonl", kRecording);
    const auto run = residue({"convert", "b.jsonl", "b.folded", "--by", "allocated", "--size", "32-", "--thread", "1"});
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    CHECK(support::ReadFile(residue.folder / "b.folded") == "main 1000\n");
    CHECK(Contains(run.output, "b.folded: 1 stacks; 32 B and more · thread 1: hides 2 blocks (80 B)"));
    for (const std::vector<std::string>& filter :
         {std::vector<std::string>{"--site", "READ"}, {"--lifetime", "2-2", "--size", "16-64"}, {"--size=-64"}}) {
        std::vector<std::string> arguments = {"convert", "b.jsonl", "b.folded", "--by", "allocated", "--force"};
        arguments.insert(arguments.end(), filter.begin(), filter.end());
        REQUIRE(residue(arguments).exitCode == 0);
        INFO(filter[0]);
        CHECK(support::ReadFile(residue.folder / "b.folded") ==
              (filter[0] == "--lifetime" ? "main;read 64\n" : "main;read 80\n"));
    }
}

TEST_CASE("convert says which flags a format has no use for, and what a flag expects") {
    const Program residue;
    residue.folder.Write("a.rep", kTrace);
    const auto errors = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"convert", "a.rep"});
        const auto run = residue(arguments);
        CHECK(run.exitCode == 2);
        CHECK(run.output.empty());
        return run.errors;
    };
    CHECK(Contains(errors({"b.rep", "--every", "3"}),
                   "--every: has no meaning for rep (expected .csv or .trace.json as OUT)"));
    CHECK(Contains(errors({"b.csv", "--balanced"}),
                   "--balanced: has no meaning for csv (expected .rep or .script as OUT)"));
    CHECK(Contains(errors({"b.csv", "--site", "x"}), "--site: has no meaning for csv"));
    CHECK(Contains(errors({"b.csv", "--every", "0"}), "--every: '0' does not do"));
    CHECK(Contains(errors({"b.csv", "--every", "2", "--rows", "2"}), "one of the two"));
    CHECK(Contains(errors({"b.csv", "--rows", "1"}), "--rows: '1' does not do (expected a whole number from 2 up)"));
    CHECK(Contains(errors({"b.folded", "--by", "magic"}), "--by: there is no measure 'magic' (expected live, peak,"));
    CHECK(Contains(errors({"b.folded", "--size", "9-3"}), "--size: '9-3' is no range"));
    CHECK(Contains(errors({"b.folded", "--lifetime", "-"}), "--lifetime: '-' is no range"));
    CHECK(Contains(errors({"b.folded", "--range", "3-3"}), "--range: '3-3' is empty"));
    CHECK(Contains(errors({"b.folded", "--allocator-id", "70000"}), "1 to 65535"));
    CHECK(Contains(errors({"b.folded", "--thread", "0"}), "--thread: '0'"));
    CHECK(Contains(errors({"b.folded", "--at", "x"}), "--at: 'x' is no position"));
    CHECK(Contains(errors({"b.folded", "--at", "99"}), "--at: 99 is behind the end of the run (expected at most 8)"));
    CHECK(Contains(errors({"b.folded", "--range", "50-60"}), "--range: 50 is behind the end of the run"));
    CHECK(Contains(errors({"b.xyz"}), "b.xyz: its ending names no format (expected .rep, "));
    CHECK(Contains(errors({"b.xyz", "--to", "magic"}), "--to: there is no format 'magic' (expected rep, "));
    CHECK_FALSE(std::filesystem::exists(residue.folder / "b.folded"));
}

TEST_CASE("report tells sites, sizes and lifetimes, filtered if asked") {
    const Program residue;
    residue.folder.Write("b.jsonl", kRecording);
    const auto json = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"report", "b.jsonl", "--json"});
        const auto run = residue(arguments);
        INFO(run.errors);
        REQUIRE(run.exitCode == 0);
        return Json::parse(run.output);
    };
    const Json all = json({});
    REQUIRE(all["sites"]["peak"].size() == 2);
    CHECK(all["sites"]["peak"][0] == Json({{"blocks", 1}, {"bytes", 1000}, {"trace", {"main"}}}));
    CHECK(all["sites"]["allocations"][0] == Json({{"allocations", 2}, {"bytes", 80}, {"trace", {"read", "main"}}}));
    CHECK(all["sites"]["temporary"] == Json::array({{{"temporary", 1}, {"trace", {"main"}}}}));
    CHECK(all["sizes"][0] == Json({{"from", 16}, {"to", 31}, {"blocks", 1}, {"bytes", 16}}));
    CHECK(all["lifetimes"] == Json::array({{{"from", 2}, {"to", 3}, {"blocks", 1}, {"bytes", 1000}}}));
    CHECK_FALSE(all.contains("filter"));
    const Json some = json({"--site", "read", "--range", "1-2"});
    CHECK(some["sites"]["peak"].size() == 1);
    CHECK(some["filter"] == Json({{"text", "in read: hides 1 block (1,000 B)"},
                                  {"from", 1},
                                  {"to", 2},
                                  {"peak", 2},
                                  {"hidden_blocks", 1},
                                  {"hidden_bytes", 1000}}));
    CHECK(some["live_bytes"] == all["live_bytes"]);  // the figures stay those of the whole run

    const auto text = residue({"report", "b.jsonl", "--size", "1K-"});
    CHECK(Contains(text.output, "Looked at below: calls 0 to 4"));
    CHECK(Contains(text.output, "1,024 B and more: hides 3 blocks"));
    CHECK(residue({"report", "b.jsonl", "--size", "x"}).exitCode == 2);
    residue.folder.Write("giant.rep", "20000\n2\n2\n1\na 0 84000000000000000\na 1 100\n");
    const auto none = residue({"report", "giant.rep", "--size", "1-"});
    CHECK(none.exitCode == 2);
    CHECK(Contains(none.errors, "no blocks to look at"));
}

TEST_CASE("convert writes a database and a report page") {
    const Program residue;
    residue.folder.Write("b.jsonl", kRecording);
    const auto database = residue({"convert", "b.jsonl", "b.db", "--json"});
    INFO(database.errors);
    if (!Contains(database.errors, "cannot write SQLite")) {
        REQUIRE(database.exitCode == 0);
        CHECK(Json::parse(database.output)["events"] == 5);
        CHECK(support::ReadFile(residue.folder / "b.db").starts_with("SQLite format 3"));
    }
    const std::string page = Converted(residue, {"b.jsonl", "b.html", "--thread", "1"}, "b.html");
    CHECK(page.starts_with("<!DOCTYPE html>"));
    CHECK(Contains(page, "thread 1: hides 1 block (64 B)"));
    CHECK(Contains(page, "1,000 B in 1 block · main"));
    CHECK(Contains(page, "<title>read: 1 (50.0 %)"));
    residue.folder.Write("a.rep", kTrace);
    CHECK(Contains(Converted(residue, {"a.rep", "a.html"}, "a.html"), "external fragmentation"));
}

TEST_CASE("picture writes SVG without residue-view") {
    const Program residue;
    residue.folder.Write("a.rep", kTrace);
    const std::string alone = residue.folder / "residue";
    std::filesystem::copy_file(cli_tests::kResidue, alone);
    const auto draw = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {alone, "picture", "a.rep"});
        return support::Run(arguments, {.folder = residue.folder.Path().string()});
    };
    const auto run = draw({"-o", "a.svg"});
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    const std::string peak = support::ReadFile(residue.folder / "a.svg");
    CHECK(Contains(peak, "after call 6"));  // the peak
    CHECK(Contains(peak, "1,600 B live in 3 blocks"));
    REQUIRE(draw({"--at", "1", "--out=b.svg"}).exitCode == 0);
    CHECK(Contains(support::ReadFile(residue.folder / "b.svg"), "512 B live in 1 block,"));
    CHECK(Contains(draw({"--at", "9", "-o", "c.svg"}).errors,
                   "--at: 9 is behind the end of the run (expected at most 8)"));
    CHECK(Contains(draw({"--allocator-id", "7", "-o", "c.svg"}).errors, "--allocator-id: there is no allocator 7"));
    CHECK(draw({"-o", "nowhere/c.svg"}).exitCode == 2);
    CHECK_FALSE(std::filesystem::exists(residue.folder / "c.svg"));
}
