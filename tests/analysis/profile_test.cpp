#include "analysis/profile.hpp"

#include <map>

#include "analysis/flame.hpp"
#include "analysis/lives.hpp"
#include "analysis/series.hpp"
#include "model/random_stream.hpp"
#include "model/stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::analysis;
using test::Stream;

namespace {

// main (1) calls Load (2) and Parse (3); Load calls Read (4), Parse calls Read, too (5).
void Traces(Stream& stream) {
    auto& log = stream.Log();
    const TraceId main = log.AddTrace(TraceId{}, 0x10);
    const TraceId load = log.AddTrace(main, 0x20);
    const TraceId parse = log.AddTrace(main, 0x30);
    log.AddTrace(load, 0x40);
    log.AddTrace(parse, 0x48);
    log.NameFrame(0x10, {"main", "main.cpp", 5});
    log.NameFrame(0x20, {"Load", "load.cpp", 7});
    log.NameFrame(0x30, {"Parse", "parse.cpp", 9});
    log.NameFrame(0x40, {"Read", "read.cpp", 11});
    log.NameFrame(0x48, {"Read", "read.cpp", 12});
}
test::Parts From(std::uint32_t trace, std::uint32_t thread = 1) { return {8, 0, 0, 0, thread, trace}; }

const SiteFigures& SiteOf(const Profile& profile, std::uint32_t trace) {
    for (const SiteFigures& site : profile.sites) {
        if (site.trace.value == trace) return site;
    }
    static const SiteFigures none;
    return none;
}

const FlameNode* Child(const FlameTree& tree, const FlameNode& of, const std::string& name) {
    for (const std::uint32_t child : of.children) {
        if (tree.NameOf(tree.nodes[child]) == name) return &tree.nodes[child];
    }
    return nullptr;
}

}  // namespace

TEST_CASE("a profile of a whole log tells by site what was allocated, freed, is left, and was temporary") {
    Stream stream;
    Traces(stream);
    stream.Created(1, 0x1000, 4096);
    stream.Allocated(1, 0x1010, 100, From(4)).Allocated(1, 0x1100, 30, From(3)).Freed(1, 0x1100);
    stream.Allocated(1, 0x1100, 40, From(3)).Allocated(1, 0x1200, 7, From(0)).Freed(1, 0x1010);
    const auto profile = MakeProfile(stream.View(), {.peak = Position{2}});
    REQUIRE(profile);
    REQUIRE(profile->sites.size() == 3);
    CHECK(SiteOf(*profile, 4).allocations == 1);
    CHECK(SiteOf(*profile, 4).frees == 1);
    CHECK(SiteOf(*profile, 4).temporary == 0);
    CHECK(SiteOf(*profile, 4).peakBytes == 100);
    CHECK(SiteOf(*profile, 4).liveBytes == 0);
    CHECK(SiteOf(*profile, 3).allocations == 2);
    CHECK(SiteOf(*profile, 3).allocatedBytes == 70);
    CHECK(SiteOf(*profile, 3).temporary == 1);
    CHECK(SiteOf(*profile, 3).peakBytes == 30);
    CHECK(SiteOf(*profile, 3).leakedBytes == 40);
    CHECK(SiteOf(*profile, 0).liveBlocks == 1);
    CHECK(profile->total.liveBytes == 47);
    CHECK(profile->total.peakBytes == 130);
    CHECK(profile->allocatedSizes.bins[7].blocks == 1);  // 64..127
    CHECK(profile->allocatedSizes.bins[6].blocks == 1);  // 32..63
    CHECK(profile->allocatedSizes.bins[5].bytes == 30);
    CHECK(profile->lifetimes.bins[1].blocks == 1);       // one call later
    CHECK(profile->lifetimes.bins[3].blocks == 1);       // five
    const auto top = TopSites(*profile, SiteMeasure::AllocatedBytes, 2);
    REQUIRE(top.size() == 2);
    CHECK(top[0].trace.value == 4);
    CHECK(top[1].trace.value == 3);
}

