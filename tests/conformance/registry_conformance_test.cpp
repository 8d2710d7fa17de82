// Every allocator of the registry, fixed and growing, through the validating wrapper of subject.hpp: random traces and
// adversarial ones.
#include <random>

#include "conformance/subject.hpp"

using namespace residue;
using namespace residue::conformance;

namespace {

constexpr std::size_t kHuge = ~std::size_t{0};

struct Case {
    const alloc::Registration* entry;
    std::optional<std::uint64_t> capacity;
    std::string Name() const {
        std::string name = entry->name;
        if (!capacity) return name + ", growing";
        return name + ", " + std::to_string(*capacity) + " B";
    }
};

std::vector<Case> AllCases() {
    std::vector<Case> cases;
    for (const alloc::Registration& entry : alloc::Registry()) {
        cases.push_back({&entry, 16 * 1024});
        if (!entry.inBuffer) continue;
        cases.push_back({&entry, std::nullopt});
        cases.push_back({&entry, 1000});
        cases.push_back({&entry, 70});
    }
    return cases;
}

template <class Run>
void ForAll(Run run) {
    for (const Case& each : AllCases()) {
        INFO(each.Name());
        Subject subject(*each.entry, each.capacity);
        run(subject);
    }
}

// Frees what is left, in the order given.
void FreeAll(Subject& subject, bool backwards) {
    auto live = subject.Live();
    if (backwards) std::reverse(live.begin(), live.end());
    for (std::byte* block : live) subject.Free(block);
}

}  // namespace

TEST_CASE("random operations on every allocator", "[property]") {
    for (const std::uint32_t seed : {1u, 2u, 3u}) {
        ForAll([&](Subject& subject) {
            INFO("seed " << seed);
            std::mt19937 random(seed);
            const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
            for (int step = 0; step < 250; ++step) {
                const auto live = subject.Live();
                const std::size_t dice = below(100);
                std::byte* const some = live.empty() ? nullptr : live[below(live.size())];
                const std::size_t size = below(10) < 8 ? below(64) : below(10) < 8 ? below(900) : below(20'000);
                const std::size_t alignment = below(4) != 0 ? 8 : std::size_t{1} << below(13);
                if (dice < 45) (void)subject.Allocate(size, alignment);
                else if (dice < 75 && some != nullptr) subject.Free(some);
                else if (dice < 88 && some != nullptr) (void)subject.Resize(some, size, alignment);
                else if (dice < 90) subject.FreeBadly(nullptr);
                else if (dice < 92 && some != nullptr) subject.FreeBadly(some + 1 + below(7));
                else if (dice < 97 && !subject.GivenBack().empty()) {
                    subject.FreeBadly(*std::next(subject.GivenBack().begin(),
                                                 static_cast<std::ptrdiff_t>(below(subject.GivenBack().size()))));
                } else if (dice == 99) subject.Reset();
            }
            FreeAll(subject, seed % 2 == 0);
        });
    }
}

TEST_CASE("the largest, the smallest and the most aligned requests") {
    ForAll([](Subject& subject) {
        for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, kHuge, kHuge - 7, kHuge - 8, kHuge / 2 + 1}) {
            for (const std::size_t alignment : {std::size_t{0}, std::size_t{1}, std::size_t{16}, std::size_t{4096},
                                                std::size_t{1} << 62, std::size_t{1} << 63}) {
                (void)subject.Allocate(bytes, alignment);
                if (std::byte* const block = subject.Allocate(24, 8)) (void)subject.Resize(block, bytes, alignment);
                FreeAll(subject, true);
            }
        }
    });
}

TEST_CASE("filling up, freeing every second block, and asking for more than any hole") {
    ForAll([](Subject& subject) {
        std::vector<std::byte*> blocks;
        while (blocks.size() < 400) {
            std::byte* const block = subject.Allocate(56, 8);
            if (block == nullptr) break;
            blocks.push_back(block);
        }
        for (std::size_t i = 0; i < blocks.size(); i += 2) subject.Free(blocks[i]);
        (void)subject.Allocate(150, 8);
        (void)subject.Allocate(56, 8);
        FreeAll(subject, false);
        (void)subject.Allocate(56, 8);
    });
}

TEST_CASE("last in first out, first in first out, and from the middle") {
    for (const int order : {0, 1, 2}) {
        ForAll([&](Subject& subject) {
            INFO("order " << order);
            for (int round = 0; round < 3; ++round) {
                std::vector<std::byte*> blocks;
                for (std::size_t i = 0; i < 40; ++i) {
                    if (std::byte* const block = subject.Allocate(1 + i * 37 % 200, 8)) blocks.push_back(block);
                }
                while (!blocks.empty()) {
                    const std::size_t at = order == 0 ? blocks.size() - 1 : order == 1 ? 0 : blocks.size() / 2;
                    subject.Free(blocks[at]);
                    blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(at));
                }
            }
        });
    }
}

TEST_CASE("a block that grows step by step and shrinks again, alone and between others") {
    ForAll([](Subject& subject) {
        std::byte* below = subject.Allocate(16, 8);
        std::byte* block = subject.Allocate(1, 8);
        if (block == nullptr) return;
        for (std::size_t bytes = 1; bytes < 600; bytes += 1 + bytes / 3) block = subject.Resize(block, bytes, 8);
        std::byte* const above = subject.Allocate(16, 8);
        for (std::size_t bytes = 600; bytes < 2000; bytes += bytes / 3) block = subject.Resize(block, bytes, 8);
        for (std::size_t bytes = 2000; bytes > 0; bytes /= 2) block = subject.Resize(block, bytes, 8);
        if (above != nullptr) subject.Free(above);
        block = subject.Resize(block, 300, 64);
        if (below != nullptr) subject.Free(below);
    });
}

TEST_CASE("what must not be freed is not") {
    ForAll([](Subject& subject) {
        std::byte onStack[64] = {};
        subject.FreeBadly(nullptr);
        subject.FreeBadly(onStack);
        std::byte* const first = subject.Allocate(24, 8);
        std::byte* const second = subject.Allocate(24, 8);
        if (first == nullptr || second == nullptr) return;
        subject.FreeBadly(first + 8);
        subject.FreeBadly(first + 1);
        subject.FreeBadly(first - 8);
        subject.Free(first);
        subject.FreeBadly(first);
        subject.FreeBadly(first);
        subject.Free(second);
        subject.FreeBadly(second);
        if (subject.InBuffer()) {
            subject.FreeBadly(subject.Base() - 8);
            subject.FreeBadly(subject.Base() + Instance::kReserved);
            subject.FreeBadly(subject.Base() + Instance::kReserved - 8);
        }
        (void)subject.Allocate(24, 8);
    });
}

TEST_CASE("a reset gives everything back, and what was live counts as given back") {
    ForAll([](Subject& subject) {
        std::byte* const first = subject.Allocate(24, 8);
        (void)subject.Allocate(24, 16);
        if (first != nullptr) subject.Free(first);
        subject.Reset();
        (void)subject.Allocate(24, 8);
        subject.Reset();
        subject.Reset();
    });
}

TEST_CASE("buffers too small for anything fail every request and do no harm") {
    for (const alloc::Registration& entry : alloc::Registry()) {
        if (!entry.inBuffer) continue;
        for (std::uint64_t capacity = 0; capacity < 200; capacity += 1 + capacity / 8) {
            INFO(entry.name << ", " << capacity << " B");
            Subject subject(entry, capacity);
            for (int i = 0; i < 6; ++i) (void)subject.Allocate(8, 8);
            FreeAll(subject, false);
            subject.Reset();
        }
    }
}
