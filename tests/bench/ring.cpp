// Goal 3: how fast 64-byte records go from one thread to another: our ring, by the published index (an eager reader)
// and by the written index (a merge round), against boost::lockfree::spsc_queue, and against the limit: blocks copied
// between two cores with one flag a block. All with the same room, on cache lines, records copied in and out; all
// readers wait until as much is there as one block of the limit has, then take it 64 records at a time.
//
// What the figures are depends on where the two processors are: close to each other or far apart; a virtual machine
// does not say it and moves them while it runs. So each thread is bound to a processor, and the time that a cache line
// takes there and back is part of the table: on one machine 60 ns at some times, 430 at others, above 800 under load.
#include <sched.h>

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
constexpr std::size_t kBlock = 512;  // records of the limit's blocks; what a reader waits for
constexpr std::size_t kBatch = 64;   // records a reader takes at once

struct alignas(64) Room {
    Event records[kCapacity];
};

void CheckSum(std::uint64_t sum, std::uint64_t records) {
    if (sum == records * (records - 1) / 2) return;
    std::fprintf(stderr, "records were lost\n");
    std::exit(1);
}

void Pause() { events::detail::Relax(); }

// The first two processors that this process may use; the writer on the second. With one only, nothing is bound.
void BindTo(int which) {
    static const cpu_set_t allowed = [] {
        cpu_set_t set;
        CPU_ZERO(&set);
        sched_getaffinity(0, sizeof set, &set);
        return set;
    }();
    if (CPU_COUNT(&allowed) < 2) return;
    int processor = 0;
    for (int left = which; !CPU_ISSET(processor, &allowed) || left-- > 0;) ++processor;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    sched_setaffinity(0, sizeof one, &one);
}

// Runs both ends, each on a processor of its own; nanoseconds for each of `count`.
template <class Write, class Read>
double BothEnds(std::uint64_t count, Write write, Read read) {
    std::atomic<bool> ready{false};
    std::atomic<bool> go{false};
    BindTo(0);
    std::thread writer([&] {
        BindTo(1);
        ready.store(true, std::memory_order_release);
        while (!go.load(std::memory_order_acquire)) Pause();
        write();
    });
    while (!ready.load(std::memory_order_acquire)) Pause();
    const double each = bench::NanosecondsEach(count, [&] {
        go.store(true, std::memory_order_release);
        read();
    });
    writer.join();
    return each;
}

// Million records a second. waiting() says how many records are there; take(n, sum) takes n of them and adds their
// numbers.
template <class Write, class Waiting, class Take>
double HandOver(std::uint64_t records, Write write, Waiting waiting, Take take) {
    std::uint64_t sum = 0;
    const double each = BothEnds(records, write, [&] {
        for (std::uint64_t got = 0; got < records;) {
            const std::uint64_t there = waiting();
            if (there < kBlock && got + there != records) {
                for (int i = 0; i < 16; ++i) Pause();  // at the writer's heels we only take its cache lines away
                continue;
            }
            for (std::uint64_t left = there; left != 0;) {
                const std::uint64_t now = std::min<std::uint64_t>(left, kBatch);
                take(now, sum);
                left -= now;
            }
            got += there;
        }
    });
    CheckSum(sum, records);
    return 1000 / each;
}

double Ours(std::uint64_t records, bool byWritten) {
    static Room room;
    const auto ring = std::make_unique<events::SpscRing<Event>>(room.records, kCapacity);
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
        [&] { return (byWritten ? ring->Written() : ring->Published()) - ring->Next(); },
        [&](std::uint64_t count, std::uint64_t& sum) {
            std::size_t at = 0;
            ring->Read(ring->Next() + count, [&](const Event& slot) { out[at++] = slot; });
            bench::Use(out);
            for (std::size_t i = 0; i < at; ++i) sum += out[i].address;
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
        [&] { return static_cast<std::uint64_t>(queue->read_available()); },
        [&](std::uint64_t count, std::uint64_t& sum) {
            const std::size_t got = queue->pop(out, count);
            bench::Use(out);
            for (std::size_t i = 0; i < got; ++i) sum += out[i].address;
        });
#else
    return std::numeric_limits<double>::quiet_NaN();
#endif
}

struct alignas(64) Flag {
    std::atomic<std::uint64_t> turn{0};
    void Await(std::uint64_t value) const {
        while (turn.load(std::memory_order_acquire) != value) Pause();
    }
};

double Blocks(std::uint64_t records) {
    constexpr std::size_t kBlocks = kCapacity / kBlock;
    static Room shared;
    alignas(64) static Event source[kBlock];
    alignas(64) static Event target[kBlock];
    const auto flags = std::make_unique<Flag[]>(kBlocks);
    const std::uint64_t blocks = records / kBlock + 1;
    const auto copy = [](Event* to, const Event* from) {
        std::memcpy(static_cast<void*>(to), from, kBlock * sizeof(Event));
    };
    const double each = BothEnds(
        blocks * kBlock,
        [&] {
            for (std::uint64_t i = 0; i < blocks; ++i) {
                Flag& flag = flags[i % kBlocks];
                flag.Await(2 * (i / kBlocks));
                copy(shared.records + i % kBlocks * kBlock, source);
                flag.turn.store(2 * (i / kBlocks) + 1, std::memory_order_release);
            }
        },
        [&] {
            for (std::uint64_t i = 0; i < blocks; ++i) {
                Flag& flag = flags[i % kBlocks];
                flag.Await(2 * (i / kBlocks) + 1);
                copy(target, shared.records + i % kBlocks * kBlock);
                bench::Use(target);
                flag.turn.store(2 * (i / kBlocks) + 2, std::memory_order_release);
            }
        });
    return 1000 / each;
}

double ThereAndBack(std::uint64_t times) {
    Flag flag;
    return BothEnds(
        times,
        [&] {
            for (std::uint64_t i = 0; i < times; ++i) {
                flag.Await(2 * i + 1);
                flag.turn.store(2 * i + 2, std::memory_order_release);
            }
        },
        [&] {
            for (std::uint64_t i = 0; i < times; ++i) {
                flag.turn.store(2 * i + 1, std::memory_order_release);
                flag.Await(2 * i + 2);
            }
        });
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
    suite.Add("a cache line there and back", "ns", ThereAndBack, 20'000);
    suite.Ratio("ring / boost", "ring, by the published index", "boost::lockfree::spsc_queue", bench::AtLeast(1.5));
    suite.Ratio("ring / block copy", "ring, by the published index", "blocks copied between the cores",
                bench::AtLeast(0.2));
    suite.Ratio("ring by written / boost", "ring, by the written index", "boost::lockfree::spsc_queue");
    return suite.Run();
}
