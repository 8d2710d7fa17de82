// Every version of the native file that there was, byte by byte: they must open for ever.
#include <algorithm>
#include <string>

#include "events.hpp"
#include "log/appender.hpp"
#include "log/native_made.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::log;
using namespace residue::log::testing;

TEST_CASE("a file of version 1 opens, byte by byte as it was defined") {
    // Written out by hand once: it must open for ever. One allocation of 16 bytes at 0x1000, one free, one text.
    native::Writer source;
    source.Number(std::uint8_t{0});
    source.Number(std::uint8_t{0});
    source.Number(std::uint64_t{0});
    source.Text("old");
    source.Text("recorded");
    native::Writer traces;
    traces.Number(std::uint32_t{1});
    traces.Number(std::uint32_t{1});
    traces.Number(std::uint32_t{0});
    traces.Number(std::uint64_t{0x4000});
    native::Writer names;
    names.Number(std::uint32_t{1});
    names.Number(std::uint64_t{0x4000});
    names.Number(std::uint32_t{7});
    names.Text("main");
    names.Text("main.c");
    native::Writer texts;
    texts.Number(std::uint64_t{0});
    texts.Number(std::uint32_t{1});
    texts.Number(std::uint32_t{2});
    texts.Number(std::uint32_t{3});
    texts.Characters("bye");
    // stamp, address, size, argument, rounding, padding, slack, trace, thread, header, allocator, kind, error,
    // alignment, flags
    const auto events = EventsPayload(
        0, 3, {{5, 1}, {0, 2}, {0, 1}, {}, {}, {}, {}, {0, 1}, {1, 0}, {}, {1, 0}, {0, 1}, {}, {}, {0, 1}},
        {0, 1, 2, 0x00, 0x10, 0x00, 0x10, 0, 0, 16, 0, 0, 1, 1, 0, 2, 3, 14, 0, 0, 16});
    Made made(1);
    made.Chunk(native::kSource, source).Chunk(native::kTraces, traces).Chunk(native::Tag("LATE"), names);
    made.Chunk(native::kTexts, texts).Chunk(native::kEvents, events).Chunk(native::kNames, names).End(3, 1);
    CHECK(Crc32c(made.bytes.Written()) == 0x28E41BD7);  // the bytes themselves never change
    EventLog log;
    const auto read = made.Read(log);
    REQUIRE(read);
    CHECK(read->whole);
    REQUIRE(read->warnings.size() == 1);
    CHECK(read->warnings[0].text == "an unknown chunk LATE is left out");
    const LogView view = log.View();
    CHECK_FALSE(view.Source().payloadsOnly);  // it was not told then
    REQUIRE(view.Rows() == Row{3});
    CHECK(view.At(Row{0}).event.kind == EventKind::Allocated);
    CHECK(view.At(Row{0}).event.address == 0x1000);
    CHECK(view.At(Row{0}).event.size == 16);
    CHECK(view.At(Row{0}).event.stamp == 5);
    CHECK(view.At(Row{1}).event.kind == EventKind::Freed);
    CHECK(view.At(Row{1}).block == BlockId{1});
    CHECK(view.At(Row{2}).event.kind == EventKind::Marker);
    CHECK(view.Text(Row{2}) == "bye");
    CHECK(view.TopFrame(view.At(Row{0}).event.trace).function == "main");
}

TEST_CASE("a file of version 2 opens, byte by byte as it was defined") {
    // As that of version 1; the stamps 500, 800 and 799 are differences in two planes: 0, 300, -1 as 0, 600, 1.
    const auto events = EventsPayload(
        0, 3, {{500, 18}, {0, 2}, {0, 1}, {}, {}, {}, {}, {}, {1, 0}, {}, {1, 0}, {0, 1}},
        {0, 88, 1, 0, 2, 0, 0x00, 0x10, 0x00, 0x10, 0, 0, 16, 0, 0, 2, 3, 14});
    Made made(2);
    made.Chunk(native::kEvents, events).End(3, 0);
    CHECK(Crc32c(made.bytes.Written()) == 0xF98752DE);  // the bytes themselves never change
    EventLog log;
    const auto read = made.Read(log);
    REQUIRE(read);
    CHECK(read->whole);
    const LogView view = log.View();
    REQUIRE(view.Rows() == Row{3});
    CHECK(view.At(Row{0}).event.stamp == 500);
    CHECK(view.At(Row{1}).event.stamp == 800);
    CHECK(view.At(Row{2}).event.stamp == 799);
    CHECK(view.At(Row{0}).event.address == 0x1000);
    CHECK(view.At(Row{1}).event.kind == EventKind::Freed);
}

namespace {

// Allocations at 0x1000 and 0x2000, whose blocks are as told, then (where it `frees`) one freed, and a bulk free.
Made WithBlocks(int first, int second, int freed, int bulkBlock, std::uint32_t version = 2, std::uint32_t bulkRow = 3) {
    Made made(version);
    native::Writer deaths;
    deaths.Number(std::uint64_t{0});
    deaths.Number(std::uint32_t{1});
    deaths.Number(bulkRow);
    deaths.Number(std::uint32_t{1});
    deaths.Number(static_cast<std::uint32_t>(bulkBlock));
    made.Chunk(native::Tag("DIED"), deaths);
    const auto kind = [](EventKind k) { return static_cast<int>(k); };
    made.Chunk(
        native::kEvents,
        EventsPayload(0, 4,
                      {{5, 0}, {0, 2}, {0, 1}, {}, {}, {}, {}, {}, {1, 0}, {}, {1, 0}, {0, 1}, {}, {}, {}, {0, 1}, {}},
                      {0x00,
                       0x10,
                       0x00,
                       0x20,
                       0x00,
                       0x10,
                       0x00,
                       0x20,
                       16,
                       16,
                       0,
                       16,
                       kind(EventKind::Allocated),
                       kind(EventKind::Allocated),
                       kind(EventKind::Freed),
                       kind(EventKind::BulkFreed),
                       first,
                       second,
                       freed,
                       0}));
    return made;
}

}  // namespace

