// Goal 3: how fast 64-byte records go from one thread to another: our ring, by the published index (an eager reader)
// and by the written index (a merge round), against boost::lockfree::spsc_queue, and against the limit: blocks copied
// between two cores with one flag a block. All with the same room, records copied in and out.
#include <atomic>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "bench/harness.hpp"
#include "events/event.hpp"
#include "events/spsc_ring.hpp"

#if __has_include(<boost/lockfree/spsc_queue.hpp>)
#include <boost/lockfree/spsc_queue.hpp>
#endif

using namespace residue;
using events::Event;

namespace {

constexpr std::size_t kCapacity = 1 << 14;
constexpr std::size_t kBatch = 64;

void CheckSum(std::uint64_t sum, std::uint64_t records) {
    if (sum == records * (records - 1) / 2) return;
    std::fprintf(stderr, "records were lost\n");
    std::exit(1);
}

void Pause() { events::detail::Relax(); }

// Runs both ends; million records a second. read() returns how many records it took and adds their numbers.
template <class Write, class Read>
double HandOver(std::uint64_t records, Write write, Read read) {
    std::uint64_t sum = 0;
    std::atomic<bool> go{false};
    std::thread writer([&] {
        while (!go.load(std::memory_order_acquire)) Pause();
        write();
    });
    const double each = bench::NanosecondsEach(records, [&] {
        go.store(true, std::memory_order_release);
        for (std::uint64_t got = 0; got < records;) {
            const std::uint64_t now = read(sum);
            if (now == 0) Pause();
            got += now;
        }
    });
    writer.join();
    CheckSum(sum, records);
    return 1000 / each;
}

double Ours(std::uint64_t records, bool byWritten) {
    static std::vector<Event> slots(kCapacity);
    const auto ring = std::make_unique<events::SpscRing<Event>>(slots.data(), kCapacity);
    Event out[kBatch];
    return HandOver(
        records,
        [&] {
            Event event;
            for (std::uint64_t i = 0; i < records; ++i) {
                event.address = i;
                while (!ring->TryWrite(1, [&](std::size_t, Event& slot) { slot = event; })) Pause();
            }
            ring->Publish();
        },
        [&](std::uint64_t& sum) {
            const std::uint64_t begin = ring->Next();
            std::uint64_t end = byWritten ? ring->Written() : ring->Published();
            if (end - begin > kBatch) end = begin + kBatch;
            // A whole batch or the rest: a reader at the writer's heels only takes its cache lines away.
            if (end - begin < kBatch && end != records) return std::uint64_t{0};
            std::size_t at = 0;
            ring->Read(end, [&](const Event& slot) { out[at++] = slot; });
            bench::Use(out);
            for (std::size_t i = 0; i < at; ++i) sum += out[i].address;
            return end - begin;
        });
}

double Boost([[maybe_unused]] std::uint64_t records) {
#if __has_include(<boost/lockfree/spsc_queue.hpp>)
    const auto queue = std::make_unique<boost::lockfree::spsc_queue<Event>>(kCapacity);
    Event out[kBatch];
    return HandOver(
        records,
        [&] {
            Event event;
            for (std::uint64_t i = 0; i < records; ++i) {
                event.address = i;
                while (!queue->push(event)) Pause();
            }
        },
        [&](std::uint64_t& sum) {
            const std::size_t count = queue->pop(out, kBatch);
            bench::Use(out);
            for (std::size_t i = 0; i < count; ++i) sum += out[i].address;
            return static_cast<std::uint64_t>(count);
        });
#else
    return std::numeric_limits<double>::quiet_NaN();
#endif
}

double Blocks(std::uint64_t records) {
    constexpr std::size_t kBlock = 512;
    constexpr std::size_t kBlocks = kCapacity / kBlock;
    struct alignas(64) Flag {
        std::atomic<std::uint64_t> turn{0};
    };
    static std::vector<Event> shared(kCapacity);
    static std::vector<Event> source(kBlock);
    static std::vector<Event> target(kBlock);
    const auto flags = std::make_unique<Flag[]>(kBlocks);
    const std::uint64_t blocks = records / kBlock + 1;
    std::atomic<bool> go{false};
    std::thread writer([&] {
        while (!go.load(std::memory_order_acquire)) Pause();
        for (std::uint64_t i = 0; i < blocks; ++i) {
            Flag& flag = flags[i % kBlocks];
            while (flag.turn.load(std::memory_order_acquire) != 2 * (i / kBlocks)) Pause();
            std::memcpy(static_cast<void*>(&shared[i % kBlocks * kBlock]), source.data(), kBlock * sizeof(Event));
            flag.turn.store(2 * (i / kBlocks) + 1, std::memory_order_release);
        }
    });
    const double each = bench::NanosecondsEach(blocks * kBlock, [&] {
        go.store(true, std::memory_order_release);
        for (std::uint64_t i = 0; i < blocks; ++i) {
            Flag& flag = flags[i % kBlocks];
            while (flag.turn.load(std::memory_order_acquire) != 2 * (i / kBlocks) + 1) Pause();
            std::memcpy(static_cast<void*>(target.data()), &shared[i % kBlocks * kBlock], kBlock * sizeof(Event));
            bench::Use(target);
            flag.turn.store(2 * (i / kBlocks) + 2, std::memory_order_release);
        }
    });
    writer.join();
    return 1000 / each;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "ring");
    const std::string unit = "M records/s";
    constexpr std::uint64_t kRecords = 4'000'000;
    suite.Add("ring, by the published index", unit, [](std::uint64_t n) { return Ours(n, false); }, kRecords);
    suite.Add("ring, by the written index", unit, [](std::uint64_t n) { return Ours(n, true); }, kRecords);
    suite.Add("boost::lockfree::spsc_queue", unit, Boost, kRecords);
    suite.Add("blocks copied between the cores", unit, Blocks, kRecords);
    suite.Ratio("ring / boost", "ring, by the published index", "boost::lockfree::spsc_queue", bench::AtLeast(1.5));
    suite.Ratio("ring / block copy", "ring, by the published index", "blocks copied between the cores",
                bench::AtLeast(0.2));
    suite.Ratio("ring by written / boost", "ring, by the written index", "boost::lockfree::spsc_queue");
    return suite.Run();
}
