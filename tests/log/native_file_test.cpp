#include "log/native_file.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "events.hpp"
#include "log/appender.hpp"
#include "log/columns.hpp"
#include "log/native_format.hpp"
#include "log/native_made.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::log;
using namespace residue::log::testing;

namespace {

using Bytes = std::vector<std::byte>;

struct MemoryOutput final : NativeOutput {
    Bytes bytes;
    std::size_t writesUntilFull = ~std::size_t{0};
    Outcome<void> Write(std::span<const std::byte> more) override {
        if (writesUntilFull-- == 0) {
            bytes.insert(bytes.end(), more.begin(), more.begin() + static_cast<std::ptrdiff_t>(more.size() / 2));
            return Fail(Failure{"disk", "full", ""});
        }
        bytes.insert(bytes.end(), more.begin(), more.end());
        return {};
    }
};

// A bit of everything, in three steps; `afterEach` sees the log in between.
template <class AfterEach>
void FillSample(EventLog& log, AfterEach afterEach) {
    log.SetSource({"sample", "recorded", Clock::Ticks, 2.5e9, true, AllocatorId{513}});
    const TraceId outer = log.AddTrace({}, 0x400100);
    const TraceId inner = log.AddTrace(outer, 0x400200);
    log.NameFrame(0x400100, {"main", "main.cpp", 12});
    log.NameFrame(0x400300, {"Work", "work.cpp", 9, {{"Add", "add.hpp", 3}, {"Grow", "", 0}}});
    Appender appender(log);
    appender.Append(Make(EventKind::AllocatorCreated, 0x1000, 0x1000), "fixed buffer");
    Event event = Allocated(0x1010, 24);
    event.stamp = 1ull << 60;
    event.trace = inner;
    event.header = 8;
    event.rounding = 8;
    event.padding = 4;
    event.slack = 12;
    event.alignmentLog2 = 4;
    appender.Append(event, {});
    appender.Append(Make(EventKind::Output), std::string(300, 'x'));
    afterEach();
    appender.Append(Freed(0x1010), {});
    appender.Append(Freed(0x1010), {});
    log.AddTrace(inner, 0x400300);
    appender.Append(Allocated(0x1100, 16), {});
    appender.Append(Allocated(0x1108, 16), {});
    afterEach();
    appender.Append(ResizeBegins(0x1108, 64), {});
    appender.Append(ResizeEnds(0x1108, 0x1200, 64), {});
    appender.Append(Make(EventKind::BulkFreed, 0x1000, 0x1000), {});
    appender.Append(Make(EventKind::Marker), "the end");
    afterEach();
}

struct Sample {
    EventLog log;
    Bytes bytes;
    Sample() {
        MemoryOutput output;
        NativeStream stream(output);
        FillSample(log, [&] { REQUIRE(stream.Update(log.View())); });
        REQUIRE(stream.Finish(log.View()));
        bytes = output.bytes;
    }
};

Outcome<NativeSummary> ReadBytes(const Bytes& bytes, EventLog& into) {
    return ReadNativeBytes("f", bytes, into);
}

// The first rows of `whole`, as many as `part` has, are all that `part` has.
std::string NotAPrefix(const LogView& part, const LogView& whole) {
    if (part.Rows() > whole.Rows()) return "more rows";
    for (Row row{}; row < part.Rows(); ++row) {
        if (!Same(part.At(row), whole.At(row))) return "row " + std::to_string(row.value);
        if (part.Text(row) != whole.Text(row)) return "text of row " + std::to_string(row.value);
    }
    return {};
}

}  // namespace

TEST_CASE("the checksum is CRC-32C") {
    const std::string_view digits = "123456789";  // the check value of the catalogue of CRCs
    const auto bytes = std::as_bytes(std::span(digits.data(), digits.size()));
    CHECK(Crc32c(bytes) == 0xE3069283u);
    CHECK(Crc32c(bytes.subspan(4), Crc32c(bytes.first(4))) == 0xE3069283u);
    const std::vector<std::byte> zeros(32);
    CHECK(Crc32c(zeros) == 0x8A9136AAu);  // RFC 3720, B.4
}