TEST_CASE("a file that tells which blocks its rows concern is believed after a look") {
    Made made = WithBlocks(1, 2, 1, 2);
    made.End(4, 0);
    EventLog log;
    const auto read = made.Read(log);
    REQUIRE(read);
    CHECK(read->whole);
    const LogView view = log.View();
    REQUIRE(view.Blocks() == 2);
    CHECK(view.Life(BlockId{1}).died == Row{2});
    CHECK(view.Life(BlockId{2}).died == Row{3});
    REQUIRE(view.DiedTogether(Row{3}).size() == 1);
    CHECK(view.DiedTogether(Row{3})[0] == BlockId{2});

    const std::string at = "f: byte 72: ";  // behind the chunk of deaths
    CHECK(WithBlocks(2, 1, 1, 2).Refusal() == at + "row 0 bears block 2 where 1 is next");
    CHECK(WithBlocks(1, 1, 1, 2).Refusal() == at + "row 1 bears block 1 where 2 is next");
    CHECK(WithBlocks(1, 2, 3, 2).Refusal() == at + "row 2 ends block 3, which is not alive");
    CHECK(WithBlocks(1, 2, 1, 1).Refusal() == at + "row 3 ends block 1, which is not alive");
    CHECK(WithBlocks(1, 2, 1, 9).Refusal() == at + "row 3 ends block 9, which is not alive");
    for (const std::uint32_t row : {0u, 1u, 2u}) {  // births and a free are no bulk free
        CHECK(WithBlocks(1, 2, 1, 1, 2, row).Refusal() == at + "row " + std::to_string(row) + " ends several blocks");
    }
    // An older file has no such columns: they are unknown ones, and the deaths an unknown chunk.
    EventLog older;
    CHECK(WithBlocks(7, 7, 7, 7, 1).Read(older));
    CHECK(older.View().Blocks() == 2);
    const auto without = EventsPayload(4, 1, {{5, 0}, {0x3000, 0}, {}, {}, {}, {}, {}, {}, {1, 0}, {}, {1, 0}, {2, 0}});
    CHECK(WithBlocks(1, 2, 1, 2).Chunk(native::kEvents, without).Refusal().find("no blocks, as those before have") !=
          std::string::npos);
}

TEST_CASE("blocks that die together come back from a file, row by row") {
    EventLog log;
    {
        Appender appender(log);
        events::Event event;
        event.allocator = AllocatorId{1};
        for (int round = 0; round < 3; ++round) {
            for (std::uint64_t i = 0; i < 100; ++i) {
                event.kind = EventKind::Allocated;
                event.address = 0x1000 + i * 64;
                event.size = 32;
                appender.Append(&event, 1);
            }
            event.kind = round == 2 ? EventKind::AllocatorDestroyed : EventKind::BulkFreed;
            event.address = round == 2 ? 0 : 0x1000 + 64 * 10;
            event.size = round == 2 ? 0 : 64 * 200;
            appender.Append(&event, 1);
        }
    }
    Folder folder;
    REQUIRE(WriteNative(log.View(), folder.File("a")));
    EventLog again;
    REQUIRE(ReadNative(folder.File("a"), again));
    const LogView a = log.View(), b = again.View();
    REQUIRE(b.Rows() == a.Rows());
    REQUIRE(b.Blocks() == a.Blocks());
    for (Row row{}; row < a.Rows(); ++row) {
        const auto x = a.DiedTogether(row), y = b.DiedTogether(row);
        REQUIRE(std::equal(x.begin(), x.end(), y.begin(), y.end()));
        REQUIRE(a.At(row).block == b.At(row).block);
    }
    for (std::uint32_t id = 1; id <= a.Blocks(); ++id) REQUIRE(a.Life(BlockId{id}).died == b.Life(BlockId{id}).died);
}

TEST_CASE("stamps of any distance, also backwards, come back from a file") {
    EventLog log;
    {
        Appender appender(log);
        events::Event event;
        event.kind = EventKind::Marker;
        for (const std::uint64_t stamp : {std::uint64_t{7}, ~std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{1} << 63,
                                          std::uint64_t{3}, std::uint64_t{3}, ~std::uint64_t{0} - 1}) {
            event.stamp = stamp;
            appender.Append(&event, 1);
        }
    }
    Folder folder;
    REQUIRE(WriteNative(log.View(), folder.File("a")));
    EventLog again;
    REQUIRE(ReadNative(folder.File("a"), again));
    REQUIRE(again.View().Rows() == log.View().Rows());
    for (Row row{}; row < log.View().Rows(); ++row) {
        CHECK(again.View().At(row).event.stamp == log.View().At(row).event.stamp);
    }
}
