#include "replay/page_history.hpp"

#include <cstring>
#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace residue;
using replay::AddressRange;
using replay::PageHistory;

namespace {

constexpr std::size_t kPages = 64;
constexpr std::size_t kBytes = kPages * PageHistory::kPage;

struct History {
    AddressRange range;
    std::vector<std::vector<std::byte>> moments;  // what they must be

    History() {
        auto reserved = AddressRange::Reserve(kBytes);
        REQUIRE(reserved);
        range = std::move(*reserved);
    }
    std::byte* Base() { return static_cast<std::byte*>(range.Base()); }
    std::vector<std::byte> Now() { return {Base(), Base() + kBytes}; }
    void Scribble(std::mt19937& random) {
        for (int i = 0; i < 5; ++i) Base()[random() % kBytes] = static_cast<std::byte>(random());
        if (random() % 4 == 0) std::memset(Base() + random() % kPages * PageHistory::kPage, 0, PageHistory::kPage);
        if (random() % 4 == 0)
            range.Forget(Base() + random() % kPages * PageHistory::kPage, 3 * PageHistory::kPage / 2);
    }
};

}  // namespace

TEST_CASE("a range goes back to any moment that was kept, byte for byte") {
    std::mt19937 random(7);
    History h;
    PageHistory history(h.range);
    for (int i = 0; i < 40; ++i) {
        history.Keep();
        h.moments.push_back(h.Now());
        h.Scribble(random);
    }
    for (int i = 0; i < 200; ++i) {
        const std::size_t moment = random() % 40;
        history.Restore(moment);
        REQUIRE(h.Now() == h.moments[moment]);
        h.Scribble(random);
    }
}

TEST_CASE("dropping every second moment keeps the others, and more can be kept after going back") {
    std::mt19937 random(8);
    History h;
    PageHistory history(h.range);
    for (int i = 0; i < 41; ++i) {
        history.Keep();
        h.moments.push_back(h.Now());
        h.Scribble(random);
    }
    const std::uint64_t all = history.Bytes();
    history.DropOdd();
    REQUIRE(history.Moments() == 21);
    REQUIRE(history.Bytes() < all);
    for (std::size_t i = 0; i < 21; ++i) {
        history.Restore(i);
        REQUIRE(h.Now() == h.moments[2 * i]);
    }
    // What is kept after going back is a moment of its own.
    history.Restore(4);
    h.Scribble(random);
    history.Keep();
    const auto later = h.Now();
    history.Restore(2);
    REQUIRE(h.Now() == h.moments[4]);
    history.Restore(20);
    REQUIRE(h.Now() == h.moments[40]);
    history.Restore(21);
    REQUIRE(h.Now() == later);
}

TEST_CASE("what was never written costs nothing") {
    History h;
    PageHistory history(h.range);
    h.Base()[5 * PageHistory::kPage] = std::byte{1};
    history.Keep();
    history.Keep();
    REQUIRE(history.Bytes() == PageHistory::kPage);
}
