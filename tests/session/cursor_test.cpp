#include <filesystem>
#include <fstream>

#include "log/native_file.hpp"
#include "session/session.hpp"
#include "support/catch.hpp"

using namespace residue;

namespace {

// Opened, replayed, and the cursor's model at position 0.
std::unique_ptr<session::Session> Loaded(const std::string& path, session::OpenOptions options = {}) {
    auto opened = session::Session::Open(path, std::move(options));
    opened->WaitUntilLoaded();
    opened->Tick(0, ~std::uint64_t{0});
    return opened;
}

std::string Written(const std::string& name, const std::string& text) {
    const auto path = std::filesystem::temp_directory_path() / ("residue-session-" + name);
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
}

const char* const kShort1 =
    "20000\n6\n12\n1\na 0 2040\na 1 2040\nf 1\na 2 48\na 3 4072\nf 3\na 4 4072\nf 0\nf 2\na 5 4072\nf 4\nf 5\n";

}  // namespace

TEST_CASE("a trace opens with one position an operation") {
    auto opened = Loaded(Written("short1.rep", kShort1));
    CHECK(opened->Status().phase == session::Phase::Ready);
    CHECK(opened->End().value == 12);
    REQUIRE(opened->Figures());
    CHECK(opened->Figures()->peakLiveBytes == 8144);
    CHECK(opened->Series().Run().peakLiveBytes == 8144);
    CHECK(opened->Series().Run().peakHeap == 10264);
    CHECK(opened->Series().Run().peakUtilisation.value_or(0) == Approx(.793).margin(.0005));
}

TEST_CASE("a step forward and a step backward give the heap they came from, from any position") {
    auto opened = Loaded(Written("short1b.rep", kShort1));
    for (std::uint64_t position = 0; position < 12; ++position) {
        opened->SeekTo({position});
        REQUIRE(opened->Tick(0, 1000));
        const model::HeapModel before = opened->Heap();
        opened->StepBy(1);
        REQUIRE(opened->Tick(0, 1000));
        CHECK_FALSE(opened->Heap() == before);
        opened->StepBy(-1);
        REQUIRE(opened->Tick(0, 1000));
        CHECK(opened->Heap() == before);
    }
}

TEST_CASE("the cursor stays between the first and the last position") {
    auto opened = Loaded(Written("short1c.rep", kShort1));
    opened->StepBy(-1);
    CHECK(opened->Now().value == 0);
    opened->SeekTo({99});
    CHECK(opened->Now().value == 12);
    opened->StepBy(INT64_MAX);
    CHECK(opened->Now().value == 12);
    opened->StepBy(INT64_MIN);
    CHECK(opened->Now().value == 0);
}

TEST_CASE("a far seek goes on over several ticks and settles") {
    auto opened = Loaded(Written("short1d.rep", kShort1));
    opened->SeekTo({12});
    CHECK_FALSE(opened->Tick(0, 3));
    CHECK_FALSE(opened->Settled());
    int ticks = 0;
    while (!opened->Tick(0, 3)) REQUIRE(++ticks < 10);
    CHECK(opened->Settled());
}

TEST_CASE("playing moves the cursor by its speed and stops at the end") {
    auto opened = Loaded(Written("short1e.rep", kShort1));
    opened->SetSpeed(4);
    opened->Play(true);
    opened->Tick(0.5, 1000);
    CHECK(opened->Now().value == 2);
    opened->Tick(0.25, 1000);
    CHECK(opened->Now().value == 3);
    opened->Tick(60, 1000);
    CHECK(opened->Now().value == 12);
    CHECK_FALSE(opened->Playing());
    opened->Play(true);  // again from the start
    CHECK(opened->Now().value == 0);
}

TEST_CASE("jumps: the peak, the next error and the one before") {
    // 200 bytes: the third request does not fit although two holes have room for it together.
    auto opened = Loaded(Written("jumps.rep", "0\n4\n6\n0\na 0 56\na 1 24\na 2 56\nf 0\nf 2\na 3 100\n"),
                         {"first-fit", 192});
    opened->JumpToPeak();
    CHECK(opened->Now().value == 3);
    REQUIRE(opened->JumpToError(true));
    CHECK(opened->Now().value == 6);
    REQUIRE(opened->Tick(0, 1000));
    REQUIRE(opened->PresentFailure());
    CHECK(opened->PresentFailure()->error == MemoryError::Fragmentation);
    CHECK(opened->PresentFailure()->blockers);
    CHECK_FALSE(opened->JumpToError(true));
    opened->SeekTo(opened->End());
    CHECK_FALSE(opened->JumpToError(false));
}

