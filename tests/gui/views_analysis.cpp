// Flame graph, calls, profile, lives, filter, range and run until, as a user drives them.
#include <algorithm>

#include "gui/theme.hpp"
#include "log/appender.hpp"
#include "log/native_file.hpp"
#include "shell_rig.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;

namespace {

// main calls Load and Parse, which both call Read. 40 small blocks from Load's Read, half of them freed at once, then 8
// large ones from Parse's, all at addresses of their own; 68 calls. Without traces: the same from nowhere.
std::string Recording(const TemporaryFolder& folder, bool traces = true, const char* name = "calls.residue",
                      std::uint64_t larges = 8) {
    log::EventLog log;
    const TraceId main = log.AddTrace(TraceId{}, 0x10);
    const TraceId load = log.AddTrace(main, 0x20), parse = log.AddTrace(main, 0x30);
    const TraceId small = log.AddTrace(load, 0x40), large = log.AddTrace(parse, 0x40);
    log.NameFrame(0x10, {"main", "main.cpp", 5});
    log.NameFrame(0x20, {"app::Load(int)", "load.cpp", 7});
    log.NameFrame(0x30, {"app::Parse(int)", "parse.cpp", 9});
    log.NameFrame(0x40, {"Read", "read.cpp", 11});
    log::Appender appender(log);
    const auto put = [&](events::EventKind kind, std::uint64_t address, std::uint64_t size, TraceId trace) {
        events::Event event;
        event.kind = kind;
        event.allocator = AllocatorId{1};
        event.address = address;
        event.size = size;
        event.thread = ThreadId{1};
        if (traces) event.trace = trace;
        appender.Append(event, kind == events::EventKind::AllocatorCreated ? "heap" : "");
    };
    put(events::EventKind::AllocatorCreated, 0, 0, {});
    for (std::uint64_t i = 0; i < 40; ++i) {
        put(events::EventKind::Allocated, 0x10000 + i * 128, 100, small);
        if (i % 2 == 1) put(events::EventKind::Freed, 0x10000 + i * 128, 0, small);
    }
    for (std::uint64_t i = 0; i < larges; ++i) put(events::EventKind::Allocated, 0x20000 + i * 8192, 8000, large);
    appender.Flush();
    log.Close();
    const std::string path = (folder.path / name).string();
    REQUIRE(log::WriteNative(log.View(), path));
    return path;
}

struct Opened {
    explicit Opened(CentreTab centre, bool traces = true, ImVec2 size = {1400, 860}) {
        AppOptions options;
        options.path = Recording(folder, traces);
        options.centre = centre;
        rig = std::make_unique<Rig>(std::move(options), size);
        rig->Press("End");
        rig->Settle();
    }
    session::Analyst& Analyst() { return rig->app->GetSession()->Analyst(); }
    void Write(const char* text) {
        rig->app->Frame(0);  // the field takes the keyboard in the frame after it was asked for
        rig->app->Frame(0);
        rig->Type(text);
    }
    // Out of a field, so that letters are keys again.
    void Leave() {
        rig->Press("Escape");
        rig->app->Frame(0);
    }
    std::size_t Count(ImU32 colour) {
        const Image image = rig->Picture();
        return static_cast<std::size_t>(std::count(image.pixels.begin(), image.pixels.end(), colour));
    }
    TemporaryFolder folder;
    std::unique_ptr<Rig> rig;
};

}  // namespace

TEST_CASE("the centre's views are reached by keys, and the last one is remembered") {
    const TemporaryFolder folder, state;
    const std::string path = Recording(folder);
    {
        Rig rig(Remembering(state, path));
        CHECK(rig.app->Centre() == CentreTab::Heap);
        const Image heap = rig.Picture();
        rig.Press("Alt+2");
        CHECK(rig.app->Centre() == CentreTab::Flame);
        const Image flame = rig.Picture();
        rig.Press("V");
        CHECK(rig.app->Centre() == CentreTab::Lives);
        const Image lives = rig.Picture();
        CHECK_FALSE(heap == flame);
        CHECK_FALSE(flame == lives);
        rig.Press("V");
        CHECK(rig.app->Centre() == CentreTab::Heap);
        const bool same = rig.Picture() == heap;
        CHECK(same);
        rig.Press("Shift+V");
        CHECK(rig.app->Centre() == CentreTab::Lives);
    }
    Rig rig(Remembering(state, path));
    CHECK(rig.app->Centre() == CentreTab::Lives);
    rig.app->FocusBlock(BlockId{1});  // is to be seen in the heap
    CHECK(rig.app->Centre() == CentreTab::Heap);
}

