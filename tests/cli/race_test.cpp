// `residue race` from outside: its table, JSON, exit codes.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "support/catch.hpp"

using cli_tests::Contains;
using cli_tests::kTrace;
using cli_tests::Program;
using nlohmann::json;

namespace {

// Runs `residue race`; where the kernel has no Landlock, without it.
struct Racer : Program {
    support::Finished operator()(std::vector<std::string> arguments) const {
        const bool isRace = !arguments.empty() && arguments[0] == "race";
        if (isRace && syscall(444 /* landlock_create_ruleset */, nullptr, 0, 1) < 1)
            arguments.push_back("--no-landlock");
        return Program::operator()(arguments);
    }
};

const std::string kExample = std::string(RESIDUE_SOURCE_DIR) + "/scenarios/lab/mm.c";
constexpr const char* kShort =
    "20000\n6\n12\n1\na 0 2040\na 1 2040\nf 1\na 2 48\na 3 4072\nf 3\na 4 4072\nf 0\nf 2\na 5 4072\nf 4\nf 5\n";

json LaneOf(const json& trace, const std::string& name) {
    for (const json& lane : trace["lanes"]) {
        if (lane["lane"] == name) return lane;
    }
    FAIL("no lane " + name);
    return {};
}

}  // namespace

TEST_CASE("The race's table, and what stands out below it") {
    const Racer residue;
    residue.folder.Write("a.rep", kShort);
    const auto run = residue({"race", "a.rep", "--with", "arena,first-fit", "--no-timing", "--sort", "utilisation"});
    INFO(run.errors);
    CHECK(run.exitCode == 0);
    CHECK(run.output ==
          "a.rep: 12 operations, 8,144 B alive at most\n"
          "lane               utilisation     heap, peak      heap, end ext.frag.   search   failed    Kops/s\n"
          "first-fit               79.35%         10,264         10,264      .000     0.67        0         -\n"
          "arena                   49.54%         16,440         16,440      .000     1.00        0         -\n"
          "perfect compaction     100.00%          8,144          8,144      .000        -        -         -\n"
          "first divergence: operation 2, malloc(2040): +2,056 (arena), +2,048 (first-fit); bytes from each lane's "
          "first payload\n"
          "widest gap: operation 10, malloc(4072): first-fit has 10,264 B, arena has 16,440 B, 6,176 B apart\n"
          "perfect compaction counts payloads alone; each rounded up to 8 bytes, it has 8,144 B\n");
}

TEST_CASE("JSON has the report's figures, and null with a reason where there is none") {
    const Racer residue;
    residue.folder.Write("a.rep", kTrace);
    const auto run = residue({"race", "a.rep", "--with", "tlsf,buddy,glibc," + kExample, "--json"});
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    const json trace = json::parse(run.output)["traces"][0];
    CHECK(trace["file"] == "a.rep");
    CHECK(trace["operations"] == 8);
    CHECK(trace["lanes"].size() == 5);
    for (const char* name : {"tlsf", "buddy"}) {
        const auto report = residue({"report", "a.rep", "--allocator", name, "--json"});
        const json metrics = json::parse(report.output)["metrics"];
        const json lane = LaneOf(trace, name);
        CHECK(lane["peak_utilisation"] == metrics["peak_utilisation"]);
        CHECK(lane["external_fragmentation"] == metrics["external_fragmentation"]);
        CHECK(lane["peak_live_bytes"] == 1600);
        CHECK(lane["throughput"] > 0);
    }
    const json glibc = LaneOf(trace, "glibc");
    CHECK(glibc["state"] == "ran");
    CHECK(glibc["peak_heap_bytes"].is_null());
    CHECK(Contains(glibc["reasons"]["peak_heap_bytes"].get<std::string>(), "pages"));
    CHECK(glibc["utilisation_of"] == "pages");
    CHECK(glibc["payload_page_bytes"] >= 4096);
    CHECK(LaneOf(trace, kExample)["peak_heap_bytes"] == 2280);
    CHECK(LaneOf(trace, "perfect compaction")["peak_heap_bytes"] == 1600);
    CHECK(trace["first_divergence"]["operation"] == 2);
    CHECK(trace["first_failure"].is_null());
    CHECK(trace["widest_gap"]["largest"]["lane"] == "buddy");
    CHECK(trace["pairs"].size() == 6);
    CHECK(trace["warnings"].size() == 2);
}

