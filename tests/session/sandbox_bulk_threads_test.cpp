// What the sandbox gives back many blocks with: marks, releases and resets, forwards and backwards in time, saved and
// opened again.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "export/trace_writer.hpp"
#include "log/native_file.hpp"
#include "sandbox_support.hpp"
#include "session/sandbox.hpp"
#include "session/session.hpp"
#include "support/catch.hpp"

using namespace residue;
using events::EventKind;
using session::test::Present;
using session::test::Until;

namespace {

std::filesystem::path Named(const char* extension) {
    return std::filesystem::temp_directory_path() / ("residue-bulk-" + std::to_string(::getpid()) + extension);
}

std::uint64_t LiveBlocks(session::Session& session) {
    const model::AllocatorState* heap = session.Heap().Find(session.Shown());
    return heap == nullptr ? 0 : heap->totals.blocks;
}

// Kind, argument (of a mark, which one), live blocks, marks inside.
struct Moment {
    EventKind kind;
    std::uint64_t mark, blocks;
    std::size_t marks;
};

constexpr Moment kStory[] = {
    {EventKind::Allocated, 0, 1, 0}, {EventKind::Allocated, 0, 2, 0}, {EventKind::Marker, 1, 2, 1},
    {EventKind::Allocated, 0, 3, 1}, {EventKind::Marker, 2, 3, 2},    {EventKind::Allocated, 0, 4, 2},
    {EventKind::Freed, 0, 3, 2},     {EventKind::Marker, 3, 3, 3},    {EventKind::Allocated, 0, 4, 3},
    {EventKind::BulkFreed, 2, 3, 1}, {EventKind::Allocated, 0, 4, 1}, {EventKind::BulkFreed, 0, 0, 0},
    {EventKind::Allocated, 0, 1, 0}};

void RequireMoment(session::Session& opened, std::uint64_t position) {
    const Moment& moment = kStory[position - 1];
    INFO("position " << position);
    opened.SeekTo(Position{position});
    REQUIRE(Until(opened, [&] { return opened.Settled() && opened.PresentInside().ready; }));
    const auto present = Present(opened);
    REQUIRE(present);
    REQUIRE(present->kind == moment.kind);
    if (moment.kind == EventKind::Marker || moment.kind == EventKind::BulkFreed) {
        REQUIRE(present->argument == moment.mark);
    }
    REQUIRE(LiveBlocks(opened) == moment.blocks);
    const auto inside = opened.PresentInside().inside;
    REQUIRE(inside->after->broken.empty());
    REQUIRE(inside->after->marks.size() == moment.marks);
}

void RequireStory(session::Session& opened) {
    constexpr std::uint64_t kEnd = std::size(kStory);
    REQUIRE(opened.End().value == kEnd);
    for (std::uint64_t position = kEnd; position > 0; --position) RequireMoment(opened, position);
    for (std::uint64_t position = 1; position <= kEnd; ++position) RequireMoment(opened, position);
    for (const std::uint64_t position : {10u, 9u, 12u, 11u, 3u}) RequireMoment(opened, position);
}

// Waits for it, so that the next command can speak of what it did.
void Do(session::Session& session, const std::function<void()>& command) {
    const std::uint64_t next = session.End().value + 1;
    command();
    REQUIRE(Until(session, [&] { return session.End().value == next && session.Settled(); }));
}

void Tell(session::Session& session) {
    session::Sandbox& sandbox = *session.GetSandbox();
    sandbox.Create("arena", 16 * 1024);
    const auto allocate = [&] { Do(session, [&] { sandbox.Allocate(100, 8); }); };
    const auto mark = [&] { Do(session, [&] { sandbox.SetMark(); }); };
    allocate(), allocate(), mark(), allocate(), mark(), allocate();
    Do(session, [&] { sandbox.Free(Present(session)->address); });
    mark(), allocate();
    REQUIRE(sandbox.Marks().size() == 3);
    CHECK(sandbox.Marks()[1].number == 2);
    Do(session, [&] { sandbox.Release(sandbox.Marks()[1].id); });
    REQUIRE(sandbox.Marks().size() == 1);
    allocate();
    Do(session, [&] { sandbox.Reset(); });
    CHECK(sandbox.Marks().empty());
    allocate();
}

bool Warned(session::Session& session, const std::string& text) {
    return Until(session, [&] {
        for (const Warning& warning : session.Warnings()) {
            if (warning.text.find(text) != std::string::npos) return true;
        }
        return false;
    });
}

}  // namespace

TEST_CASE("marks are set and released, and time travels over them both ways, saved and opened again too", "[threads]") {
    auto session = session::Session::OpenSandbox();
    Tell(*session);
    RequireStory(*session);
    const auto path = Named(".residue");
    REQUIRE(log::WriteNative(session->View(), path.string()));
    auto again = session::Session::Open(path.string());
    again->WaitUntilLoaded();
    again->Tick(0, ~std::uint64_t{0});
    RequireStory(*again);
    std::filesystem::remove(path);
}

