// Goal 12: does an operation's instruction bound depend on the number of blocks? The most instructions of one
// allocation and of one free with 100 and with 10,000 blocks live, after each was replaced three times by one of
// another size: of every allocator of the registry, in a buffer, and of what a user would take instead. Instructions
// are counted exactly, so the figures are the same in every run; beside the most, the median.
#include <cstdio>
#include <random>

#include "bench/harness.hpp"
#include "bench/instructions.hpp"
#include "bench/subjects.hpp"

using namespace residue;

namespace {

constexpr std::uint64_t kMost = 2000;  // counted of an operation
constexpr std::size_t kBufferBytes = std::size_t{32} << 20;
constexpr std::size_t kLive[] = {100, 10'000};
constexpr double kIndependent = 1.25;  // 10,000 blocks over 100

struct Figure {
    double median = std::numeric_limits<double>::quiet_NaN();
    double most = std::numeric_limits<double>::quiet_NaN();
};
struct Figures {
    Figure allocate, free;
    double Most() const { return std::max(allocate.most, free.most); }
};

// Of every other one.
Figure Of(const bench::Counted& counted, std::size_t first) {
    std::vector<std::uint64_t> own;
    for (std::size_t i = first; i < counted.size(); i += 2) own.push_back(counted[i]);
    std::sort(own.begin(), own.end());
    return {static_cast<double>(own[own.size() / 2]), static_cast<double>(own.back())};
}

template <class Random>
std::size_t Bytes(Random& random) {
    return random() % 16 != 0 ? 8 + random() % 248 : 256 + random() % 3840;
}

// Runs in the child. A request that is refused ends it before all is counted.
template <class Memory>
void Work(Memory& memory, std::size_t live, std::size_t pairs, const bench::Step& step) {
    std::minstd_rand random(11);
    std::vector<void*> blocks(live);
    for (void*& block : blocks) block = memory.Allocate(Bytes(random));
    const auto replaceOne = [&](auto free, auto allocate) {
        void*& block = blocks[random() % live];
        if (block == nullptr) _exit(1);
        free(block);
        allocate(block, Bytes(random));
    };
    for (std::size_t i = 0; i < 3 * live; ++i) {
        replaceOne([&](void* block) { (void)memory.Free(block); },
                   [&](void*& block, std::size_t bytes) { block = memory.Allocate(bytes); });
    }
    for (std::size_t i = 0; i < pairs; ++i) {
        replaceOne([&](void* block) { step([&] { (void)memory.Free(block); }); },
                   [&](void*& block, std::size_t bytes) { step([&] { block = memory.Allocate(bytes); }); });
    }
}

Figures Measure(const bench::Subject& subject, bench::Range& range, std::size_t live, std::size_t pairs) {
    Figures figures;
    if (subject.peer != nullptr && !subject.peer->Here()) return figures;
    const bench::Counted counted = bench::CountInstructions(
        [&](const bench::Step& step) {
            if (subject.peer != nullptr) return Work(*subject.peer, live, pairs, step);
            const bool inBuffer = subject.entry->inBuffer;
            bench::Ours memory(*subject.entry, inBuffer ? range.Zeroed(kBufferBytes) : nullptr,
                               inBuffer ? std::optional<std::uint64_t>(kBufferBytes) : std::nullopt);
            Work(memory, live, pairs, step);
            _exit(0);  // with all its blocks
        },
        kMost);
    if (counted.size() == 2 * pairs) figures = {Of(counted, 1), Of(counted, 0)};
    return figures;
}

std::string Text(double value) {
    if (!std::isfinite(value)) return "-";
    return value > static_cast<double>(kMost) ? "> " + std::to_string(kMost)
                                              : std::to_string(static_cast<std::uint64_t>(value));
}

std::string RowName(const bench::Subject& subject, const std::string& operation, std::size_t live) {
    return subject.name + ", " + operation + ", " + std::to_string(live) + " live";
}

}  // namespace

int main(int argc, char** argv) {
    bench::MakeRoomForPeers(argv);
    bench::Suite suite(argc, argv, "alloc_bound");
    const std::vector<bench::Peer> peers = bench::LoadPeers();
    const std::vector<bench::Subject> subjects = bench::Subjects(peers);
    bench::Range range;
    const std::size_t pairs = suite.Smoke() ? 2 : 60;
    for (const bench::Subject& subject : subjects) {
        std::fprintf(stderr, "instructions: %s\n", subject.name.c_str());
        double least = 0, most = 0;
        for (const std::size_t live : kLive) {
            const Figures figures = Measure(subject, range, suite.Smoke() ? live / 100 : live, pairs);
            const auto add = [&](const char* operation, double figure) {
                suite.Add(RowName(subject, operation, live), "instructions", [=](std::uint64_t) { return figure; }, 1);
            };
            add("allocate, median", figures.allocate.median);
            add("allocate, most", figures.allocate.most);
            add("free, median", figures.free.median);
            add("free, most", figures.free.most);
            if (live == kLive[0]) least = figures.Most();
            most = figures.Most();
        }
        // Where even the few take more than is counted, nothing can be said.
        const bool known = least <= static_cast<double>(kMost);
        const double ratio = known ? most / least : std::numeric_limits<double>::quiet_NaN();
        suite.Derived(subject.name + ", 10000 live / 100", [=](const auto&) { return ratio; },
                      subject.entry != nullptr && subject.entry->inBuffer ? bench::AtMost(kIndependent)
                                                                          : bench::Goal{});
    }
    suite.PrintWith([&](const auto& of) {
        std::printf("instructions of one operation: median, most%s\n",
                    suite.Smoke() ? " (a smoke run: they mean nothing)" : "");
        std::printf("  %-16s %19s %19s %19s %19s\n", "", "allocate, 100 live", "free", "allocate, 10,000", "free");
        for (const bench::Subject& subject : subjects) {
            std::printf("  %-16s", subject.name.c_str());
            for (const std::size_t live : kLive) {
                for (const std::string operation : {"allocate", "free"}) {
                    std::printf(" %9s %9s", Text(of(RowName(subject, operation + ", median", live)).median).c_str(),
                                Text(of(RowName(subject, operation + ", most", live)).median).c_str());
                }
            }
            const double ratio = of(subject.name + ", 10000 live / 100").median;
            if (std::isfinite(ratio)) {
                std::printf("   x %.2f  %s", ratio, ratio <= kIndependent ? "independent of them" : "grows with them");
            } else {
                std::printf("   not known");
            }
            std::printf("\n");
        }
    });
    return suite.Run();
}
