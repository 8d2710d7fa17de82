// The same trace through several allocators, on one playhead.
#include "session/lanes.hpp"

#include <filesystem>
#include <fstream>

#include "sandbox_support.hpp"
#include "support/catch.hpp"

using namespace residue;
using session::Lanes;
using session::Session;

namespace {

// Two holes, of 64 and of 24 bytes; event 7 asks for 24, event 8 for 400.
std::string Trace() {
    const std::string path = (std::filesystem::temp_directory_path() / "residue-lanes.rep").string();
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