TEST_CASE("a flame graph is walked and zoomed by keys, and Escape leads back out") {
    Opened opened(CentreTab::Flame);
    Rig& rig = *opened.rig;
    const Image all = rig.Picture();
    rig.Press("J");  // main
    REQUIRE(rig.app->PresentSelection().trace);
    CHECK(*rig.app->PresentSelection().trace == TraceId{1});
    rig.Press("J");  // Parse, the larger one
    CHECK(*rig.app->PresentSelection().trace == TraceId{3});
    rig.Press(".");
    CHECK(*rig.app->PresentSelection().trace == TraceId{2});
    rig.Settle();  // which call traces it is takes a moment
    REQUIRE(rig.app->PresentSelection().Traces() != nullptr);
    CHECK((*rig.app->PresentSelection().traces)[4]);  // Load's Read
    CHECK_FALSE((*rig.app->PresentSelection().traces)[5]);
    const Image selected = rig.Picture();
    rig.Press("Enter");
    const Image zoomed = rig.Picture();
    CHECK_FALSE(zoomed == selected);
    rig.Press("Backspace");
    CHECK_FALSE(rig.Picture() == zoomed);
    rig.Press("Escape");  // main is left, then all is shown
    bool same = rig.Picture() == selected;
    CHECK(same);
    rig.Press("Escape");  // the selection
    same = rig.Picture() == all;
    CHECK(same);
}

TEST_CASE("a click in the flame graph zooms, and its blocks keep their colour in the heap") {
    Opened opened(CentreTab::Heap);
    Rig& rig = *opened.rig;
    const Image heap = rig.Picture();
    rig.Press("V");
    const Image flame = rig.Picture();
    rig.Press("J");
    rig.Press("J");
    rig.Press("V");
    rig.Press("V");
    CHECK(rig.app->Centre() == CentreTab::Heap);
    CHECK_FALSE(rig.Picture() == heap);  // Load's blocks are paler
    rig.Press("V");
    rig.Press("Escape");
    bool same = rig.Picture() == flame;
    CHECK(same);
    // The second row from the top of the graph is main, as wide as all.
    rig.MoveMouse({620, 175});
    rig.platform->Send(InputEvent::Button(0, true));
    rig.app->Frame(0);
    rig.platform->Send(InputEvent::Button(0, false));
    rig.app->Frame(0);
    rig.MoveMouse({-1e9f, -1e9f});
    CHECK(rig.app->PresentSelection().trace == TraceId{1});
    CHECK_FALSE(rig.Picture() == flame);
}

TEST_CASE("what is looked for lights up in the flame graph") {
    Opened opened(CentreTab::Flame);
    const ImU32 light = DarkTheme().duck;
    const std::size_t before = opened.Count(light);
    opened.rig->Press("/");
    opened.Write("parse");
    CHECK(opened.rig->app->Analysis().search == "parse");
    CHECK(opened.Count(light) > before + 1000);
    opened.Write("xyz");
    CHECK(opened.Count(light) < before + 300);  // no function; the field says so
}

TEST_CASE("measure, direction and comparison have keys, in every panel at once") {
    Opened opened(CentreTab::Flame);
    Rig& rig = *opened.rig;
    AnalysisLook& look = rig.app->Analysis();
    rig.app->ShowTab(Tab::Calls);
    const Image live = rig.Picture();
    rig.Press("Y");
    CHECK(look.measure == analysis::SiteMeasure::PeakBytes);
    rig.Press("Shift+Y");
    rig.Press("Shift+Y");
    CHECK(look.measure == analysis::SiteMeasure::GrownBytes);
    rig.Press("Y");
    const bool same = rig.Picture() == live;
    CHECK(same);
    rig.Press("B");
    CHECK(look.direction == analysis::Direction::BottomUp);
    CHECK_FALSE(rig.Picture() == live);
    rig.Press("C");
    CHECK_FALSE(look.compared);  // there is no range
    CHECK(rig.app->LastNotice().find("no range") != std::string::npos);
    rig.app->GetSession()->SeekTo(Position{30});
    rig.Press("A");
    rig.Press("End");
    rig.Press("Shift+A");
    REQUIRE(opened.Analyst().Range());
    CHECK(opened.Analyst().Range()->first == Position{30});
    CHECK(opened.Analyst().Range()->second == Position{rig.End()});
    const Image range = rig.Picture();
    rig.Press("C");
    CHECK(look.compared);
    CHECK_FALSE(rig.Picture() == range);
    rig.Press("Escape");
    CHECK_FALSE(opened.Analyst().Range());
}

