// Scenarios as sessions: the place in the source, narration, console, heat, stops, predictions.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "sandbox_support.hpp"
#include "session/scenario.hpp"
#include "session/session.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;
using session::test::Until;

namespace {

constexpr const char* kLesson =
    "/// Three blocks\n"                                            // 1
    "/// What is told at the beginning.\n"                          // 2
    "Memory :: import!(\"std.Memory\")\n"                           // 3
    "IO :: import!(\"std.IO\")\n"                                   // 4
    "Make :: proc(heap: ^Allocator, bytes: u32) -> ^u8\n"           // 5
    "{\n"                                                           // 6
    "    return Memory.Allocate<u8>(heap, bytes)\n"                 // 7
    "}\n"                                                           // 8
    "main :: proc()\n"                                              // 9
    "{\n"                                                           // 10
    "    buffer := [512; 0 as u8]\n"                                // 11
    "    heap := CreateFixedBufferAllocator(&buffer)\n"             // 12
    "    /// The first.\n"                                          // 13
    "    a := Make(&heap, 64)\n"                                    // 14
    "    IO.PrintLine(\"one\")\n"                                   // 15
    "    #[break]\n"                                                // 16
    "    b := Make(&heap, 32)\n"                                    // 17
    "    /// It goes back.\n"                                       // 18
    "    Memory.Free(&heap, a)\n"                                   // 19
    "    IO.PrintLine(\"two\")\n"                                   // 20
    "    #[predict]\n"                                              // 21
    "    c := Make(&heap, 16)\n"                                    // 22
    "    Memory.Free(&heap, b)\n"                                   // 23
    "    Memory.Free(&heap, c)\n"                                   // 24
    "}\n";

struct Opened {
    explicit Opened(session::ScenarioOptions scenario = {}, const std::string& text = kLesson) {
        folder.Write("lesson.iridis", text);
        session::OpenOptions options;
        options.scenario = std::move(scenario);
        session = session::Session::Open((folder.Path() / "lesson.iridis").string(), options);
        session->WaitUntilLoaded();
        REQUIRE(session->GetScenario() != nullptr);
        REQUIRE(Until(*session, [&] { return session->Status().phase != session::Phase::Loading; }));
        REQUIRE(Until(*session, [&] { return Script().Result() != nullptr || Script().Question(); }));
    }
    session::Scenario& Script() { return *session->GetScenario(); }
    std::uint32_t Line() {
        session->Tick(0);
        const auto* step = Script().PresentStep();
        return step == nullptr ? 0 : step->line;
    }
    std::string Told() {
        session->Tick(0);
        const auto* narration = Script().PresentNarration();
        return narration == nullptr ? "" : narration->text;
    }
    support::ScratchFolder folder;
    std::unique_ptr<session::Session> session;
};

}  // namespace

TEST_CASE("a scenario is a session: its title, its calls, its heap, names for its call traces", "[threads]") {
    Opened opened;
    CHECK(opened.session->Title() == "Three blocks");
    CHECK(opened.session->End().value == 6);
    CHECK(opened.Script().Result()->Passed());
    opened.session->SeekTo(Position{2});
    REQUIRE(Until(*opened.session, [&] { return opened.session->Settled(); }));
    CHECK(opened.session->Heap().Find(opened.session->Shown())->totals.payload == 96);
    const auto row = opened.session->PresentRow();
    REQUIRE(row);
    const auto frames = opened.session->View().Frames(opened.session->View().At(*row).event.trace);
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].function == "Make");
    CHECK(frames[0].line == 7);
    CHECK(frames[1].function == "main");
    CHECK(frames[1].line == 17);
}

