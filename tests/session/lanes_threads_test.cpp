// The same trace through several allocators, on one playhead.
#include "session/lanes.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "lab/race.hpp"
#include "log/appender.hpp"
#include "log/events.hpp"
#include "log/native_file.hpp"
#include "sandbox_support.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;
using session::Lanes;
using session::Session;

namespace {

// Two holes, of 64 and of 24 bytes; event 7 asks for 24, event 8 for 400.
std::string Trace() {
    const std::string path =
        (std::filesystem::temp_directory_path() / ("residue-lanes-" + std::to_string(getpid()) + ".rep")).string();
    std::ofstream(path) << "0\n6\n9\n1\na 0 64\na 1 32\na 2 24\na 3 32\nf 0\nf 2\na 4 24\na 5 400\nf 3\n";
    return path;
}

std::unique_ptr<Session> Open(const std::string& path, const std::string& allocator,
                              std::optional<std::uint64_t> capacity = std::nullopt,
                              std::optional<replay::Fork> fork = std::nullopt) {
    session::OpenOptions options;
    options.allocator = allocator;
    options.capacity = capacity;
    options.fork = fork;
    return Session::Open(path, options);
}

struct Race {
    explicit Race(const std::string& allocator) : path(Trace()), first(Open(path, allocator)) {}
    ~Race() { std::filesystem::remove(path); }
    bool Ready() {
        return session::test::Until(*first, [&] {
            lanes.Tick(*first, 0.01);
            return first->Status().phase != session::Phase::Loading && !lanes.Working();
        });
    }
    session::LanesCompared Compare() {
        session::LanesCompared found;
        bool fresh = false;
        CHECK(session::test::Until(*first, [&] {
            lanes.Tick(*first, 0.01);
            const auto reply = lanes.Compare(*first);
            if (reply.fresh) found = *reply.value;
            return fresh = reply.fresh;
        }));
        return found;
    }
    std::string path;
    std::unique_ptr<Session> first;
    Lanes lanes;
};

}  // namespace

TEST_CASE("lanes are where the first session is, and say where they part", "[threads]") {
    Race race("first-fit");
    race.lanes.Add(Open(race.path, "best-fit"));
    race.lanes.Add(Open(race.path, "first-fit"));
    REQUIRE(race.Ready());
    race.first->SeekTo(Position{7});
    REQUIRE(race.Ready());
    for (std::size_t i = 0; i < race.lanes.Count(); ++i) {
        CHECK(race.lanes.At(i).Now() == Position{7});
        CHECK(race.lanes.At(i).Settled());
    }
    const session::LanesCompared found = race.Compare();
    CHECK(found.divergence == Position{7});
    CHECK_FALSE(found.failure);
    CHECK_FALSE(found.widest);  // both holes go on being holes: the heaps grow alike
    CHECK(found.gap == 0);

    const auto removed = race.lanes.Remove(0);
    REQUIRE(removed != nullptr);
    CHECK(race.lanes.Count() == 1);
    CHECK_FALSE(race.Compare().divergence);  // twice the same
    CHECK(race.lanes.Remove(9) == nullptr);
    CHECK(race.lanes.Clear().size() == 1);
    CHECK_FALSE(race.lanes.Compare(*race.first).fresh);  // there is nothing to compare with
}

TEST_CASE("the first refused request and the widest gap between heaps are found", "[threads]") {
    Race race("first-fit");
    race.lanes.Add(Open(race.path, "first-fit", 400));
    race.lanes.Add(Open(race.path, "buddy"));
    REQUIRE(race.Ready());
    const session::LanesCompared found = race.Compare();
    CHECK(found.failure == Position{8});
    REQUIRE(found.widest);
    std::uint64_t widest = 0;
    Position at{};
    for (std::uint64_t position = 0; position <= 9; ++position) {
        std::uint64_t least = ~std::uint64_t{0}, most = 0;
        for (const Session* lane : {race.first.get(), &race.lanes.At(0), &race.lanes.At(1)}) {
            const std::uint64_t heap = lane->Series().At(Position{position}).heapMax;
            least = std::min(least, heap);
            most = std::max(most, heap);
        }
        if (most - least > widest) widest = most - least, at = Position{position};
    }
    CHECK(found.gap == widest);
    CHECK(found.widest == at);
}

TEST_CASE("a lane that was forked is the first session until there", "[threads]") {
    Race race("first-fit");
    race.lanes.Add(Open(race.path, "first-fit", std::nullopt, replay::Fork{6, "best-fit"}));
    REQUIRE(race.Ready());
    CHECK(race.Compare().divergence == Position{7});
    CHECK(race.lanes.At(0).Subtitle().find("from event 6 on fixed buffer, best fit") != std::string::npos);
    race.lanes.Add(Open(race.path, "first-fit", std::nullopt, replay::Fork{7, "best-fit"}));
    CHECK(race.lanes.Remove(0) != nullptr);
    REQUIRE(race.Ready());
    CHECK_FALSE(race.Compare().divergence);
}

