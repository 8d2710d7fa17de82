#include "log/appender.hpp"

#include <cstring>
#include <random>

#include "events.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::log;
using namespace residue::log::testing;

namespace {

struct Written {
    EventLog log;
    Appender appender{log};
    Written& operator<<(const Event& event) {
        appender.Append(event, {});
        return *this;
    }
    LoggedEvent At(std::uint64_t row) const { return log.View().At(Row{row}); }
    std::uint64_t Rows() const { return log.View().Rows().value; }
    BlockLife Life(std::uint32_t id) const { return log.View().Life(BlockId{id}); }
};

constexpr std::uint8_t kInferred = Bit(EventFlag::Inferred) | Bit(EventFlag::NotACall);

events::Continuation Piece(std::string_view text, bool last) {
    events::Continuation piece{};
    std::memcpy(piece.bytes, text.data(), text.size());
    piece.used = static_cast<std::uint8_t>(text.size());
    piece.kind = EventKind::Continuation;
    piece.last = last ? 1 : 0;
    return piece;
}
Event Record(const events::Continuation& piece) {
    Event record;
    std::memcpy(static_cast<void*>(&record), &piece, sizeof(record));
    return record;
}

}  // namespace

TEST_CASE("a block is born by its allocation and dies by its free") {
    Written w;
    w << Allocated(0x1000, 16) << Allocated(0x2000, 16) << Freed(0x1000) << Allocated(0x1000, 8);
    CHECK(w.At(0).block == BlockId{1});
    CHECK(w.At(2).block == BlockId{1});
    CHECK(w.Life(1).born == Row{0});
    CHECK(w.Life(1).died == Row{2});
    CHECK(w.Life(2).died == Row{kNever});
    CHECK(w.At(3).block == BlockId{3});
    CHECK(w.appender.Warnings().empty());
}

TEST_CASE("a second free of a block becomes a double free") {
    Written w;
    w << Allocated(0x1000, 16) << Allocated(0x2000, 16) << Freed(0x1000) << Freed(0x1000);
    const Event event = w.At(3).event;
    CHECK(event.kind == EventKind::FreeFailed);
    CHECK(event.Error() == MemoryError::DoubleFree);
    CHECK(event.NearestBlock() == 0x2000);
    CHECK(event.NearestOffset() == std::uint64_t{0} - 0x1000);
    CHECK(w.At(3).block == BlockId{2});
    CHECK(w.appender.Counted().rewrittenFrees == 1);
    // Also when the first bad free was seen long before the address was ever given out.
    w << Freed(0x3000) << Allocated(0x3000, 8) << Freed(0x3000) << Freed(0x3000);
    CHECK(w.At(4).event.Error() == MemoryError::InvalidPointer);
    CHECK(w.At(7).event.Error() == MemoryError::DoubleFree);
}

TEST_CASE("a free of an address inside a block is an invalid pointer") {
    Written w;
    w << Allocated(0x1000, 16) << Freed(0x1008) << Freed(0);
    CHECK(w.At(1).event.kind == EventKind::FreeFailed);
    CHECK(w.At(1).event.Error() == MemoryError::InvalidPointer);
    CHECK(w.At(1).event.NearestOffset() == 8);
    CHECK(w.At(1).block == BlockId{1});
    CHECK(w.At(2).event.Error() == MemoryError::InvalidPointer);
    CHECK(w.Life(1).died == Row{kNever});
}

TEST_CASE("a block belongs to its allocator alone") {
    Written w;
    w << Allocated(0x1000, 16) << On(AllocatorId{2}, Freed(0x1000)) << On(AllocatorId{2}, Allocated(0x1000, 16));
    CHECK(w.At(1).event.Error() == MemoryError::InvalidPointer);
    CHECK(w.At(1).event.NearestBlock() == 0);
    CHECK(w.Life(1).died == Row{kNever});
    CHECK(w.Life(2).died == Row{kNever});
}

TEST_CASE("an allocation over live blocks frees them first") {
    Written w;
    w << Allocated(0x1000, 16) << Allocated(0x1010, 16) << Allocated(0x1020, 16) << Allocated(0x1008, 16);
    REQUIRE(w.Rows() == 6);
    CHECK(w.At(3).event.kind == EventKind::Freed);
    CHECK(w.At(3).event.flags == kInferred);
    CHECK(w.At(3).block == BlockId{1});
    CHECK(w.At(4).block == BlockId{2});
    CHECK(w.At(5).block == BlockId{4});
    CHECK(w.Life(3).died == Row{kNever});
    CHECK(w.appender.Counted().inferredFrees == 2);
    CHECK(w.appender.Warnings().size() == 2);
    CHECK(w.log.View().Positions() == Position{4});
}

