#include "analysis/why.hpp"

#include "support/catch.hpp"

using namespace residue;
using alloc::Decision;
using alloc::DecisionKind;
using alloc::ProbeVerdict;
using analysis::ExplainDecisions;
using events::Event;
using events::EventKind;

namespace {

Event Of(EventKind kind, std::uint64_t address = 0) {
    Event event;
    event.kind = kind;
    event.address = address;
    return event;
}

Decision Probe(std::uintptr_t address, std::size_t bytes, ProbeVerdict verdict) {
    return {DecisionKind::Probe, verdict, address, bytes, 0, 0};
}

}  // namespace

TEST_CASE("a search is told hole by hole: what was refused and why, what was taken, what stays") {
    const Decision decisions[] = {Probe(0x100, 72, ProbeVerdict::TooSmall), Probe(0x200, 64, ProbeVerdict::TooSmall),
                                  Probe(0x300, 256, ProbeVerdict::Taken),
                                  {DecisionKind::Split, ProbeVerdict::Taken, 0x300, 80, 0x350, 176}};
    CHECK(
        ExplainDecisions(Of(EventKind::Allocated, 0x308), decisions, "Takes the lowest hole that is large enough.") ==
        "Its rule: Takes the lowest hole that is large enough. It looked at 3 holes. 2 were too small (72 B and 64 B). "
        "It took the one of 256 B at 0x0000'0300 and split it: 176 B stay a hole.");
}

TEST_CASE("best fit changes its mind: what it had before is told as fitting, too") {
    const Decision decisions[] = {Probe(0x100, 256, ProbeVerdict::Taken), Probe(0x300, 128, ProbeVerdict::Taken),
                                  Probe(0x500, 512, ProbeVerdict::AnotherIsBetter)};
    CHECK(ExplainDecisions(Of(EventKind::Allocated, 0x308), decisions) ==
          "It looked at 3 holes. 2 fit too, but another suits its rule better (256 B and 512 B). It took the one of "
          "128 B at 0x0000'0300, all of it.");
}

TEST_CASE("a failed search says that none would do, and that some would but for the alignment") {
    const Decision decisions[] = {Probe(0x100, 72, ProbeVerdict::TooSmall),
                                  Probe(0x200, 100, ProbeVerdict::TooSmallAligned)};
    CHECK(ExplainDecisions(Of(EventKind::AllocateFailed), decisions) ==
          "It looked at 2 holes. 1 was too small (72 B). 1 was large enough, but not from an aligned address on "
          "(100 B). None of them would do.");
}

TEST_CASE("many sizes are cut") {
    std::vector<Decision> decisions;
    for (std::size_t i = 1; i <= 9; ++i) decisions.push_back(Probe(i, 8 * i, ProbeVerdict::TooSmall));
    CHECK(ExplainDecisions(Of(EventKind::AllocateFailed), decisions) ==
          "It looked at 9 holes. 9 were too small (8 B, 16 B, 24 B and 6 more). None of them would do.");
}

TEST_CASE("a free tells what it was joined with") {
    const Decision alone[] = {{DecisionKind::Insert, ProbeVerdict::Taken, 0x100, 64, 0, 0}};
    CHECK(ExplainDecisions(Of(EventKind::Freed, 0x108), alone) ==
          "Neither neighbour is a hole, so it is one of its own.");
    const Decision joined[] = {{DecisionKind::Coalesce, ProbeVerdict::Taken, 0x100, 64, 0x140, 64},
                               {DecisionKind::Coalesce, ProbeVerdict::Taken, 0x80, 128, 0x100, 128}};
    CHECK(ExplainDecisions(Of(EventKind::Freed, 0x108), joined) ==
          "It was joined with 2 other holes to one of 256 B.");
    CHECK(ExplainDecisions(Of(EventKind::Freed, 0x108), std::span(joined).first(1)) ==
          "A neighbour was a hole already: joined, they are one of 128 B.");
}

TEST_CASE("where nothing was decided there is nothing to tell") {
    CHECK(ExplainDecisions(Of(EventKind::Allocated), {}).empty());
    CHECK(ExplainDecisions(Of(EventKind::Freed), {}).empty());
    CHECK(ExplainDecisions(Of(EventKind::Step), {}).empty());
}
