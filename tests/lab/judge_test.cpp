#include "lab/judge.hpp"

#include "lab/lab_support.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;

namespace {

constexpr std::uint64_t kEnd = kHeapBase + 4096;
constexpr Rules kRules{8, 1 << 20};

Record At(std::uint64_t offset, std::uint64_t end = kEnd) {
    return {kHeapBase + offset, end};
}
Record Nothing() {
    return {0, kEnd};
}

}  // namespace

TEST_CASE("Payloads side by side are no fault, and freed bytes may be used again") {
    const LabTrace trace = TraceOf("a 0 16\na 1 8\nf 0\na 2 16\nr 1 24\nf -1\n");
    const std::vector<Record> records = {At(0), At(16), Nothing(), At(0), At(24), Nothing()};
    CHECK(!Judge(trace, records, kRules));
}

TEST_CASE("A payload over another one is a fault of its operation, in mdriver's words") {
    const LabTrace trace = TraceOf("a 0 16\na 1 16\n");
    const auto fault = Judge(trace, std::vector<Record>{At(0), At(8)}, kRules);
    REQUIRE(fault);
    CHECK(fault->op == 1);
    CHECK(fault->address == kHeapBase + 8);
    CHECK(fault->message == "Payload (0x20000008:0x20000017) overlaps another payload (0x20000000:0x2000000f)");
    // From below, and around it.
    CHECK(Judge(TraceOf("a 0 16\na 1 32\n"), std::vector<Record>{At(24), At(0)}, kRules));
    CHECK(Judge(TraceOf("a 0 16\na 1 64\n"), std::vector<Record>{At(24), At(0)}, kRules));
}

TEST_CASE("A block whose id was given away is still there") {
    const LabTrace trace = TraceOf("a 0 16\na 0 16\na 1 16\n");
    CHECK(Judge(trace, std::vector<Record>{At(0), At(16), At(0)}, kRules)->op == 2);
}

TEST_CASE("Traces that say so are not checked for overlaps") {
    const LabTrace trace = TraceOf("a 0 16\na 1 16\n", "1 2 2 1\n");
    CHECK(!Judge(trace, std::vector<Record>{At(0), At(0)}, kRules));
}

TEST_CASE("A payload lies in the heap as it is at that moment") {
    const LabTrace trace = TraceOf("a 0 16\na 1 16\n");
    const auto fault = Judge(trace, std::vector<Record>{At(0, kHeapBase + 16), At(8, kHeapBase + 20)}, kRules);
    REQUIRE(fault);
    CHECK(fault->message == "Payload (0x20000008:0x20000017) lies outside heap (0x20000000:0x20000013)");
    CHECK(Judge(TraceOf("a 0 16\n"), std::vector<Record>{{kHeapBase - 8, kEnd}}, kRules));
    CHECK(Judge(TraceOf("a 0 16\n"), std::vector<Record>{{~std::uint64_t{7}, kEnd}}, kRules));
    // A heap that cannot be so large is not believed.
    CHECK(Judge(TraceOf("a 0 16\n"), std::vector<Record>{At(2 << 20, ~std::uint64_t{0})}, kRules));
}

TEST_CASE("NULL and a wrong alignment are faults") {
    const LabTrace trace = TraceOf("a 0 16\nr 0 32\n");
    CHECK(Judge(trace, std::vector<Record>{Nothing()}, kRules)->message == "mm_malloc failed.");
    CHECK(Judge(trace, std::vector<Record>{At(0), Nothing()}, kRules)->message == "mm_realloc failed.");
    CHECK(Judge(trace, std::vector<Record>{At(4)}, kRules)->message ==
          "Payload address (0x20000004) not aligned to 8 bytes");
    CHECK(!Judge(trace, std::vector<Record>{At(4)}, {4, 1 << 20}));
}

TEST_CASE("Records that are missing are no fault, more than there are operations are left alone") {
    const LabTrace trace = TraceOf("a 0 16\n");
    CHECK(!Judge(trace, {}, kRules));
    CHECK(!Judge(trace, std::vector<Record>{At(0), At(0), At(0)}, kRules));
}

TEST_CASE("The high water is the highest end") {
    CHECK(HighWater({}) == 0);
    CHECK(HighWater(std::vector<Record>{At(0, kHeapBase + 8), At(0, kHeapBase + 64), At(0, kHeapBase)}) == 64);
}
