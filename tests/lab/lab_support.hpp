// Students' allocators and traces for the tests of the lab.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/build.hpp"
#include "lab/run.hpp"
#include "lab/trace.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

namespace lab_tests {

namespace import = residue::import;
using residue::lab::Built;
using residue::lab::LabTrace;
using residue::lab::RunOptions;
using residue::lab::TraceOutcome;
using State = TraceOutcome::State;

inline const std::filesystem::path kStudents = std::filesystem::path(RESIDUE_SOURCE_DIR) / "tests/lab/students";

inline bool Contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// One of tests/lab/students, or a path.
inline Built BuildOf(const std::string& student, std::vector<std::string> flags = {}) {
    residue::lab::BuildOptions options;
    options.flags = std::move(flags);
    options.needsLandlock = residue::lab::HasLandlock();
    auto built = residue::lab::Build(Contains(student, "/") ? student : (kStudents / student).string(), options);
    if (!built) FAIL(built.error().Text());
    INFO(built->messages);
    REQUIRE(built->fine);
    return std::move(*built);
}

// The operations behind a header.
inline LabTrace TraceOf(const std::string& operations, const std::string& header = "1 9 99 0\n") {
    const std::string text = header + operations;
    auto reader = import::OpenTraceBytes("test.rep", text);
    REQUIRE(reader);
    auto trace = residue::lab::ReadLabTrace(**reader, "test.rep");
    if (!trace) FAIL(trace.error().Text());
    return std::move(*trace);
}

// Without timing, and patient enough for a busy machine.
inline TraceOutcome RunOf(const Built& built, const LabTrace& trace, RunOptions options = {}) {
    options.timedRuns = 0;
    options.needsLandlock = residue::lab::HasLandlock();
    auto outcome = residue::lab::RunTrace(built, trace, options);
    if (!outcome) FAIL(outcome.error().Text());
    return std::move(*outcome);
}

// Where the kernel has no Landlock, what only it prevents cannot be tested.
inline bool CanKeepFiles() {
    if (!residue::lab::HasLandlock()) WARN("this kernel has no Landlock: skipped");
    return residue::lab::HasLandlock();
}

// The smallest allocator, around some code of a test's own.
inline std::string Bump(const std::string& before, const std::string& inMalloc = "") {
    return "#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n#include \"mm.h\"\n#include \"memlib.h\"\n" +
           before + "\nint mm_init(void) { return 0; }\nvoid *mm_malloc(size_t size) {\n" + inMalloc +
           "\nreturn mem_sbrk((int)((size + 7) & ~7ul)); }\nvoid mm_free(void *p) { (void)p; }\n"
           "void *mm_realloc(void *p, size_t size) { (void)p; return size == 0 ? NULL : mm_malloc(size); }\n";
}

}  // namespace lab_tests
