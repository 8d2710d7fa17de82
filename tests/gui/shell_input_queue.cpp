#include "gui/platform/input_queue.hpp"
#include "support/catch.hpp"

using namespace residue::gui;

TEST_CASE("a click that began and ended within one frame is seen in two") {
    InputQueue queue;
    const auto first = queue.Take({InputEvent::Mouse({5, 5}), InputEvent::Button(0, true), InputEvent::Button(0, false),
                                   InputEvent::Mouse({90, 90})},
                                  false);
    REQUIRE(first.size() == 2);
    CHECK(first[1].down);
    REQUIRE(queue.Waiting());
    const auto second = queue.Take({}, false);
    REQUIRE(second.size() == 1);
    CHECK_FALSE(second[0].down);
    const auto third = queue.Take({}, false);
    REQUIRE(third.size() == 1);
    CHECK(third[0].kind == InputEvent::Kind::MouseMoved);
    CHECK_FALSE(queue.Waiting());
}

TEST_CASE("keys wait only while text is edited") {
    const auto press = InputEvent::Press({Key::Backspace});
    const auto release = InputEvent::Release({Key::Backspace});
    InputQueue queue;
    CHECK(queue.Take({press, release, press, release}, false).size() == 4);
    CHECK(queue.Take({press, release, press, release}, true).size() == 1);
    CHECK(queue.Take({}, true).size() == 2);
    CHECK(queue.Take({}, true).size() == 1);
}
