#include "capture/unwind.hpp"

#include <cstring>
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

struct Collected {
    events::StackBounds stack = events::OwnStack();
    std::vector<TakenWalk> walks;

    Probe AsProbe() {
        return {[](void* data) {
                    auto& self = *static_cast<Collected*>(data);
                    self.walks.push_back(TakeWalk(self.stack));
                },
                this};
    }
};

}  // namespace

TEST_CASE("A walk by the tables finds the frames that backtrace() finds, whatever the stack looks like") {
    for (const Level& level : Levels()) {
        for (const Shape& shape : level.shapes) {
            Collected collected;
            shape.run(collected.AsProbe());
            REQUIRE_FALSE(collected.walks.empty());
            for (const TakenWalk& walk : collected.walks) {
                INFO(level.name << ", " << shape.name << '\n' << ToText(walk));
                CHECK(walk.Equal());
                CHECK(walk.complete);
            }
        }
    }
}
