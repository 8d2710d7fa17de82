// The sandbox's panel under the mouse and the keyboard: marks, releases and resets.
#include <chrono>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <imgui_internal.h>

#include "alloc/registry.hpp"
#include "session/sandbox.hpp"
#include "shell_rig.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;

namespace {

bool Wait(Rig& rig, const std::function<bool()>& until) {
    for (int i = 0; i < 800 && !until(); ++i) {
        rig.app->Frame(0.01);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return until();
}

session::Sandbox& SandboxOf(Rig& rig) {
    return *rig.app->GetSession()->GetSandbox();
}

// A new allocator of that name, and its beginning, and the end of the one before, have arrived.
void Create(Rig& rig, const char* allocator) {
    SandboxOf(rig).Create(allocator, 16 * 1024);
    REQUIRE(Wait(rig, [&] {
        session::Session& session = *rig.app->GetSession();
        const model::AllocatorState* shown = session.Heap().Find(session.Shown());
        return SandboxOf(rig).Present() == allocator && session.Settled() && shown != nullptr && shown->alive &&
               shown->name == alloc::FindRegistration(allocator)->title;
    }));
    rig.Settle();
}

// The same, with the keyboard in the sandbox's panel.
void Start(Rig& rig, const char* allocator) {
    Create(rig, allocator);
    rig.Press("Shift+Tab");  // from the heap
}

// After `act`, as many calls as `calls` more have been made.
void Acts(Rig& rig, std::uint64_t calls, const std::function<void()>& act) {
    const std::uint64_t end = rig.End() + calls;
    act();
    REQUIRE(Wait(rig, [&] { return rig.End() >= end; }));
    REQUIRE(rig.End() == end);
}

// The window within the frame whose name has this in it.
ImGuiWindow* WindowNamed(const char* part) {
    for (ImGuiWindow* window : GImGui->Windows) {
        if (window->Active && std::strstr(window->Name, part) != nullptr) return window;
    }
    return nullptr;
}

// Moves the mouse over the panel of controls until that one is under it. False: it is nowhere to be seen.
bool HoverOver(Rig& rig, const char* control) {
    ImGuiWindow* const window = WindowNamed("##sandbox");
    if (window == nullptr) return false;
    const ImGuiID id = window->GetID(control);
    for (float y = window->Pos.y + 4; y < window->Pos.y + window->Size.y; y += 9) {
        for (float x = window->Pos.x + 20; x < window->Pos.x + window->Size.x; x += 40) {
            rig.MoveMouse({x, y});
            if (GImGui->HoveredId == id) return true;
        }
    }
    return false;
}

void ClickHere(Rig& rig) {
    for (const bool down : {true, false}) {
        rig.platform->Send(InputEvent::Button(0, down));
        rig.app->Frame(0);
    }
}

void Click(Rig& rig, const char* control) {
    INFO(control);
    REQUIRE(HoverOver(rig, control));
    ClickHere(rig);
}

std::vector<std::uint32_t> Numbers(Rig& rig) {
    std::vector<std::uint32_t> numbers;
    for (const auto& mark : SandboxOf(rig).Marks()) numbers.push_back(mark.number);
    return numbers;
}

std::optional<events::Event> LastCall(Rig& rig) {
    const auto row = rig.app->GetSession()->PresentRow();
    if (!row) return std::nullopt;
    return rig.app->GetSession()->View().At(*row).event;
}

}  // namespace

TEST_CASE("an arena's marks are set, chosen and released by mouse, and an older one takes the younger ones along") {
    Rig rig({.sandbox = true});
    Start(rig, "arena");
    const auto mark = [&] { Acts(rig, 1, [&] { Click(rig, "##mark"); }); };
    Acts(rig, 0, [&] { Click(rig, "##release"); });  // there is none: nothing happens
    for (int i = 0; i < 3; ++i) {
        Acts(rig, 1, [&] { Click(rig, "##allocate"); });
        mark();
    }
    CHECK(Numbers(rig) == std::vector<std::uint32_t>{1, 2, 3});
    const Image youngest = rig.Picture();
    Acts(rig, 1, [&] { Click(rig, "##release"); });  // the youngest, as long as none is chosen
    CHECK(Numbers(rig) == std::vector<std::uint32_t>{1, 2});
    mark();
    ImGuiWindow* const list = WindowNamed("##marks");
    REQUIRE(list != nullptr);
    rig.MoveMouse({list->Pos.x + 60, list->Pos.y + 1.5f * 20});  // the youngest is on top: mark 2
    ClickHere(rig);
    CHECK(rig.Picture() != youngest);
    Acts(rig, 1, [&] { Click(rig, "##release"); });
    CHECK(Numbers(rig) == std::vector<std::uint32_t>{1});
    CHECK(LastCall(rig)->kind == events::EventKind::BulkFreed);
    CHECK(LastCall(rig)->argument == 2);
    Acts(rig, 1, [&] { Click(rig, "##reset"); });
    CHECK(Numbers(rig).empty());
    CHECK(rig.app->GetSession()->Heap().Find(rig.app->GetSession()->Shown())->totals.blocks == 0);
}

TEST_CASE("the keyboard marks, chooses, releases and resets in the sandbox's panel") {
    Rig rig({.sandbox = true}, {1100, 700});
    Start(rig, "arena");
    for (int i = 0; i < 6; ++i) Acts(rig, 1, [&] { rig.Press("K"); });
    for (int i = 0; i < 3; ++i) rig.Press("Down");
    rig.Press("Up");
    Acts(rig, 1, [&] { rig.Press("R"); });
    CHECK(Numbers(rig) == std::vector<std::uint32_t>{1, 2, 3});
    for (int i = 0; i < 9; ++i) rig.Press("Down");
    Acts(rig, 1, [&] { rig.Press("K"); });
    Acts(rig, 1, [&] { rig.Press("R"); });  // the one just set, whichever was chosen before
    CHECK(Numbers(rig) == std::vector<std::uint32_t>{1, 2, 3});
    Acts(rig, 1, [&] { rig.Press("Shift+R"); });
    CHECK(Numbers(rig).empty());
    Acts(rig, 0, [&] { rig.Press("R"); });
    rig.Press("Tab");  // the heap has other keys
    Acts(rig, 0, [&] { rig.Press("K"); });
    CHECK(Numbers(rig).empty());
}

TEST_CASE("a long list of marks keeps its height, and the chosen one stays in sight") {
    Rig rig({.sandbox = true}, {1100, 700});
    Start(rig, "arena");
    for (int i = 0; i < 64; ++i) SandboxOf(rig).SetMark();
    REQUIRE(Wait(rig, [&] { return Numbers(rig).size() == 64; }));
    rig.app->Frame(0);
    ImGuiWindow* list = WindowNamed("##marks");
    REQUIRE(list != nullptr);
    CHECK(list->Size.y == 90);
    CHECK(list->Scroll.y == 0);
    for (int i = 0; i < 63; ++i) rig.Press("Down");
    rig.Settle();
    list = WindowNamed("##marks");
    CHECK(list->Scroll.y + list->Size.y >= 64 * 20);
}

TEST_CASE("allocators without marks show none, and a reset that is not possible is not done") {
    Rig rig({.sandbox = true});
    for (const auto& [allocator, resets] : {std::pair{"stack", true}, std::pair{"tlsf", true},
                                            std::pair{"default", false}, std::pair{"residue", false}}) {
        INFO(allocator);
        Create(rig, allocator);
        CHECK_FALSE(HoverOver(rig, "##mark"));
        CHECK_FALSE(HoverOver(rig, "##release"));
        Acts(rig, 1, [&] { Click(rig, "##allocate"); });
        Acts(rig, resets ? 1 : 0, [&] { Click(rig, "##reset"); });
        CHECK(rig.app->GetSession()->Heap().Find(rig.app->GetSession()->Shown())->totals.blocks == (resets ? 0 : 1));
    }
}
