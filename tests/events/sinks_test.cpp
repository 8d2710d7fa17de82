#include <cstring>
#include <string>

#include "base/memory_error.hpp"
#include "events/rebase_sink.hpp"
#include "events/sinks.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::events;

namespace {

Event Of(EventKind kind, std::uint64_t address, std::uint64_t size = 0, std::uint64_t argument = 0) {
    Event event;
    event.kind = kind;
    event.address = address;
    event.size = size;
    event.argument = argument;
    return event;
}

Event Through(const Event& event) {
    VectorSink seen;
    RebaseSink sink(seen, 0x7000, 0x1000, 0x100);
    EmitNow(sink, event);
    return seen.Events().at(0);
}

}  // namespace

TEST_CASE("a vector sink keeps events in order, stamped with steps") {
    VectorSink sink;
    EmitNow(sink, Of(EventKind::Allocated, 16, 8));
    EmitNow(sink, Of(EventKind::Freed, 16));
    REQUIRE(sink.Events().size() == 2);
    CHECK(sink.Events()[0].stamp == 1);
    CHECK(sink.Events()[1].stamp == 2);
    CHECK(sink.Events()[0].thread == ThreadId{1});
    CHECK(sink.Text(0).empty());
    sink.Clear();
    CHECK(sink.Events().empty());
}

TEST_CASE("a text of any length survives its continuations, up to the limit") {
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{50}, std::size_t{51}, std::size_t{52},
                                     std::size_t{102}, std::size_t{kMaxText}, std::size_t{kMaxText + 1},
                                     std::size_t{100'000}}) {
        std::string text(length, 'x');
        for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>('a' + i % 26);
        VectorSink sink;
        EmitText(sink, Of(EventKind::Marker, 0), text.data(), text.size());
        REQUIRE(sink.Events().size() == 1);
        CHECK(sink.Text(0) == text.substr(0, kMaxText));
        CHECK(sink.Events()[0].Has(EventFlag::HasText) == (length != 0));
    }
}

TEST_CASE("a text is not cut inside a UTF-8 character") {
    std::string text(kMaxText - 1, 'x');
    text += "\xE2\x82\xAC and more";  // the euro sign would lose its last two bytes
    VectorSink sink;
    EmitText(sink, Of(EventKind::Output, 0), text.data(), text.size());
    CHECK(sink.Text(0) == std::string(kMaxText - 1, 'x'));
}

TEST_CASE("a tee gives both sinks the same events and stamps") {
    VectorSink first;
    VectorSink second;
    TeeSink tee(first, second);
    EmitNow(tee, Of(EventKind::Allocated, 32, 4));
    EmitText(tee, Of(EventKind::Marker, 0), "hello", 5);
    CHECK(tee.NextAllocatorId() == AllocatorId{1});
    REQUIRE(second.Events().size() == 2);
    CHECK(std::memcmp(first.Events().data(), second.Events().data(), 2 * sizeof(Event)) == 0);
    CHECK(second.Text(1) == "hello");
}

TEST_CASE("a null sink takes everything and still counts steps and allocators") {
    NullSink sink;
    CHECK(sink.Begin() == 1);
    sink.Emit(nullptr, 0, 1);
    CHECK(sink.Begin() == 2);
    CHECK(sink.NextAllocatorId() == AllocatorId{1});
    CHECK(sink.NextAllocatorId() == AllocatorId{2});
}

TEST_CASE("rebasing moves the addresses of the range and nothing else") {
    CHECK(Through(Of(EventKind::Allocated, 0x7010, 0x7010)).address == 0x110);
    CHECK(Through(Of(EventKind::Allocated, 0x7010, 0x7010)).size == 0x7010);
    CHECK(Through(Of(EventKind::Freed, 0x7000)).address == 0x100);
    CHECK(Through(Of(EventKind::Freed, 0x7FFF)).address == 0x10FF);
    CHECK(Through(Of(EventKind::Freed, 0x8000)).address == 0x8000);
    CHECK(Through(Of(EventKind::Freed, 0x6FFF)).address == 0x6FFF);
    CHECK(Through(Of(EventKind::Freed, 0)).address == 0);
    CHECK(Through(Of(EventKind::Allocated, 0x7010, 8, 0x7001)).argument == 0x7001);  // holes looked at: a count
    CHECK(Through(Of(EventKind::Step, 0, 0, 0x7001)).argument == 0x7001);            // a line
}

TEST_CASE("rebasing follows the kind where a field means something else") {
    Event resized = Of(EventKind::ResizeEnds, 0x7020, 4, 0x7000);
    CHECK(Through(resized).address == 0x120);
    CHECK(Through(resized).OldAddress() == 0x100);
    resized.error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);  // now: largest hole and free bytes
    CHECK(Through(resized).address == 0x7020);
    CHECK(Through(resized).argument == 0x7000);

    const Event refused = Of(EventKind::AllocateFailed, 0x7020, 0x7000, 0x7010);
    CHECK(Through(refused).LargestHole() == 0x7020);
    CHECK(Through(refused).FreeBytes() == 0x7010);

    const Event foreign = Through(Of(EventKind::FreeFailed, 0x7018, 8, 0x7010));
    CHECK(foreign.address == 0x118);
    CHECK(foreign.NearestBlock() == 0x110);
    CHECK(foreign.NearestOffset() == 8);
    CHECK(Through(Of(EventKind::FreeFailed, 0x10, 0, 0)).NearestBlock() == 0);
    const Event outside = Through(Of(EventKind::FreeFailed, 0x20, 0x20ull - 0x7010, 0x7010));
    CHECK(outside.NearestOffset() == outside.address - outside.NearestBlock());
}

TEST_CASE("rebasing leaves texts alone, also when their bytes look like addresses") {
    std::string text(600, '\0');
    for (std::size_t i = 0; i + 8 <= text.size(); i += 8) {
        const std::uint64_t address = 0x7010;
        std::memcpy(text.data() + i, &address, 8);
    }
    VectorSink seen;
    RebaseSink sink(seen, 0x7000, 0x1000, 0x100);
    EmitText(sink, Of(EventKind::Marker, 0x7010), text.data(), text.size());
    CHECK(seen.Text(0) == text);
    CHECK(seen.Events()[0].address == 0x7010);
}

TEST_CASE("a batch longer than the rebasing buffer arrives whole, with one stamp") {
    std::vector<Event> events(100, Of(EventKind::Freed, 0x7001));
    VectorSink seen;
    RebaseSink sink(seen, 0x7000, 0x1000, 0x100);
    sink.Emit(events.data(), events.size(), sink.Begin());
    REQUIRE(seen.Events().size() == 100);
    for (const Event& event : seen.Events()) {
        CHECK(event.address == 0x101);
        CHECK(event.stamp == 1);
    }
}
