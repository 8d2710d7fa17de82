// residue record --attach, through the real program.
#include <nlohmann/json.hpp>

#include "capture/running_subject.hpp"
#include "cli/program.hpp"
#include "support/catch.hpp"

using capture_tests::RunningSubject;
using cli_tests::Contains;
using cli_tests::Program;
using Json = nlohmann::json;

TEST_CASE("record --attach writes what happens until Ctrl-C, says from where on, and the program goes on") {
    const Program residue;
    const RunningSubject subject("sleeps");
    const auto run =
        support::Run({cli_tests::kResidue, "record", "-o", "x.residue", "--attach", std::to_string(subject.Process())},
                     {.folder = residue.folder.Path().string(), .interruptAfterMs = 3000});  // of silence
    INFO(run.errors);
    CHECK(run.exitCode == 0);
    CHECK(Contains(run.errors, "attached to capture_subject, process"));
    CHECK(Contains(run.errors, "it ran before it was recorded"));
    CHECK(Contains(run.errors, "capture_subject, left while it ran"));
    CHECK(Contains(run.errors, "alive of what it allocated since"));
    CHECK(std::string("RSD").find(subject.State()) != std::string::npos);
    const auto report = residue({"report", "x.residue", "--json"});
    REQUIRE(report.exitCode == 0);
    const Json json = Json::parse(report.output);
    CHECK(Contains(json["provenance"], "from the middle of its life on"));
    CHECK(Contains(json["warnings"].dump(), "it ran before it was recorded"));
    CHECK(json["bad_frees"] == 0);
    CHECK(json["allocations"].get<int>() > 100);
    CHECK(json["metrics"]["heap"].is_null());  // unknown, and not nothing
}

TEST_CASE("what --attach cannot do is said, with exit code 2, and nothing is written") {
    const Program residue;
    struct Wrong {
        std::vector<std::string> arguments;
        const char* says;
    };
    for (const Wrong& wrong :
         std::initializer_list<Wrong>{{{"record", "--attach", "me"}, "'me' is no process"},
                                      {{"record", "--attach", "2147483647"}, "there is no such process"},
                                      {{"record", "--attach", "1", "--", "true"}, "there is a program to start, too"},
                                      {{"record", "--attach", "1", "--follow"}, "hands the recorder on to nobody"},
                                      {{"open", "--attach", "2147483647"}, "there is no such process"},
                                      {{"open", "--attach=nobody"}, "'nobody' is no process"},
                                      {{"open", "--attach", "1", "--", "true"}, "there is a program to start, too"}}) {
        const auto run = residue(wrong.arguments);
        INFO(run.errors);
        CHECK(run.exitCode == 2);
        CHECK(run.output.empty());
        CHECK(Contains(run.errors, wrong.says));
    }
    CHECK(std::filesystem::is_empty(residue.folder.Path()));
    CHECK(Contains(residue({"record", "--help"}).output, "--attach"));
    CHECK(Contains(residue({"open", "--attach", "1", "--help"}).output, "--attach"));
}
