// The window of a scenario: source, narration, console, editor, predictions, the picker.
#include <fstream>
#include <iterator>
#include <thread>

#include "gui/views/welcome.hpp"
#include "session/scenario.hpp"
#include "shell_rig.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;

namespace {

constexpr const char* kText =
    "/// Two blocks\n"
    "/// What is told at the beginning.\n"
    "main :: proc()\n"
    "{\n"
    "    buffer : [256; u8]\n"
    "    heap := CreateFixedBufferAllocator(&buffer)\n"
    "    /// The first.\n"
    "    a := Allocate<u8>(&heap, 64)\n"
    "    IO.PrintLine(\"one\")\n"
    "    #[predict]\n"
    "    b := Allocate<u8>(&heap, 32)\n"
    "    Free(&heap, a)\n"
    "    Free(&heap, b)\n"
    "}\n";

AppOptions Opening(const TemporaryFolder& folder, bool predict = false) {
    AppOptions options;
    options.path = folder.File("two.iridis", kText);
    options.animate = false;
    options.predict = predict;
    return options;
}

struct ScenarioRig : Rig {
    explicit ScenarioRig(const AppOptions& options, ImVec2 size = {1200, 760}) : Rig(options, size) {
        REQUIRE(app->GetSession() != nullptr);
        app->GetSession()->WaitUntilLoaded();
        app->Frame(0);
        app->Frame(0);
    }
    session::Scenario& Script() { return *app->GetSession()->GetScenario(); }
    std::uint32_t Line() { return Script().PresentStep() == nullptr ? 0 : Script().PresentStep()->line; }
    // A live session never settles: frames until it holds.
    template <class Condition>
    bool Wait(Condition condition) {
        for (int i = 0; i < 400 && !condition(); ++i) {
            app->Frame(0.01);
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return condition();
    }
};

}  // namespace

TEST_CASE("source lines are walked with the keys, and the picture is the same on the way back") {
    TemporaryFolder folder;
    ScenarioRig rig(Opening(folder));
    rig.Press("Home");
    const Image start = rig.Picture();
    std::vector<Image> forward;
    for (const std::uint32_t line : {5u, 6u, 8u, 9u, 11u}) {
        rig.Press("Ctrl+Right");
        forward.push_back(rig.Picture());
        CHECK(rig.Line() == line);
        CHECK_FALSE(forward.back() == (forward.size() > 1 ? forward[forward.size() - 2] : start));
    }
    for (std::size_t i = forward.size() - 1; i-- > 0;) {
        rig.Press("Ctrl+Left");
        CHECK(rig.Picture() == forward[i]);
    }
    rig.Press("Home");
    CHECK(rig.Picture() == start);
    rig.Press("N");
    CHECK(rig.Line() == 8);
    rig.Press("O");
    const Image console = rig.Picture();
    rig.Press("O");
    CHECK_FALSE(rig.Picture() == console);
}

TEST_CASE("the source is edited, run again with one key, and the file changes only when asked") {
    TemporaryFolder folder;
    ScenarioRig rig(Opening(folder));
    const auto file = [&] {
        std::ifstream stream(folder.path / "two.iridis");
        return std::string(std::istreambuf_iterator<char>(stream), {});
    };
    const std::uint64_t calls = rig.End();
    rig.Press("E");
    rig.app->Frame(0);
    rig.app->Frame(0);
    rig.Type("x");  // before the first line: no scenario any more
    rig.app->Frame(0);
    rig.Press("Ctrl+R");
    REQUIRE(rig.Wait([&] { return rig.app->GetSession()->Status().phase == session::Phase::Failed; }));
    CHECK_FALSE(rig.Script().Diagnostics().empty());
    CHECK(file() == kText);
    rig.Settle();
    rig.Press("E");
    rig.app->Frame(0);
    rig.app->Frame(0);
    rig.Press("Ctrl+Home");
    rig.Press("Delete");
    rig.app->Frame(0);
    rig.Press("Ctrl+R");
    REQUIRE(rig.Wait([&] { return rig.Script().Result() != nullptr; }));
    rig.Settle();
    CHECK(rig.End() == calls);
    CHECK(rig.Script().Text() == kText);
}

TEST_CASE("changes that were not saved are kept when another file is opened, and at the end") {
    TemporaryFolder folder, state;
    AppOptions options = Opening(folder);
    options.stateFolder = state.path.string();
    const std::string changed = "/// Mine\n" + std::string(kText);
    {
        ScenarioRig rig(options);
        rig.Settle();
        rig.app->RunScenario(changed);
        REQUIRE(rig.Wait([&] { return rig.Script().Result() != nullptr; }));
        rig.Settle();
        rig.app->OpenSandbox();
        rig.app->Frame(0);
        rig.app->OpenPath(options.path);
        REQUIRE(rig.Wait([&] { return rig.app->GetSession()->GetScenario() && rig.Script().Result() != nullptr; }));
        rig.Settle();
        CHECK(rig.Script().Text() == changed);
        CHECK(rig.app->LastNotice().find("back") != std::string::npos);
    }
    ScenarioRig rig(options);
    REQUIRE(rig.Wait([&] { return rig.Script().Result() != nullptr; }));
    rig.Settle();
    CHECK(rig.Script().Text() == changed);
    CHECK(rig.Script().FileText() == kText);
    rig.Press("Ctrl+S");
    REQUIRE(rig.Wait([&] { return rig.app->LastNotice().starts_with("Saved "); }));
    rig.app->OpenPath(options.path);
    REQUIRE(rig.Wait([&] { return rig.Script().Result() != nullptr; }));
    rig.Settle();
    CHECK(rig.Script().Text() == changed);
    CHECK_FALSE(rig.Script().FromDraft());
}

TEST_CASE("a question is answered with a key, judged, and the run goes on") {
    TemporaryFolder folder;
    ScenarioRig rig(Opening(folder, true));
    REQUIRE(rig.Wait([&] { return rig.Script().Question().has_value(); }));
    CHECK(rig.End() == 1);
    rig.Press("6");  // from elsewhere it means nothing
    CHECK_FALSE(rig.Script().LastVerdict());
    rig.Press("End");
    CHECK(rig.Line() == 11);
    rig.Press("6");
    REQUIRE(rig.Wait([&] { return rig.Script().LastVerdict().has_value(); }));
    CHECK_FALSE(rig.Script().LastVerdict()->right);
    CHECK(rig.Script().Score().answers == 1);
    REQUIRE(rig.Wait([&] { return rig.Script().Result() != nullptr; }));
    CHECK(rig.Now() == 2);
    rig.Press("Home");
    rig.Press("G");  // from here on, before every request
    REQUIRE(rig.Wait([&] { return rig.Script().Question().has_value(); }));
    CHECK(rig.End() == 0);
    CHECK(rig.Line() == 8);
    rig.Press("Enter");
    REQUIRE(rig.Wait([&] { return rig.Script().Question() && rig.End() == 1; }));
    rig.Press("End");
    rig.Press("G");
    REQUIRE(rig.Wait([&] { return rig.Script().Result() != nullptr; }));
    CHECK(rig.Script().Score().answers == 0);
}

TEST_CASE("the keys go from hole to hole, are seen, and answer") {
    TemporaryFolder folder;
    ScenarioRig rig(Opening(folder, true));
    REQUIRE(rig.Wait([&] { return rig.Script().Question().has_value(); }));
    rig.Press("End");
    const Image before = rig.Picture();
    rig.Press("Down");
    const Image first = rig.Picture();
    CHECK_FALSE(first == before);
    rig.Press("Shift+Down");
    CHECK_FALSE(rig.Picture() == first);
    rig.Press("Shift+Up");
    CHECK(rig.Picture() == first);
    rig.Press("Up");  // nothing is below the lowest
    CHECK(rig.Picture() == first);
    rig.Press("Enter");
    REQUIRE(rig.Wait([&] { return rig.Script().LastVerdict().has_value(); }));
    const auto& verdict = *rig.Script().LastVerdict();
    REQUIRE(verdict.answer.address);
    CHECK(*verdict.answer.address == verdict.begin);
    CHECK(verdict.right);
    CHECK(rig.Script().Score().right == 1);
}

TEST_CASE("a click in the heap is the answer, and lands in the block or does not") {
    TemporaryFolder folder;
    ScenarioRig rig(Opening(folder, true));
    REQUIRE(rig.Wait([&] { return rig.Script().Question().has_value(); }));
    rig.Press("End");
    for (int i = 0; i < 5; ++i) rig.app->Frame(0.01);
    // Somewhere in the middle of the heap panel, where it is free.
    bool answered = false;
    for (float y = 150; y < 420 && !answered; y += 24) {
        const ImVec2 at{660, y};
        rig.Drag(at, at);
        answered = rig.Wait([&] { return rig.Script().LastVerdict().has_value(); });
        if (!rig.Script().Question()) break;
    }
    REQUIRE(answered);
    CHECK(rig.Script().LastVerdict()->answer.address.has_value());
    const auto& verdict = *rig.Script().LastVerdict();
    CHECK(verdict.right == (*verdict.answer.address >= verdict.begin && *verdict.answer.address < verdict.end));
}

TEST_CASE("lessons are picked with the keys, from the welcome and over an open session") {
    if (ShippedLessons().empty()) {
        WARN("no lessons are there");
        return;
    }
    TemporaryFolder folder;
    ScenarioRig rig(Opening(folder));
    rig.Settle();
    const Image before = rig.Picture();
    rig.Press("L");
    CHECK_FALSE(rig.Picture() == before);
    rig.Press("Escape");
    CHECK(rig.Picture() == before);
    rig.Press("L");
    rig.Press("Down");
    rig.Press("Down");
    rig.Press("Enter");
    rig.app->GetSession()->WaitUntilLoaded();
    rig.Settle();
    CHECK(rig.app->GetSession()->Title() == ShippedLessons()[1].title);
}

TEST_CASE("every lesson opens at every moment without a fault, small and large, dark and light") {
    TemporaryFolder folder;
    bool light = false;
    for (const session::Lesson& lesson : ShippedLessons()) {
        INFO(lesson.path);
        AppOptions options;
        options.path = lesson.path;
        options.animate = false;
        options.light = light = !light;
        ScenarioRig rig(options, light ? ImVec2{1100, 700} : ImVec2{1600, 900});
        rig.Settle();
        for (std::uint64_t at = 0; at <= rig.End(); at += 1 + rig.End() / 6) {
            rig.app->GetSession()->SeekTo(Position{at});
            rig.Settle();
        }
        CHECK_FALSE(lesson.level.empty());
        CHECK_FALSE(lesson.learns.empty());
    }
}