TEST_CASE("far seeks in a long recording without an index find the heap that one with an index finds") {
    std::string text = "v 10400 3\nX a\nI 1 1\n";
    for (int i = 0; i < 100; ++i) text += "a " + std::to_string(1 + i * 7 % 90) + " 0\n";
    unsigned random = 1;
    for (int i = 0; i < 520'000; ++i) {
        random = random * 1664525 + 1013904223;
        char line[16];
        std::snprintf(line, sizeof line, "%c %x\n", (random >> 24) % 16 < 9 ? '+' : '-', (random >> 8) % 100);
        text += line;
    }
    const std::string path = Written("long.heaptrack", text);
    session::OpenOptions without;
    without.index = false;
    auto indexed = Loaded(path), plain = Loaded(path, without);
    REQUIRE(plain->Status().phase == session::Phase::Ready);
    REQUIRE(plain->End().value > 450'000);
    CHECK(plain->Series().Run().peakLiveBytes == indexed->Series().Run().peakLiveBytes);
    CHECK_FALSE(plain->Heap().IsOrdered());
    for (const std::uint64_t position : {440'000, 20'000, 19'990, 300'000, 0, 450'000}) {
        CAPTURE(position);
        indexed->SeekTo({position});
        plain->SeekTo({position});
        while (!indexed->Tick(0, 100'000)) {}
        int ticks = 0;
        while (!plain->Tick(0, 2000)) ++ticks;
        CHECK(plain->Heap() == indexed->Heap());
        CHECK(ticks < 30);  // stepping there would take up to 220
    }
    // On the way to one moment, another one is asked for.
    plain->SeekTo({440'000});
    plain->Tick(0, 10);
    plain->SeekTo({100});
    while (!plain->Tick(0, 2000)) {}
    indexed->SeekTo({100});
    while (!indexed->Tick(0, 100'000)) {}
    CHECK(plain->Heap() == indexed->Heap());
    std::filesystem::remove(path);
}

TEST_CASE("what cannot be opened says why") {
    const auto missing = Loaded("/nonexistent/trace.rep");
    CHECK(missing->Status().phase == session::Phase::Failed);
    REQUIRE(missing->Status().failure);
    CHECK(missing->Status().failure->Text().find("/nonexistent/trace.rep") != std::string::npos);

    const auto unknown = Loaded(Written("short1f.rep", kShort1), {"no-such-fit", {}});
    CHECK(unknown->Status().phase == session::Phase::Failed);
    REQUIRE(unknown->Status().failure);
    CHECK(unknown->Status().failure->Text().find("first-fit") != std::string::npos);
    CHECK(unknown->Figures());  // the trace figures are there all the same
}

TEST_CASE("a heap that would not fit says how many bytes it needs") {
    const auto opened = Loaded(Written("giant.rep", "0\n1\n1\n0\na 0 84000000000000000\n"));
    REQUIRE(opened->Status().failure);
    CHECK(opened->Status().failure->Text().find("needs 84000000000000000 bytes of heap") != std::string::npos);
    CHECK(opened->Figures()->peakLiveBytes == 84000000000000000u);
}

TEST_CASE("a recording opens as what it was saved from") {
    auto original = Loaded(Written("short1g.rep", kShort1));
    const auto path = std::filesystem::temp_directory_path() / "residue-session-short1.residue";
    REQUIRE(log::WriteNative(original->View(), path.string()));
    auto opened = Loaded(path.string());
    REQUIRE(opened->Status().phase == session::Phase::Ready);
    REQUIRE(opened->End() == original->End());
    for (std::uint64_t position = 0; position <= 12; ++position) {
        original->SeekTo({position});
        opened->SeekTo({position});
        REQUIRE(original->Tick(0, 1000));
        REQUIRE(opened->Tick(0, 1000));
        CHECK(opened->Heap() == original->Heap());
    }
}
