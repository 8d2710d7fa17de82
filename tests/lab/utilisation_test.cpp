// The lab's utilisation against an independent program's (reference/driver.c), for every student's allocator here on
// every trace that is shared with the developers of Residue.
#include <algorithm>
#include <cstdio>
#include <sstream>

#include "lab/lab_support.hpp"
#include "lab/support_texts.hpp"
#include "support/process.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> SharedTraces() {
    std::vector<std::string> paths;
    for (const char* folder : {"rep", "script"}) {
        const fs::path path = fs::path(RESIDUE_SHARED_TRACES) / folder;
        if (!fs::exists(path)) continue;
        for (const auto& entry : fs::directory_iterator(path)) paths.push_back(entry.path().string());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

struct Reference {
    bool failed = false;
    std::uint64_t live = 0, heap = 0;
};

std::vector<Reference> ReferencesOf(const fs::path& student, const char* init, const std::vector<std::string>& traces) {
    const support::ScratchFolder folder;
    folder.Write("memlib.h", MemlibHeader());
    folder.Write("mm.h", MmHeader(support::ReadFile(student)));
    const std::string program = folder / "reference";
    const auto compiled =
        support::Run({"cc", "-O1", "-DDRIVER", std::string("-DINIT=") + init, "-I" + folder.Path().string(),
                      student.string(), (kStudents / "../reference/driver.c").string(), "-o", program});
    INFO(compiled.errors);
    REQUIRE(compiled.exitCode == 0);
    std::vector<std::string> command = {program};
    command.insert(command.end(), traces.begin(), traces.end());
    std::istringstream lines(support::Run(command).output);
    std::vector<Reference> references;
    for (std::string line; std::getline(lines, line);) {
        Reference reference;
        reference.failed = line == "failed";
        if (!reference.failed) std::istringstream(line) >> reference.live >> reference.heap;
        references.push_back(reference);
    }
    REQUIRE(references.size() == traces.size());
    return references;
}

void Compare(const fs::path& student, const char* init) {
    const auto traces = SharedTraces();
    if (traces.empty()) {
        WARN("the shared traces are not here: skipped");
        return;
    }
    std::vector<std::string> runnable;
    for (const std::string& path : traces) {
        const auto trace = ReadLabTrace(path);
        if (trace && trace->peakLive <= RunOptions{}.heapBytes) runnable.push_back(path);
    }
    CHECK(runnable.size() >= 18);
    const auto references = ReferencesOf(student, init, runnable);
    const Built built = BuildOf(student.string());
    for (std::size_t i = 0; i < runnable.size(); ++i) {
        INFO(runnable[i]);
        const auto trace = ReadLabTrace(runnable[i]);
        REQUIRE(trace);
        const TraceOutcome outcome = RunOf(built, *trace);
        INFO((outcome.problem ? outcome.problem->message : ""));
        CHECK((outcome.state == State::Valid) == !references[i].failed);
        if (references[i].failed || outcome.state != State::Valid) continue;
        CHECK(trace->peakLive == references[i].live);
        CHECK(outcome.heapBytes == references[i].heap);
        CHECK(outcome.utilisation == static_cast<double>(references[i].live) / static_cast<double>(references[i].heap));
    }
}

}  // namespace

TEST_CASE("Utilisation is that of an independent program: a bump allocator") {
    Compare(fs::path(RESIDUE_SOURCE_DIR) / "scenarios/lab/mm.c", "int");
}
TEST_CASE("Utilisation is that of an independent program: an implicit list") {
    Compare(kStudents / "implicit.c", "int");
}
TEST_CASE("Utilisation is that of an independent program: an explicit list") {
    Compare(kStudents / "explicit.c", "int");
}
TEST_CASE("Utilisation is that of an independent program: segregated lists") {
    Compare(kStudents / "segregated.c", "bool");
}
TEST_CASE("Utilisation is that of an independent program: lists with the bugs left out") {
    Compare(kStudents / "buggy.c", "int");
}

TEST_CASE("METRICS.md's vector: short1-bal through a bump allocator is .497") {
    // 8,144 bytes alive at most, in a heap of 16,392.
    const LabTrace trace =
        TraceOf("a 0 2040\na 1 2040\nf 1\na 2 48\na 3 4072\nf 3\na 4 4072\nf 0\nf 2\na 5 4072\nf 4\nf 5\n");
    const TraceOutcome outcome = RunOf(BuildOf(std::string(RESIDUE_SOURCE_DIR) + "/scenarios/lab/mm.c"), trace);
    CHECK(trace.peakLive == 8144);
    CHECK(outcome.heapBytes == 16392);
}