TEST_CASE("a profile between two moments tells what happened there") {
    Stream stream;
    Traces(stream);
    stream.Allocated(1, 0x1010, 100, From(4)).Allocated(1, 0x1100, 30, From(3));                       // 1, 2
    stream.Freed(1, 0x1010).Allocated(1, 0x1200, 50, From(3)).Allocated(1, 0x1300, 5, From(2));        // 3, 4, 5
    stream.Freed(1, 0x1300).Freed(1, 0x1200);                                                          // 6, 7
    const auto profile = MakeProfile(stream.View(), {Position{2}, Position{5}});
    REQUIRE(profile);
    CHECK(SiteOf(*profile, 4).frees == 1);
    CHECK(SiteOf(*profile, 4).allocations == 0);
    CHECK(Value(SiteOf(*profile, 4), SiteMeasure::GrownBytes) == -100);
    CHECK(Value(SiteOf(*profile, 3), SiteMeasure::GrownBytes) == 50);
    CHECK(SiteOf(*profile, 3).earlierBytes == 30);
    CHECK(SiteOf(*profile, 3).leakedBytes == 30);  // the other one is freed later
    CHECK(profile->total.liveBytes == 85);
    CHECK(profile->total.earlierBytes == 130);
    CHECK(profile->total.allocations == 2);
}

TEST_CASE("a profile at any moment has the live bytes, blocks and temporary allocations of the series", "[property]") {
    for (std::uint32_t seed = 1; seed <= 3; ++seed) {
        Stream stream;
        test::RandomStream random(seed);
        stream.Created(1, 0x100, 0xE00);
        for (int i = 0; i < 1500; ++i) {
            if (random.Below(3) != 0) {
                random.Allocate(stream, 1);
            } else {
                stream.Freed(1, random.AGiven().address, static_cast<std::uint32_t>(1 + random.Below(3)));
            }
            if (random.Below(10) == 0) stream.Resized(1, random.AGiven().address, random.Somewhere(1), 20);
        }
        const auto log = stream.View();
        Series series;
        series.Extend(log, ~std::uint64_t{0});
        for (int i = 0; i < 20; ++i) {
            const Position at{random.Below(log.Positions().value + 1)};
            model::HeapModel heap;
            heap.Advance(log, log.RowsAt(at), ~std::uint64_t{0});
            const auto profile = MakeProfile(log, {.to = at, .peak = series.Run().peakPosition});
            CAPTURE(seed, at.value);
            REQUIRE(profile->total.liveBytes == heap.Sum().payload);
            REQUIRE(profile->total.liveBlocks == heap.Sum().blocks);
            REQUIRE(profile->total.peakBytes == series.Run().peakLiveBytes);
            REQUIRE(profile->total.allocations == profile->total.liveBlocks + profile->total.frees);
        }
        CHECK(MakeProfile(log, {})->total.temporary == series.Run().temporaryAllocations);
    }
}

TEST_CASE("a child's region is left out of a profile") {
    Stream stream;
    stream.Created(1, 0x1000, 4096)
        .Allocated(1, 0x1010, 512, {16})
        .Created(2, 0x1010, 512, 0, 1)
        .Allocated(2, 0x1020, 9);
    const auto profile = MakeProfile(stream.View(), {});
    CHECK(profile->total.liveBytes == 9);
    CHECK(profile->total.allocations == 1);
}

