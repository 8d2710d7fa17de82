// What grew between two profiles: sites are the same by the names of their frames, and nothing is counted twice.
#include "analysis/diff.hpp"

#include "analysis/flame_growth.hpp"
#include "log/appender.hpp"
#include "log/events.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::log::testing;
using analysis::SiteMeasure;

namespace {

// main;read allocates `first` bytes and main;parse `second`; the frames lie at `base`, so their ids and addresses
// differ.
struct Run {
    log::EventLog log;
    log::LogView view;
    analysis::Profile profile;
    Run(std::uint64_t base, std::uint64_t first, std::uint64_t second) {
        log.AddTrace({}, base);
        log.AddTrace(TraceId{1}, base + 1);
        log.AddTrace(TraceId{1}, base + 2);
        log.AddTrace(TraceId{1}, base + 3);  // read, from another place in main
        log.NameFrame(base, {"main", "", 0});
        log.NameFrame(base + 1, {"read", "a.c", 1});
        log.NameFrame(base + 2, {"parse", "", 0});
        log.NameFrame(base + 3, {"read", "a.c", 9});
        log::Appender appender(log);
        Add(appender, 0x1000, first - 1, 2);
        Add(appender, 0x2000, second, 3);
        Add(appender, 0x3000, 1, 4);
        Add(appender, 0x4000, 7, 0);
        view = log.View();
        profile = *analysis::MakeProfile(view, {});
    }
    static void Add(log::Appender& appender, std::uint64_t address, std::uint64_t size, std::uint32_t trace) {
        Event event = Allocated(address, size);
        event.trace = TraceId{trace};
        appender.Append(event, {});
    }
};

}  // namespace

TEST_CASE("diff: sites are matched by the names of their frames") {
    const Run before(100, 50, 400), after(900, 80, 300);
    const analysis::Diff diff =
        analysis::Compare({before.view, before.profile}, {after.view, after.profile}, SiteMeasure::LiveBytes);
    CHECK(diff.change == 30 - 100);
    REQUIRE(diff.sites.size() == 2);
    CHECK(diff.sites[0].change == 30);
    CHECK(diff.sites[0].before.liveBytes == 50);
    CHECK(diff.sites[0].before.liveBlocks == 2);  // both places are one site
    CHECK(diff.sites[0].after.liveBytes == 80);
    CHECK(diff.FramesOf(diff.sites[0]) == std::vector<std::string>{"read", "main"});
    CHECK(diff.sites[1].change == -100);
    CHECK(diff.FramesOf(diff.sites[1]) == std::vector<std::string>{"parse", "main"});
    CHECK(diff.same == 1);  // without a call trace
    std::int64_t sum = 0;
    for (const analysis::SiteDiff& site : diff.sites) sum += site.change;
    CHECK(sum == diff.change);
}

TEST_CASE("diff: of a run with itself there is nothing to tell") {
    const Run run(1, 10, 20);
    const analysis::Diff diff =
        analysis::Compare({run.view, run.profile}, {run.view, run.profile}, SiteMeasure::AllocatedBytes);
    CHECK(diff.sites.empty());
    CHECK(diff.same == 3);
    CHECK(diff.change == 0);
}

TEST_CASE("diff: what grew in a flame graph that compares two logs is what the diff of them says") {
    const Run before(100, 50, 400), after(900, 80, 300);
    const analysis::Diff diff =
        analysis::Compare({before.view, before.profile}, {after.view, after.profile}, SiteMeasure::LiveBytes);
    for (const auto direction : {analysis::Direction::TopDown, analysis::Direction::BottomUp}) {
        analysis::FlameBuilder builder(direction);
        builder.Add(after.view, after.profile, SiteMeasure::LiveBytes);
        builder.Compare(before.view, before.profile, SiteMeasure::LiveBytes, true);
        const analysis::FlameTree tree = builder.Finish();
        const analysis::FlameGrowth growth = analysis::GrowthOf(tree, 10);
        CHECK(growth.grew + growth.shrank == diff.sites.size());
        std::int64_t change = 0;
        for (const auto* sites : {&growth.grown, &growth.shrunk})
            for (const analysis::SiteGrowth& site : *sites) change += site.Change();
        CHECK(change == diff.change);
        REQUIRE(growth.grown.size() == 1);
        CHECK(growth.grown[0].Change() == diff.sites.front().change);
        CHECK(growth.grown[0].before == Value(diff.sites.front().before, SiteMeasure::LiveBytes));
        CHECK(analysis::SiteNameOf(tree, growth.grown[0].node) == "read");
        REQUIRE(growth.shrunk.size() == 1);
        CHECK(growth.shrunk[0].Change() == diff.sites.back().change);
        CHECK(analysis::SiteNameOf(tree, growth.shrunk[0].node) == "parse");
        CHECK(analysis::GrowthOf(tree, 0).grown.empty());
        CHECK(analysis::GrowthOf(tree, 0).grew == 1);
    }
}

TEST_CASE("diff: a function that only the other log has is no call trace of this one") {
    const Run before(100, 50, 400), after(900, 80, 0);
    for (const bool another : {false, true}) {
        analysis::FlameBuilder builder(analysis::Direction::TopDown);
        builder.Add(after.view, after.profile, SiteMeasure::LiveBytes);
        builder.Compare(before.view, before.profile, SiteMeasure::LiveBytes, another);
        const analysis::FlameTree tree = builder.Finish();
        int seen = 0;
        for (const analysis::FlameNode& node : tree.nodes) {
            const bool parse = tree.NameOf(node) == "parse";
            if (!parse && tree.NameOf(node) != "main") continue;
            ++seen;
            CHECK(node.trace.value == (parse ? another ? 0u : 3u : 1u));
        }
        CHECK(seen == 2);
    }
}
