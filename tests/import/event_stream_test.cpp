// The event stream both ways: what the sink sends is what the log gets, and what becomes of a wire that loses, damages
// and adds bytes.
#include "import/event_stream.hpp"

#include <unistd.h>

#include <cstring>
#include <fstream>

#include "events/sinks.hpp"
#include "events/stream_sink.hpp"
#include "log/crc32c.hpp"
#include "log/events.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;
using namespace residue::import;
using namespace residue::log::testing;
using events::StreamSink;
using log::EventLog;
using log::LogView;

namespace {

void ToString(void* context, const void* bytes, std::size_t count) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(bytes), count);
}

// A bit of everything; `cuts`: where packets end.
struct Sample {
    std::string bytes;
    std::vector<std::size_t> cuts;
    explicit Sample(const char* name = "a kernel") {
        StreamSink sink({.write = ToString, .context = &bytes, .name = name});
        const auto cut = [&] { cuts.push_back(bytes.size()); };
        cut();
        const std::string text(120, 'h');
        events::EmitText(sink, Make(EventKind::AllocatorCreated, 0x1000, 0x1000), text.data(), text.size());
        cut();
        Event block = Allocated(0x1010, 24);
        block.header = 8;
        block.padding = 4;
        block.rounding = 1ull << 40;
        block.rounding = 16;
        block.slack = 12;
        block.alignmentLog2 = 4;
        block.argument = 3;
        events::EmitNow(sink, block);
        cut();
        events::EmitNow(sink, Allocated(0xFFFFFFFF80001100, 16));
        cut();
        events::EmitNow(sink, Freed(0x1010));
        cut();
        events::EmitNow(sink, Freed(0x1010));
        cut();
        sink.End();
        cut();
    }
};

struct Read {
    EventLog log;
    Outcome<StreamSummary> summary;
    explicit Read(std::string_view bytes) : summary(ReadEventStreamBytes("f", bytes, log)) {}
    std::string Warnings() const {
        std::string all;
        for (const Warning& warning : summary->warnings) all += warning.where + ": " + warning.text + "\n";
        return all;
    }
};

// A packet by hand, its records whole, its checksum right.
std::string PacketOf(char type, std::uint32_t number, const std::vector<std::string>& records) {
    std::string packet(events::stream::kMark, 4);
    packet += type;
    packet += static_cast<char>(records.size());
    packet.append(reinterpret_cast<const char*>(&number), 4);
    for (std::string record : records) {
        record.resize(64);
        packet += std::string(8, '\xFF') + record;
    }
    const std::uint32_t checksum = log::Crc32c(std::as_bytes(std::span(packet.data(), packet.size())));
    packet.append(reinterpret_cast<const char*>(&checksum), 4);
    return packet;
}

std::string Record(const Event& event) {
    return {reinterpret_cast<const char*>(&event), sizeof event};
}

}  // namespace

TEST_CASE("An event stream opens as what was sent") {
    const Sample sample;
    const Read read(sample.bytes);
    REQUIRE(read.summary);
    CHECK(read.Warnings() == "");
    CHECK(read.summary->whole);
    CHECK(read.summary->packets == 7);
    CHECK(read.summary->events == 5);
    CHECK(read.summary->runs == 1);
    const LogView view = read.log.View();
    CHECK(view.Closed());
    CHECK(view.Source().name == "a kernel");
    CHECK(view.Source().clock == log::Clock::Steps);
    REQUIRE(view.Rows() == Row{5});
    CHECK(view.Text(Row{0}) == std::string(120, 'h'));
    const Event block = view.At(Row{1}).event;
    CHECK(block.stamp == 2);
    CHECK(block.address == 0x1010);
    CHECK(block.size == 24);
    CHECK(block.header == 8);
    CHECK(block.padding == 4);
    CHECK(block.rounding == 16);
    CHECK(block.slack == 12);
    CHECK(block.alignmentLog2 == 4);
    CHECK(block.argument == 3);
    CHECK(block.thread == ThreadId{1});
    CHECK(block.allocator == AllocatorId{1});
    CHECK(view.At(Row{2}).event.address == 0xFFFFFFFF80001100);
    CHECK(view.At(Row{4}).event.kind == EventKind::FreeFailed);
    CHECK(view.At(Row{4}).event.Error() == MemoryError::DoubleFree);
    CHECK(Illegal(view) == "");
}

