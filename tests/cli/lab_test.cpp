// `residue lab` from outside: its table, JSON and JUnit, its exit codes.
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "support/catch.hpp"

using cli_tests::Contains;
using cli_tests::Program;
using nlohmann::json;

namespace {

// Runs `residue lab`; where the kernel has no Landlock, without it.
struct Lab : Program {
    support::Finished operator()(std::vector<std::string> arguments) const {
        const bool isLab = !arguments.empty() && arguments[0] == "lab";
        if (isLab && syscall(444 /* landlock_create_ruleset */, nullptr, 0, 1) < 1)
            arguments.push_back("--no-landlock");
        return Program::operator()(arguments);
    }
};

const std::string kExample = std::string(RESIDUE_SOURCE_DIR) + "/scenarios/lab/mm.c";
const std::string kBuggy = std::string(RESIDUE_SOURCE_DIR) + "/tests/lab/students/buggy.c";
constexpr const char* kLabTrace = "1 3 6 0\na 0 64\na 1 40\na 2 24\nf 0\na 3 40\nf 1\n";

}  // namespace

TEST_CASE("The example is valid, and its table is mdriver's") {
    const Lab residue;
    residue.folder.Write("a.rep", kLabTrace);
    const auto run = residue({"lab", kExample, "a.rep", "--no-timing"});
    INFO(run.errors);
    CHECK(run.exitCode == 0);
    CHECK(run.output ==
          "mm.c: malloc lab, 2002 generation, payloads aligned to 8\n"
          "trace  valid      util       ops         secs     Kops  file\n"
          "    0    yes    64.00%         6            -        -  a.rep\n"
          "total    yes    64.00%         6            -        -\n"
          "Perf index = 38.40 (util) + ? (thru): nothing was timed\n");
}

TEST_CASE("Scores are settings, and a folder stands for its traces") {
    const Lab residue;
    residue.folder.Write("traces/b.rep", kLabTrace);
    residue.folder.Write("traces/a.rep", kLabTrace);
    residue.folder.Write("traces/notes.txt", "none");
    const auto run = residue({"lab", kExample, "traces", "--json", "--util-weight", "0.5", "--min-util", "0.54",
                              "--max-util", "0.74", "--max-throughput", "0.001"});
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    const json all = json::parse(run.output);
    CHECK(all["traces"].size() == 2);
    CHECK(all["traces"][0]["file"] == "traces/a.rep");
    CHECK(all["traces"][0]["utilisation"] == Approx(0.64));
    CHECK(all["traces"][0]["heap_bytes"] == 200);
    CHECK(all["traces"][0]["peak_live_bytes"] == 128);
    CHECK(all["traces"][0]["seconds"] > 0);
    CHECK(all["score"]["utilisation_points"] == Approx(25));
    CHECK(all["score"]["throughput_points"] == Approx(50));
    CHECK(all["score"]["index"] == Approx(75));
}

TEST_CASE("A bug is 1, with the operation's line, the call and JUnit") {
    const Lab residue;
    residue.folder.Write("a.rep", kLabTrace);
    const auto run = residue({"lab", kBuggy, "a.rep", "--cflags", "-DBUG=12", "--junit", "out.xml"});
    CHECK(run.exitCode == 1);
    CHECK(Contains(run.output, "    0     no         -"));
    CHECK(Contains(run.output, "ERROR [trace 0, line 7]: Segmentation fault: writes to 0x20002077"));
    CHECK(Contains(run.output, "    at write_at (buggy.c:45)\n    called by mm_malloc (buggy.c:"));
    CHECK(Contains(run.output, "Perf index = 0/100"));
    const std::string xml = support::ReadFile(residue.folder / "out.xml");
    CHECK(Contains(xml, "<testsuite name=\"residue lab\" tests=\"1\" failures=\"1\">"));
    CHECK(Contains(xml, "<failure message=\"ERROR [trace 0, line 7]"));
}

TEST_CASE("What does not build is 2, with the compiler's words") {
    const Lab residue;
    residue.folder.Write("a.rep", kLabTrace);
    residue.folder.Write("mm.c", "#include \"mm.h\"\nint mm_init(void) { return nothing; }\n");
    const auto run = residue({"lab", "mm.c", "a.rep"});
    CHECK(run.exitCode == 2);
    CHECK(Contains(run.errors, "mm.c:2"));
    CHECK(Contains(run.errors, "nothing"));
    CHECK(Contains(run.errors, "residue: mm.c: does not build"));
    CHECK(run.output.empty());
}

TEST_CASE("Bad usage is 2, and all of it is said at once") {
    const Lab residue;
    residue.folder.Write("a.rep", kLabTrace);
    const auto run = residue({"lab", kExample, "a.rep", "a.rep", "--heap", "9G", "--timeout", "never", "--alignment",
                              "12", "--generation", "Q", "--min-util", "2", "--save", "x.residue"});
    CHECK(run.exitCode == 2);
    for (const char* part : {"--heap", "--timeout", "--alignment", "--generation", "--min-util", "--save"}) {
        CHECK(Contains(run.errors, std::string("residue: ") + part));
    }
    CHECK(residue({"lab"}).exitCode == 2);
    CHECK(residue({"lab", kExample}).exitCode == 2);
    CHECK(residue({"lab", kExample, "none.rep"}).exitCode == 2);
    CHECK(residue({"lab", "none.c", "a.rep"}).exitCode == 2);
    CHECK(residue({"lab", kExample, "a.rep", "--compiler", "no-such-compiler"}).exitCode == 2);
}