TEST_CASE("a recording is compared with another one, and Escape leads back") {
    Opened opened(CentreTab::Flame);
    Rig& rig = *opened.rig;
    rig.app->ShowTab(Tab::Profile);
    const Image alone = rig.Picture();
    const std::string before = Recording(opened.folder, true, "before.residue", 3);
    const auto wait = [&](session::Phase phase) {
        for (int i = 0; i < 2000 && rig.app->Analysis().other->status.phase != phase; ++i) rig.app->Frame(0);
        rig.Settle();
    };
    rig.app->CompareWith(before);
    wait(session::Phase::Ready);
    const auto answer = rig.app->Analysis().Ask(*rig.app->GetSession()).value;
    REQUIRE(answer);
    REQUIRE(answer->earlier);
    CHECK(answer->earlierName == "before.residue");
    CHECK(answer->profile.total.liveBytes - answer->earlier->total.liveBytes == 5 * 8000);
    CHECK(answer->growth.grew == 1);
    CHECK(answer->growth.shrank == 0);
    CHECK_FALSE(rig.Picture() == alone);
    rig.Press("Y");
    rig.Press("B");
    CHECK(rig.app->Analysis().Ask(*rig.app->GetSession()).value->earlier);
    rig.Press("B");
    rig.Press("Shift+Y");
    rig.Press("Escape");
    CHECK_FALSE(rig.app->Analysis().other);
    const bool same = rig.Picture() == alone;
    CHECK(same);

    const std::string broken = opened.folder.File("broken.rep", "this is no trace\n");
    const std::size_t red = opened.Count(DarkTheme().error);
    rig.app->CompareWith(broken);
    wait(session::Phase::Failed);
    CHECK(opened.Count(DarkTheme().error) > red + 20);  // it says why
    CHECK_FALSE(rig.app->Analysis().Ask(*rig.app->GetSession()).value->earlier);
    rig.app->CompareWith(before);  // and another one is taken instead
    wait(session::Phase::Ready);
    CHECK(rig.app->Analysis().Ask(*rig.app->GetSession()).value->earlier);
    rig.Press("C");
    CHECK(rig.app->LastNotice().find("before.residue") != std::string::npos);
    rig.app->OpenPath(before);  // another file: nothing is compared any more
    CHECK_FALSE(rig.app->Analysis().other);
}

TEST_CASE("Shift and a drag over the timeline keep a range; without Shift the drag zooms") {
    Opened opened(CentreTab::Flame);
    Rig& rig = *opened.rig;
    KeyPress shift;
    shift.shift = true;
    rig.platform->Send(InputEvent::Hold(shift));  // the key alone, as a window tells of it
    rig.Drag({300, 750}, {700, 750});
    shift.shift = false;
    rig.platform->Send(InputEvent::Hold(shift));
    rig.app->Frame(0);
    REQUIRE(opened.Analyst().Range());
    CHECK(opened.Analyst().Range()->first < opened.Analyst().Range()->second);
    CHECK_FALSE(rig.app->PresentSelection().range);
    const auto kept = opened.Analyst().Range();
    rig.Drag({340, 750}, {740, 750});
    CHECK(rig.app->PresentSelection().range);
    CHECK(opened.Analyst().Range() == kept);
    rig.Press("Escape");
    CHECK_FALSE(rig.app->PresentSelection().range);
    CHECK(opened.Analyst().Range());
    rig.Press("Escape");
    CHECK_FALSE(opened.Analyst().Range());
}