TEST_CASE("lines are walked both ways, before they are carried out, and the console follows", "[threads]") {
    Opened opened;
    opened.session->SeekTo(Position{0});
    std::vector<std::uint32_t> forward;
    while (opened.Script().StepLine(true)) forward.push_back(opened.Line());
    CHECK(forward == std::vector<std::uint32_t>{11, 12, 14, 7, 15, 17, 7, 19, 20, 22, 7, 23, 24});
    opened.session->SeekTo(opened.session->End());
    std::vector<std::uint32_t> back;
    while (opened.Script().StepLine(false)) back.push_back(opened.Line());
    std::reverse(back.begin(), back.end());
    CHECK(back == forward);

    opened.session->SeekTo(Position{0});
    opened.session->Tick(0);
    CHECK(opened.Script().Console().empty());
    while (opened.Line() != 17 && opened.Script().StepLine(true)) {
    }
    CHECK(opened.Script().Console() == "one\n");
    opened.session->SeekTo(opened.session->End());
    opened.session->Tick(0);
    CHECK(opened.Script().Console() == "one\ntwo\n");
    opened.session->SeekTo(Position{0});
    opened.session->Tick(0);
    CHECK(opened.Script().Console().empty());
}

TEST_CASE("narrations are walked both ways and hold until the next", "[threads]") {
    Opened opened;
    opened.session->SeekTo(Position{0});
    CHECK(opened.Told().empty());
    REQUIRE(opened.Script().StepNarration(true));
    CHECK(opened.Told() == "The first.");
    CHECK(opened.Line() == 14);
    REQUIRE(opened.Script().StepNarration(true));
    CHECK(opened.Told() == "It goes back.");
    CHECK_FALSE(opened.Script().StepNarration(true));
    CHECK(opened.Told() == "It goes back.");
    REQUIRE(opened.Script().StepNarration(false));
    CHECK(opened.Line() == 19);
    REQUIRE(opened.Script().StepNarration(false));
    CHECK(opened.Line() == 14);
}

TEST_CASE("playing stops at a #[break], before the statement is carried out", "[threads]") {
    Opened opened;
    opened.session->SeekTo(Position{0});
    opened.session->SetSpeed(1000);
    opened.session->Play(true);
    REQUIRE(Until(*opened.session, [&] {
        opened.session->Tick(0.01);
        return !opened.session->Playing();
    }));
    CHECK(opened.Line() == 17);
    CHECK(opened.session->Now().value == 1);
    opened.session->Play(true);
    REQUIRE(Until(*opened.session, [&] {
        opened.session->Tick(0.01);
        return !opened.session->Playing();
    }));
    CHECK(opened.session->Now() == opened.session->End());
}

TEST_CASE("a line has what was allocated in it and in what it called", "[threads]") {
    Opened opened;
    opened.session->SeekTo(Position{2});
    REQUIRE(Until(*opened.session, [&] { return opened.session->Settled(); }));
    const auto heat = [&](std::uint32_t line) {
        for (const auto& each : opened.Script().Heat()) {
            if (each.line == line) return each;
        }
        return session::LineHeat{};
    };
    CHECK(heat(7).liveBytes == 96);
    CHECK(heat(7).allocations == 2);
    CHECK(heat(14).liveBytes == 64);
    CHECK(heat(17).liveBytes == 32);
    opened.session->SeekTo(Position{3});
    REQUIRE(Until(*opened.session, [&] { return opened.session->Settled(); }));
    CHECK(heat(14).liveBytes == 0);
    CHECK(heat(14).allocations == 1);
    opened.session->SeekTo(Position{1});  // and back, undone row by row
    REQUIRE(Until(*opened.session, [&] { return opened.session->Settled(); }));
    CHECK(heat(14).liveBytes == 64);
    CHECK(heat(14).liveBlocks == 1);
    CHECK(heat(17).allocations == 0);
    CHECK(heat(7).liveBytes == 64);
    CHECK(opened.Script().HeatSettled());
    opened.session->SeekTo(Position{0});
    REQUIRE(Until(*opened.session, [&] { return opened.session->Settled(); }));
    CHECK(opened.Script().Heat().empty());
}