TEST_CASE("A trace that needs too much heap is left out, and where none is left that is 2") {
    const Lab residue;
    residue.folder.Write("a.rep", kLabTrace);
    residue.folder.Write("vast.rep", "1 1 1 0\na 0 84000000000000000\n");
    const auto both = residue({"lab", kExample, "a.rep", "vast.rep", "--no-timing", "--junit", "out.xml"});
    CHECK(both.exitCode == 0);
    CHECK(Contains(both.output, "trace 1 was not run: needs 84000000000000000 bytes of heap, 104857600 are allowed"));
    CHECK(Contains(support::ReadFile(residue.folder / "out.xml"), "<skipped"));
    CHECK(residue({"lab", kExample, "vast.rep"}).exitCode == 2);
}

TEST_CASE("What a run did is a recording, whose peak utilisation is the lab's") {
    const Lab residue;
    residue.folder.Write("a.rep", kLabTrace);
    REQUIRE(residue({"lab", kExample, "a.rep", "--no-timing", "--save", "run.residue"}).exitCode == 0);
    const auto report = residue({"report", "run.residue", "--json"});
    REQUIRE(report.exitCode == 0);
    const json figures = json::parse(report.output);
    CHECK(figures["events"] == 6);
    CHECK(figures["peak_live_bytes"] == 128);
    CHECK(figures["metrics"]["peak_utilisation"] == Approx(0.64));
    // Its headers and holes are not told: what depends on them is not known, however it is looked at.
    for (const char* key : {"holes", "free", "external_fragmentation", "internal_fragmentation", "header"}) {
        CAPTURE(key);
        CHECK(figures["metrics"][key].is_null());
    }
    CHECK(figures["reason"] == "only payloads are told: what depends on headers and holes is null");
    const auto text = residue({"report", "run.residue"});
    CHECK(Contains(text.output, "What is not known depends on headers and holes"));
    REQUIRE(residue({"convert", "run.residue", "run.trace.json"}).exitCode == 0);
    const std::string chrome = support::ReadFile(residue.folder / "run.trace.json");
    CHECK(Contains(chrome, "\"headers and holes\""));
    CHECK_FALSE(Contains(chrome, "fragmentation"));
    // From the middle on under other rules, which tell all.
    const auto forked = residue({"report", "run.residue", "--fork", "2:first-fit", "--json"});
    INFO(forked.errors);
    REQUIRE(forked.exitCode == 0);
    const json other = json::parse(forked.output);
    CHECK(other["events"] == 6);
    CHECK(other["peak_live_bytes"] == 128);
    CHECK(other["metrics"]["holes"].is_number());
    CHECK(Contains(other["provenance"], "; from event 2 on fixed buffer, first fit"));
    CHECK(Contains(residue({"report", "run.residue", "--fork", "6:first-fit"}).errors, "after event 6"));
    REQUIRE(residue({"picture", "run.residue", "-o", "run.svg"}).exitCode == 0);
    const std::string svg = support::ReadFile(residue.folder / "run.svg");
    CHECK(Contains(svg, "header or hole"));
    CHECK_FALSE(Contains(svg, "fragmentation"));
}

TEST_CASE("What the code prints cannot command the terminal") {
    const Lab residue;
    residue.folder.Write("a.rep", kLabTrace);
    std::string text = support::ReadFile(kExample);
    text.replace(text.find("char *block ="), 0, "printf(\"\\033[2Jhello\\xff\\n\"); ");
    residue.folder.Write("mm.c", text);
    const auto run = residue({"lab", "mm.c", "a.rep", "--no-timing"});
    INFO(run.errors);
    CHECK(Contains(run.output, "\xef\xbf\xbd[2Jhello\xef\xbf\xbd"));
    CHECK(!Contains(run.output, "\033"));
    CHECK(json::accept(residue({"lab", "mm.c", "a.rep", "--json"}).output));
}

TEST_CASE("The window on a student's allocator: a picture of it, and what does not go with it") {
    const Lab residue;
    residue.folder.Write("a.rep", kLabTrace);
    const auto both = residue({"lab", kExample, "a.rep", "--json", "--window"});
    CHECK(both.exitCode == 2);
    CHECK(Contains(both.errors, "--window: prints and writes nothing"));
    std::filesystem::path viewer = std::string(RESIDUE_BIN_DIR) + "/residue-view";
    if (!std::filesystem::exists(viewer)) return;
    std::vector<std::string> picture = {"picture", kExample, "--trace=a.rep", "-o", "a.png", "--size=640x400"};
    if (syscall(444 /* landlock_create_ruleset */, nullptr, 0, 1) < 1) picture.push_back("--no-landlock");
    const auto drawn = residue(picture);
    INFO(drawn.errors);
    CHECK(drawn.exitCode == 0);
    CHECK(std::filesystem::file_size(residue.folder / "a.png") > 1000);
    const auto where = residue({"picture", kExample, "-o", "b.png"});
    CHECK(where.exitCode == 2);
    CHECK(Contains(where.errors, "on which trace is it to run? (expected --trace T.rep)"));
    const auto none = residue({"picture", kExample, "--trace", "none.rep", "--trace", "a.rep", "-o", "b.png"});
    CHECK(none.exitCode == 2);
    CHECK(Contains(none.errors, "none.rep: No such file"));
    CHECK_FALSE(std::filesystem::exists(residue.folder / "b.png"));
    const auto wrong = residue({"lab", kExample, "a.rep", "--window", "--no-such-option"});
    CHECK(wrong.exitCode == 2);
    CHECK(Contains(wrong.errors, "no-such-option"));
}
