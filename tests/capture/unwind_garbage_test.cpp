// Walks over stacks that hold anything: between two pages that must not be touched.
#include <sys/mman.h>

#include <cstring>
#include <random>

#include "capture/taken_walk.hpp"
#include "capture/unwind.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::capture;
using namespace residue::capture::testing;

namespace {

// Pages of a stack with nothing below and above.
class LonelyStack {
public:
    static constexpr std::size_t kPage = 4096;
    static constexpr std::size_t kWords = 2 * kPage / 8;

    LonelyStack() {
        all_ = mmap(nullptr, 4 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(all_ != MAP_FAILED);
        words_ = reinterpret_cast<std::uintptr_t*>(static_cast<char*>(all_) + kPage);
        REQUIRE(mprotect(words_, kWords * 8, PROT_READ | PROT_WRITE) == 0);
    }
    ~LonelyStack() { munmap(all_, 4 * kPage); }
    LonelyStack(const LonelyStack&) = delete;
    LonelyStack& operator=(const LonelyStack&) = delete;

    std::uintptr_t* Words() { return words_; }
    events::StackBounds Bounds() const {
        const auto low = reinterpret_cast<std::uintptr_t>(words_);
        return {low, low + kWords * 8};
    }

private:
    void* all_;
    std::uintptr_t* words_;
};

}  // namespace

TEST_CASE("Whatever a stack and the registers hold, a walk ends, gives what was asked for, and touches nothing else") {
    std::vector<std::uintptr_t> places;
    std::uintptr_t frames[64];
    const Walked own = WalkTables(Here(), events::OwnStack(), frames, 64);
    places.assign(frames, frames + own.count);
    for (auto* const function : {reinterpret_cast<void*>(&std::memcpy), reinterpret_cast<void*>(&mmap)}) {
        for (std::uintptr_t i = 0; i < 40; ++i) places.push_back(reinterpret_cast<std::uintptr_t>(function) + i);
    }
    places.insert(places.end(), {0, 1, ~std::uintptr_t{0}, std::uintptr_t{1} << 47, (std::uintptr_t{1} << 47) - 1});

    LonelyStack stack;
    const events::StackBounds bounds = stack.Bounds();
    WalkMemo memo;
    std::mt19937_64 random(7);
    const auto any = [&]() -> std::uintptr_t {
        switch (random() % 5) {
            case 0: return places[random() % places.size()];
            case 1: return bounds.low + random() % (LonelyStack::kWords + 2) * 8;
            case 2: return bounds.low - 64 + random() % (LonelyStack::kWords * 8 + 128);
            case 3: return random();
            default: return std::uintptr_t{0} - random() % 64;
        }
    };
    for (unsigned round = 0; round < 200; ++round) {
        for (std::size_t i = 0; i < LonelyStack::kWords; ++i) {
            stack.Words()[i] = random() % 3 == 0 ? any() : places[random() % places.size()];
        }
        for (unsigned i = 0; i < 200; ++i) {
            const Registers from{any(), random() % 4 == 0 ? any() : bounds.low + random() % LonelyStack::kWords * 8, any()};
            std::uintptr_t plain[64];
            std::uintptr_t remembered[64];
            const Walked walked = WalkTables(from, bounds, plain, 64);
            REQUIRE(walked.count <= 64);
            const Walked again = WalkTables(from, bounds, remembered, 64, memo);
            REQUIRE(walked.count == again.count);
            REQUIRE(walked.complete == again.complete);
            REQUIRE(std::equal(plain, plain + walked.count, remembered));
            if (random() % 2 == 0) stack.Words()[random() % LonelyStack::kWords] = any();
        }
    }
}
