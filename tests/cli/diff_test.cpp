// `residue diff`: two recordings, and two moments of one; the change is known by hand.
#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "support/catch.hpp"

using cli_tests::Contains;
using cli_tests::Program;
using Json = nlohmann::json;

namespace {

std::string Allocated(std::uint64_t address, std::uint64_t size, int trace) {
    return "{\"event\":\"allocated\",\"address\":" + std::to_string(address) + ",\"size\":" + std::to_string(size) +
           ",\"trace\":" + std::to_string(trace) + "}\n";
}

// The same functions at other addresses, in another order: sites are matched by name.
const std::string kFirst =
    "{\"trace\":1,\"frame\":1,\"function\":\"main\"}\n"
    "{\"trace\":2,\"parent\":1,\"frame\":2,\"function\":\"read\"}\n"
    "{\"trace\":3,\"parent\":1,\"frame\":3,\"function\":\"parse\"}\n" +
    Allocated(4096, 1000, 2) + Allocated(8192, 64, 3);
const std::string kSecond =
    "{\"trace\":1,\"frame\":7,\"function\":\"main\"}\n"
    "{\"trace\":2,\"parent\":1,\"frame\":8,\"function\":\"parse\"}\n"
    "{\"trace\":3,\"parent\":1,\"frame\":9,\"function\":\"read\"}\n"
    "{\"trace\":4,\"parent\":3,\"frame\":10,\"function\":\"grow\"}\n" +
    Allocated(4096, 64, 2) + Allocated(8192, 400, 3) + Allocated(12288, 5000, 4) +
    "{\"event\":\"freed\",\"address\":12288}\n";

struct Two : Program {
    Two() {
        folder.Write("a.jsonl", kFirst);
        folder.Write("b.jsonl", kSecond);
    }
    Json Diff(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "diff");
        arguments.push_back("--json");
        const auto run = (*this)(arguments);
        INFO(run.errors);
        REQUIRE(run.exitCode == 0);
        return Json::parse(run.output);
    }
};

}  // namespace

TEST_CASE("diff of two recordings: at their peaks, sites by name") {
    const Two residue;
    const Json diff = residue.Diff({"a.jsonl", "b.jsonl"});
    CHECK(diff["by"] == "peak");
    CHECK(diff["before"]["event"] == 2);
    CHECK(diff["after"]["event"] == 3);
    CHECK(diff["change"] == 5464 - 1064);
    CHECK(diff["sites"] == Json::array({
                               {{"change", 5000}, {"before", 0}, {"after", 5000}, {"trace", {"grow", "read", "main"}}},
                               {{"change", -600}, {"before", 1000}, {"after", 400}, {"trace", {"read", "main"}}},
                           }));
    CHECK(diff["unchanged_sites"] == 1);  // parse
    CHECK(diff["sizes"].size() == 3);
    const Json live = residue.Diff({"a.jsonl", "b.jsonl", "--by", "live"});
    CHECK(live["change"] == 464 - 1064);
    const Json count = residue.Diff({"a.jsonl", "b.jsonl", "--by", "allocations"});
    CHECK(count["change"] == 1);
    CHECK(count["lifetimes"] == Json::array({{{"from", 1},
                                              {"to", 1},
                                              {"before", {{"blocks", 0}, {"bytes", 0}}},
                                              {"after", {{"blocks", 1}, {"bytes", 5000}}}}}));
    const Json filtered = residue.Diff({"a.jsonl", "b.jsonl", "--size", "1K-"});
    CHECK(filtered["before"]["hidden_blocks"] == 2);
    CHECK(filtered["change"] == 5000);
}

TEST_CASE("diff of two moments of one recording") {
    const Two residue;
    const Json diff = residue.Diff({"b.jsonl", "--from", "1", "--to", "3"});
    CHECK(diff["by"] == "live");
    CHECK(diff["change"] == 5400);
    CHECK(diff["sites"][0]["trace"] == Json({"grow", "read", "main"}));
    CHECK(residue.Diff({"b.jsonl", "--from", "3"})["change"] == -5000);
    CHECK(residue.Diff({"b.jsonl", "--to", "1"})["change"] == 64);
    CHECK(residue.Diff({"b.jsonl", "--from", "2", "--to", "2"})["sites"].empty());
}

TEST_CASE("diff as text, and its exit code") {
    const Two residue;
    const auto run = residue({"diff", "a.jsonl", "b.jsonl"});
    INFO(run.output);
    CHECK(run.exitCode == 0);
    CHECK(Contains(run.output, "a.jsonl, after call 2 → b.jsonl, after call 3"));
    CHECK(Contains(run.output, "+5,000 B   0 B → 5,000 B\n      at grow\n      by read\n      by main"));
    CHECK(Contains(run.output, "Where it shrank"));
    CHECK(residue({"diff", "a.jsonl", "b.jsonl", "--most", "4400"}).exitCode == 0);
    CHECK(residue({"diff", "a.jsonl", "b.jsonl", "--most", "4399"}).exitCode == 1);
    CHECK(residue({"diff", "b.jsonl", "a.jsonl", "--most", "0"}).exitCode == 0);
    CHECK(Contains(residue({"diff", "a.jsonl", "a.jsonl"}).output, "No site differs"));
}

TEST_CASE("diff says what is wrong with its arguments") {
    const Two residue;
    const auto errors = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "diff");
        const auto run = residue(arguments);
        CHECK(run.exitCode == 2);
        CHECK(run.output.empty());
        return run.errors;
    };
    CHECK(Contains(errors({}), "A: is missing"));
    CHECK(Contains(errors({"a.jsonl"}), "B: is missing (expected a second file, or --from P --to Q"));
    CHECK(Contains(errors({"a.jsonl", "no.jsonl"}), "no.jsonl: No such file"));
    CHECK(Contains(errors({"a.jsonl", "b.jsonl", "--from", "1"}), "--from: is for two moments of one file"));
    CHECK(Contains(errors({"a.jsonl", "--from", "2", "--to", "1"}), "--to: lies before --from"));
    CHECK(Contains(errors({"a.jsonl", "--from", "x"}), "--from: 'x' is no position"));
    CHECK(Contains(errors({"a.jsonl", "--to", "9"}), "--to: 9 is behind the end of the run (expected at most 2)"));
    CHECK(Contains(errors({"a.jsonl", "b.jsonl", "--by", "grown"}), "--by: 'grown'"));
    CHECK(Contains(errors({"a.jsonl", "b.jsonl", "--most", "much"}), "--most: 'much'"));
}