TEST_CASE("A clock, threads, names that are too long, and texts at the limit cross the wire") {
    std::string bytes;
    const std::string name(60, 'n');
    StreamSink sink({.write = ToString,
                     .now = [](void*) -> std::uint64_t { return 1ull << 50; },
                     .thread = [](void*) -> std::uint32_t { return 7; },
                     .context = &bytes,
                     .ticksPerSecond = 2'400'000'000,
                     .name = name.c_str()});
    CHECK(sink.NextAllocatorId() == AllocatorId{1});
    CHECK(sink.NextAllocatorId() == AllocatorId{2});
    const std::string text(5000, 't');
    events::EmitText(sink, By(ThreadId{}, Make(EventKind::Output)), text.data(), text.size());
    // Two events at once, the second with a text of its own.
    std::string small;
    events::VectorSink seen;
    Event two[3] = {Allocated(0x1000, 8), With(Bit(EventFlag::HasText), Make(EventKind::Marker)), {}};
    events::Continuation more{};
    std::memcpy(more.bytes, "here", 4);
    more.used = 4;
    more.kind = EventKind::Continuation;
    more.last = 1;
    std::memcpy(static_cast<void*>(&two[2]), &more, sizeof more);
    sink.Emit(two, 3, sink.Begin());
    sink.End();

    const Read read(bytes);
    REQUIRE(read.summary);
    CHECK(read.Warnings() == "");
    const LogView view = read.log.View();
    CHECK(view.Source().name == std::string(48, 'n'));
    CHECK(view.Source().clock == log::Clock::Ticks);
    CHECK(view.Source().ticksPerSecond == 2.4e9);
    REQUIRE(view.Rows() == Row{3});
    CHECK(view.At(Row{0}).event.thread == ThreadId{7});
    CHECK(view.At(Row{0}).event.stamp == 1ull << 50);
    CHECK(view.Text(Row{0}) == std::string(events::kMaxText, 't'));
    CHECK(view.At(Row{1}).event.thread == ThreadId{1});
    CHECK(view.Text(Row{2}) == "here");
}

TEST_CASE("An event stream that is cut off anywhere opens up to its last whole packet") {
    const Sample sample;
    const Read whole(sample.bytes);
    for (std::size_t length = 0; length < sample.bytes.size(); ++length) {
        INFO(length << " of " << sample.bytes.size() << " bytes");
        const Read read(std::string_view(sample.bytes).substr(0, length));
        std::size_t packets = 0;
        std::size_t end = 0;
        while (packets < sample.cuts.size() && sample.cuts[packets] <= length) end = sample.cuts[packets++];
        if (packets == 0) {
            REQUIRE(!read.summary);
            CHECK(read.summary.error().Text().find("f: holds no whole packet of an event stream") == 0);
            continue;
        }
        REQUIRE(read.summary);
        CHECK(read.summary->packets == packets);
        CHECK(!read.summary->whole);
        std::string told;
        if (end != length) {
            told = "f: byte " + std::to_string(end) + ": cut off within a packet; " + std::to_string(length - end) +
                   " bytes are left out\n";
        }
        told += "f: byte " + std::to_string(length) +
                ": the stream has no end: it opens up to its last whole packet, " + std::to_string(packets - 1) +
                " events\n";
        CHECK(read.Warnings() == told);
        for (Row row{}; row < read.log.View().Rows(); ++row) {
            CHECK(Same(read.log.View().At(row), whole.log.View().At(row)));
        }
    }
}

TEST_CASE("A flipped bit in an event stream costs its own packet and is told with its place") {
    const Sample sample;
    for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            INFO("bit " << bit << " of byte " << at);
            std::string damaged = sample.bytes;
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
            const Read read(damaged);
            std::size_t packet = 0;
            while (sample.cuts[packet] <= at) ++packet;
            REQUIRE(read.summary);
            CHECK(read.summary->packets == sample.cuts.size() - 1);
            const std::size_t begin = packet == 0 ? 0 : sample.cuts[packet - 1];
            const std::string where = "f: byte " + std::to_string(begin) + ": ";
            CHECK(read.Warnings().find(where) == 0);
            const bool anEvent = packet != 0 && packet + 1 != sample.cuts.size();
            CHECK(read.summary->lost == (anEvent ? 1u : 0u));
            CHECK(read.summary->events == (anEvent ? 4u : 5u));
            CHECK(Illegal(read.log.View()) == "");
            if (!anEvent) continue;
            // The event after it, or the end, found that one is missing; a gap stands where it was.
            CHECK(read.Warnings().find("1 event is missing before this packet") != std::string::npos);
            CHECK(read.log.View().At(Row{packet - 1}).event.kind == EventKind::Gap);
            CHECK(read.log.View().At(Row{packet - 1}).event.Dropped() == 1);
        }
    }
}