TEST_CASE("a prediction stops the run before the request, hides what comes, and is judged by it", "[threads]") {
    session::ScenarioOptions scenario;
    scenario.predict = true;
    Opened opened(scenario);
    const auto question = opened.Script().Question();
    REQUIRE(question);
    CHECK(question->position.value == 3);
    CHECK(question->bytes == 16);
    CHECK(opened.session->End().value == 3);
    CHECK(opened.session->IsLive());
    CHECK(opened.Script().Result() == nullptr);
    // First fit takes the hole where the first block was.
    const std::uint64_t hole = opened.session->View().At(opened.session->View().RowsAt(Position{3}) - 1).event.address;
    opened.Script().Answer({hole, std::nullopt});
    REQUIRE(Until(*opened.session, [&] { return opened.Script().Result() != nullptr; }));
    REQUIRE(Until(*opened.session, [&] { return opened.Script().LastVerdict().has_value(); }));
    CHECK(opened.Script().LastVerdict()->right);
    CHECK(opened.Script().Score().right == 1);
    CHECK(opened.Script().Score().answers == 1);
    CHECK(opened.session->Now().value == 4);
    CHECK(opened.session->End().value == 6);
}

TEST_CASE("a wrong answer counts as wrong, an error that does not come as well; what is skipped is not counted",
          "[threads]") {
    session::ScenarioOptions scenario;
    scenario.askAll = true;
    Opened opened(scenario);
    CHECK(opened.Script().Question()->position.value == 0);
    opened.Script().Answer({0x99, std::nullopt});
    REQUIRE(Until(*opened.session, [&] {
        return opened.Script().Score().answers == 1 && opened.Script().Question();
    }));
    CHECK_FALSE(opened.Script().LastVerdict()->right);
    opened.Script().Answer({std::nullopt, MemoryError::Fragmentation});
    REQUIRE(Until(*opened.session, [&] {
        return opened.Script().Score().answers == 2 && opened.Script().Question();
    }));
    CHECK(opened.Script().Score().right == 0);
    opened.Script().Skip();
    REQUIRE(Until(*opened.session, [&] { return opened.Script().Result() != nullptr; }));
    CHECK(opened.Script().Score().answers == 2);
}

TEST_CASE("a question begins where it was asked for, and a session can be closed while it waits", "[threads]") {
    session::ScenarioOptions scenario;
    scenario.askAll = true;
    scenario.askFrom = 2;
    Opened opened(scenario);
    CHECK(opened.Script().Question()->position.value == 3);
    opened.session->Tick(0);
    CHECK(opened.session->Now().value == 2);
}

TEST_CASE("a broken scenario has its text and all that is wrong with it; an edited one runs instead of the file's",
          "[threads]") {
    support::ScratchFolder folder;
    folder.Write("broken.iridis", "main :: proc()\n{\n    x := \n    y := (1 + \n}\n");
    const std::string path = (folder.Path() / "broken.iridis").string();
    auto session = session::Session::Open(path);
    session->WaitUntilLoaded();
    REQUIRE(Until(*session, [&] { return session->Status().phase == session::Phase::Failed; }));
    CHECK(session->GetScenario()->Program() == nullptr);
    CHECK(session->GetScenario()->Diagnostics().size() >= 2);
    CHECK(session->GetScenario()->Text().starts_with("main"));
    CHECK(session->Status().failure->where.find("broken.iridis:3") != std::string::npos);

    session::OpenOptions options;
    options.scenario.text = "main :: proc()\n{\n    x := 1\n}\n";
    session = session::Session::Open(path, options);
    session->WaitUntilLoaded();
    REQUIRE(Until(*session, [&] { return session->GetScenario()->Result() != nullptr; }));
    CHECK(session->GetScenario()->Result()->Passed());
    CHECK(session->Status().phase == session::Phase::Ready);
}

TEST_CASE("a scenario that never ends is cancelled at once", "[threads]") {
    support::ScratchFolder folder;
    folder.Write("loop.iridis", "main :: proc()\n{\n    while true { }\n}\n");
    session::OpenOptions options;
    options.scenario.stepBudget = ~std::uint64_t{0};
    auto session = session::Session::Open((folder.Path() / "loop.iridis").string(), options);
    session->Tick(0);
    session->Cancel();
    session->WaitUntilLoaded();
    REQUIRE(Until(*session, [&] { return session->Status().phase == session::Phase::Cancelled; }));
}
