// Heaps within heaps in the heap panel, in whole frames.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "gui/views/nest_text.hpp"
#include "log/appender.hpp"
#include "log/native_file.hpp"
#include "nested_heaps/levels.hpp"
#include "shell_rig.hpp"
#include "support/catch.hpp"
#include "support/log_sink.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;
using namespace residue::scenarios;

namespace {

// A game's heaps, four levels deep, recorded as its program does it; at kPlaying all of them are alive.
constexpr std::uint64_t kPlaying = 400;

std::string Game(const TemporaryFolder& folder) {
    support::LogSink sink;
    PlayLevel(&sink, 24);
    const std::string path = (folder.path / "game.residue").string();
    REQUIRE(sink.WasLegal());
    REQUIRE(log::WriteNative(sink.View(), path, nullptr, nullptr));
    return path;
}

AppOptions OnlyHeap(const std::string& path) {
    AppOptions options;
    options.path = path;
    options.only = PanelId::Heap;
    return options;
}

void GoTo(Rig& rig, std::uint64_t position) {
    rig.app->GetSession()->SeekTo(Position{position});
    rig.Settle();
}

// Two heaps of many small blocks, of which one lies in the other, and in it again one, as events.
std::string Crowd(const TemporaryFolder& folder) {
    log::EventLog log;
    log::Appender appender(log);
    const auto append = [&](events::EventKind kind, std::uint16_t id, std::uint64_t address, std::uint64_t size,
                            std::uint16_t header, const char* name) {
        events::Event event;
        event.kind = kind;
        event.allocator = AllocatorId{id};
        event.thread = ThreadId{1};
        event.address = address;
        event.size = size;
        event.header = header;
        appender.Append(event, name);
    };
    using events::EventKind;
    constexpr std::uint64_t kBase = 0x100000, kHeap = 3 << 20, kChild = 1 << 20, kGrandchild = 1 << 18;
    append(EventKind::AllocatorCreated, 1, kBase, kHeap, 0, "outer");
    append(EventKind::Allocated, 1, kBase + kChild, kChild, 0, "");
    append(EventKind::AllocatorCreated, 2, kBase + kChild, kChild, 1, "middle");
    append(EventKind::Allocated, 2, kBase + kChild + kGrandchild, kGrandchild, 0, "");
    append(EventKind::AllocatorCreated, 3, kBase + kChild + kGrandchild, kGrandchild, 2, "inner");
    std::mt19937 random(3);
    const auto fill = [&](std::uint16_t id, std::uint64_t begin, std::uint64_t end) {
        for (std::uint64_t at = begin; at + 128 < end; at += 128) {
            if (random() % 4 != 0) append(EventKind::Allocated, id, at, 40 + random() % 80, 0, "");
        }
    };
    fill(1, kBase, kBase + kChild);
    fill(2, kBase + kChild, kBase + kChild + kGrandchild);
    fill(2, kBase + kChild + 2 * kGrandchild, kBase + 2 * kChild);
    fill(3, kBase + kChild + kGrandchild, kBase + kChild + 2 * kGrandchild);
    const std::string path = (folder.path / "crowd.residue").string();
    REQUIRE(log::WriteNative(log.View(), path, nullptr, nullptr));
    return path;
}

const ImVec2 kSmall{640, 420};

// Every block that the mouse finds along `columns` lines down the panel, and how often.
std::map<BlockId, int> Hovered(Rig& rig, int columns, float step) {
    std::map<BlockId, int> found;
    for (int column = 0; column < columns; ++column) {
        const float x = 170 + static_cast<float>(column) * 450 / static_cast<float>(columns);
        for (float y = 40; y < kSmall.y - 40; y += step) {
            rig.MoveMouse({x, y});  // the frame notes what is hovered, the next one tells it
            if (const auto block = rig.app->PresentSelection().nextHovered) ++found[*block];
        }
    }
    rig.MoveMouse({-100, -100});
    return found;
}

}  // namespace

