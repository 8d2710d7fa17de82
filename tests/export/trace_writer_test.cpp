#include "export/trace_writer.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "export/atomic_file.hpp"
#include "import/trace.hpp"
#include "log/appender.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::exports;
using events::Event;
using events::EventFlag;
using events::EventKind;

namespace {

struct TemporaryFolder {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("residue-export-" + std::to_string(::getpid()));
    TemporaryFolder() { std::filesystem::create_directories(path); }
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
    std::string operator/(const char* name) const { return (path / name).string(); }
    std::string Write(const char* name, std::string_view text) const {
        std::ofstream(path / name, std::ios::binary) << text;
        return *this / name;
    }
    std::size_t Files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
    }
};

std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

import::TraceFigures FiguresOf(const std::string& path) {
    auto reader = import::OpenTrace(path);
    REQUIRE(reader);
    const auto figures = import::ReadFigures(**reader, nullptr);
    REQUIRE(figures);
    return *figures;
}

bool Same(const import::TraceFigures& a, const import::TraceFigures& b) {
    return a.operations == b.operations && a.allocations == b.allocations && a.frees == b.frees &&
           a.resizes == b.resizes && a.badFrees == b.badFrees && a.liveBytes == b.liveBytes &&
           a.liveBlocks == b.liveBlocks && a.peakLiveBytes == b.peakLiveBytes && a.peakPosition == b.peakPosition &&
           a.totalBytes == b.totalBytes && a.largestRequest == b.largestRequest;
}

// A log told by hand.
class Story {
public:
    Event& Add(EventKind kind, std::uint64_t address, std::uint64_t size = 0) {
        Event event;
        event.kind = kind;
        event.address = address;
        event.size = size;
        event.allocator = AllocatorId{1};
        event.thread = ThreadId{1};
        event.stamp = ++stamp_;
        events_.push_back(event);
        return events_.back();
    }
    void Resized(std::uint64_t from, std::uint64_t to, std::uint64_t size) {
        Add(EventKind::ResizeBegins, from, size);
        Add(EventKind::ResizeEnds, to, size).argument = from;
    }
    log::LogView Tell() {
        log::Appender appender(log_);
        appender.Append(events_.data(), events_.size());
        appender.Flush();
        return log_.View();
    }

private:
    log::EventLog log_;
    std::vector<Event> events_;
    std::uint64_t stamp_ = 0;
};

}  // namespace

TEST_CASE("a log becomes a .rep with ids in order of birth and the right counts") {
    const TemporaryFolder folder;
    Story story;
    story.Add(EventKind::Allocated, 0x1000, 100);
    story.Add(EventKind::Allocated, 0x2000, 200);
    story.Resized(0x1000, 0x3000, 150);  // moves
    story.Resized(0x2000, 0x2000, 180);  // in place
    story.Add(EventKind::Freed, 0x3000);
    story.Add(EventKind::Allocated, 0x1000, 7);  // an address used again is another block
    WriteSummary summary;
    REQUIRE(WriteRep(story.Tell(), folder / "out.rep", false, {nullptr, &summary}));
    CHECK(ReadFile(folder / "out.rep") == "1\n3\n6\n0\na 0 100\na 1 200\nr 0 150\nr 1 180\nf 0\na 2 7\n");
    CHECK(summary.operations == 6);
    CHECK(summary.ids == 3);
    CHECK(summary.leftOut == 0);
    CHECK(folder.Files() == 1);
}

TEST_CASE("balanced frees what is live at the end, and a script has no header") {
    const TemporaryFolder folder;
    Story story;
    story.Add(EventKind::Allocated, 0x1000, 100);
    story.Add(EventKind::Allocated, 0x2000, 200);
    story.Add(EventKind::Allocated, 0x3000, 300);
    story.Add(EventKind::Freed, 0x2000);
    const log::LogView log = story.Tell();
    REQUIRE(WriteRep(log, folder / "out.rep", true));
    CHECK(ReadFile(folder / "out.rep") == "1\n3\n6\n0\na 0 100\na 1 200\na 2 300\nf 1\nf 0\nf 2\n");
    REQUIRE(WriteScript(log, folder / "out.script", true));
    CHECK(ReadFile(folder / "out.script") == "a 0 100\na 1 200\na 2 300\nf 1\nf 0\nf 2\n");
    auto reader = import::OpenTrace(folder / "out.rep");
    REQUIRE(reader);
    REQUIRE(import::ReadFigures(**reader, nullptr));
    CHECK((*reader)->Warnings().empty());
}

TEST_CASE("bulk frees are frees, an allocator's end is none, and what has no block is counted") {
    const TemporaryFolder folder;
    Story story;
    story.Add(EventKind::Allocated, 0x1000, 100);
    story.Add(EventKind::Allocated, 0x1100, 100);
    story.Add(EventKind::BulkFreed, 0x1000, 0x200);
    story.Add(EventKind::Allocated, 0x5000, 50);
    story.Add(EventKind::AllocateFailed, 0, 5000).error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);
    story.Add(EventKind::Freed, 0x9999);
    story.Add(EventKind::Step, 0).flags = Bit(EventFlag::IsCall);
    story.Add(EventKind::AllocatorDestroyed, 0);
    WriteSummary summary;
    REQUIRE(WriteRep(story.Tell(), folder / "out.rep", false, {nullptr, &summary}));
    CHECK(ReadFile(folder / "out.rep") == "1\n3\n5\n0\na 0 100\na 1 100\nf 0\nf 1\na 2 50\n");
    CHECK(summary.leftOut == 3);
}