TEST_CASE("headers and padding count when blocks overlap") {
    Written w;
    Event second = Allocated(0x1018, 16);
    second.header = 8;
    w << Allocated(0x1000, 16) << second;
    CHECK(w.Rows() == 2);  // they only touch
    second.address = 0x1050;
    second.padding = 4;
    w << Allocated(0x1038, 16) << second;
    CHECK(w.appender.Counted().inferredFrees == 1);
}

TEST_CASE("two blocks of no bytes cannot have one address") {
    Written w;
    w << Allocated(0x1000, 0) << Allocated(0x1000, 0) << Freed(0x1000) << Freed(0x1000);
    CHECK(w.appender.Counted().inferredFrees == 1);
    CHECK(w.At(4).event.Error() == MemoryError::DoubleFree);
    CHECK(Illegal(w.log.View()).empty());
}

TEST_CASE("a resize ends the old block and bears a new one, also in place") {
    Written w;
    w << Allocated(0x1000, 16) << ResizeBegins(0x1000, 32) << ResizeEnds(0x1000, 0x1000, 32) << ResizeBegins(0x1000, 64)
      << ResizeEnds(0x1000, 0x2000, 64);
    CHECK(w.At(1).block == BlockId{1});
    CHECK(w.At(2).oldBlock == BlockId{1});
    CHECK(w.At(2).block == BlockId{2});
    CHECK(w.Life(1).died == Row{2});
    CHECK(w.At(4).oldBlock == BlockId{2});
    CHECK(w.Life(2).died == Row{4});
    CHECK(w.Life(3).died == Row{kNever});
    CHECK(w.log.View().Positions() == Position{3});
    CHECK(w.appender.Warnings().empty());
}

TEST_CASE("a failed resize leaves the block as it was") {
    Written w;
    Event failed = ResizeEnds(0x1000, 0, 0);
    failed.error = static_cast<std::uint8_t>(MemoryError::Fragmentation);
    w << Allocated(0x1000, 16) << ResizeBegins(0x1000, 32) << failed << Freed(0x1000);
    CHECK(w.At(2).block == BlockId{1});
    CHECK(w.Life(1).died == Row{3});
}

TEST_CASE("a resize of an unknown address is an allocation") {
    Written w;
    w << ResizeBegins(0x1000, 32) << ResizeEnds(0x1000, 0x2000, 32) << ResizeEnds(0x7000, 0x3000, 32);
    CHECK(w.At(1).event.kind == EventKind::Allocated);
    CHECK(w.At(1).event.argument == 0);
    CHECK(w.At(2).event.kind == EventKind::Allocated);
    CHECK(w.log.View().Blocks() == 2);
}

TEST_CASE("a block in the middle of a resize may be allocated over without a mistake") {
    Written w;
    w << Allocated(0x1000, 16) << By(ThreadId{2}, ResizeBegins(0x1000, 32)) << Allocated(0x1000, 16)
      << By(ThreadId{2}, ResizeEnds(0x1000, 0x2000, 32));
    REQUIRE(w.Rows() == 5);
    CHECK(w.At(2).event.flags == kInferred);
    CHECK(w.Life(1).died == Row{2});
    CHECK(w.At(4).event.kind == EventKind::ResizeEnds);
    CHECK(w.At(4).block == BlockId{3});
    CHECK(w.At(4).oldBlock == BlockId{});  // not block 2, which has its address now
    CHECK(w.Life(2).died == Row{kNever});
    CHECK(w.appender.Counted().inferredFrees == 0);
    CHECK(w.appender.Warnings().empty());
}

TEST_CASE("a resize that failed may be allocated over only by mistake") {
    Written w;
    Event failed = ResizeEnds(0x1000, 0, 0);
    failed.error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);
    w << Allocated(0x1000, 16) << ResizeBegins(0x1000, 32) << failed << Allocated(0x1000, 16);
    CHECK(w.appender.Counted().inferredFrees == 1);
}

TEST_CASE("a resize ends the one that the same thread began") {
    Written w;
    w << Allocated(0x1000, 16) << Allocated(0x2000, 16) << By(ThreadId{1}, ResizeBegins(0x1000, 32))
      << By(ThreadId{2}, ResizeBegins(0x2000, 32)) << By(ThreadId{2}, ResizeEnds(0x2000, 0x3000, 32))
      << By(ThreadId{1}, ResizeEnds(0, 0x4000, 32));
    CHECK(w.At(4).oldBlock == BlockId{2});
    CHECK(w.At(5).oldBlock == BlockId{1});
    CHECK(w.At(5).event.OldAddress() == 0x1000);
}

