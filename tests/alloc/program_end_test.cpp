// What happens when a program ends: the global allocator's report and the residue allocator's sweep come after main and
// after the destructors of static objects. This very program is run again as the one that ends.
#include <cstdlib>
#include <cstring>

#include "alloc/duck.hpp"
#include "alloc/os/global_allocator.hpp"
#include "alloc/os/residue_allocator.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

bool IsChild() { return std::getenv("RESIDUE_PROGRAM_END") != nullptr; }

// Uses the global allocator before main and after it.
struct Early {
    char* kept = nullptr;
    Early() {
        if (IsChild()) kept = *Allocate<char>(GlobalAllocator(), 8);
    }
    ~Early() {
        if (kept == nullptr) return;
        std::strcpy(kept, "alive");
        std::fprintf(stderr, "static destructor: %s\n", kept);
        (void)Free(GlobalAllocator(), kept);
    }
} early;

}  // namespace

TEST_CASE("(child) leak a global buffer and leave a residue allocator", "[.program-end]") {
    if (!IsChild()) return;
    (void)Allocate<char>(GlobalAllocator(), 100);
    static ResidueAllocator residue = CreateResidueAllocator(GlobalAllocator());
    (void)Allocate<char>(&residue, 10);
    std::fprintf(stderr, "main ends\n");
}

TEST_CASE("The DestroyDefaultAllocator is ran after the program ends using the global defer", "[alloc]") {
    support::RunOptions options;
    options.environment.emplace_back("RESIDUE_PROGRAM_END", "1");
    const auto run = support::Run({RESIDUE_BIN_DIR "/test_alloc", "[.program-end]"}, options);
    CAPTURE(run.errors);
    REQUIRE(run.exitCode == 0);
    const std::size_t ends = run.errors.find("main ends");
    const std::size_t duck = run.errors.find(kDuck);
    const std::size_t destructor = run.errors.find("static destructor: alive");
    const std::size_t report = run.errors.find("Unfreed buffer @ 0x");
    REQUIRE(report != std::string::npos);
    CHECK(ends < duck);
    CHECK(duck < report);
    CHECK(destructor < report);
    CHECK(run.errors.find("Unfreed buffer", report + 1) == std::string::npos);  // one leak: not the other two
    CHECK(run.errors.find(kDuck, duck + 1) == std::string::npos);
    CHECK(run.errors.find("program_end_test.cpp in ", report) != std::string::npos);
}
