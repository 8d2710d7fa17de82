// Files, compressed data, long lines and hostile sizes.
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdio>
#include <filesystem>

#include "import/byte_source.hpp"
#include "import/id_map.hpp"
#include "import/read_support.hpp"
#include "import/text_scanner.hpp"

using namespace residue;
using namespace residue::import;

namespace {

std::string Gzip(std::string_view text) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string packed(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

std::string Zstd(std::string_view text) {
    std::string packed(ZSTD_compressBound(text.size()), '\0');
    packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
    return packed;
}

struct TemporaryFolder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("residue-" + std::to_string(::getpid()));
    TemporaryFolder() { std::filesystem::create_directories(path); }
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
    std::string Write(const char* name, std::string_view bytes) const {
        std::ofstream(path / name, std::ios::binary) << bytes;
        return (path / name).string();
    }
};

std::string LongTrace(int pairs) {
    std::string text = "0\n1\n" + std::to_string(pairs * 2) + "\n0\n";
    for (int pair = 0; pair < pairs; ++pair) text += "a 0 " + std::to_string(pair + 1) + "\nf 0\n";
    return text;
}

}  // namespace

TEST_CASE("compressed text reads like the text itself, told by content") {
    const std::string text = LongTrace(24000);  // more than one buffer
    const ReadAll plain = ReadRep(text);
    REQUIRE(plain.operations.size() == 48000);
    for (const std::string& packed : {Gzip(text), Zstd(text), Gzip(text.substr(0, 777)) + Gzip(text.substr(777)),
                                      Zstd(text.substr(0, 777)) + Zstd(text.substr(777)),
                                      Gzip(text) + std::string(512, '\0')}) {
        const ReadAll unpacked = ReadBytes("no ending", packed);
        CHECK(unpacked.failure.empty());
        CHECK(unpacked.WarningText().empty());
        CHECK(unpacked.operations == plain.operations);
    }
}

TEST_CASE("compressed data that are cut off give what is there and a warning, damaged ones a failure") {
    const std::string text = LongTrace(60000);
    for (const std::string& packed : {Gzip(text), Zstd(text)}) {
        const ReadAll cut = ReadBytes("x.rep", std::string_view(packed).substr(0, packed.size() / 2));
        CHECK(cut.failure.empty());
        CHECK(cut.WarningText().find("the compressed data end here in the middle") != std::string::npos);
    }
    // gzip has a checksum; of zstd, the header of the first block gets a type that there is none of.
    std::string damagedGzip = Gzip(text);
    damagedGzip[damagedGzip.size() / 2] ^= '\x55';
    CHECK(ReadBytes("x.rep", damagedGzip).failure.starts_with("x.rep: damaged gzip data"));
    std::string damagedZstd = Zstd(text);
    damagedZstd.replace(9, 3, "\xff\xff\xff");
    CHECK(ReadBytes("x.rep", damagedZstd).failure.starts_with("x.rep: damaged zstd data"));
    CHECK(ReadBytes("x", Gzip(Gzip(text))).failure.find("binary data") != std::string::npos);
    CHECK(ReadBytes("x", Gzip("")).failure == "x: the file is empty (expected a trace)");
    CHECK(ReadBytes("x", std::string_view("\x1f\x8b")).failure ==
          "x: the compressed data are cut off before the first operation (expected a trace)");
}

TEST_CASE("a decompression bomb is read in constant memory and can be cancelled") {
    const std::string bomb = Gzip("0\n1\n2\n0\na 0 8\n" + std::string(4 << 20, ' ') + "f 0\n");
    REQUIRE(bomb.size() < 20000);
    CHECK(ReadBytes("x.rep", bomb).operations.size() == 2);
    auto reader = OpenTraceBytes("x.rep", bomb);
    REQUIRE(reader);
    const std::atomic<bool> cancelled = true;
    const auto figures = ReadFigures(**reader, &cancelled);
    REQUIRE_FALSE(figures);
    CHECK(figures.error().what == "cancelled");

    auto again = OpenTraceBytes("x.rep", bomb);
    REQUIRE(again);
    Operation operation;
    REQUIRE((*again)->Next(operation));
    (*again)->CancelWith(&cancelled);
    const auto next = (*again)->Next(operation);  // in the middle of the blanks
    REQUIRE_FALSE(next);
    CHECK(next.error().what == "cancelled");
}

TEST_CASE("a gigantic line without a blank is one warning's worth of memory") {
    const ReadAll all = ReadRep("0\n1\n2\n0\na 0 8\n" + std::string(2 << 20, 'x') + "\nf 0\n");
    CHECK(all.operations.size() == 2);
    REQUIRE(all.warnings.size() == 1);
    CHECK(all.warnings[0].where == "t.rep:6");
    CHECK(all.warnings[0].text.size() < 200);
    CHECK(ReadRep("0\n1\n2\n0\na 0 " + std::string(1 << 20, '9') + "\nf 0\n").operations.size() == 1);
    CHECK(ReadScript("#" + std::string(2 << 20, '#') + "\na 0 8\n").operations.size() == 1);
}