TEST_CASE("Text around packets becomes output; other bytes are left out with their place") {
    const Sample sample;
    const std::string first = sample.bytes.substr(0, sample.cuts[1]);
    const std::string rest = sample.bytes.substr(sample.cuts[1]);
    const Read read("SeaBIOS (version 1)\r\n" + first + "\x1b[1mcpu 0: up\xc3\xbc\x1b[0m\n" + std::string(1100, 'x') +
                    rest + std::string("\0\1\2", 3));
    REQUIRE(read.summary);
    const LogView view = read.log.View();
    REQUIRE(view.Rows() == Row{5 + 3});
    CHECK(view.At(Row{0}).event.kind == EventKind::Output);
    CHECK(view.Text(Row{0}) == "SeaBIOS (version 1)\r\n");
    CHECK(view.At(Row{1}).event.kind == EventKind::AllocatorCreated);
    CHECK(std::string(view.Text(Row{2})) + std::string(view.Text(Row{3})) ==
          "\x1b[1mcpu 0: up\xc3\xbc\x1b[0m\n" + std::string(1100, 'x'));
    CHECK(view.At(Row{2}).event.stamp == 1);
    const std::size_t end = 21 + first.size() + 20 + 1100 + rest.size();
    CHECK(read.Warnings() ==
          "f: byte " + std::to_string(end) + ": 3 bytes that are neither a packet nor text are left out\n");
    CHECK(read.summary->whole);
}

TEST_CASE("An event stream may arrive in pieces of any size") {
    const Sample sample;
    const std::string bytes = "noise\xF5" + sample.bytes.substr(0, 300) + "\xF5RE" + sample.bytes.substr(340);
    const Read whole(bytes);
    REQUIRE(whole.summary);
    for (const std::size_t piece : {1, 2, 3, 7, 64, 333}) {
        EventLog log;
        EventStreamReader reader("f", log);
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            REQUIRE(reader.Feed(std::string_view(bytes).substr(at, piece)));
        }
        const auto summary = reader.Finish();
        REQUIRE(summary);
        CHECK(Difference(whole.log.View(), log.View()) == "");
        REQUIRE(summary->warnings.size() == whole.summary->warnings.size());
        for (std::size_t i = 0; i < summary->warnings.size(); ++i) {
            CHECK(summary->warnings[i].where == whole.summary->warnings[i].where);
            CHECK(summary->warnings[i].text == whole.summary->warnings[i].text);
        }
    }
}

TEST_CASE("A stream that is joined late, or whose machine starts again, says so") {
    const Sample sample;
    const Read late(std::string_view(sample.bytes).substr(sample.cuts[1]));
    REQUIRE(late.summary);
    CHECK(late.Warnings().find("f: byte 0: the stream's beginning is missing: stamps are taken for steps\n"
                               "f: byte 0: 1 event is missing before this packet\n") == 0);
    CHECK(late.log.View().Source().name == "f");

    const Sample second("again");
    const Read twice(sample.bytes.substr(0, sample.cuts[3]) + second.bytes);
    REQUIRE(twice.summary);
    CHECK(twice.summary->runs == 2);
    CHECK(twice.summary->whole);
    CHECK(twice.Warnings() ==
          "f: byte " + std::to_string(sample.cuts[3]) +
              ": the stream begins again: the allocators of the run before are taken as destroyed\n");
    const LogView view = twice.log.View();
    REQUIRE(view.Rows() == Row{3 + 2 + 5});
    CHECK(view.At(Row{3}).event.kind == EventKind::AllocatorDestroyed);
    CHECK(view.At(Row{3}).event.Has(EventFlag::Inferred));
    CHECK(view.DiedTogether(Row{3}).size() == 2);
    CHECK(view.Text(Row{4}) == "The stream begins again here.");
    CHECK(view.Source().name == "a kernel");
    CHECK(Illegal(view) == "");
}

TEST_CASE("What an event stream cannot mean is refused or left out by byte offset") {
    const Sample sample;
    events::stream::BeginsRecord later{};
    later.version = 2;
    std::string record(64, '\0');
    const auto begins = [&] {
        std::memcpy(record.data(), &later, sizeof later);
        return PacketOf('B', 0, {record});
    };
    CHECK(Read("hello" + begins()).summary.error().Text() ==
          "f: byte 5: an event stream of version 2 (expected version 1)");
    later.version = 1;
    later.clock = 9;
    CHECK(Read(begins()).summary.error().Text() == "f: byte 0: clock 9 (expected 0 (steps) or 1 (ticks))");
    CHECK(Read(PacketOf('B', 0, {})).summary.error().Text() == "f: byte 0: a beginning of 0 records (expected 1)");
    later.clock = 0;

    Event strange = Make(EventKind::Marker);
    strange.kind = static_cast<EventKind>(200);
    Event traced = Allocated(0x1000, 8);
    traced.trace = TraceId{5};
    const std::string start = begins();
    const Read read(start + PacketOf('?', 0, {}) + PacketOf('E', 0, {}) + PacketOf('E', 1, {Record(strange)}) +
                    PacketOf('E', 2, {Record(traced), Record(traced)}) + PacketOf('E', 1, {Record(Freed(0x1000))}));
    REQUIRE(read.summary);
    const std::size_t empty = start.size() + 14 + 14;
    const std::string at = "f: byte ";
    CHECK(read.Warnings() ==
          at + std::to_string(start.size()) + ": a packet of unknown type 63 is left out\n" + at +
              std::to_string(start.size() + 14) + ": an event of no records is left out\n" + at +
              std::to_string(empty) + ": an event of unknown kind 200 is left out\n" + at + std::to_string(empty + 86) +
              ": record 1 is no piece of a text: the text ends before it\n" + at + std::to_string(empty + 86) +
              ": the frames of call trace 5 are missing: events are without it, and without all others that are "
              "missing\n" +
              at + std::to_string(empty + 86 + 158) + ": the events' numbers go back to 1\n" + at +
              std::to_string(empty + 86 + 158 + 86) +
              ": the stream has no end: it opens up to its last whole packet, 2 events\n");
    CHECK(read.log.View().Rows() == Row{2});
}

