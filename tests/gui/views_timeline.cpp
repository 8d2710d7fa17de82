// The timeline's stack: a band for each allocator in its colour, and what is uncertain after events were lost.
#include <algorithm>

#include "gui/theme.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/duck.hpp"
#include "gui/views/notes.hpp"
#include "log/appender.hpp"
#include "log/native_file.hpp"
#include "log/trace_store.hpp"
#include "shell_rig.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;

namespace {

// `allocators` of them allocate in turn, 400 times in all, each in addresses of its own; then an optional gap.
std::string Recording(const TemporaryFolder& folder, std::uint16_t allocators, bool gap) {
    log::EventLog log;
    log::Appender appender(log);
    const auto put = [&](events::EventKind kind, std::uint16_t id, std::uint64_t address, std::uint64_t size) {
        events::Event event;
        event.kind = kind;
        event.allocator = AllocatorId{id};
        event.address = address;
        event.size = size;
        event.thread = ThreadId{1};
        appender.Append(event, kind == events::EventKind::AllocatorCreated ? "allocator " + std::to_string(id) : "");
    };
    for (std::uint16_t id = 1; id <= allocators; ++id) put(events::EventKind::AllocatorCreated, id, 0, 0);
    for (std::uint64_t i = 0; i < 400; ++i) {
        const auto id = static_cast<std::uint16_t>(1 + i % allocators);
        if (gap && i == 200) {
            events::Event lost;
            lost.kind = events::EventKind::Gap;
            lost.argument = 7;
            appender.Append(lost, "");
            lost.kind = events::EventKind::Marker;
            appender.Append(lost, log::kNoRoomForTraces);
        }
        put(events::EventKind::Allocated, id, (std::uint64_t{id} << 32) + i * 64, 40);
    }
    appender.Flush();
    log.Close();
    const std::string path = (folder.path / "bands.residue").string();
    REQUIRE(log::WriteNative(log.View(), path));
    return path;
}

struct Drawn {
    Image image;
    ImU32 warn = 0;
    std::vector<ImU32> bands;  // by allocator
    std::size_t Count(ImU32 colour) const {
        return static_cast<std::size_t>(std::count(image.pixels.begin(), image.pixels.end(), colour));
    }
};

Drawn Draw(std::uint16_t allocators, bool gap) {
    const TemporaryFolder folder;
    AppOptions options;
    options.path = Recording(folder, allocators, gap);
    options.stateFolder = folder.path.string();
    options.only = PanelId::Timeline;
    Rig rig(options);
    rig.MoveMouse({-100, -100});
    Drawn drawn{rig.Picture(), DarkTheme().warn, {}};
    const Theme theme = DarkTheme();
    const auto& view = rig.app->GetSession()->View();
    const BlockColour colours(theme, ColourMode::Allocator, view, rig.app->GetSession()->Now());
    for (std::uint16_t id = 1; id <= allocators; ++id) drawn.bands.push_back(colours.OfAllocator(AllocatorId{id}));
    return drawn;
}

}  // namespace

TEST_CASE("each allocator has a band in its colour, and one alone looks like live bytes") {
    const Drawn three = Draw(3, false);
    for (const ImU32 colour : three.bands) CHECK(three.Count(colour) > 300);
    const Drawn one = Draw(1, false);
    CHECK(one.Count(DarkTheme().live) > 300);
    for (std::size_t i = 1; i < three.bands.size(); ++i) {
        if (three.bands[i] != DarkTheme().live) CHECK(one.Count(three.bands[i]) == 0);
    }
}

TEST_CASE("more allocators than bands are drawn as others, and every frame of it is the same") {
    const Drawn many = Draw(30, false);
    CHECK(many.Count(DarkTheme().dim) > 200);
    CHECK(many.image == Draw(30, false).image);
}

TEST_CASE("what follows lost events is marked as uncertain") {
    const Drawn whole = Draw(2, false), lost = Draw(2, true);
    CHECK(whole.Count(whole.warn) == 0);
    CHECK(lost.Count(lost.warn) > 300);
}

TEST_CASE("figures after lost events, and blocks without a call trace for want of room, say so") {
    const TemporaryFolder folder;
    AppOptions options;
    options.path = Recording(folder, 2, true);
    options.stateFolder = folder.path.string();
    Rig rig(options);
    session::Session& session = *rig.app->GetSession();
    session.SeekTo(Position{199});
    rig.Settle();
    CHECK_FALSE(UncertainNote(session));
    CHECK_FALSE(TracesFullNote(session));
    CHECK_FALSE(LostHere(session));
    session.SeekTo(Position{200});
    rig.Settle();
    REQUIRE(UncertainNote(session));
    CHECK(UncertainNote(session)->find("event 200") != std::string::npos);
    REQUIRE(TracesFullNote(session));
    CHECK(LostHere(session) == 7);
    CHECK(DescribeEvent(session).find("7 events were lost") != std::string::npos);
    CHECK(WhyNoTrace(session) == *TracesFullNote(session));
}

TEST_CASE("the figures strip and the lists differ where events were lost") {
    // The same recording, with and without the gap, drawn without its timeline.
    const auto picture = [](bool gap, Tab tab) {
        const TemporaryFolder folder;
        AppOptions options;
        options.path = Recording(folder, 2, gap);
        options.stateFolder = folder.path.string();
        Rig rig(options);
        rig.app->ShowTab(tab);
        rig.app->GetSession()->SeekTo(Position{300});
        rig.Press("Ctrl+B");  // folds the right column: the figures strip alone
        if (tab != Tab::Block) rig.Press("Ctrl+B");
        Image image = rig.Picture();
        image.pixels.resize(image.pixels.size() / 4 * 3);  // the timeline is below
        return image.pixels;
    };
    for (const Tab tab : {Tab::Block, Tab::Allocators, Tab::Leaks}) {
        const bool same = picture(false, tab) == picture(true, tab);  // pixels are not for printing
        CHECK_FALSE(same);
    }
}
