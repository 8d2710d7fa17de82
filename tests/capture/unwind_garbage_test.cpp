#if defined(__x86_64__)
#include <cstring>
#include <random>
#include <vector>

#include "capture/detail/walk.hpp"
#include "capture/lonely_stack.hpp"
#include "capture/unwind.hpp"

using namespace residue;
using namespace residue::capture;
using namespace residue::capture::testing;

namespace {

constexpr unsigned kMost = 64;

// Places with any rule that has room in the cache, right or not, and places of real code.
std::vector<std::uintptr_t> MakePlaces(std::mt19937_64& random) {
    std::vector<std::uintptr_t> places;
    const std::uint64_t generation = detail::ruleCache.Generation();
    for (std::uintptr_t place = 0x10000; place < 0x10000 + 400 * 16; place += 16) {
        std::uint32_t bits = static_cast<std::uint32_t>(random());
        if (random() % 2 == 0) bits &= 0x00F0007F;
        if (random() % 3 != 0) bits = 0x10'0011 + 8 * (bits % 5);  // plain frames of a few words, that make long walks
        detail::ruleCache.Put(place, detail::PackedRule(bits), generation);
        places.push_back(place);
        places.push_back(place + 1);
    }
    std::uintptr_t frames[kMost];
    const Walked own = WalkTables(Here(), events::OwnStack(), frames, kMost);
    places.insert(places.end(), frames, frames + own.count);
    for (auto* const function : {reinterpret_cast<void*>(&std::memcpy), reinterpret_cast<void*>(&mmap)}) {
        for (std::uintptr_t i = 0; i < 40; ++i) places.push_back(reinterpret_cast<std::uintptr_t>(function) + i);
    }
    places.insert(places.end(), {0, 1, ~std::uintptr_t{0}, std::uintptr_t{1} << 47, (std::uintptr_t{1} << 47) - 1});
    return places;
}

}  // namespace

TEST_CASE("Whatever a stack and the registers hold, a walk ends, gives what was asked for, and touches nothing else") {
    ForgetRules();
    std::mt19937_64 random(7);
    const std::vector<std::uintptr_t> places = MakePlaces(random);
    LonelyStack stack(2);
    const events::StackBounds bounds{stack.Low(), stack.High()};
    const auto anyWord = [&] { return stack.Low() + random() % stack.WordCount() * 8; };
    const auto any = [&]() -> std::uintptr_t {
        switch (random() % 6) {
            case 0: return places[random() % places.size()];
            case 1: return anyWord();
            case 2: return stack.Low() - 256 + random() % (stack.WordCount() * 8 + 512);
            case 3: return random();
            case 4: return stack.High() - random() % 512;
            default: return std::uintptr_t{0} - random() % 64;
        }
    };
    WalkMemo memo;
    std::uint64_t frames = 0;
    for (unsigned round = 0; round < 150; ++round) {
        for (std::uintptr_t at = stack.Low(); at < stack.High(); at += 8) {
            stack.Word(at) = random() % 3 == 0 ? any() : places[random() % places.size()];
        }
        for (unsigned i = 0; i < 200; ++i) {
            const Registers from{places[random() % places.size()], random() % 4 == 0 ? any() : anyWord(), any()};
            std::uintptr_t plain[kMost];
            std::uintptr_t remembered[kMost];
            const Walked walked = WalkTables(from, bounds, plain, kMost);
            REQUIRE(walked.count <= kMost);
            const Walked again = WalkTables(from, bounds, remembered, kMost, memo);
            REQUIRE(walked.count == again.count);
            REQUIRE(walked.complete == again.complete);
            REQUIRE(std::equal(plain, plain + walked.count, remembered));
            frames += walked.count;
            if (random() % 2 == 0) stack.Word(anyWord()) = any();
        }
    }
    CHECK(frames > 10'000);
    ForgetRules();
}

#endif