TEST_CASE("a bulk free ends the blocks that start in its range") {
    Written w;
    w << Allocated(0x1000, 16) << Allocated(0x1010, 16) << Allocated(0x1020, 16)
      << Make(EventKind::BulkFreed, 0x1008, 0x18);
    const auto died = w.log.View().DiedTogether(Row{3});
    REQUIRE(died.size() == 1);
    CHECK(died[0] == BlockId{2});
    w << Freed(0x1010);
    CHECK(w.At(4).event.Error() == MemoryError::DoubleFree);
}

TEST_CASE("shrinking ends every block that it touches") {
    Written w;
    w << Allocated(0x1000, 16) << Allocated(0x1010, 16) << Allocated(0x1020, 16)
      << Make(EventKind::RegionShrunk, 0x1018, ~0ull);
    CHECK(w.log.View().DiedTogether(Row{3}).size() == 2);
    CHECK(w.At(3).event.size == ~0ull - 0x1018);
}

TEST_CASE("destroying an allocator ends all its blocks and no others") {
    Written w;
    w << Allocated(0x1000, 16) << Allocated(0x2000, 16) << On(AllocatorId{2}, Allocated(0x3000, 16))
      << Make(EventKind::AllocatorDestroyed);
    CHECK(w.log.View().DiedTogether(Row{3}).size() == 2);
    CHECK(w.Life(3).died == Row{kNever});
}

TEST_CASE("an allocator that is created twice was destroyed unseen") {
    Written w;
    w << Make(EventKind::AllocatorCreated, 0x1000, 0x1000) << Allocated(0x1000, 16)
      << Make(EventKind::AllocatorCreated, 0x1000, 0x1000);
    REQUIRE(w.Rows() == 4);
    CHECK(w.At(2).event.kind == EventKind::AllocatorDestroyed);
    CHECK(w.At(2).event.flags == kInferred);
    CHECK(w.Life(1).died == Row{2});
}

TEST_CASE("the parent's block under a child is marked as its region") {
    Written w;
    Event created = On(AllocatorId{2}, Make(EventKind::AllocatorCreated, 0x1010, 0x80));
    created.header = 1;
    Event elsewhere = On(AllocatorId{3}, Make(EventKind::AllocatorCreated, 0x10F0, 0x80));
    elsewhere.header = 1;
    w << Allocated(0x1000, 0x100) << created << elsewhere
      << On(AllocatorId{2}, Make(EventKind::RegionGrown, 0x1000, 0x100)) << On(AllocatorId{2}, Allocated(0x1010, 8))
      << Freed(0x1000);
    CHECK(w.At(1).block == BlockId{1});
    CHECK(w.At(1).event.Has(EventFlag::Region));
    CHECK(w.At(2).block == BlockId{});  // it sticks out
    CHECK_FALSE(w.At(2).event.Has(EventFlag::Region));
    CHECK(w.At(3).block == BlockId{1});
    CHECK(w.At(5).event.Has(EventFlag::Region));
    CHECK_FALSE(w.At(4).event.Has(EventFlag::Region));
}

TEST_CASE("blocks outside the address space are left out") {
    Written w;
    Event header = Allocated(4, 16);
    header.header = 8;
    Event rounding = Allocated(0x1000, 16);
    rounding.rounding = ~0ull;
    w << Allocated(0, 16) << Allocated(~0ull - 4, 16) << Allocated(~0ull, 0) << Allocated(0x1000, ~0ull) << header
      << rounding;
    CHECK(w.Rows() == 0);
    CHECK(w.appender.Counted().leftOut == 6);
    CHECK(w.appender.Warnings().size() == 6);
    w << Allocated(1, ~0ull - 1);
    CHECK(w.Rows() == 1);
    w << ResizeEnds(1, ~0ull - 4, 16);  // the block stays
    CHECK(w.Rows() == 1);
    CHECK(w.Life(1).died == Row{kNever});
}

TEST_CASE("unknown kinds and orphaned pieces of text are left out with one warning each") {
    Written w;
    Event unknown;
    unknown.kind = static_cast<EventKind>(200);
    w << unknown << unknown;
    const Event orphan = Record(Piece("lost", true));
    w.appender.Append(&orphan, 1);
    w.appender.Append(&orphan, 1);
    w << orphan;
    CHECK(w.Rows() == 0);
    CHECK(w.appender.Counted().leftOut == 5);
    CHECK(w.appender.Warnings().size() == 2);
}

TEST_CASE("texts are put together from their pieces, over many calls") {
    Written w;
    Event output = Make(EventKind::Output);
    output.flags = Bit(EventFlag::HasText);
    Event broken = Record(Piece("", true));
    reinterpret_cast<unsigned char*>(&broken)[offsetof(events::Continuation, used)] = 255;
    const Event records[] = {output, Record(Piece("Hello, ", false)), Record(Piece("world", true)),
                             output, Record(Piece("cut off", false)), Allocated(0x1000, 8), output, broken,
                             output, Record(Piece("the end", false))};
    for (const Event& record : records) w.appender.Append(&record, 1);
    CHECK(w.Rows() == 4);
    w.appender.Flush();
    const LogView view = w.log.View();
    REQUIRE(view.Rows() == Row{5});
    CHECK(view.Text(Row{0}) == "Hello, world");
    CHECK(view.Text(Row{1}) == "cut off");
    CHECK(view.Text(Row{3}).size() == events::kContinuationBytes);
    CHECK(view.Text(Row{4}) == "the end");
}