TEST_CASE("a mark is shown where its first block comes to lie, and has a call site as any call", "[threads]") {
    auto session = session::Session::OpenSandbox();
    session::Sandbox& sandbox = *session->GetSandbox();
    sandbox.Create("arena", 4096);
    CHECK(sandbox.Marks().empty());
    Do(*session, [&] { sandbox.Allocate(100, 8); });
    Do(*session, [&] { sandbox.SetMark(); });
    const auto marked = Present(*session);
    REQUIRE(sandbox.Marks().size() == 1);
    CHECK(sandbox.Marks()[0].address == marked->address);
    CHECK(session->View().TopFrame(marked->trace).function.find("DoSetMark") != std::string::npos);
    Do(*session, [&] { sandbox.Allocate(8, 8); });
    CHECK(Present(*session)->Begin() == marked->address);
    Do(*session, [&] { sandbox.Release(sandbox.Marks()[0].id); });
    CHECK(session->View().TopFrame(Present(*session)->trace).function.find("DoRelease") != std::string::npos);
}

TEST_CASE("a story of marks is written as a trace in which what went at once is freed", "[threads]") {
    auto session = session::Session::OpenSandbox();
    Tell(*session);
    const auto path = Named(".rep");
    exports::WriteSummary summary;
    REQUIRE(exports::WriteRep(session->View(), path.string(), false, {nullptr, &summary}));
    std::ifstream file(path);
    std::string written{std::istreambuf_iterator<char>(file), {}};
    for (char& each : written) each = each == '\n' ? ' ' : each;
    CHECK(written == "1 7 13 0 a 0 100 a 1 100 a 2 100 a 3 100 f 3 a 4 100 f 4 a 5 100 f 0 f 1 f 2 f 5 a 6 100 ");
    CHECK(summary.leftOut == 3);  // the marks
    std::filesystem::remove(path);
}

TEST_CASE("every allocator that can be reset is, in one call, and its inside is known before and after", "[threads]") {
    auto session = session::Session::OpenSandbox();
    session::Sandbox& sandbox = *session->GetSandbox();
    for (const std::string& name : sandbox.Choices()) {
        INFO(name);
        sandbox.Create(name, 64 * 1024);
        REQUIRE(Until(*session, [&] { return sandbox.Present() == name && session->Settled(); }));
        const bool has = name != "system" && name != "default" && name != "residue";
        CHECK(sandbox.CanReset() == has);
        CHECK(sandbox.HasMarks() == (name == "arena"));
        if (!has) continue;
        for (int i = 0; i < 10; ++i) sandbox.Allocate(40, 8);
        REQUIRE(Until(*session, [&] { return LiveBlocks(*session) == 10; }));
        Do(*session, [&] { sandbox.Reset(); });
        CHECK(Present(*session)->kind == EventKind::BulkFreed);
        CHECK(LiveBlocks(*session) == 0);
        Do(*session, [&] { sandbox.Allocate(40, 8); });
        REQUIRE(Until(*session, [&] { return session->PresentInside().ready; }));
        CHECK(session->PresentInside().inside->after->broken.empty());
        // What was freed before a reset is no place for a double free after it: a block of its own is.
        sandbox.DoubleFree();
        REQUIRE(Until(*session, [&] { return Present(*session)->kind == EventKind::FreeFailed; }));
        CHECK(Present(*session)->Error() == MemoryError::DoubleFree);
    }
}

TEST_CASE("what cannot be marked, released or reset says so, and nothing happens", "[threads]") {
    auto session = session::Session::OpenSandbox();
    session::Sandbox& sandbox = *session->GetSandbox();
    sandbox.SetMark();  // there is no allocator yet
    CHECK(Warned(*session, "only the arena has marks"));
    sandbox.Reset();
    CHECK(Warned(*session, "not reset"));
    sandbox.Create("arena", 4096);
    for (int i = 0; i < 65; ++i) sandbox.SetMark();
    CHECK(Warned(*session, "as many marks as there can be"));
    REQUIRE(sandbox.Marks().size() == 64);
    const std::uint64_t oldest = sandbox.Marks()[0].id;
    sandbox.Release(oldest);
    sandbox.SetMark();  // another first mark
    sandbox.Release(oldest);
    CHECK(Warned(*session, "that mark is gone already"));
    CHECK(sandbox.Marks().size() == 1);
    sandbox.Create("first-fit", 4096);
    REQUIRE(Until(*session, [&] { return sandbox.Present() == "first-fit"; }));
    CHECK(sandbox.Marks().empty());
}

TEST_CASE("a workload goes on over marks, releases and resets without a bad free", "[threads]") {
    auto session = session::Session::OpenSandbox();
    session::Sandbox& sandbox = *session->GetSandbox();
    const char* allocator = GENERATE("arena", "best-fit");
    INFO(allocator);
    sandbox.Create(allocator, 256 * 1024);
    sandbox.SetRate(50'000);
    sandbox.Run(true);
    std::uint64_t seen = 0;
    for (int round = 0; round < 30; ++round) {
        seen += 200;
        REQUIRE(Until(*session, [&] { return session->End().value > seen; }));
        if (sandbox.HasMarks() && round % 3 != 2) sandbox.SetMark();
        const auto marks = sandbox.Marks();
        if (round % 4 == 3 && !marks.empty()) sandbox.Release(marks[marks.size() / 2].id);
        if (round % 10 == 9) sandbox.Reset();
    }
    sandbox.Run(false);
    const auto count = [&](EventKind kind) {
        std::uint64_t found = 0;
        for (Row row{}; row < session->View().Rows(); ++row) found += session->View().KindAt(row) == kind ? 1 : 0;
        return found;
    };
    // The last reset was only asked for.
    REQUIRE(Until(*session, [&] {
        return count(EventKind::BulkFreed) >= 3 && session->Settled() && session->PresentInside().ready;
    }));
    CHECK(count(EventKind::FreeFailed) == 0);
    CHECK(session->PresentInside().inside->after->broken.empty());
}