TEST_CASE("where nothing was chosen the outermost heap is shown, and the mouse finds the blocks of all levels in it") {
    TemporaryFolder folder;
    Rig rig(OnlyHeap(Game(folder)), kSmall);
    GoTo(rig, kPlaying);
    session::Session& session = *rig.app->GetSession();
    CHECK(session.Shown() == kGameHeap);
    const model::HeapModel& heap = session.Heap();
    std::map<AllocatorId, int> blocks;
    int frames = 0, inner = 0;
    for (const auto& [block, times] : Hovered(rig, 8, 4)) {
        const events::Event birth = session.View().Birth(block).event;
        ++blocks[birth.allocator];
        // Where a heap lies in the block, only its frame and its own parts are left of it.
        const bool holds = !HoldsText(heap, block).empty();
        frames += holds ? times : 0;
        inner += holds ? 0 : times;
    }
    for (const AllocatorId id : {kGameHeap, kLevelArena, kEntityPool, kStringBuffer, kScratchArena}) {
        INFO(heap.Find(id)->name);
        CHECK(blocks[id] >= 1);
    }
    CHECK(frames > 10);
    CHECK(inner > frames);
}

TEST_CASE("a click inside selects the innermost block, a click on the frame the block that holds the heap") {
    TemporaryFolder folder;
    Rig rig(OnlyHeap(Game(folder)), kSmall);
    GoTo(rig, kPlaying);
    session::Session& session = *rig.app->GetSession();
    std::set<std::string> clicked;
    for (float y = 40; y < kSmall.y - 40 && clicked.size() < 2; y += 1) {
        rig.MoveMouse({400, y});
        rig.app->Frame(0);
        const auto hovered = rig.app->PresentSelection().hovered;
        if (!hovered) continue;
        const std::string kind = HoldsText(session.Heap(), *hovered).empty() ? "inside" : "frame";
        const AllocatorId owner = session.View().Birth(*hovered).event.allocator;
        if (kind == "inside" && owner == kGameHeap) continue;
        if (!clicked.insert(kind).second) continue;
        for (int i = 0; i < 60; ++i) rig.app->Frame(0.02);  // long after the last click: no double click
        rig.platform->Send(InputEvent::Button(0, true));
        rig.app->Frame(0);
        rig.platform->Send(InputEvent::Button(0, false));
        rig.app->Frame(0);
        INFO(kind << " at " << y);
        const auto selected = rig.app->PresentSelection().block;
        REQUIRE(selected.has_value());
        CHECK(selected->value == hovered->value);
    }
    CHECK(clicked.size() == 2);
}

TEST_CASE("what is said of a nested block names every heap around it") {
    TemporaryFolder folder;
    Rig rig(OnlyHeap(Game(folder)), kSmall);
    GoTo(rig, kPlaying);
    session::Session& session = *rig.app->GetSession();
    const model::HeapModel& heap = session.Heap();
    const auto first = heap.NextBlock(kScratchArena, 0);
    REQUIRE(first);
    const auto page = model::NestAround(heap, kScratchArena, first->begin);
    REQUIRE(page);
    const auto buffer = model::NestAround(heap, kStringBuffer, page->block.begin);
    REQUIRE(buffer);
    const auto region = model::NestAround(heap, kLevelArena, buffer->block.begin);
    REQUIRE(region);
    const auto number = [](const model::Nest& nest) { return "#" + std::to_string(nest.block.id.value); };
    CHECK(InsideText(heap, kScratchArena, first->begin) ==
          "inside scratch, which lies in block " + number(*page) + " of strings, which lies in block " +
              number(*buffer) + " of level, which lies in block " + number(*region) + " of game heap");
    CHECK(HoldsText(heap, region->block.id) == "the heap of level");
    CHECK(InsideText(heap, kGameHeap, region->block.begin).empty());
    CHECK(HoldsText(heap, first->id).empty());
}

