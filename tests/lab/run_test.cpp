// Allocators with one bug each, and what is said of them.
#include "lab/run.hpp"

#include "lab/lab_support.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;

namespace {

// Three mallocs of fresh memory; reuse, growth, an empty realloc.
constexpr const char* kTrace = "a 0 64\na 1 40\na 2 24\nf 0\na 3 40\nr 3 100\nr 1 0\nf 2\nf 3\n";

struct Bug {
    int number;
    std::uint64_t line;   // mdriver's
    const char* message;  // is contained
    const char* pass;
    const char* function;  // the innermost of the student's; "": none is told
    const char* caller = "";
};

constexpr Bug kBugs[] = {
    {1, 7, "Payload address (0x20000084) not aligned to 8 bytes", "zeroed heap", ""},
    {2, 10, "Segmentation fault: a wild pointer is used", "zeroed heap", "mm_malloc"},
    {3, 7, "lies outside heap (0x20000000:0x20000077)", "zeroed heap", ""},
    {4, 10, "mm_realloc did not preserve the data from old block", "zeroed heap", ""},
    {5, 11, "block at 0x20000050 has 8 garbled bytes, starting at byte 0", "zeroed heap", ""},
    {6, 5, "Segmentation fault", "dirty heap", "mm_malloc"},
    {7, 5, "mm_malloc failed.", "dirty heap", ""},
    {8, 7, "mm_malloc failed.", "zeroed heap", ""},
    {10, 7, "Stack overflow: more than 8 MiB of stack", "zeroed heap", "sink", "sink"},
    {11, 7, "byte 0x20000078 was written while it was behind the heap's end", "zeroed heap", ""},
    {12, 7, "Segmentation fault: writes to 0x20002077, 8192 bytes past the heap's end", "zeroed heap", "write_at",
     "mm_malloc"},
    {13, 5, "mm_init failed.", "zeroed heap", ""},
    {15, 7, "Segmentation fault: writes to 0x0, which is NULL", "zeroed heap", "write_at", "mm_malloc"},
    {16, 11, "mm_realloc with size 0 returned non-NULL", "zeroed heap", ""},
    {17, 7, "Segmentation fault: writes to 0x20002", "zeroed heap", "mm_malloc"},
    {18, 7, "abort() was called", "zeroed heap", "mm_malloc"},
    {19, 7, "16 bytes before the heap's beginning (0x20000000)", "zeroed heap", "write_at", "mm_malloc"},
};

TraceOutcome RunBug(int number, const char* operations = kTrace, RunOptions options = {}) {
    return RunOf(BuildOf("buggy.c", {"-DBUG=" + std::to_string(number)}), TraceOf(operations), options);
}

}  // namespace

TEST_CASE("An allocator without a bug is valid, and its figures are right") {
    const TraceOutcome outcome = RunBug(0);
    INFO((outcome.problem ? outcome.problem->message : ""));
    CHECK(outcome.state == State::Valid);
    // 64 + 40 + 24 with 8 each, and 104 + 8 for the one that grew; alive at most: 40 + 24 + 100.
    CHECK(outcome.heapBytes == 72 + 48 + 32 + 112);
    CHECK(outcome.utilisation == Approx(164.0 / 264));
    CHECK(outcome.records.size() == 9);
    CHECK(outcome.records[0].address == kHeapBase + 8);
}

TEST_CASE("Each bug is found with its operation, and its calls where there are any") {
    for (const Bug& bug : kBugs) {
        INFO("BUG " << bug.number);
        const TraceOutcome outcome = RunBug(bug.number);
        CHECK(outcome.state == State::Invalid);
        if (!outcome.problem || !outcome.problem->op) {
            FAIL_CHECK("no problem with an operation");
            continue;
        }
        const Problem& problem = *outcome.problem;
        INFO(problem.message);
        CHECK(LabTrace::LineOf(*problem.op) == bug.line);
        CHECK(Contains(problem.message, bug.message));
        CHECK(problem.pass == bug.pass);
        if (*bug.function == '\0') continue;
        if (problem.calls.empty()) {
            FAIL_CHECK("no calls");
            continue;
        }
        CHECK(Contains(problem.calls[0].function, bug.function));
        CHECK(problem.calls[0].file == "buggy.c");
        CHECK(problem.calls[0].line > 0);
        if (*bug.caller == '\0') continue;
        CHECK(problem.calls.size() >= 2);
        if (problem.calls.size() >= 2) CHECK(problem.calls[1].function == bug.caller);
    }
}

TEST_CASE("A block that is given out twice overlaps itself") {
    const TraceOutcome outcome = RunBug(2, "a 0 64\na 1 40\nf 0\na 2 40\na 3 24\n");
    REQUIRE(outcome.problem);
    CHECK(*outcome.problem->op == 4);
    CHECK(outcome.problem->message ==
          "Payload (0x20000008:0x2000001f) overlaps another payload (0x20000008:0x2000002f)");
}