TEST_CASE("a log comes back from its file as it was") {
    Sample sample;
    EventLog again;
    const auto read = ReadBytes(sample.bytes, again);
    REQUIRE(read);
    CHECK(read->whole);
    CHECK(read->warnings.empty());
    CHECK(read->version == 2);
    CHECK(again.Closed());
    const LogView a = sample.log.View();
    const LogView b = again.View();
    CHECK(Difference(a, b) == "");
    CHECK(b.Source().name == "sample");
    CHECK(b.Source().provenance == "recorded");
    CHECK(b.Source().clock == Clock::Ticks);
    CHECK(b.Source().ticksPerSecond == 2.5e9);
    CHECK(b.Source().layoutSimulated);
    CHECK(b.Source().payloadsOnly == AllocatorId{513});
    REQUIRE(b.Traces() == 3);
    for (std::uint32_t id = 1; id <= 3; ++id) {
        CHECK(b.FrameAddress(TraceId{id}) == a.FrameAddress(TraceId{id}));
        CHECK(b.ParentTrace(TraceId{id}) == a.ParentTrace(TraceId{id}));
    }
    CHECK(b.TopFrame(TraceId{1}).function == "main");
    CHECK(b.TopFrame(TraceId{1}).file == "main.cpp");
    CHECK(b.TopFrame(TraceId{1}).line == 12);
    CHECK(b.TopFrame(TraceId{2}).function == "0x400200");
    CHECK(b.TopFrame(TraceId{3}).inlined == a.TopFrame(TraceId{3}).inlined);
    const std::vector<log::Frame> frames = b.Frames(TraceId{3});  // with what was inlined, and who called
    REQUIRE(frames.size() == 5);
    CHECK((frames[0].function == "Add" && frames[0].line == 3 && frames[0].isInlined));
    CHECK((frames[1].function == "Grow" && frames[1].file.empty() && frames[1].isInlined));
    CHECK((frames[2].function == "Work" && frames[2].line == 9 && !frames[2].isInlined && frames[2].inlined.empty()));
    CHECK(frames[4].function == "main");
}

TEST_CASE("a log of many chunks comes back through a file on the disk") {
    Folder folder;
    EventLog log;
    Appender appender(log);
    for (std::uint64_t i = 0; i < kChunkRows + 17; ++i) {
        Event event = i % 2 == 0 ? Allocated(0x1000 + i % 512 * 32, i % 32) : Freed(0x1000 + (i - 1) % 512 * 32);
        event.stamp = i;
        appender.Append(event, i % 5000 == 0 ? "row " + std::to_string(i) : "");
    }
    std::atomic<double> progress{0};
    REQUIRE(WriteNative(log.View(), folder.File("a.residue"), nullptr, &progress));
    CHECK(progress == 1);
    CHECK(folder.Count() == 1);
    EventLog again;
    progress = 0;
    const auto read = ReadNative(folder.File("a.residue"), again, nullptr, &progress);
    REQUIRE(read);
    CHECK(read->rows == kChunkRows + 17);
    CHECK(progress == 1);
    CHECK(Difference(log.View(), again.View()) == "");
    CHECK(std::filesystem::file_size(folder.File("a.residue")) < 8 * read->rows);
}

TEST_CASE("an empty log has a file too") {
    MemoryOutput output;
    NativeStream stream(output);
    REQUIRE(stream.Finish(EventLog().View()));
    EventLog again;
    const auto read = ReadBytes(output.bytes, again);
    REQUIRE(read);
    CHECK(read->whole);
    CHECK(again.View().Rows() == Row{0});
}

TEST_CASE("cut off at any byte, a file opens up to its last whole chunk") {
    Sample sample;
    const LogView whole = sample.log.View();
    std::vector<std::pair<std::size_t, std::uint64_t>> ends;  // of each chunk, and the rows that are there by then
    std::uint64_t rows = 0;
    for (std::size_t at = native::kFileHeaderBytes; at < sample.bytes.size();) {
        native::ChunkHeader header;
        const auto bytes = std::span(sample.bytes).subspan(at);
        REQUIRE(native::ReadChunkHeader(bytes.first(native::kChunkHeaderBytes), header));
        if (header.tag == native::kEvents) rows = ends.empty() ? 0 : rows + (rows == 0 ? 3 : rows == 3 ? 5 : 4);
        at += native::kChunkHeaderBytes + header.length;
        ends.emplace_back(at, rows);
    }
    REQUIRE(rows == whole.Rows().value);
    for (std::size_t length = 0; length < sample.bytes.size(); ++length) {
        CAPTURE(length);
        EventLog again;
        const auto read =
            ReadBytes(Bytes(sample.bytes.begin(), sample.bytes.begin() + static_cast<long>(length)), again);
        REQUIRE(read.has_value() == (length >= native::kFileHeaderBytes));
        if (!read) continue;
        CHECK_FALSE(read->whole);
        CHECK_FALSE(read->warnings.empty());
        std::uint64_t expected = 0;
        for (const auto& [end, rowsThere] : ends) expected = end <= length ? rowsThere : expected;
        CHECK(again.View().Rows().value == expected);
        CHECK(NotAPrefix(again.View(), whole) == "");
    }
}

TEST_CASE("no flipped byte goes unseen") {
    Sample sample;
    const LogView whole = sample.log.View();
    for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
        CAPTURE(at);
        Bytes bytes = sample.bytes;
        bytes[at] ^= static_cast<std::byte>(1u << (at % 8));
        EventLog again;
        const auto read = ReadBytes(bytes, again);
        if (!read) {
            CHECK_FALSE(read.error().where.empty());
            continue;
        }
        CHECK_FALSE(read->whole);
        CHECK_FALSE(read->warnings.empty());
        CHECK(NotAPrefix(again.View(), whole) == "");
    }
}