namespace {
// Never inlined, each a frame of its own.
__attribute__((noinline)) void Inner(StreamSink& sink, std::uint64_t address) {
    Event event = Allocated(address, 8);
    event.trace = sink.Capture(0);
    events::EmitNow(sink, event);
    asm volatile("" ::: "memory");
}
__attribute__((noinline)) void Outer(StreamSink& sink, std::uint64_t address) {
    Inner(sink, address);
    asm volatile("" ::: "memory");
}
}  // namespace

TEST_CASE("Call traces cross the wire once for each stack, and share their outer frames") {
    std::string bytes;
    StreamSink sink({.write = ToString, .context = &bytes, .traceDepth = 3, .stack = events::OwnStack()});
    // Each loop has one call: unrolled it would have several.
    const volatile int deep = 4, all = 6;
    for (int i = 0; i < deep; ++i) Outer(sink, 0x1000 + 16 * static_cast<std::uint64_t>(i));
    const std::size_t repeated = bytes.size();
    for (int i = deep; i < all; ++i) Inner(sink, 0x1000 + 16 * static_cast<std::uint64_t>(i));
    const std::string_view sent(bytes);
    const auto traces = [](std::string_view part) {
        std::size_t count = 0;
        const std::string packet = std::string(events::stream::kMark, 4) + 'T';
        for (std::size_t at = 0; (at = part.find(packet, at)) != std::string_view::npos; ++at) ++count;
        return count;
    };
    CHECK(traces(sent.substr(0, repeated)) == 1);
    CHECK(traces(sent.substr(repeated)) == 1);
    sink.End();

    const Read read(bytes);
    REQUIRE(read.summary);
    CHECK(read.Warnings() == "");
    const LogView view = read.log.View();
    const TraceId first = view.At(Row{0}).event.trace;
    REQUIRE(first);
    CHECK(view.At(Row{3}).event.trace == first);
    CHECK(view.At(Row{4}).event.trace != first);
    CHECK(view.At(Row{5}).event.trace == view.At(Row{4}).event.trace);
    CHECK(view.Frames(first).size() == 3);
    const auto inner = reinterpret_cast<std::uintptr_t>(&Inner);
    CHECK(view.FrameAddress(first) - inner < 4096);
    const auto outer = reinterpret_cast<std::uintptr_t>(&Outer);
    CHECK(view.FrameAddress(view.ParentTrace(first)) - outer < 4096);
}

TEST_CASE("An event stream is told by its content, also in a file, also compressed") {
    const Sample sample;
    CHECK(LooksLikeEventStream(sample.bytes));
    CHECK(LooksLikeEventStream("noise\xF5REV" + sample.bytes));
    CHECK(LooksLikeEventStream(sample.bytes.substr(sample.cuts[2])));
    CHECK(!LooksLikeEventStream(sample.bytes.substr(0, sample.cuts[0] - 1)));
    CHECK(!LooksLikeEventStream(std::string(70000, ' ') + sample.bytes));
    CHECK(!LooksLikeEventStream("a 0 16\n"));
    const support::ScratchFolder folder;
    const std::string path = folder.Write("serial.bin", sample.bytes);
    CHECK(IsEventStream(path));
    CHECK(!IsEventStream(folder / "none"));
    CHECK(!IsEventStream(folder.Path().string()));
    EventLog log;
    std::atomic<double> progress{0};
    const auto read = ReadEventStream(path, log, nullptr, &progress);
    REQUIRE(read);
    CHECK(read->whole);
    CHECK(progress == 1);
    EventLog other;
    const std::atomic<bool> cancelled{true};
    CHECK(ReadEventStream(path, other, &cancelled).error().what == "cancelled");
    CHECK(!ReadEventStream(folder / "none", other));
}