TEST_CASE("Several traces have a table each and the mean of all") {
    const Racer residue;
    residue.folder.Write("traces/a.rep", kShort);
    residue.folder.Write("traces/b.rep", "20000\n1\n1\n1\na 0 96\n");
    const auto text = residue({"race", "traces", "--with", "first-fit", "--no-timing"});
    CHECK(text.exitCode == 0);
    CHECK(Contains(text.output, "\nmean of 2 traces\n"));
    const auto run = residue({"race", "traces", "--with", "first-fit,pool", "--no-timing", "--json"});
    const json all = json::parse(run.output);
    REQUIRE(all["traces"].size() == 2);
    const double first = LaneOf(all["traces"][0], "first-fit")["peak_utilisation"];
    const double second = LaneOf(all["traces"][1], "first-fit")["peak_utilisation"];
    CHECK(first != second);
    CHECK(all["mean"][0]["peak_utilisation"].get<double>() == Approx((first + second) / 2));
    CHECK(all["mean"][0]["throughput"].is_null());
    CHECK(all["mean"][1]["failed"] == 6);  // 2,040 twice, 4,072 thrice, 96: a slot has 64 bytes
}

TEST_CASE("Lanes that fail are ranked behind the others, and the first failure is told") {
    const Racer residue;
    residue.folder.Write("a.rep", kShort);
    const auto run = residue({"race", "a.rep", "--with", "pool,arena,best-fit", "--no-timing", "--sort", "heap"});
    CHECK(run.exitCode == 0);
    CHECK(Contains(run.output, "first failure: operation 1, pool: malloc(2040): BufferTooLarge\n"));
    CHECK(Contains(run.output, "of what it could place"));
    const std::size_t best = run.output.find("\nbest-fit"), arena = run.output.find("\narena"),
                      pool = run.output.find("\npool"), bound = run.output.find("\nperfect");
    CHECK(best < arena);
    CHECK(arena < pool);
    CHECK(pool < bound);
}

TEST_CASE("An mm.c that is wrong is 1, one that does not build is 2, and so is a race without lanes") {
    const Racer residue;
    residue.folder.Write("a.rep", kShort);
    residue.folder.Write(
        "wrong.c",
        "#include \"mm.h\"\n#include <stddef.h>\nint mm_init(void) { return 0; }\n"
        "void *mm_malloc(size_t size) { (void)size; return NULL; }\nvoid mm_free(void *p) { (void)p; }\n"
        "void *mm_realloc(void *p, size_t size) { (void)size; return p; }\n");
    const auto wrong = residue({"race", "a.rep", "--with", "wrong.c,first-fit", "--no-timing"});
    CHECK(wrong.exitCode == 1);
    CHECK(Contains(wrong.output, "invalid: operation 1: mm_malloc failed."));
    CHECK(Contains(wrong.output, "first failure: operation 1, wrong.c: "));
    residue.folder.Write("broken.c", "#include \"mm.h\"\nint mm_init(void) { return nothing; }\n");
    const auto broken = residue({"race", "a.rep", "--with", "first-fit,broken.c"});
    CHECK(broken.exitCode == 2);
    CHECK(Contains(broken.errors, "residue: broken.c: does not build"));
    CHECK(broken.output.empty());
    residue.folder.Write("vast.rep", "1 1 1 0\na 0 84000000000000000\n");
    const auto vast = residue({"race", "vast.rep", "--with", "first-fit,glibc"});
    CHECK(vast.exitCode == 2);
    CHECK(Contains(vast.errors, "no lane could run"));
}

TEST_CASE("A race's bad usage is 2, and all of it is said at once") {
    const Racer residue;
    residue.folder.Write("a.rep", kTrace);
    const auto run = residue({"race", "a.rep", "none.rep", "--with", "frist-fit,buddy,buddy", "--sort", "colour",
                              "--capacity", "0", "--heap", "9G", "--timeout", "never"});
    CHECK(run.exitCode == 2);
    CHECK(run.output.empty());
    for (const char* part : {"none.rep", "'frist-fit' (expected first-fit, ", "'buddy' is named twice", "--sort",
                             "--capacity", "--heap", "--timeout"}) {
        CHECK(Contains(run.errors, part));
    }
    CHECK(residue({"race"}).exitCode == 2);
    CHECK(residue({"race", "a.rep", "--with", ""}).exitCode == 2);
    CHECK(residue({"race", "a.rep", "--with", "./none.c"}).exitCode == 2);
    CHECK(Contains(residue({"race", "--help"}).output, "--with"));
}

TEST_CASE("What a race cannot do in the window is told before one opens, and nothing is dropped") {
    const Racer residue;
    residue.folder.Write("a.rep", kTrace);
    residue.folder.Write("b.rep", kTrace);
    const auto run =
        residue({"race", "a.rep", "b.rep", "--with", "glibc,buddy,tlsf,arena,pool,stack,first-fit,best-fit,next-fit",
                 "--window", "--json", "--sort", "heap"});
    CHECK(run.exitCode == 2);
    CHECK(run.output.empty());
    for (const char* part : {"2 traces (expected one)", "and --json", "and --sort",
                             "9 lanes in the window (expected at most 8)"}) {
        CHECK(Contains(run.errors, part));
    }
}