TEST_CASE("a full disk at any write is reported, and what was written opens") {
    std::size_t writes = 0;
    for (bool failed = true; failed; ++writes) {
        EventLog log;
        MemoryOutput output;
        output.writesUntilFull = writes;
        NativeStream stream(output);
        bool ok = true;
        FillSample(log, [&] { ok = ok && stream.Update(log.View()).has_value(); });
        const auto finished = ok ? stream.Finish(log.View()) : Outcome<void>(Fail(Failure{}));
        failed = !finished;
        if (output.bytes.size() < native::kFileHeaderBytes) continue;
        EventLog again;
        const auto read = ReadBytes(output.bytes, again);
        REQUIRE(read);
        CHECK(read->whole == !failed);
        CHECK(NotAPrefix(again.View(), log.View()) == "");
    }
    CHECK(writes > 8);
}

TEST_CASE("saving never loses what was there") {
    Sample sample;
    Folder folder;
    const std::string path = folder.File("kept.residue");
    std::ofstream(path) << "precious";
    ::chmod(path.c_str(), 0640);
    const std::atomic<bool> cancelled{true};
    const auto stopped = WriteNative(sample.log.View(), path, &cancelled);
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().what == "cancelled");
    CHECK(std::filesystem::file_size(path) == 8);
    CHECK(folder.Count() == 1);

    std::filesystem::create_symlink(path, folder.File("link"));
    REQUIRE(WriteNative(sample.log.View(), folder.File("link")));
    CHECK(std::filesystem::is_symlink(folder.File("link")));
    EventLog again;
    REQUIRE(ReadNative(path, again));
    CHECK(again.View().Rows() == sample.log.View().Rows());
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 07777) == 0640);
}

TEST_CASE("places that cannot be written or read say so") {
    Sample sample;
    Folder folder;
    for (const std::string& path : {folder.path, folder.File("none/a.residue"), std::string("/dev/full")}) {
        CAPTURE(path);
        const auto written = WriteNative(sample.log.View(), path);
        REQUIRE_FALSE(written);
        CHECK(written.error().where == path);
    }
    CHECK(std::filesystem::exists("/dev/full"));
    CHECK(folder.Count() == 0);
    std::ofstream(folder.File("empty"));
    std::ofstream(folder.File("text")) << "a 0 512\nf 0\n and more of this kind\n";
    REQUIRE(::mkfifo(folder.File("pipe").c_str(), 0600) == 0);
    for (const std::string& path : {folder.path, folder.File("none"), folder.File("empty"), folder.File("text"),
                                    folder.File("pipe"), std::string("/dev/zero")}) {
        CAPTURE(path);
        EventLog log;
        const auto read = ReadNative(path, log);
        REQUIRE_FALSE(read);
        CHECK(read.error().where.starts_with(path));
    }
    EventLog log;
    const std::atomic<bool> cancelled{true};
    REQUIRE(WriteNative(sample.log.View(), folder.File("a")));
    CHECK(ReadNative(folder.File("a"), log, &cancelled).error().what == "cancelled");
}

