#include "lab/trace.hpp"

#include "lab/lab_support.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;

namespace {

std::vector<OpKind> KindsOf(const LabTrace& trace) {
    std::vector<OpKind> kinds;
    for (const Op& op : trace.ops) kinds.push_back(op.kind);
    return kinds;
}

}  // namespace

TEST_CASE("Operations are what mdriver calls, with ids made small") {
    const LabTrace trace = TraceOf("a 700 16\nr 5 8\nr 700 32\nf -1\nr 5 0\nf 700\nf 9\n");
    CHECK(KindsOf(trace) == std::vector{OpKind::Malloc, OpKind::ReallocNull, OpKind::Realloc, OpKind::FreeNull,
                                        OpKind::ReallocFree, OpKind::Free, OpKind::Nothing});
    CHECK(trace.ops[0].slot == 0);
    CHECK(trace.ops[1].slot == 1);
    CHECK(trace.ops[2].slot == 0);
    CHECK(trace.ops[2].size == 32);
    CHECK(trace.slots == 3);
    CHECK(trace.peakLive == 40);
    CHECK(LabTrace::LineOf(0) == 5);
}

TEST_CASE("A block of no bytes may be NULL in a script only") {
    CHECK(TraceOf("a 0 0\n").ops[0].mayBeNull == 0);
    const std::string text = "a 0 0\nf 3\n";
    auto reader = import::OpenTraceBytes("test.script", text);
    REQUIRE(reader);
    const auto trace = ReadLabTrace(**reader, "folder/test.script");
    REQUIRE(trace);
    CHECK(trace->ops[0].mayBeNull == 1);
    CHECK(trace->ops[1].kind == OpKind::FreeNull);
    CHECK(trace->name == "test.script");
}

TEST_CASE("What is no trace, and a trace without operations, is said") {
    CHECK(ReadLabTrace("/nowhere/at/all.rep").error().where == "/nowhere/at/all.rep");
    const std::string text = "1 0 0 0\n";
    auto reader = import::OpenTraceBytes("empty.rep", text);
    REQUIRE(reader);
    const auto trace = ReadLabTrace(**reader, "empty.rep");
    REQUIRE(!trace);
    CHECK(trace.error().what == "has no operation");
}