TEST_CASE("a filter lets through what it says, and the profile tells what it hides") {
    Stream stream;
    Traces(stream);
    stream.Allocated(1, 0x1000, 10, From(4, 1)).Allocated(1, 0x2000, 20, From(5, 2)).Allocated(2, 0x3000, 30, From(3));
    stream.Freed(1, 0x1000).Allocated(1, 0x4000, 40, From(2));
    const auto log = stream.View();
    const auto bytes = [&](const BlockFilter& filter) {
        const auto profile = MakeProfile(log, {}, filter);
        REQUIRE(profile->total.allocatedBytes + profile->hiddenBytes == 100);
        return profile->total.allocatedBytes;
    };
    CHECK(bytes({}) == 100);
    CHECK(bytes({.leastSize = 20, .mostSize = 30}) == 50);
    CHECK(bytes({.allocator = AllocatorId{2}}) == 30);
    CHECK(bytes({.thread = ThreadId{2}}) == 20);
    CHECK(bytes({.site = "read"}) == 30);  // whatever the case
    CHECK(bytes({.site = "load.cpp"}) == 50);
    CHECK(bytes({.site = "nowhere"}) == 0);
    CHECK(bytes({.mostLife = 2}) == 70);   // from 3 to the end, at 5; from 5 to there
    CHECK(bytes({.leastLife = 3}) == 30);
    CHECK(bytes({.bornFrom = Position{2}, .bornTo = Position{3}}) == 50);
    CHECK(Describe({}).empty());
    CHECK(Describe({.leastSize = 1024, .mostSize = 4096, .thread = ThreadId{2}, .site = "parse"}) ==
          "1,024 B to 4,096 B · thread 2 · in parse");
    CHECK(Describe({.leastSize = 5}) == "5 B and more");
    CHECK(Describe({.mostLife = 7}) == "lived up to 7 calls");
}

TEST_CASE("a flame graph sums sites by function, from main and from where they allocate") {
    Stream stream;
    Traces(stream);
    stream.Allocated(1, 0x1000, 10, From(4)).Allocated(1, 0x2000, 20, From(5)).Allocated(1, 0x3000, 30, From(3));
    stream.Allocated(1, 0x4000, 5, From(0));
    const auto log = stream.View();
    const auto profile = MakeProfile(log, {});
    FlameBuilder down(Direction::TopDown);
    down.Add(log, *profile, SiteMeasure::LiveBytes);
    const FlameTree tree = down.Finish();
    CHECK(tree.nodes[0].value == 65);
    const FlameNode* main = Child(tree, tree.nodes[0], "main");
    REQUIRE(main);
    CHECK(main->value == 60);
    CHECK(main->own == 0);
    REQUIRE(main->children.size() == 2);
    CHECK(tree.NameOf(tree.nodes[main->children[0]]) == "Parse");  // the larger one first
    const FlameNode* parse = Child(tree, *main, "Parse");
    CHECK(parse->value == 50);
    CHECK(parse->own == 30);
    CHECK(Child(tree, *parse, "Read")->value == 20);
    CHECK(Child(tree, tree.nodes[0], "(no call trace)")->value == 5);

    FlameBuilder up(Direction::BottomUp);
    up.Add(log, *profile, SiteMeasure::LiveBytes);
    const FlameTree inverted = up.Finish();
    const FlameNode* read = Child(inverted, inverted.nodes[0], "Read");
    REQUIRE(read);
    CHECK(read->value == 30);  // of both callers
    CHECK(Child(inverted, *Child(inverted, *read, "Load"), "main")->value == 10);

    const FlameMatches matches = Search(tree, "READ");
    CHECK(matches.count == 2);
    CHECK(matches.value == 30);
    CHECK(Search(tree, "a").value == 65);  // main with all below it, once, and "(no call trace)"
    CHECK(Search(tree, "").count == 0);
}

TEST_CASE("two moments compared: each function has its value then and now") {
    Stream stream;
    Traces(stream);
    stream.Allocated(1, 0x1000, 10, From(4)).Freed(1, 0x1000).Allocated(1, 0x2000, 25, From(5));
    const auto log = stream.View();
    const auto before = MakeProfile(log, {.to = Position{1}}), after = MakeProfile(log, {});
    FlameBuilder builder(Direction::TopDown);
    builder.Add(log, *after, SiteMeasure::LiveBytes);
    builder.Compare(log, *before, SiteMeasure::LiveBytes);
    const FlameTree tree = builder.Finish();
    const FlameNode* main = Child(tree, tree.nodes[0], "main");
    CHECK(main->value == 25);
    CHECK(main->earlier == 10);
    CHECK(Child(tree, *main, "Load")->value == 0);
    CHECK(Child(tree, *main, "Load")->earlier == 10);
    CHECK(Child(tree, *main, "Parse")->earlier == 0);
}