TEST_CASE("a chunk that cannot be what it says is refused by byte offset") {
    const native::Writer none;
    CHECK(Made().Chunk(native::kEvents, EventsPayload(0, 0, {})).Refusal() ==
          "f: byte 16: 0 rows (expected 1 to 65536)");
    CHECK(Made().Chunk(native::kEvents, EventsPayload(0, 65537, {})).Refusal() ==
          "f: byte 16: 65537 rows (expected 1 to 65536)");
    CHECK(Made().Chunk(native::kEvents, EventsPayload(9, 1, {})).Refusal() == "f: byte 16: row 9 (expected row 0)");
    CHECK(Made().Chunk(native::kEvents, EventsPayload(0, 1, {{0, 3}}, {1, 2, 3})).Refusal() ==
          "f: byte 16: column 0 of width 3 (expected 0, 1, 2, 4, 8 or 17 to 24)");
    CHECK(Made().Chunk(native::kEvents, EventsPayload(0, 1, {{0, 25}}, {1, 2, 3})).Refusal() ==
          "f: byte 16: column 0 of width 25 (expected 0, 1, 2, 4, 8 or 17 to 24)");
    CHECK(Made(1).Chunk(native::kEvents, EventsPayload(0, 1, {{0, 17}}, {1, 2, 3})).Refusal() ==
          "f: byte 16: column 0 of width 17 (expected 0, 1, 2, 4 or 8)");
    CHECK(Made().Chunk(native::kEvents, EventsPayload(0, 2, {{0, 24}}, {1, 2, 3})).Refusal() ==
          "f: byte 16: ends before its 2 rows");
    CHECK(Made().Chunk(native::kEvents, EventsPayload(0, 2, {{0, 8}}, {1, 2, 3})).Refusal() ==
          "f: byte 16: ends before its 2 rows");
    CHECK(Made().Chunk(native::kEvents, none, 9).Refusal() ==
          "f: byte 16: codec 9 (expected 0 or 1: the file may come from a later version)");
    CHECK(Made().Chunk(native::kEvents, none, 1, 100).Refusal() == "f: byte 16: 0 bytes once decoded (expected 100)");
    native::Writer noise;
    noise.Text("noise");
    CHECK(Made().Chunk(native::kEvents, noise, 1, 100).Refusal().starts_with("f: byte 16: zstd cannot decode it"));
    CHECK(Made().Chunk(native::kEvents, none, 1, ~0ull).Refusal().find("(expected at most 67108864)") !=
          std::string::npos);
    CHECK(Made().End(0, 0).Refusal() == "");
    CHECK(Made().End(1, 0).Refusal() == "f: byte 16: an end after 0 rows and 0 traces (expected 1 and 0)");
    native::Writer trace;
    trace.Number(std::uint32_t{1});
    trace.Number(std::uint32_t{0xFFFFFFFF});
    CHECK(Made().Chunk(native::kTraces, trace).Refusal() == "f: byte 16: ends before its 4294967295 traces");
    native::Writer cycle;
    cycle.Number(std::uint32_t{1});
    cycle.Number(std::uint32_t{1});
    cycle.Number(std::uint32_t{1});
    cycle.Number(std::uint64_t{7});
    CHECK(Made().Chunk(native::kTraces, cycle).Refusal() ==
          "f: byte 16: trace 1 has parent 1 (expected one before it)");
    native::Writer text;
    text.Number(std::uint64_t{0});
    text.Number(std::uint32_t{1});
    text.Number(std::uint32_t{5});
    text.Number(std::uint32_t{0});
    CHECK(Made().Chunk(native::kTexts, text).Chunk(native::kEvents, EventsPayload(0, 1, {})).Refusal() ==
          "f: byte 68: a text of row 5 of 1 (expected one of its rows)");
    native::Writer later;
    later.Bytes(native::kMagic);
    later.Number(std::uint32_t{3});
    later.Number(Crc32c(later.Written()));
    EventLog log;
    CHECK(ReadNativeBytes("f", later.Written(), log).error().Text() ==
          "f: byte 0: version 3 (expected version 1 to 2)");
}

TEST_CASE("an illegal stream in a file is made legal, with a warning") {
    // Two allocations at one address, then two events of a kind that is not known.
    Made made;
    made.Chunk(native::kEvents, EventsPayload(0, 2, {{}, {0x1000, 0}, {8, 0}, {}, {}, {}, {}, {}, {}, {}, {}, {2, 0}}));
    made.Chunk(native::kEvents, EventsPayload(2, 2, {{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {99, 0}})).End(4, 0);
    EventLog log;
    const auto read = made.Read(log);
    REQUIRE(read);
    CHECK(read->rows == 4);
    CHECK(log.View().Rows() == Row{3});
    CHECK(Illegal(log.View()) == "");
    REQUIRE(read->warnings.size() == 2);
    CHECK(read->warnings[0].where == "f: event 2");
}

TEST_CASE("a file that unfolds to far more than its size is refused") {
    native::Writer raw;
    raw.Number(std::uint32_t{1});
    raw.Number(std::uint64_t{0});
    raw.Number(std::uint32_t{0});
    raw.Text(std::string(40u << 20, 'a'));
    raw.Text("");
    Bytes packed(ZSTD_compressBound(raw.Written().size()));
    Made made;
    for (std::uint64_t frame = 0; frame < 2; ++frame) {
        Bytes bytes(raw.Written().begin(), raw.Written().end());
        std::memcpy(bytes.data() + 4, &frame, sizeof(frame));
        const std::size_t size = ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 1);
        native::Writer payload;
        payload.Bytes(std::span(packed).first(size));
        made.Chunk(native::kNames, payload, 1, bytes.size());
    }
    REQUIRE(made.bytes.Written().size() < 16000);
    CHECK(made.Refusal().find("unfolds to more memory") != std::string::npos);
}

TEST_CASE("what comes after the end is left out with a warning") {
    Sample sample;
    Bytes bytes = sample.bytes;
    bytes.resize(bytes.size() + 5);
    EventLog again;
    const auto read = ReadBytes(bytes, again);
    REQUIRE(read);
    CHECK(read->whole);
    REQUIRE(read->warnings.size() == 1);
    CHECK(read->warnings[0].text == "5 bytes after the end are left out");
}
