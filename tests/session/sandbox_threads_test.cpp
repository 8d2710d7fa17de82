#include <set>
#include <string>

#include "sandbox_support.hpp"
#include "session/sandbox.hpp"
#include "session/session.hpp"
#include "support/catch.hpp"

using namespace residue;
using session::test::Present;
using session::test::Until;

TEST_CASE("the sandbox allocates, frees and provokes errors, and each crosses as an event", "[threads]") {
    auto session = session::Session::OpenSandbox();
    auto& sandbox = *session->GetSandbox();
    sandbox.Create("first-fit", 4096);
    sandbox.Allocate(100, 8);
    REQUIRE(Until(*session, [&] { return session->Now().value == 1; }));
    const auto allocated = Present(*session);
    REQUIRE(allocated);
    CHECK(allocated->kind == events::EventKind::Allocated);
    CHECK(allocated->size == 100);

    sandbox.Free(allocated->address);
    REQUIRE(Until(*session, [&] { return session->Now().value == 2; }));
    CHECK(Present(*session)->kind == events::EventKind::Freed);

    sandbox.DoubleFree();
    REQUIRE(Until(*session, [&] { return session->Now().value == 3; }));
    CHECK(Present(*session)->kind == events::EventKind::FreeFailed);
    CHECK(Present(*session)->Error() == MemoryError::DoubleFree);

    sandbox.FreeForeign();
    REQUIRE(Until(*session, [&] { return session->Now().value == 4; }));
    CHECK(Present(*session)->Error() == MemoryError::InvalidPointer);

    sandbox.Fragment();
    REQUIRE(Until(*session, [&] {
        const auto present = Present(*session);
        return present && present->kind == events::EventKind::AllocateFailed && present->size > 0 &&
               present->Error() == MemoryError::Fragmentation;
    }));
    REQUIRE(session->PresentFailure());
    CHECK(session->PresentFailure()->blockers);
}

TEST_CASE("destroying a Residue allocator brings the duck", "[threads]") {
    auto session = session::Session::OpenSandbox();
    session->GetSandbox()->Create("residue", 4096);
    session->GetSandbox()->Allocate(10, 8);
    session->GetSandbox()->Destroy();
    CHECK(Until(*session, [&] {
        for (Row row{}; row < session->View().Rows(); ++row) {
            if (session->View().KindAt(row) == events::EventKind::Duck) return true;
        }
        return false;
    }));
}

TEST_CASE("the workload runs at its rate, with call traces of at least six sites and depth five", "[threads]") {
    auto session = session::Session::OpenSandbox();
    auto& sandbox = *session->GetSandbox();
    const char* allocator = GENERATE("best-fit", "residue");  // one that allocates itself, and one on top of another
    INFO(allocator);
    sandbox.Create(allocator, 256 * 1024);
    sandbox.SetRate(1e9);
    sandbox.Run(true);
    REQUIRE(Until(*session, [&] { return session->End().value > 20000; }));
    sandbox.Run(false);
    REQUIRE(Until(*session, [&] { return session->Settled(); }));
    session->FollowEnd(false);
    session->Tick(0, ~std::uint64_t{0});
    // Over the whole run: which sites have live blocks at its end depends on where it was stopped.
    std::set<TraceId> traces;
    for (Row row{}; row < session->View().Rows(); ++row) {
        const auto event = session->View().At(row).event;
        if (event.kind == events::EventKind::Allocated) traces.insert(event.trace);
    }
    std::size_t deepest = 0;
    std::set<std::string> sites;
    for (const TraceId trace : traces) {
        deepest = std::max(deepest, session->View().Frames(trace).size());
        const auto site = session->View().TopFrame(trace).function;
        INFO(site);
        CHECK(site.find("Workload::") != std::string::npos);  // a site is who called the allocator
        sites.insert(site);
    }
    CHECK(deepest >= 5);
    CHECK(sites.size() >= 6);
    CHECK(session->PresentLeaks().size() >= 3);
    // As many traces as there are ways to the call sites: nothing in them differs from call to call.
    CHECK(session->View().Traces() < 200);
}

TEST_CASE("a full lane that drops and counts shows its gaps, and the books balance", "[threads]") {
    auto session = session::Session::OpenSandbox();
    auto& sandbox = *session->GetSandbox();
    sandbox.SetDropAndCount(true);
    sandbox.Create("first-fit", 64 * 1024);
    sandbox.SetRate(1e9);
    sandbox.Run(true);
    CHECK(Until(*session, [&] { return sandbox.GetFlow().sent > 50000; }));
    sandbox.Run(false);
    CHECK(Until(*session, [&] {
        const auto flow = sandbox.GetFlow();
        return flow.sent == flow.received;
    }));
}