TEST_CASE("Who wrote into a garbled block is found by a second run") {
    const TraceOutcome outcome = RunBug(5);
    REQUIRE(outcome.problem);
    CHECK(outcome.problem->hint == "written by mm_free(block), line 8");
}

TEST_CASE("Memory that nobody has written is zero in the first pass, and dirty in the second") {
    const support::ScratchFolder folder;
    const std::string code = "char *fresh = mem_sbrk(64);\nreturn fresh[60] == 0 ? fresh : NULL;";
    const TraceOutcome outcome = RunOf(BuildOf(folder.Write("mm.c", Bump("", code))), TraceOf("a 0 8\n"));
    REQUIRE(outcome.problem);
    CHECK(outcome.problem->pass == "dirty heap");
    CHECK(outcome.problem->message == "mm_malloc failed.");
}

TEST_CASE("A division by zero is a finding") {
    const TraceOutcome outcome = RunBug(14);
    REQUIRE(outcome.problem);
#if defined(__x86_64__)
    CHECK(Contains(outcome.problem->message, "SIGFPE"));
#endif
}

TEST_CASE("What does not end is ended, and says where it was") {
    RunOptions options;
    options.timeout = std::chrono::milliseconds(1000);
    const TraceOutcome outcome = RunBug(9, kTrace, options);
    REQUIRE(outcome.problem);
    CHECK(Contains(outcome.problem->message, "timeout: not done after 1 s, in mm_malloc"));
    CHECK(*outcome.problem->op == 2);
    REQUIRE(!outcome.problem->calls.empty());
    CHECK(outcome.problem->calls[0].function == "mm_malloc");
}

TEST_CASE("A trace that needs more than the heap may be is not run") {
    RunOptions options;
    options.heapBytes = 1000;
    const TraceOutcome outcome = RunBug(0, "a 0 1001\n", options);
    CHECK(outcome.state == State::NotRun);
    CHECK(outcome.notRun == "needs 1001 bytes of heap, 1000 are allowed");
    const TraceOutcome vast = RunBug(0, "a 0 84000000000000000\n");
    CHECK(vast.state == State::NotRun);
}

TEST_CASE("The heap's limit is mem_sbrk's") {
    RunOptions options;
    options.heapBytes = 4096;
    const TraceOutcome outcome = RunBug(0, "a 0 4000\nf 0\na 1 4090\n", options);
    REQUIRE(outcome.problem);
    CHECK(outcome.problem->message == "mm_malloc failed.");
    CHECK(*outcome.problem->op == 2);
}

TEST_CASE("With every check, a garbled block is found before the next operation") {
    RunOptions options;
    options.checkAll = true;
    const TraceOutcome outcome = RunBug(5, "a 0 64\na 1 40\na 2 24\nf 0\na 3 8\na 4 8\na 5 8\nf 1\n", options);
    REQUIRE(outcome.problem);
    CHECK(*outcome.problem->op == 4);
    CHECK(Contains(outcome.problem->message, "garbled"));
}

TEST_CASE("mm_checkheap's false is an error where every check is asked for") {
    const support::ScratchFolder folder;
    const std::string text =
        "#include <stdbool.h>\n#include \"mm.h\"\n#include \"memlib.h\"\n"
        "static int n;\nbool mm_init(void) { n = 0; return true; }\n"
        "void *mm_malloc(size_t size) { ++n; return mem_sbrk((size + 15) & ~15ul); }\n"
        "void mm_free(void *p) { (void)p; }\n"
        "void *mm_realloc(void *p, size_t size) { (void)p; return mm_malloc(size); }\n"
        "bool mm_checkheap(int line) { (void)line; return n < 2; }\n";
    const Built built = BuildOf(folder.Write("mm.c", text));
    const LabTrace trace = TraceOf("a 0 16\na 1 16\na 2 16\n");
    CHECK(RunOf(built, trace).state == State::Valid);
    RunOptions options;
    options.checkAll = true;
    const TraceOutcome outcome = RunOf(built, trace, options);
    REQUIRE(outcome.problem);
    CHECK(outcome.problem->message == "mm_checkheap returned false");
    CHECK(*outcome.problem->op == 2);
}

TEST_CASE("MIT's touches are part of the timed pass only, and small heaps count as 40 KiB") {
    const Built built = BuildOf("mit.c");
    const LabTrace trace = TraceOf("a 0 64\nw 0 64\nw 5 8\nf 0\n");
    RunOptions options;
    options.needsLandlock = HasLandlock();
    auto outcome = RunTrace(built, trace, options);
    REQUIRE(outcome);
    CHECK(outcome->state == State::Valid);
    CHECK(outcome->utilisation == Approx(1));
    CHECK(outcome->seconds > 0);
}

TEST_CASE("An alignment that the user asks for holds") {
    RunOptions options;
    options.alignment = 16;
    const TraceOutcome outcome = RunBug(0, "a 0 8\n", options);
    REQUIRE(outcome.problem);
    CHECK(Contains(outcome.problem->message, "not aligned to 16 bytes"));
}
