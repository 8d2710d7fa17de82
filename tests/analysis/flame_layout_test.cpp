// Where a flame graph's nodes lie, and which call traces are at them.
#include "analysis/flame_layout.hpp"

#include <algorithm>

#include "analysis/flame_lookup.hpp"
#include "model/stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::analysis;
using test::Stream;

namespace {

// main calls Load at two places (2, 3), and both call Read (4, 5); main calls Parse (6), which calls Read (7).
void Traces(Stream& stream) {
    auto& log = stream.Log();
    const TraceId main = log.AddTrace(TraceId{}, 0x10);
    const TraceId load = log.AddTrace(main, 0x20), again = log.AddTrace(main, 0x21);
    log.AddTrace(load, 0x40);
    log.AddTrace(again, 0x40);
    const TraceId parse = log.AddTrace(main, 0x30);
    log.AddTrace(parse, 0x40);
    log.NameFrame(0x10, {"main", "main.cpp", 5});
    log.NameFrame(0x20, {"Load", "load.cpp", 7});
    log.NameFrame(0x21, {"Load", "load.cpp", 8});
    log.NameFrame(0x30, {"Parse", "parse.cpp", 9});
    log.NameFrame(0x40, {"Read", "read.cpp", 11});
}

log::LogView Some() {
    Stream stream;
    Traces(stream);
    const auto from = [](std::uint32_t trace) { return test::Parts{8, 0, 0, 0, 1, trace}; };
    stream.Allocated(1, 0x1000, 600, from(4)).Allocated(1, 0x2000, 200, from(5)).Allocated(1, 0x3000, 99, from(7));
    stream.Allocated(1, 0x4000, 100, from(6)).Allocated(1, 0x5000, 1, from(0));
    return stream.View();
}

FlameTree Tree(const log::LogView& log, Direction direction) {
    FlameBuilder builder(direction);
    builder.Add(log, *MakeProfile(log, {}), SiteMeasure::LiveBytes);
    return builder.Finish();
}

std::string NameOf(const FlameTree& tree, std::uint32_t node) {
    return node == FlameNode::kNone ? "none" : tree.NameOf(tree.nodes[node]);
}

}  // namespace

TEST_CASE("a flame graph's boxes are as wide as their values, and lie within their parents") {
    const FlameTree tree = Tree(Some(), Direction::TopDown);
    const auto weights = FlameWeights(tree);
    CHECK(weights[0] == 1000);
    const auto boxes = LayOutFlame(tree, weights, 0, 1000, 1);
    REQUIRE(boxes.size() == 7);  // all, main, (no call trace), Load, Parse, Read, Read
    const auto named = [&](const char* name, std::uint32_t row) -> const FlameBox& {
        const auto box = std::find_if(boxes.begin(), boxes.end(), [&](const FlameBox& candidate) {
            return candidate.row == row && NameOf(tree, candidate.node) == name;
        });
        REQUIRE(box != boxes.end());
        return *box;
    };
    CHECK(named("all", 0).end == 1000);
    CHECK(named("main", 1).end == 999);
    CHECK(named("(no call trace)", 1).begin == 999);
    CHECK(named("Load", 2).end == 800);
    CHECK(named("Parse", 2).begin == 800);
    CHECK(named("Parse", 2).end == 999);
    CHECK(named("Read", 3).end == 800);
}

TEST_CASE("nodes that are too narrow are one box that says how many and what they are worth") {
    const FlameTree tree = Tree(Some(), Direction::TopDown);
    const auto weights = FlameWeights(tree);
    const auto boxes = LayOutFlame(tree, weights, 0, 20, 5);  // Parse would be 4 pixels wide
    std::uint32_t merged = 0;
    for (const FlameBox& box : boxes) {
        CHECK(box.end > box.begin);
        if (box.merged == 0 || NameOf(tree, box.node) != "main") continue;
        merged = box.merged;
        CHECK(box.value == 199);
        CHECK(box.begin == 16);
        CHECK(box.end == Approx(19.98));
    }
    CHECK(merged == 1);
    const auto zoomed = LayOutFlame(tree, weights, tree.nodes[0].children[0], 100, 1);
    CHECK(NameOf(tree, zoomed[0].node) == "main");
    CHECK(zoomed[0].end == 100);
    CHECK(LayOutFlame(tree, weights, 9999, 100, 1).empty());
}

TEST_CASE("where values are compared, a node is as wide as the larger of the two") {
    Stream stream;
    Traces(stream);
    const auto from = [](std::uint32_t trace) { return test::Parts{8, 0, 0, 0, 1, trace}; };
    stream.Allocated(1, 0x1000, 500, from(4)).Freed(1, 0x1000).Allocated(1, 0x2000, 100, from(6));
    const auto log = stream.View();
    FlameBuilder builder(Direction::TopDown);
    builder.Add(log, *MakeProfile(log, {}), SiteMeasure::LiveBytes);
    builder.Compare(log, *MakeProfile(log, {.to = Position{1}}), SiteMeasure::LiveBytes);
    const FlameTree tree = builder.Finish();
    const auto weights = FlameWeights(tree);
    CHECK(weights[0] == 600);
    CHECK(LayOutFlame(tree, weights, 0, 600, 1).size() == 5);  // all, main, Load, Parse, Read
}

TEST_CASE("a trace leads to its node, and a node to its traces, in both directions") {
    const log::LogView log = Some();
    const FlameTree down = Tree(log, Direction::TopDown), up = Tree(log, Direction::BottomUp);
    const std::uint32_t read = FindNode(down, log, TraceId{5});
    CHECK(NameOf(down, read) == "Read");
    CHECK(NameOf(down, down.nodes[read].parent) == "Load");
    CHECK(PathTo(down, read).size() == 3);
    CHECK(NameOf(down, FindNode(down, log, TraceId{})) == "(no call trace)");
    CHECK(TracesOf(down, log, read) == std::vector<bool>{false, false, false, false, true, true, false, false});
    // Both places of one function are one node.
    CHECK(TracesOf(down, log, down.nodes[read].parent) ==
          std::vector<bool>{false, false, true, true, true, true, false, false});
    CHECK(TracesOf(down, log, FindNode(down, log, TraceId{})) ==
          std::vector<bool>{true, false, false, false, false, false, false, false});
    CHECK(TracesOf(down, log, 0) == std::vector<bool>(8, true));
    const std::uint32_t parse = FindNode(up, log, TraceId{7});  // main, in Read <- Parse <- main
    CHECK(NameOf(up, parse) == "main");
    CHECK(TracesOf(up, log, parse) == std::vector<bool>{false, false, false, false, false, false, false, true});
    std::uint32_t site = parse;
    while (up.nodes[site].parent != 0) site = up.nodes[site].parent;
    CHECK(NameOf(up, site) == "Read");
    CHECK(TracesOf(up, log, site) == std::vector<bool>{false, false, false, false, true, true, false, true});
}
