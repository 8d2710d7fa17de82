#include "events/sinks.hpp"
#include "replay/address_range.hpp"
#include "replay/call_sink.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::replay;
using events::Event;
using events::EventFlag;
using events::EventKind;

namespace {

Event Of(EventKind kind, std::uint64_t address, std::uint64_t size = 0) {
    Event event;
    event.kind = kind;
    event.address = address;
    event.size = size;
    event.allocator = AllocatorId{1};
    return event;
}

}  // namespace

TEST_CASE("allocate and free between begin and end of a resize are told as one resize") {
    events::VectorSink seen;
    CallSink calls(seen);
    calls.BeginOperation();
    calls.BeginResize(0x100, 64);
    events::EmitNow(calls, Of(EventKind::RegionGrown, 0x200, 64));
    events::EmitNow(calls, Of(EventKind::Allocated, 0x208, 64));
    events::EmitNow(calls, Of(EventKind::Freed, 0x100));
    calls.EndResize();
    calls.EndOperation(9);
    REQUIRE(seen.Events().size() == 3);
    CHECK(seen.Events()[0].kind == EventKind::ResizeBegins);
    CHECK(seen.Events()[0].address == 0x100);
    CHECK(seen.Events()[2].kind == EventKind::ResizeEnds);
    CHECK(seen.Events()[2].OldAddress() == 0x100);
    CHECK(seen.Events()[2].address == 0x208);
    CHECK(seen.Events()[2].EndsCall());

    calls.BeginOperation();
    calls.BeginResize(0x208, 640);
    Event failed = Of(EventKind::AllocateFailed, 32, 640);
    failed.error = static_cast<std::uint8_t>(MemoryError::Fragmentation);
    failed.argument = 700;
    events::EmitNow(calls, failed);
    calls.EndResize();
    calls.EndOperation(10);
    const Event& end = seen.Events().back();
    CHECK(end.kind == EventKind::ResizeEnds);
    CHECK(end.Error() == MemoryError::Fragmentation);
    CHECK(end.LargestHole() == 32);
    CHECK(end.FreeBytes() == 700);
    CHECK(seen.Events().size() == 5);
}

TEST_CASE("of several calls in an operation the first counts, and without one a step does") {
    events::VectorSink seen;
    CallSink calls(seen);
    calls.BeginOperation();
    events::EmitNow(calls, Of(EventKind::Allocated, 0x100, 8));
    events::EmitNow(calls, Of(EventKind::Freed, 0x100));
    calls.EndOperation(3);
    CHECK(seen.Events()[0].EndsCall());
    CHECK_FALSE(seen.Events()[1].EndsCall());
    CHECK(seen.Events().size() == 2);
    calls.BeginOperation();
    calls.EndOperation(4);
    REQUIRE(seen.Events().size() == 3);
    CHECK(seen.Events()[2].kind == EventKind::Step);
    CHECK(seen.Events()[2].EndsCall());
    CHECK(seen.Events()[2].Line() == 4);
}

TEST_CASE("a closed sink passes nothing, and texts pass whole") {
    events::VectorSink seen;
    CallSink calls(seen);
    events::EmitText(calls, Of(EventKind::AllocatorCreated, 0), std::string(500, 'n').c_str(), 500);
    REQUIRE(seen.Events().size() == 1);
    CHECK(seen.Text(0) == std::string(500, 'n'));
    calls.Close();
    events::EmitNow(calls, Of(EventKind::Freed, 0x100));
    CHECK(seen.Events().size() == 1);
}

TEST_CASE("an address range is aligned, reads as zero, and forgets whole pages only") {
    const auto range = AddressRange::Reserve(1000000);
    REQUIRE(range);
    CHECK(range->Address() % kRangeAlignment == 0);
    CHECK(range->Bytes() == 1003520);
    auto* bytes = static_cast<unsigned char*>(range->Base());
    CHECK(bytes[999999] == 0);
    for (int page = 0; page < 4; ++page) bytes[page * 4096 + 10] = 7;
    range->Forget(bytes + 1, 3 * 4096);
    CHECK(bytes[10] == 7);
    CHECK(bytes[4096 + 10] == 0);
    CHECK(bytes[2 * 4096 + 10] == 0);
    CHECK(bytes[3 * 4096 + 10] == 7);
    CHECK(range->Contains(bytes + 5));
    CHECK_FALSE(range->Contains(bytes + range->Bytes()));
    CHECK_FALSE(AddressRange::Reserve(~std::uint64_t{0}));
    CHECK_FALSE(AddressRange::Reserve(std::uint64_t{1} << 62));
}
