#include "lab/moment.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "lab/lab_support.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;

namespace {

Moment MomentOf(const Built& built, const LabTrace& trace, const MomentQuestion& question) {
    RunOptions options;
    options.needsLandlock = HasLandlock();
    const auto names = NamesOf(built);
    REQUIRE(names != nullptr);
    auto moment = LookAt(built, trace, question, options, names.get());
    if (!moment) FAIL(moment.error().Text());
    return std::move(*moment);
}

std::vector<std::string> LinesOf(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::uint32_t LineWith(const std::vector<std::string>& lines, const std::string& part) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (Contains(lines[i], part)) return static_cast<std::uint32_t>(i + 1);
    }
    FAIL("no line has " << part);
    return 0;
}

const std::string kCode =
    "#include \"mm.h\"\n#include \"memlib.h\"\n"
    "static volatile int looked;\n"
    "static __attribute__((noinline)) void *take(size_t bytes) {\n"
    "    looked += 1;\n"
    "    return mem_sbrk((int)bytes);\n"
    "}\n"
    "int mm_init(void) {\n"
    "    char *start = mem_sbrk(16);\n"
    "    for (int i = 0; i < 16; ++i) start[i] = (char)(i + 1);\n"
    "    return 0;\n"
    "}\n"
    "void *mm_malloc(size_t size) {\n"
    "    for (size_t i = 0; i < size; i += 8)\n"
    "        looked += 3;\n"
    "    void *found = take(size);\n"
    "    looked += 7;\n"
    "    return found;\n"
    "}\n"
    "void mm_free(void *p) {\n"
    "    *(volatile char *)p = 77;\n"
    "}\n"
    "void *mm_realloc(void *p, size_t size) { (void)p; return mm_malloc(size); }\n";

struct Student {
    support::ScratchFolder folder;
    Built built;
    std::vector<std::string> lines;
    explicit Student(const std::string& code = kCode)
        : built(BuildOf(folder.Write("mm.c", code), {"-O1"})), lines(LinesOf(code)) {}
};

std::size_t StepAt(const Moment& moment, std::uint32_t line) {
    for (std::size_t i = 0; i < moment.steps.size(); ++i) {
        if (moment.PlaceOf(i).line == line) return i;
    }
    FAIL("line " << line << " was not come to");
    return 0;
}

std::uint64_t Hits(const Moment& moment, std::uint32_t line) {
    const auto at = std::find_if(moment.lines.begin(), moment.lines.end(),
                                 [&](const LineHits& each) { return each.line == line; });
    return at == moment.lines.end() ? 0 : at->hits;
}

}  // namespace

#if defined(__x86_64__)

TEST_CASE("A call is followed line by line, with the calls that led to each") {
    const Student student;
    const LabTrace trace = TraceOf("a 0 16\na 1 40\nf 0\n");
    const Moment moment = MomentOf(student.built, trace, {2, kHeapBase, 64});
    REQUIRE(moment.followed);
    CHECK(moment.whole);
    CHECK(moment.after == 2);
    CHECK(moment.instructions > 10);
    const std::uint32_t loop = LineWith(student.lines, "looked += 3"), inTake = LineWith(student.lines, "looked += 1;"),
                        call = LineWith(student.lines, "take(size)"), behind = LineWith(student.lines, "looked += 7");
    const std::size_t step = StepAt(moment, inTake);
    CHECK(StepAt(moment, loop) < step);
    CHECK(step < StepAt(moment, behind));
    CHECK(Hits(moment, loop) == 5);
    CHECK(Hits(moment, inTake) == 1);
    const auto& calls = moment.traces[moment.steps[step]];
    REQUIRE(calls.size() == 2);
    CHECK(moment.places[calls[0]].function == "take");
    CHECK(moment.places[calls[1]].function == "mm_malloc");
    CHECK(moment.places[calls[1]].line == call);
    CHECK(moment.places[calls[0]].file == "mm.c");
    CHECK(moment.traces[moment.steps[StepAt(moment, behind)]].size() == 1);
}

