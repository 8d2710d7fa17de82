// Threads that exchange addresses: each frees what another one allocated and gets addresses that another one freed, as
// fast as they can, over an allocator that is nothing but a pool of addresses. The merged stream is right when each
// address is allocated and freed in turn. Used by tests/stress and tests/meta/weakening.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "events/lanes.hpp"

namespace residue::stress {

// A lock-free exchange of addresses: a few cells, each empty (0) or one address. Few, so that an address that goes in
// comes out elsewhere at once.
class Pool {
public:
    explicit Pool(std::size_t cells) : cells_(cells) {}
    // Release and acquire, as any allocator must have it: what comes out was put in before.
    void Put(std::uint64_t address, std::size_t hint) {
        for (std::size_t i = hint;; ++i) {
            std::uint64_t empty = 0;
            auto& cell = cells_[i % cells_.size()].value;
            if (cell.compare_exchange_strong(empty, address, std::memory_order_acq_rel)) return;
            if (i - hint > 64) std::this_thread::yield();
        }
    }
    std::uint64_t TryTake(std::size_t hint) {
        for (std::size_t i = hint; i < hint + cells_.size(); ++i) {
            auto& cell = cells_[i % cells_.size()].value;
            // Speculation may take a stamp here before this load has its value, unless the stamp is fenced.
            if (cell.load(std::memory_order_relaxed) == 0) continue;
            const std::uint64_t address = cell.exchange(0, std::memory_order_acq_rel);
            if (address != 0) return address;
        }
        return 0;
    }

private:
    struct alignas(64) Cell {
        std::atomic<std::uint64_t> value{0};
    };
    std::vector<Cell> cells_;
};

struct Result {
    std::uint64_t illegal = 0;    // an allocation of a live address, or a free of a dead one
    std::uint64_t events = 0;
    std::uint64_t gaps = 0;       // events lost, by the gap events
    events::Lanes::Counted counted;
};

// Watches the merged stream. Addresses are 1..addresses.
class Order {
public:
    explicit Order(std::size_t addresses) : live_(addresses + 1, false) {}
    void See(const events::Event* records, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            const events::Event& event = records[i];
            if (event.kind == events::EventKind::Gap) {
                result.gaps += event.Dropped();
                continue;
            }
            if (event.address == 0 || event.address >= live_.size()) {
                ++result.illegal;
                continue;
            }
            const bool allocated = event.kind == events::EventKind::Allocated;
            if (live_[event.address] == allocated) ++result.illegal;
            live_[event.address] = allocated;
            ++result.events;
        }
    }
    Result result;

private:
    std::vector<bool> live_;
};

inline void EmitOne(events::Lanes& lanes, events::EventKind kind, std::uint64_t address, std::uint64_t stamp) {
    events::Event event;
    event.kind = kind;
    event.address = address;
    lanes.Emit(&event, 1, stamp);
}

// `threads` writers do `rounds` takes and gives each; the calling thread drains all the while.
inline Result Exchange(const events::LanesOptions& options, unsigned threads, std::uint64_t rounds) {
    using events::EventKind;
    const std::size_t addresses = threads * 2;
    events::Lanes lanes(options);
    Pool freed(addresses + 2);      // what may be allocated
    Pool allocated(addresses + 2);  // what somebody has: anybody may free it
    for (std::uint64_t a = 1; a <= addresses; ++a) freed.Put(a, a);
    std::atomic<unsigned> running{threads};
    std::vector<std::thread> writers;
    for (unsigned t = 0; t < threads; ++t) {
        writers.emplace_back([&, t] {
            for (std::uint64_t i = 0; i < rounds; ++i) {
                if (const std::uint64_t address = freed.TryTake(i + t)) {
                    EmitOne(lanes, EventKind::Allocated, address, lanes.Begin());  // after it arrived
                    allocated.Put(address, i);
                }
                if (const std::uint64_t address = allocated.TryTake(i)) {
                    const std::uint64_t stamp = lanes.Begin();  // before it goes back
                    freed.Put(address, i + t);
                    EmitOne(lanes, EventKind::Freed, address, stamp);
                }
            }
            --running;
        });
    }
    Order order(addresses);
    const auto deliver = [&](const events::Event* records, std::size_t count) { order.See(records, count); };
    while (running != 0) {
        if (lanes.Drain(deliver) == 0) std::this_thread::yield();
    }
    for (auto& writer : writers) writer.join();
    lanes.DrainAll(deliver);
    order.result.counted = lanes.Count();
    return order.result;
}

}  // namespace residue::stress