TEST_CASE("tokens across the buffer's edges are whole, wherever the edge falls") {
    for (std::size_t blanks = TextScanner::kBufferBytes - 20; blanks < TextScanner::kBufferBytes + 2; ++blanks) {
        const ReadAll all = ReadRep("0\n1\n2\n0\n" + std::string(blanks, ' ') + "a 0 123456789\nf 0");
        REQUIRE(all.operations.size() == 2);
        REQUIRE(all.operations[0].size == 123456789);
        REQUIRE(all.warnings.empty());
    }
}

TEST_CASE("what cannot be opened says why") {
    const TemporaryFolder folder;
    const auto textOf = [](const std::string& path) { return OpenTrace(path).error().Text(); };
    CHECK(textOf("/no/such/file.rep") == "/no/such/file.rep: cannot be opened: No such file or directory");
    CHECK(textOf(folder.path.string()) == folder.path.string() + ": is a directory (expected a file)");
    CHECK(textOf("/dev/zero") == "/dev/zero: is a device, a pipe or a socket (expected a file)");
    const std::string pipe = (folder.path / "pipe").string();
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(textOf(pipe) == pipe + ": is a device, a pipe or a socket (expected a file)");
    const std::string locked = folder.Write("locked.rep", "0\n");
    REQUIRE(::chmod(locked.c_str(), 0) == 0);
    if (::geteuid() != 0) CHECK(textOf(locked) == locked + ": cannot be opened: Permission denied");
    CHECK(textOf(folder.Write("empty.rep", "")).ends_with("the file is empty (expected a trace)"));
}

TEST_CASE("a file that shrinks while it is read just ends") {
    const TemporaryFolder folder;
    const std::string path = folder.Write("shrinks.rep", LongTrace(24000));
    auto reader = OpenTrace(path);
    REQUIRE(reader);
    Operation operation;
    REQUIRE((*reader)->Next(operation));
    REQUIRE(::truncate(path.c_str(), 100) == 0);
    std::uint64_t count = 1;
    for (auto more = (*reader)->Next(operation); more && *more; more = (*reader)->Next(operation)) ++count;
    CHECK(count < 48000);
    CHECK((*reader)->Progress() == 1.0);
    CHECK((*reader)->Warnings().size() >= 1);
}

TEST_CASE("progress grows from 0 to 1") {
    const std::string text = LongTrace(60000);
    auto reader = OpenTraceBytes("x.rep", text);
    REQUIRE(reader);
    double before = (*reader)->Progress();
    CHECK(before < 0.5);
    Operation operation;
    bool grows = true;
    for (auto more = (*reader)->Next(operation); more && *more; more = (*reader)->Next(operation)) {
        grows = grows && (*reader)->Progress() >= before;
        before = (*reader)->Progress();
    }
    CHECK(grows);
    CHECK((*reader)->Progress() == 1.0);
}

TEST_CASE("hostile ids cost no more than their number") {
    std::string text = "0\n0\n0\n0\n";
    for (int shift = 0; shift < 63; ++shift) text += "a " + std::to_string(std::uint64_t{1} << shift) + " 8\n";
    text += "f 9223372036854775807\nf 4611686018427387904\n";
    const TraceFigures figures = FiguresOf("t.rep", text);
    CHECK(figures.allocations == 63);
    CHECK(figures.frees == 1);
    CHECK(figures.badFrees == 1);
    CHECK(figures.liveBytes == 62 * 8);
}

TEST_CASE("an id keeps its value when the dense part of the map grows over it") {
    IdMap<std::uint64_t> map;
    map.At(100000) = 1;
    map.At((std::int64_t{1} << 62) + 5) = 2;
    for (std::int64_t id = 0; id < 60000; ++id) map.At(id) = static_cast<std::uint64_t>(id) * 3;
    REQUIRE(map.Find(100000) != nullptr);
    CHECK(*map.Find(100000) == 1);
    CHECK(*map.Find((std::int64_t{1} << 62) + 5) == 2);
    CHECK(*map.Find(59999) == 59999 * 3);
    CHECK(map.Find(60000) == nullptr);
    CHECK(map.Distinct() == 60002);
    std::int64_t last = -1;
    std::uint64_t visited = 0;
    bool ascends = true;
    map.Visit([&](std::int64_t id, std::uint64_t) {
        ascends = ascends && id > last;
        last = id;
        ++visited;
    });
    CHECK(ascends);
    CHECK(visited == 60002);
}
