// A student's allocator in the window.
#include <chrono>
#include <cstring>
#include <functional>
#include <thread>

#include <imgui_internal.h>

#include "lab/build.hpp"
#include "session/lab.hpp"
#include "shell_rig.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;
using LabPhase = session::LabState::Phase;

namespace {

std::string Bump(const std::string& more) {
    return "#include \"mm.h\"\n#include \"memlib.h\"\n"
           "int mm_init(void) { return 0; }\n"
           "void *mm_malloc(size_t size) {\n"
           "    size_t bytes = (size + 7) & ~7ul;\n"
           "    return mem_sbrk((int)(bytes + " +
           more +
           "));\n}\nvoid mm_free(void *p) { (void)p; }\n"
           "void *mm_realloc(void *p, size_t size) { (void)p; return mm_malloc(size); }\n";
}

struct Desk {
    TemporaryFolder folder;
    TemporaryFolder traces;
    std::string student = folder.File("mm.c", Bump("0"));

    AppOptions Options(std::vector<std::string> flags = {}) {
        AppOptions options;
        options.lab.emplace();
        options.lab->student = student;
        options.lab->traces = {traces.File("one.rep", "1 3 6 0\na 0 64\na 1 128\nf 0\na 2 32\nf 1\nf 2\n"),
                               traces.File("two.rep", "1 1 2 0\na 0 40\nf 0\n")};
        options.lab->settings.run.timedRuns = 0;
        options.lab->settings.build.flags = std::move(flags);
        options.lab->settings.run.needsLandlock = options.lab->settings.build.needsLandlock = lab::HasLandlock();
        return options;
    }
    void Save(const std::string& text) { folder.File("mm.c", text); }
};

session::Lab& LabOf(Rig& rig) {
    return *rig.app->GetSession()->GetLab();
}
std::uint64_t HeapOf(Rig& rig) {
    const auto& picture = LabOf(rig).Picture();
    return picture == nullptr ? 0 : picture->fall.heapBytes;
}

bool Wait(Rig& rig, const std::function<bool()>& until) {
    for (int i = 0; i < 4000 && !until(); ++i) {
        rig.app->Frame(0.01);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return until();
}

ImGuiWindow* WindowNamed(const char* part) {
    for (ImGuiWindow* window : GImGui->Windows) {
        if (window->Active && std::strstr(window->Name, part) != nullptr) return window;
    }
    return nullptr;
}

void Click(Rig& rig, ImVec2 at) {
    rig.Drag(at, at);
}

bool Same(const Image& a, const Image& b) {
    return a == b;
}

}  // namespace

TEST_CASE("lab: a save changes the picture, and the playhead stays at its operation") {
    Desk desk;
    Rig rig(desk.Options());
    REQUIRE(HeapOf(rig) == 224);
    CHECK(rig.End() == 6);
    rig.Press("Home");
    for (int i = 0; i < 4; ++i) rig.Press("Right");
    CHECK(rig.Now() == 4);
    const Image before = rig.Picture();
    CHECK(Same(before, rig.Picture()));
    desk.Save(Bump("16"));
    REQUIRE(Wait(rig, [&] { return HeapOf(rig) == 224 + 3 * 16 && !rig.app->GetSession()->Working(); }));
    CHECK(rig.Now() == 4);
    CHECK_FALSE(Same(before, rig.Picture()));
}

TEST_CASE("lab: code that does not compile leaves the heap as it was, and says what the compiler said") {
    Desk desk;
    Rig rig(desk.Options());
    rig.Press("End");
    rig.Press("Left");
    desk.Save("int mm_init(void) { return oops; }\n");
    REQUIRE(Wait(rig, [&] { return LabOf(rig).State()->phase == LabPhase::DoesNotBuild; }));
    rig.Settle();
    CHECK(HeapOf(rig) == 224);
    CHECK(rig.Now() == 5);
    const Image broken = rig.Picture();
    desk.Save(Bump("0"));
    REQUIRE(Wait(rig, [&] { return LabOf(rig).State()->phase == LabPhase::Done; }));
    CHECK(rig.Now() == 5);
    CHECK_FALSE(Same(broken, rig.Picture()));
}

TEST_CASE("lab: traces are chosen by keys and by a click") {
    Desk desk;
    Rig rig(desk.Options());
    const auto shows = [&](std::size_t trace) {
        return [&rig, trace] { return LabOf(rig).Picture() != nullptr && LabOf(rig).Picture()->trace == trace; };
    };
    rig.Press("G");
    REQUIRE(Wait(rig, shows(1)));
    CHECK(rig.End() == 2);
    rig.Press("Shift+G");
    REQUIRE(Wait(rig, shows(0)));
    rig.Settle();
    const ImGuiWindow* const panel = WindowNamed("##lab");
    REQUIRE(panel != nullptr);
    constexpr float kState = 50, kTitle = 30, kHeader = 24, kRowsHeight = 22;
    Click(rig, {panel->Pos.x + 60, panel->Pos.y + kState + kTitle + kHeader + kRowsHeight * 1.5f});
    REQUIRE(Wait(rig, shows(1)));
    rig.Press("Up");  // the panel has the keyboard now
    REQUIRE(Wait(rig, shows(0)));
}

TEST_CASE("lab: a finding leads to its operation, in another trace too") {
    Desk desk;
    // Wrong for the second trace's size only: outside of the heap.
    std::string code = Bump("0");
    code.replace(code.find("    return mem_sbrk"), 0, "    if (size == 40) return (void *)64;\n");
    desk.Save(code);
    Rig rig(desk.Options());
    REQUIRE(LabOf(rig).State()->Findings() == 1);
    rig.Press("Home");
    rig.Press("N");
    REQUIRE(Wait(rig, [&] { return LabOf(rig).Picture()->trace == 1; }));
    CHECK(rig.Now() == 1);
    CHECK_FALSE(LabOf(rig).State()->allValid);
}

#if defined(__x86_64__)

TEST_CASE("lab: the code is stepped line by line, both ways, over the ends of calls") {
    Desk desk;
    Rig rig(desk.Options({"-O1"}));
    rig.Press("Home");
    rig.Press("Right");
    rig.Press("I");
    rig.Press("I");  // the source
    const auto moment = [&]() -> std::shared_ptr<const session::MomentAnswer> {
        bool isPresent = false;
        auto answer = LabOf(rig).PresentMoment(isPresent);
        return isPresent && answer->moment && answer->moment->after == rig.Now() ? answer : nullptr;
    };
    REQUIRE(Wait(rig, [&] { return moment() != nullptr; }));
    const auto first = moment();
    const std::size_t count = first->moment->steps.size();
    REQUIRE(count > 1);
    CHECK(LabOf(rig).PresentStep(*first->moment) == count - 1);
    const Image last = rig.Picture();
    for (std::size_t i = 0; i + 1 < count; ++i) rig.Press("Ctrl+Left");
    CHECK(LabOf(rig).PresentStep(*first->moment) == 0);
    CHECK(rig.Now() == 1);
    CHECK_FALSE(Same(last, rig.Picture()));
    for (std::size_t i = 0; i < count; ++i) rig.Press("Ctrl+Right");
    CHECK(rig.Now() == 2);
    REQUIRE(Wait(rig, [&] { return moment() != nullptr; }));
    CHECK(LabOf(rig).PresentStep(*moment()->moment) == 0);
    rig.Press("Ctrl+Left");
    CHECK(rig.Now() == 1);
    REQUIRE(Wait(rig, [&] { return moment() != nullptr; }));
    CHECK(LabOf(rig).PresentStep(*moment()->moment) == count - 1);
}

#endif

TEST_CASE("lab: the bytes of the heap are those at the playhead") {
    Desk desk;
    Rig rig(desk.Options());
    rig.Press("Home");
    rig.Press("Shift+I");  // the last tab
    rig.Settle();
    const Image empty = rig.Picture();
    rig.Press("Right");
    const auto known = [&] {
        bool isPresent = false;
        const auto answer = LabOf(rig).PresentMoment(isPresent);
        return isPresent && answer->moment && answer->moment->after == rig.Now();
    };
    REQUIRE(Wait(rig, known));
    const Image one = rig.Picture();
    CHECK_FALSE(Same(empty, one));
    rig.Press("Right");
    REQUIRE(Wait(rig, known));
    CHECK_FALSE(Same(one, rig.Picture()));
}

TEST_CASE("lab: an allocator that never built can be opened, and looked at in every tab") {
    Desk desk;
    desk.Save("nothing\n");
    Rig rig(desk.Options());
    CHECK(LabOf(rig).State()->phase == LabPhase::DoesNotBuild);
    for (int i = 0; i < 4; ++i) {
        rig.Settle();
        rig.Press("I");
    }
    rig.Press("Z");
    rig.Settle();
    desk.Save(Bump("0"));
    CHECK(Wait(rig, [&] { return HeapOf(rig) == 224; }));
}

TEST_CASE("lab: while nothing is saved the window sleeps") {
    Desk desk;
    Rig rig(desk.Options());
    REQUIRE(Wait(rig, [&] { return LabOf(rig).State()->phase == LabPhase::Done; }));
    rig.Settle();
    CHECK(rig.app->MaySleep() >= 0.5);
}

TEST_CASE("lab: another mm.c is a lane, built and run again whenever it is saved") {
    Desk desk;
    const std::string other = desk.folder.File("other.c", Bump("8"));
    AppOptions options = desk.Options();
    options.lanes = {other, "tlsf"};
    options.laneSettings = options.lab->settings;
    Rig rig(options);
    REQUIRE(Wait(rig, [&] { return rig.app->Lanes().Count() == 2 && !rig.app->Lanes().Working(); }));
    const auto heapOfLane = [&] { return rig.app->Lanes().At(0).PresentMetrics().heap.value_or(0); };
    rig.Press("End");
    REQUIRE(Wait(rig, [&] { return heapOfLane() == 224 + 3 * 8; }));
    CHECK(rig.app->GetSession()->PresentMetrics().heap == 224u);
    desk.folder.File("other.c", Bump("40"));
    REQUIRE(Wait(rig, [&] { return heapOfLane() == 224 + 3 * 40; }));
    CHECK(rig.app->Lanes().At(0).Now() == Position{6});
    // From here on under other rules: of the student's run itself, not of another allocator's.
    rig.app->GetSession()->SeekTo(Position{2});
    rig.app->AddLane("first-fit", std::nullopt, true);
    REQUIRE(Wait(rig, [&] { return rig.app->Lanes().Count() == 3 && !rig.app->Lanes().Working(); }));
    rig.Settle();
    session::Session& forked = rig.app->Lanes().At(2);
    CHECK(forked.Subtitle().find("from event 2 on fixed buffer, first fit") != std::string::npos);
    CHECK(forked.PresentMetrics().heap == 192u);  // still the student's: 64 and 128
    rig.Press("End");
    CHECK(forked.PresentMetrics().holes.has_value());
}