TEST_CASE("a filter is typed, holds in every panel, says what it hides, and is cleared") {
    Opened opened(CentreTab::Heap);
    Rig& rig = *opened.rig;
    rig.app->ShowTab(Tab::Leaks);
    const Image whole = rig.Picture();
    rig.Press("Ctrl+F");
    opened.Write("1000-");
    CHECK(opened.Analyst().Filter().leastSize == 1000);
    rig.Settle();
    const auto& reply = rig.app->Analysis().Ask(*rig.app->GetSession());
    REQUIRE(reply.value);
    CHECK(reply.value->profile.hiddenBlocks == 40);
    CHECK(opened.Count(DarkTheme().warn) > 20);  // the chip over the leaks
    opened.Write("q");  // "1000-q" is no range: it says so, and what held before holds on
    CHECK(opened.Analyst().Filter().leastSize == 1000);
    CHECK(opened.Count(DarkTheme().error) > 20);
    rig.Press("Backspace");
    opened.Leave();
    CHECK(opened.Analyst().Filter().leastSize == 1000);  // Escape leaves the field, not the filter
    rig.Press("Ctrl+Shift+F");
    CHECK_FALSE(opened.Analyst().Filter().Any());
    rig.Press("Ctrl+F");  // closes
    const bool same = rig.Picture() == whole;
    CHECK(same);
}

TEST_CASE("Tab goes from one field of the filter to the next, and back") {
    Opened opened(CentreTab::Heap);
    Rig& rig = *opened.rig;
    rig.Press("Ctrl+F");
    opened.Write("1000-");
    rig.Press("Tab");
    rig.Press("Tab");
    opened.Write("load");
    CHECK(opened.Analyst().Filter().leastSize == 1000);
    CHECK(opened.Analyst().Filter().site == "load");
    rig.Press("Shift+Tab");
    opened.Write("5-");
    CHECK(opened.Analyst().Filter().leastLife == 5);
}

TEST_CASE("run until goes to where a condition holds, again and back, and says what it cannot read") {
    Opened opened(CentreTab::Heap);
    Rig& rig = *opened.rig;
    rig.Press("Home");
    rig.Press("U");
    opened.Write("size >= 4096");
    rig.Press("Enter");
    rig.Settle();
    const std::uint64_t first = rig.End() - 7;
    CHECK(rig.Now() == first);
    CHECK(rig.app->PresentSelection().block == BlockId{41});
    opened.Leave();
    rig.Press("Ctrl+U");
    rig.Settle();
    CHECK(rig.Now() == first + 1);
    rig.Press("Ctrl+Shift+U");
    rig.Settle();
    CHECK(rig.Now() == first);
    rig.Press("Escape");  // closes the bar: what is not found is then told at the bottom
    rig.Press("Ctrl+Shift+U");
    rig.Settle();
    CHECK(rig.Now() == first);
    CHECK(rig.app->LastNotice().find("Nowhere else") != std::string::npos);
    rig.Press("U");
    opened.Write(" nonsense");
    rig.Press("Enter");
    CHECK(rig.Now() == first);
    CHECK(opened.Count(DarkTheme().error) > 20);
}

TEST_CASE("the history of an address and of a call site is walked by keys") {
    Opened opened(CentreTab::Heap);
    Rig& rig = *opened.rig;
    rig.app->GetSession()->SeekTo(Position{2});
    rig.app->PresentSelection().block = BlockId{2};
    rig.Settle();
    rig.Press("H");
    rig.Settle();
    CHECK(rig.Now() == 3);  // where it is freed
    rig.Press("Shift+H");
    rig.Settle();
    CHECK(rig.Now() == 2);
    rig.Press("S");
    rig.Settle();
    CHECK(rig.Now() == 3);
    rig.Press("Home");
    rig.app->PresentSelection().block.reset();
    rig.Press("H");
    CHECK(rig.app->LastNotice().find("Select a block") != std::string::npos);
}