TEST_CASE("one heap alone can still be shown, and a block outside of it brings its own back") {
    TemporaryFolder folder;
    Rig rig(OnlyHeap(Game(folder)), kSmall);
    GoTo(rig, kPlaying);
    session::Session& session = *rig.app->GetSession();
    const Image all = rig.Picture();
    session.Show(kStringBuffer);
    const Image alone = rig.Picture();
    CHECK(alone != all);
    for (const auto& [block, times] : Hovered(rig, 3, 5)) {
        const AllocatorId owner = session.View().Birth(block).event.allocator;
        CHECK((owner == kStringBuffer || owner == kScratchArena));
    }
    const auto inside = session.Heap().NextBlock(kScratchArena, 0);
    rig.app->FocusBlock(inside->id);
    rig.Settle();
    CHECK(session.Shown() == kStringBuffer);  // it can be seen there
    rig.app->FocusBlock(BlockId{1});
    rig.Settle();
    CHECK(session.Shown() == kGameHeap);
}

TEST_CASE("the full stop walks through every block of every level, the comma back again") {
    TemporaryFolder folder;
    Rig rig(OnlyHeap(Game(folder)), kSmall);
    GoTo(rig, 110);
    session::Session& session = *rig.app->GetSession();
    std::set<BlockId> seen;
    std::vector<BlockId> order;
    for (int i = 0; i < 2000; ++i) {
        rig.Press(".");
        const auto block = rig.app->PresentSelection().block;
        REQUIRE(block);
        if (!seen.insert(*block).second) break;
        order.push_back(*block);
    }
    std::uint64_t live = 0;
    for (const model::AllocatorState& state : session.Heap().Allocators()) live += state.totals.blocks;
    CHECK(seen.size() == live);
    for (std::size_t i = order.size() - 1; i-- > 0;) {
        rig.Press(",");
        REQUIRE(rig.app->PresentSelection().block == order[i]);
    }
}

TEST_CASE("nested heaps look the same however one gets there, near and far, and every event can be drawn") {
    TemporaryFolder folder;
    AppOptions options = OnlyHeap(Game(folder));
    options.only.reset();
    Rig rig(options, {1100, 700});
    GoTo(rig, kPlaying);
    const Image far = rig.Picture();
    for (std::uint64_t at = 0; at <= rig.End(); at += 7) {
        rig.app->GetSession()->SeekTo(Position{at});
        rig.app->Frame(0);
    }
    GoTo(rig, kPlaying);
    CHECK(rig.Picture() == far);
    const auto block = rig.app->GetSession()->Heap().NextBlock(kScratchArena, 0);
    rig.app->FocusBlock(block->id);
    const Image near = rig.Picture();
    CHECK(near != far);
    GoTo(rig, 0);
    GoTo(rig, kPlaying);
    CHECK(rig.Picture() == near);
}

TEST_CASE("a dense map of nested heaps shows what lies innermost, and follows its steps") {
    TemporaryFolder folder;
    Rig rig(OnlyHeap(Crowd(folder)), kSmall);
    const std::uint64_t end = rig.End();
    GoTo(rig, end);
    const Image full = rig.Picture();
    for (int i = 0; i < 5; ++i) rig.Press("Left");  // the last ones were the innermost
    const Image before = rig.Picture();
    CHECK(before != full);
    for (int i = 0; i < 5; ++i) rig.Press("Right");
    CHECK(rig.Picture() == full);  // only the rows that changed were made again
    GoTo(rig, 100);
    GoTo(rig, end - 5);
    CHECK(rig.Picture() == before);  // every row was

    // The block of the outer heap is not one bright patch: the mouse finds small blocks in it.
    GoTo(rig, end);
    std::map<AllocatorId, int> blocks;
    for (const auto& [block, times] : Hovered(rig, 24, 11)) {
        ++blocks[rig.app->GetSession()->View().Birth(block).event.allocator];
    }
    CHECK(blocks[AllocatorId{1}] > 10);
    CHECK(blocks[AllocatorId{2}] > 10);
    CHECK(blocks[AllocatorId{3}] > 2);
}