TEST_CASE("a lane that cannot be takes no part, and there are not more than fit", "[threads]") {
    Race race("first-fit");
    race.lanes.Add(Open(race.path, "first-fit", std::nullopt, replay::Fork{99, "best-fit"}));
    race.lanes.Add(Open(race.path, "best-fit"));
    REQUIRE(race.Ready());
    CHECK(race.lanes.At(0).Status().phase == session::Phase::Failed);
    CHECK(race.Compare().divergence == Position{7});
    while (race.lanes.Count() < Lanes::kMost) race.lanes.Add(Open(race.path, "first-fit"));
    race.lanes.Add(Open(race.path, "first-fit"));
    race.lanes.Add(nullptr);
    CHECK(race.lanes.Count() == Lanes::kMost);
}

TEST_CASE("what is told of lanes beside their logs is what a race tells", "[threads]") {
    Race race("first-fit");
    for (const char* lane : {"best-fit", "tlsf", "system", "glibc"}) race.lanes.Add(Open(race.path, lane));
    REQUIRE(race.Ready());
    std::string messages;
    const auto entrants = lab::MakeEntrants({"first-fit", "best-fit", "tlsf", "system", "glibc"}, {}, messages);
    REQUIRE(entrants);
    lab::RaceOptions options;
    options.timing = false;
    const auto raced = lab::Race(race.path, *entrants, options);
    REQUIRE(raced);
    for (std::size_t i = 0; i < 5; ++i) {
        const lab::RaceLane& expected = raced->lanes[i];
        INFO(expected.name);
        Session& session = i == 0 ? *race.first : race.lanes.At(i - 1);
        const auto score = race.lanes.Scores().Of(session);
        REQUIRE(score != nullptr);
        CHECK(score->searchLength == expected.searchLength.value);
        CHECK(score->noSearch == expected.searchLength.reason);
        CHECK(score->pageBytes.has_value() == expected.pageBytes.has_value());
        CHECK_FALSE(score->operationsPerSecond);
        CHECK(score->noThroughput == "not measured");
        CHECK(session.Series().Run().peakLiveBytes == expected.peakLive);
    }
    CHECK_FALSE(race.lanes.At(3).Series().HeapKnown());
    CHECK(race.lanes.At(3).End() == Position{9});
    // From there on one of ours.
    race.lanes.Add(Open(race.path, "glibc", std::nullopt, replay::Fork{6, "best-fit"}));
    REQUIRE(race.Ready());
    CHECK(race.lanes.At(4).Status().phase == session::Phase::Ready);
    CHECK(race.lanes.At(4).End() == Position{9});
}

TEST_CASE("where it is asked for, lanes are timed, and forks are not", "[threads]") {
    Race race("first-fit");
    race.lanes.Scores().TakeTimes(true);
    race.lanes.Add(Open(race.path, "tlsf"));
    race.lanes.Add(Open(race.path, "first-fit", std::nullopt, replay::Fork{6, "best-fit"}));
    REQUIRE(race.Ready());
    CHECK(race.lanes.Scores().Of(*race.first)->operationsPerSecond > 0);
    CHECK(race.lanes.Scores().Of(race.lanes.At(0))->operationsPerSecond > 0);
    const auto forked = race.lanes.Scores().Of(race.lanes.At(1));
    CHECK_FALSE(forked->operationsPerSecond);
    CHECK(forked->noThroughput == "a fork is not timed");
    CHECK(forked->noSearch == "not of two allocators together");
}

TEST_CASE("of a recording a lane is a fork of it", "[threads]") {
    const support::ScratchFolder folder;
    log::EventLog log;
    {
        log::Appender appender(log);
        for (const std::uint64_t at : {1u, 2u, 3u, 4u}) {
            appender.Append(log::testing::Allocated(at << 20, 100 * at), {});
        }
        appender.Append(log::testing::Freed(2 << 20), {});
    }
    const std::string path = folder / "a.residue";
    REQUIRE(log::WriteNative(log.View(), path));
    auto first = Open(path, "first-fit");
    first->WaitUntilLoaded();
    first->Tick(0);
    REQUIRE(first->IsWhole());
    session::OpenOptions options = first->Options();
    options.fork = replay::Fork{2, "best-fit", std::nullopt};
    Lanes lanes;
    lanes.Add(Session::OpenFork(*first, options));
    REQUIRE(session::test::Until(*first, [&] {
        lanes.Tick(*first, 0.01);
        return !lanes.Working();
    }));
    CHECK(lanes.At(0).Status().phase == session::Phase::Ready);
    CHECK(lanes.At(0).End() == first->End());
    CHECK(lanes.At(0).Title() == "a.residue");
    // The same by the file's name, and still there when the first one has gone.
    auto again = Open(path, "first-fit", std::nullopt, replay::Fork{2, "best-fit"});
    again->WaitUntilLoaded();
    again->Tick(0);
    first.reset();
    CHECK(again->View().Rows() == lanes.At(0).View().Rows());
    CHECK(again->Subtitle().find("from event 2 on fixed buffer, best fit") != std::string::npos);
    CHECK(Open(path, "first-fit", std::nullopt, replay::Fork{5, "best-fit"}) != nullptr);
}