TEST_CASE("At position 0 it is mm_init that is followed; a free has its lines, too") {
    const Student student;
    const LabTrace trace = TraceOf("a 0 16\nf 0\n");
    const Moment first = MomentOf(student.built, trace, {0, kHeapBase, 16});
    CHECK(first.places[first.traces[first.steps.front()].front()].function == "mm_init");
    const Moment last = MomentOf(student.built, trace, {2, kHeapBase, 64});
    CHECK(Hits(last, LineWith(student.lines, "= 77;")) == 1);
    CHECK(Hits(last, LineWith(student.lines, "take(size)")) == 0);
}

TEST_CASE("Calls that go on and on are followed as far as there is room, and the run ends all the same") {
    std::string code = kCode;
    code.replace(code.find("    looked += 7;"), 0, "    for (int i = 0; i < 1000000; ++i) looked += i;\n");
    const Student student(code);
    const Moment moment = MomentOf(student.built, TraceOf("a 0 16\n"), {1, kHeapBase, 64});
    CHECK_FALSE(moment.whole);
    CHECK(moment.bytes.size() == 32);
}

TEST_CASE("A crash is followed up to where it was") {
    std::string code = kCode;
    code.replace(code.find("    looked += 7;"), 0, "    *(volatile int *)8 = 1;\n");
    const Student student(code);
    const Moment moment = MomentOf(student.built, TraceOf("a 0 16\n"), {1, kHeapBase, 64});
    REQUIRE(moment.followed);
    CHECK(moment.PlaceOf(moment.steps.size() - 1).line == LineWith(student.lines, "(volatile int *)8"));
    CHECK(moment.bytes.size() == 32);
}

#endif

TEST_CASE("The heap's bytes are those of the moment, as far as the heap goes") {
    const Student student;
    const LabTrace trace = TraceOf("a 0 16\nf 0\na 1 8\n");
    const Moment before = MomentOf(student.built, trace, {1, kHeapBase, 4096});
    REQUIRE(before.bytes.size() == 32);
    for (std::size_t i = 0; i < 16; ++i) CHECK(before.bytes[i] == std::byte(i + 1));
    CHECK(before.bytes[16] != std::byte{77});
    REQUIRE(before.kinds.size() == 32);
    CHECK(before.kinds[15] == ByteKind::Gap);
    CHECK(before.kinds[16] == ByteKind::PayloadBegin);
    CHECK(before.kinds[31] == ByteKind::Payload);
    const Moment after = MomentOf(student.built, trace, {2, kHeapBase + 16, 4});
    CHECK(after.from == kHeapBase + 16);
    REQUIRE(after.bytes.size() == 4);
    CHECK(after.bytes[0] == std::byte{77});
    CHECK(after.kinds[0] == ByteKind::Gap);
    CHECK(MomentOf(student.built, trace, {99, kHeapBase, 4096}).after == 3);
    CHECK(MomentOf(student.built, trace, {3, kHeapBase + 4096, 64}).bytes.empty());
    CHECK(MomentOf(student.built, trace, {3, 64, 64}).bytes.empty());
}

TEST_CASE("A moment of students' allocators is the run's: payloads lie where they lay") {
    const LabTrace trace = TraceOf("a 0 512\na 1 128\nf 0\na 2 100\nr 1 300\n");
    for (const char* student : {"implicit.c", "explicit.c", "segregated.c"}) {
        INFO(student);
        const Built built = BuildOf(student);
        const auto outcome = RunOf(built, trace);
        const std::uint64_t heap = outcome.records[4].heapEnd - kHeapBase;
        const Moment moment = MomentOf(built, trace, {5, kHeapBase, kMostLookedAt});
        CHECK(moment.bytes.size() == heap);
    }
}
