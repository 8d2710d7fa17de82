// Functions that were inlined are nodes of their own, wherever call traces become trees.
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "analysis/diff.hpp"
#include "analysis/flame_lookup.hpp"
#include "log/appender.hpp"
#include "log/events.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::log::testing;
using analysis::Direction;
using analysis::FlameBuilder;
using analysis::FlameTree;
using analysis::SiteMeasure;

namespace {

// main calls Work, into which Grow and, into that, Add were inlined, which allocates 30; Work itself allocates 5.
struct Run {
    log::EventLog log;
    log::LogView view;
    analysis::Profile profile;
    Run() {
        log.AddTrace({}, 0x10);
        log.AddTrace(TraceId{1}, 0x20);
        log.AddTrace(TraceId{1}, 0x21);
        log.NameFrame(0x10, {"main", "main.cpp", 5});
        log.NameFrame(0x20, {"Work", "work.cpp", 9, {{"Add", "add.hpp", 3}, {"Grow", "grow.hpp", 7}}});
        log.NameFrame(0x21, {"Work", "work.cpp", 12});
        log::Appender appender(log);
        for (const auto& [address, size, trace] : {std::tuple{0x1000u, 30u, 2u}, std::tuple{0x2000u, 5u, 3u}}) {
            Event event = Allocated(address, size);
            event.trace = TraceId{trace};
            appender.Append(event, {});
        }
        view = log.View();
        profile = *analysis::MakeProfile(view, {});
    }
    FlameTree Tree(Direction direction) const {
        FlameBuilder builder(direction);
        builder.Add(view, profile, SiteMeasure::LiveBytes);
        return builder.Finish();
    }
};

// "main 35 > Work 35 > ...", the largest child first.
std::string Text(const FlameTree& tree) {
    std::string text;
    const std::function<void(std::uint32_t)> add = [&](std::uint32_t index) {
        const analysis::FlameNode& node = tree.nodes[index];
        text += std::string(node.depth, ' ') + tree.NameOf(node) + " " + std::to_string(node.value) + "\n";
        for (const std::uint32_t child : node.children) add(child);
    };
    for (const std::uint32_t child : tree.nodes[0].children) add(child);
    return text;
}

std::uint32_t Named(const FlameTree& tree, const std::string& name) {
    for (std::uint32_t i = 0; i < tree.nodes.size(); ++i) {
        if (tree.NameOf(tree.nodes[i]) == name) return i;
    }
    return analysis::FlameNode::kNone;
}

}  // namespace

TEST_CASE("a flame graph has inlined functions below the one that they are in") {
    const Run run;
    CHECK(Text(run.Tree(Direction::TopDown)) == " main 35\n  Work 35\n   Grow 30\n    Add 30\n");
    CHECK(Text(run.Tree(Direction::BottomUp)) ==
          " Add 30\n  Grow 30\n   Work 30\n    main 30\n Work 5\n  main 5\n");
}

TEST_CASE("traces are found at inlined nodes, and the nodes of traces too") {
    const Run run;
    for (const Direction direction : {Direction::TopDown, Direction::BottomUp}) {
        const FlameTree tree = run.Tree(direction);
        const bool down = direction == Direction::TopDown;
        CHECK(tree.NameOf(tree.nodes[FindNode(tree, run.view, TraceId{2})]) == (down ? "Add" : "main"));
        CHECK(tree.NameOf(tree.nodes[FindNode(tree, run.view, TraceId{3})]) == (down ? "Work" : "main"));
        const auto grow = TracesOf(tree, run.view, Named(tree, "Grow"));
        CHECK(grow == std::vector<bool>{false, false, true, false});
        const auto add = TracesOf(tree, run.view, Named(tree, "Add"));
        CHECK(add == std::vector<bool>{false, false, true, false});
    }
    const FlameTree tree = run.Tree(Direction::TopDown);
    CHECK(TracesOf(tree, run.view, Named(tree, "Work")) == std::vector<bool>{false, false, true, true});
}

TEST_CASE("an inlined function's place is that of its call") {
    const Run run;
    const log::Frame frame = run.view.TopFrame(TraceId{2});
    CHECK(FlameBuilder::PlaceOf(frame, "Add").file == "add.hpp");
    CHECK(FlameBuilder::PlaceOf(frame, "Grow").line == 7);
    CHECK(FlameBuilder::PlaceOf(frame, "Work").line == 9);
}

TEST_CASE("sites that differ in what was inlined are different ones") {
    const Run before, after;
    const analysis::Diff diff =
        analysis::Compare({before.view, before.profile}, {after.view, after.profile}, SiteMeasure::LiveBytes);
    CHECK(diff.same == 2);
    analysis::Profile none;
    const analysis::Diff grown =
        analysis::Compare({before.view, none}, {after.view, after.profile}, SiteMeasure::LiveBytes);
    REQUIRE(grown.sites.size() == 2);
    CHECK(grown.FramesOf(grown.sites[0]) == std::vector<std::string>{"Add", "Grow", "Work", "main"});
}
