// What grew between two profiles: sites are the same by the names of their frames, and nothing is counted twice.
#include "analysis/diff.hpp"

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
