#if defined(__x86_64__)
#include "capture/unwind.hpp"

#include <cstring>
#include <random>
#include <vector>

#include "capture/shapes.hpp"
#include "capture/taken_walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::capture;
using namespace residue::capture::testing;

namespace {

struct Level {
    const char* name;
    std::span<const Shape> shapes;
};
std::vector<Level> Levels() {
    return {{"-O0", ShapesO0()}, {"-O1", ShapesO1()}, {"-O2", ShapesO2()}, {"-O3", ShapesO3()}};
}

template <class Body>
void RunAllShapes(Body body) {
    const Probe probe{[](void* data) { (*static_cast<Body*>(data))(); }, &body};
    for (const Level& level : Levels()) {
        for (const Shape& shape : level.shapes) {
            INFO(level.name << ", " << shape.name);
            shape.run(probe);
        }
    }
}

}  // namespace

TEST_CASE("A walk by the tables finds the frames that backtrace() finds, whatever the stack looks like") {
    const events::StackBounds stack = events::OwnStack();
    unsigned walks = 0;
    RunAllShapes([&] {
        const TakenWalk walk = TakenWalk::Take(stack);
        INFO(ToText(walk));
        CHECK(walk.Equal());
        CHECK(walk.Complete());
        ++walks;
    });
    CHECK(walks > 300);
}

TEST_CASE("A walk with a memo is the walk without it") {
    const events::StackBounds stack = events::OwnStack();
    WalkMemo memo;
    std::mt19937 random(1);
    std::vector<std::uintptr_t> last[WalkMemo::kWalks];
    unsigned same = 0;
    RunAllShapes([&] {
        for (const unsigned max : {64u, 1u + static_cast<unsigned>(random() % 64)}) {
            std::uintptr_t plain[64];
            std::uintptr_t remembered[64];
            const Registers here = Here();
            const Walked expected = WalkTables(here, stack, plain, max);
            const Walked walked = WalkTables(here, stack, remembered, max, memo);
            const std::vector<std::uintptr_t> frames(remembered, remembered + walked.count);
            CHECK(frames == std::vector<std::uintptr_t>(plain, plain + expected.count));
            CHECK(walked.complete == expected.complete);
            REQUIRE(walked.slot < WalkMemo::kWalks);
            if (walked.same) CHECK(frames == last[walked.slot]);
            same += walked.same ? 1 : 0;
            last[walked.slot] = frames;
            if (random() % 50 == 0) ForgetRules();
        }
    });
    CHECK(same > 20);
}

TEST_CASE("A walk gives no more frames than are asked for, and says whether that was all") {
    const events::StackBounds stack = events::OwnStack();
    std::uintptr_t all[64];
    std::uintptr_t some[64] = {};
    const Registers here = Here();
    const Walked whole = WalkTables(here, stack, all, 64);
    REQUIRE(whole.count >= 4);
    CHECK(whole.complete);
    for (unsigned max = 0; max < whole.count; ++max) {
        some[max] = 7;
        const Walked part = WalkTables(here, stack, some, max);
        CHECK(part.count == max);
        CHECK_FALSE(part.complete);
        CHECK(some[max] == 7);
        CHECK(std::equal(some, some + max, all));
    }
    CHECK(WalkTables(here, stack, some, whole.count + 1).complete);
}

TEST_CASE("Outside the given stack nothing is read") {
    const Registers here = Here();
    std::uintptr_t frames[8];
    const events::StackBounds stack = events::OwnStack();
    CHECK(WalkTables(here, {}, frames, 8).count == 0);
    CHECK(WalkTables(here, {here.sp + 8, stack.high}, frames, 8).count == 0);
    CHECK(WalkTables(here, {stack.low, here.sp}, frames, 8).count == 0);
    CHECK(WalkTables({here.pc, here.sp + 4, here.fp}, stack, frames, 8).count == 0);
    CHECK(WalkTables({here.pc, here.sp, 0}, {stack.low, here.sp + 8}, frames, 8).count <= 1);
    CHECK(WalkTables({0, here.sp, here.fp}, stack, frames, 8).count == 0);
    CHECK(WalkTables({~std::uintptr_t{0}, here.sp, here.fp}, stack, frames, 8).count == 0);
    CHECK(WalkTables({here.sp, here.sp, here.fp}, stack, frames, 8).count == 0);
}

#endif