TEST_CASE("X shows a block's call site in the flame graph, and says where there is no block") {
    Opened opened(CentreTab::Heap);
    Rig& rig = *opened.rig;
    rig.app->PresentSelection().block = BlockId{1};  // of Load's Read
    rig.Press("X");
    rig.Settle();
    CHECK(rig.app->Centre() == CentreTab::Flame);
    CHECK(rig.app->PresentSelection().trace == TraceId{4});
    REQUIRE(rig.app->PresentSelection().Traces() != nullptr);
    CHECK((*rig.app->PresentSelection().traces)[4]);
    CHECK_FALSE((*rig.app->PresentSelection().traces)[5]);
    CHECK_FALSE(rig.app->Analysis().reveal);
    rig.Press("Home");
    rig.app->PresentSelection() = {};
    rig.Press("X");
    CHECK(rig.app->LastNotice().find("Select a block") != std::string::npos);
}

TEST_CASE("X says where a block has no call trace") {
    Opened nameless(CentreTab::Heap, false);
    nameless.rig->app->PresentSelection().block = BlockId{1};
    nameless.rig->Press("X");
    CHECK(nameless.rig->app->LastNotice().find("No call trace") != std::string::npos);
    CHECK(nameless.rig->app->Centre() == CentreTab::Heap);
}

TEST_CASE("a block has a menu that filters by its site and by its size") {
    Opened opened(CentreTab::Heap);
    Rig& rig = *opened.rig;
    rig.app->FocusBlock(BlockId{41});  // of Parse's Read; it fills the panel
    rig.Settle();
    const auto click = [&](ImVec2 at, int button) {
        rig.MoveMouse(at);
        rig.platform->Send(InputEvent::Button(button, true));
        rig.app->Frame(0);
        rig.platform->Send(InputEvent::Button(button, false));
        rig.app->Frame(0);
        rig.app->Frame(0);
    };
    const auto choose = [&](int entry) {
        rig.Settle();
        ImVec2 at{600, 100};  // the panel's rows shift where there is a filter
        for (; at.y < 600; at.y += 5) {
            rig.MoveMouse(at);
            rig.app->Frame(0);
            if (rig.app->PresentSelection().hovered == BlockId{41}) break;
        }
        REQUIRE(rig.app->PresentSelection().hovered == BlockId{41});
        click(at, 1);
        CHECK(rig.app->PresentSelection().block == BlockId{41});
        click({at.x + 40, at.y + 4 + 26 * static_cast<float>(entry) + 13}, 0);
    };
    choose(5);
    CHECK(opened.Analyst().Filter().site == "Read");
    choose(6);
    CHECK(opened.Analyst().Filter().leastSize == 8000);
    CHECK(opened.Analyst().Filter().mostSize == 8000);
    CHECK(opened.Analyst().Filter().site == "Read");  // both hold
    choose(0);
    CHECK(rig.Now() == rig.End() - 7);  // its birth
}

TEST_CASE("every view of the analyses draws at every size, in both themes, with and without call traces") {
    for (const bool traces : {true, false}) {
        for (const ImVec2 size : {ImVec2{1100, 700}, ImVec2{700, 480}}) {
            Opened opened(CentreTab::Flame, traces, size);
            Rig& rig = *opened.rig;
            for (const Tab tab : {Tab::Calls, Tab::Profile, Tab::Leaks}) {
                rig.app->ShowTab(tab);
                for (const char* keys : {"Alt+2", "Alt+3", "T", "B", "Home", "Y", "End", "Ctrl+F", "U"}) {
                    rig.Press(keys);
                    rig.Settle();
                    opened.Leave();
                }
            }
            rig.Settle();
            CHECK(rig.app->Settled());
        }
    }
    Rig nothing(AppOptions{});
    nothing.Press("Alt+2");
    nothing.Press("H");
    nothing.Press("A");
    CHECK(nothing.app->GetSession() == nullptr);
}

TEST_CASE("the picture of lives zooms by keys and fits again") {
    Opened opened(CentreTab::Lives);
    Rig& rig = *opened.rig;
    const Image all = rig.Picture();
    rig.Press("+");
    const Image near = rig.Picture();
    CHECK_FALSE(near == all);
    rig.Press("Shift+J");
    CHECK_FALSE(rig.Picture() == near);
    rig.Press("F");
    bool same = rig.Picture() == all;
    CHECK(same);
    rig.Press("+");
    rig.Press("Escape");
    same = rig.Picture() == all;
    CHECK(same);
    rig.Drag({700, 300}, {600, 300});  // at full view there is nowhere to pan to
    CHECK(rig.Now() == rig.End());
}