TEST_CASE("what fails for no reason gets one") {
    Written w;
    Event access = Make(EventKind::AccessFailed, 0x1004, 4);
    access.error = 99;
    Event resized = ResizeEnds(0x1000, 0, 0);
    resized.error = 250;
    w << Allocated(0x1000, 8) << Make(EventKind::AllocateFailed) << Make(EventKind::FreeFailed, 0x1004) << access
      << resized;
    CHECK(w.At(1).event.Error() == MemoryError::InsufficientMemory);
    CHECK(w.At(2).event.Error() == MemoryError::InvalidPointer);
    CHECK(w.At(2).event.NearestBlock() == 0x1000);
    CHECK(w.At(3).event.error == static_cast<std::uint8_t>(events::AccessError::OutOfBounds));
    CHECK(w.At(3).block == BlockId{1});
    CHECK(w.At(4).event.Error() == MemoryError::InsufficientMemory);
}

TEST_CASE("gaps are counted and warned of") {
    Written w;
    Event gap = Make(EventKind::Gap);
    gap.argument = 12;
    w << gap << gap;
    CHECK(w.appender.Counted().dropped == 24);
    CHECK(w.appender.Warnings().size() == 2);
}

TEST_CASE("warnings stop at a thousand and say how many more there are") {
    Written w;
    for (int i = 0; i < 1500; ++i) w << Allocated(0, 1);
    const auto warnings = w.appender.Warnings();
    REQUIRE(warnings.size() == 1001);
    CHECK(warnings.back().text == "500 more warnings");
    CHECK(warnings.front().where == "event 1");
}

namespace {

// Events out of few threads, allocators and addresses, so that they meet; now and then anything at all.
Event Garbage(std::mt19937_64& random) {
    Event event;
    const auto pick = [&](std::uint64_t n) { return random() % n; };
    if (pick(50) == 0) {
        auto* const bytes = reinterpret_cast<unsigned char*>(&event);
        for (std::size_t i = 0; i < sizeof(event); ++i) bytes[i] = static_cast<unsigned char>(random());
        event.allocator = AllocatorId{static_cast<std::uint16_t>(pick(4))};
        return event;
    }
    event.kind = static_cast<EventKind>(pick(3) == 0 ? pick(events::kKindCount + 1) : 2 + pick(4));
    event.allocator = AllocatorId{static_cast<std::uint16_t>(pick(3))};
    event.thread = ThreadId{static_cast<std::uint32_t>(pick(3))};
    event.address = pick(40) == 0 ? random() : 0x100 + 8 * pick(64);
    event.size = pick(40) == 0 ? random() : pick(48);
    event.argument = pick(3) == 0 ? 0 : 0x100 + 8 * pick(64);
    event.header = static_cast<std::uint16_t>(pick(2) == 0 ? 0 : pick(3));
    event.padding = static_cast<std::uint32_t>(pick(4) == 0 ? pick(16) : 0);
    event.rounding = pick(4) == 0 ? pick(16) : 0;
    event.error = static_cast<std::uint8_t>(pick(5) == 0 ? pick(8) : 0);
    event.flags = static_cast<std::uint8_t>(pick(10) == 0 ? random() : 0);
    event.alignmentLog2 = static_cast<std::uint8_t>(pick(256));
    return event;
}

}  // namespace

TEST_CASE("any garbage becomes a legal log, and a legal log stays as it is") {
    for (std::uint64_t seed = 1; seed <= 15; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        Written first;
        std::vector<Event> records;
        for (int i = 0; i < 3000; ++i) {
            records.push_back(Garbage(random));
            if (records.size() == 1 + random() % 50) {
                first.appender.Append(records.data(), records.size());
                records.clear();
            }
        }
        first.appender.Append(records.data(), records.size());
        first.appender.Flush();
        const LogView log = first.log.View();
        REQUIRE(Illegal(log) == "");
        REQUIRE(log.Blocks() > 100);

        Written second;
        for (Row row{}; row < log.Rows(); ++row) second.appender.Append(log.At(row).event, log.Text(row));
        REQUIRE(Difference(log, second.log.View()) == "");
        REQUIRE(second.appender.Counted().inferredFrees == 0);
        REQUIRE(second.appender.Counted().leftOut == 0);
    }
}