TEST_CASE("a child's region and an allocator's requests to its parent are no requests of the program") {
    const TemporaryFolder folder;
    Story story;
    story.Add(EventKind::AllocatorCreated, 0x1000, 0x1000);
    story.Add(EventKind::Allocated, 0x1100, 0x400);  // the child's region
    Event& child = story.Add(EventKind::AllocatorCreated, 0x1100, 0x400);
    child.allocator = AllocatorId{2};
    child.header = 1;
    story.Add(EventKind::Allocated, 0x1110, 32).allocator = AllocatorId{2};
    story.Add(EventKind::Allocated, 0x1800, 64).flags = Bit(EventFlag::NotACall);
    story.Add(EventKind::Freed, 0x1800).flags = Bit(EventFlag::NotACall);
    REQUIRE(WriteRep(story.Tell(), folder / "out.rep"));
    CHECK(ReadFile(folder / "out.rep") == "1\n1\n1\n0\na 0 32\n");
}

TEST_CASE("a trace converted to the other format and back has the same figures") {
    const TemporaryFolder folder;
    const std::string from = folder.Write(
        "in.rep",
        "20000\n4\n13\n1\na 3 100\nr 0 50\nf -1\na 3 20\nr 3 60\nf 3\na 1 0\nr 0 0\nf 0\nf 2\na 3 5\nr 1 9\nf 1\n");
    REQUIRE(ConvertTrace(from, folder / "out.rep", TextFormat::Rep));
    CHECK(ReadFile(folder / "out.rep") ==
          "1\n6\n13\n0\na 0 100\nr 1 50\nf -1\na 2 20\nr 2 60\nf 2\na 3 0\nr 1 0\nf 1\nf 4\na 5 5\nr 3 9\nf 3\n");
    CHECK(Same(FiguresOf(folder / "out.rep"), FiguresOf(from)));

    WriteSummary summary;
    REQUIRE(ConvertTrace(from, folder / "out.script", TextFormat::Script, false, {nullptr, &summary}));
    CHECK(summary.leftOut == 1);  // free(NULL)
    const import::TraceFigures script = FiguresOf(folder / "out.script");
    CHECK(script.peakLiveBytes == FiguresOf(from).peakLiveBytes);
    CHECK(script.liveBytes == FiguresOf(from).liveBytes);

    // Balanced: the forgotten block too is freed, and bad frees are gone.
    REQUIRE(ConvertTrace(from, folder / "balanced.rep", TextFormat::Rep, true));
    const import::TraceFigures balanced = FiguresOf(folder / "balanced.rep");
    CHECK(balanced.liveBlocks == 0);
    CHECK(balanced.badFrees == 0);
    CHECK(balanced.allocations == balanced.frees);
    CHECK(balanced.peakLiveBytes == FiguresOf(from).peakLiveBytes);
}

TEST_CASE("the shared traces keep their figures through a conversion") {
    const std::filesystem::path root = RESIDUE_SHARED_TRACES;
    if (!std::filesystem::exists(root)) {
        WARN("the shared traces are not here: skipped");
        return;
    }
    const TemporaryFolder folder;
    for (const char* name : {"rep/amptjp-bal.rep", "rep/corners.rep", "rep/realloc-bal.rep", "rep/ls.rep",
                             "rep/syn-giantmix-short.rep", "script/trace-gcc.script"}) {
        INFO(name);
        REQUIRE(ConvertTrace((root / name).string(), folder / "out.rep", TextFormat::Rep));
        CHECK(Same(FiguresOf(folder / "out.rep"), FiguresOf((root / name).string())));
    }
}

TEST_CASE("what goes wrong leaves no file behind and the old one as it was") {
    const TemporaryFolder folder;
    const std::string old = folder.Write("old.rep", "precious");
    CHECK_FALSE(ConvertTrace(folder / "missing", old, TextFormat::Rep));
    const std::string binary = folder.Write("cut.rep", std::string_view("1\n1\n2\n0\na 0 8\n\0\0", 16));
    CHECK_FALSE(ConvertTrace(binary, old, TextFormat::Rep));
    CHECK(ReadFile(old) == "precious");
    CHECK(folder.Files() == 2);
    {
        auto file = AtomicFile::Create(old);
        REQUIRE(file);
        file->Write("half");
    }
    CHECK(ReadFile(old) == "precious");
    CHECK(folder.Files() == 2);

    Story story;
    story.Add(EventKind::Allocated, 0x1000, 100);
    const log::LogView log = story.Tell();
    CHECK(WriteRep(log, folder.path.string()).error().what == "is a directory");
    CHECK_FALSE(WriteRep(log, folder / "no/such/folder.rep"));
    const std::atomic<bool> cancelled = true;
    CHECK(WriteRep(log, old, false, {&cancelled, nullptr}).error().what == "cancelled");
    CHECK(ReadFile(old) == "precious");
    const auto full = WriteRep(log, "/dev/full");
    REQUIRE_FALSE(full);
    CHECK(full.error().what == "cannot be written: No space left on device");
}

TEST_CASE("a link stays a link, and rights stay as they were") {
    const TemporaryFolder folder;
    const std::string target = folder.Write("target.rep", "old");
    REQUIRE(::chmod(target.c_str(), 0640) == 0);
    std::filesystem::create_symlink(target, folder / "link.rep");
    Story story;
    story.Add(EventKind::Allocated, 0x1000, 100);
    REQUIRE(WriteRep(story.Tell(), folder / "link.rep"));
    CHECK(std::filesystem::is_symlink(folder / "link.rep"));
    CHECK(ReadFile(target) == "1\n1\n1\n0\na 0 100\n");
    struct stat status {};
    REQUIRE(::stat(target.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0640);
}