TEST_CASE("a picture of lives has each block's bytes for as long as it lived", "[property]") {
    Stream stream;
    test::RandomStream random(5);
    std::map<std::uint64_t, std::uint64_t> live;
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t address = 64 * (1 + random.Below(30));
        if (live.count(address) != 0) {
            stream.Freed(1, address);
            live.erase(address);
        } else {
            stream.Allocated(1, address, 1 + random.Below(64));
            live[address] = 1;
        }
    }
    const auto log = stream.View();
    // A position a column, and a byte map of each.
    const LivesRequest request{AllocatorId{1}, Position{10}, Position{110}, 100, 50, 100, 30};
    const auto picture = MakeLives(log, request);
    REQUIRE(picture);
    for (std::uint64_t column = 0; column < 100; ++column) {
        model::HeapModel heap;
        heap.Advance(log, log.RowsAt(Position{10 + column}), ~std::uint64_t{0});
        for (std::uint64_t row = 0; row < 30; ++row) {
            const std::uint64_t begin = 100 + row * 50;
            const double share = static_cast<double>(heap.OccupiedBytes(AllocatorId{1}, begin, begin + 50)) / 50;
            CAPTURE(column, row);
            REQUIRE(picture->share[row * 100 + column] == Approx(share).margin(1e-4));
        }
    }
    // In fewer columns: their mean.
    LivesRequest coarse = request;
    coarse.columns = 10;
    const auto mean = MakeLives(log, coarse);
    for (std::size_t row = 0; row < 30; ++row) {
        double sum = 0;
        for (std::size_t column = 30; column < 40; ++column) sum += picture->share[row * 100 + column];
        REQUIRE(mean->share[row * 10 + 3] == Approx(sum / 10).margin(1e-4));
    }
    CHECK(MakeLives(log, request, {.leastSize = 1000})->hidden == picture->blocks);
    REQUIRE(AddressesOf(log, AllocatorId{1}).size() == 1);
    CHECK(AddressesOf(log, AllocatorId{1})[0].begin == 64);
    CHECK(AddressesOf(log, AllocatorId{7}).empty());
}

TEST_CASE("addresses are told in pieces where gaps are larger than what is used") {
    Stream stream;
    const std::uint64_t mega = 1 << 20;
    stream.Allocated(1, 0x7f0000000000, mega).Allocated(1, 0x10000, 100).Allocated(1, 0x20000, 50);
    stream.Freed(1, 0x10000).Allocated(1, 0x10040, 8).Allocated(1, 0x7f0000000000 + mega + mega / 4, mega);
    stream.Allocated(2, 0x500000000, 8);
    const auto pieces = AddressesOf(stream.View(), AllocatorId{1});
    REQUIRE(pieces.size() == 2);
    CHECK(pieces[0] == AddressPiece{0x10000, 0x20032, 3});
    CHECK(pieces[1] == AddressPiece{0x7f0000000000, 0x7f0000000000 + 2 * mega + mega / 4, 2});
}

TEST_CASE("long work on blocks can be cancelled") {
    Stream stream;
    for (std::uint64_t i = 0; i < 70'000; ++i) stream.Allocated(1, 0x1000 + 64 * i, 8);
    const std::atomic<bool> cancelled{true};
    CHECK_FALSE(MakeProfile(stream.View(), {}, {}, &cancelled));
    CHECK_FALSE(MakeLives(stream.View(), {AllocatorId{1}, {}, Position{10}, 0, 100, 10, 10}, {}, &cancelled));
}
