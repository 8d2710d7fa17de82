// weakening_threads N: the ring, the lanes and the trace table on real threads, with weakening N (0: none). Built plain
// (the hardware's own reordering; wrong values and illegal orders) and with ThreadSanitizer (missing orders).
// Exit 0: nothing found; 1: a violation, printed; ThreadSanitizer ends with 66.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "events/lanes.hpp"
#include "events/spsc_ring.hpp"
#include "events/trace_table.hpp"
#include "stress/exchange.hpp"

using namespace residue;
using namespace residue::events;

namespace {

#if defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kScale = 1;
#else
constexpr std::uint64_t kScale = 20;
#endif

int failures = 0;

void Check(bool holds, const char* what) {
    if (holds) return;
    std::printf("FAILED: %s\n", what);
    ++failures;
}

struct Wide {  // a torn or early record shows
    std::uint64_t words[8];
};

void HandOver(bool byWritten) {
    constexpr std::size_t kCapacity = 32;
    std::vector<Wide> slots(kCapacity);
    SpscRing<Wide> ring(slots.data(), kCapacity);
    const std::uint64_t records = 20'000 * kScale;
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (std::uint64_t i = 0; i < records && !stop.load(std::memory_order_relaxed);) {
            const bool wrote = ring.TryWrite(1, [&](std::size_t, Wide& slot) {
                for (auto& word : slot.words) word = i;
            });
            if (wrote) ++i;
            else std::this_thread::yield();
        }
        ring.Publish();
    });
    std::uint64_t expected = 0;
    std::uint64_t wrong = 0;
    while (expected < records && wrong == 0) {
        const std::uint64_t end = byWritten ? ring.Written() : ring.Published();
        if (end <= ring.Next()) std::this_thread::yield();
        ring.Read(end, [&](const Wide& slot) {
            const Wide copy = slot;
            for (const std::uint64_t word : copy.words) wrong += word != expected;
            ++expected;
        });
    }
    stop = true;
    writer.join();
    Check(wrong == 0, byWritten ? "ring, by the written index" : "ring, by the published index");
}

void Exchanged(FullPolicy policy, std::size_t capacity, std::uint64_t rounds) {
    const auto result =
        stress::Exchange({.capacity = capacity, .policy = policy, .stamps = StampSource::Ticks}, 2, rounds);
    const auto& counted = result.counted;
    std::printf("%llu events, %llu illegal, %llu late, %llu dropped\n", static_cast<unsigned long long>(result.events),
                static_cast<unsigned long long>(result.illegal), static_cast<unsigned long long>(counted.late),
                static_cast<unsigned long long>(counted.dropped));
    Check(policy == FullPolicy::DropAndCount || result.illegal == 0, "lanes: an illegal order");
    Check(counted.late == 0, "lanes: late events");
    Check(counted.sent == counted.delivered + counted.dropped, "lanes: the account");
    Check(result.gaps == counted.dropped, "lanes: the gaps");
}

void Traces() {
    TraceTable table(50'000);
    std::atomic<bool> done{false};
    std::uint64_t wrong = 0;
    std::thread writer([&] {
        TraceMemo memo;
        for (std::uint64_t i = 1; i <= 40'000; ++i) {
            const std::uintptr_t stack[1] = {i};
            (void)table.Intern(stack, 1, memo);
        }
        done = true;
    });
    for (std::uint32_t seen = 0; !done;) {
        for (const std::uint32_t count = table.Count(); seen < count;) {
            ++seen;
            wrong += table.At(TraceId{seen}).frame != seen;
        }
    }
    writer.join();
    Check(wrong == 0, "trace table: a node below the count is not complete");
}

}  // namespace

int main(int argc, char** argv) {
    detail::weakening = static_cast<detail::Weakening>(argc > 1 ? std::atoi(argv[1]) : 0);
    const std::uint64_t factor = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    HandOver(true);
    HandOver(false);
    if (failures == 0) Exchanged(FullPolicy::Block, 1 << 12, 10'000 * kScale * factor);
    if (failures == 0) Exchanged(FullPolicy::DropAndCount, 64, 10'000 * kScale);
    if (failures == 0) Traces();
    return failures == 0 ? 0 : 1;
}
