// weakening_model N: explores the ring, the lanes with their merge, and the trace table, with weakening N (0: none).
// Exit 0: nothing found; 1: a violation, printed.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "events/detail/intern_table.hpp"
#include "events/detail/lane.hpp"
#include "events/detail/merge.hpp"
#include "events/spsc_ring.hpp"
#include "meta/weakening/model.hpp"

using namespace residue;
using namespace residue::events;
using detail::Weakened;
using detail::Weakening;
using model::Explorer;
using model::ModelSync;

namespace {

Explorer explorer;

void Check(bool holds, const char* what) { explorer.Check(holds, what); }

// Writes numbers and reads them through one of the two indices; a batch of 8 crosses a publishing border each second
// time, so that few stores make a long run.
struct RingProgram {
    RingProgram(std::size_t capacity, std::size_t batchSize, bool byWritten) : slots(capacity), batch(batchSize) {
        explorer.Thread([this] {
            std::uint64_t next = 0;
            for (int attempt = 0; attempt < 5; ++attempt) {
                if (ring.TryWrite(batch, [&](std::size_t i, std::uint64_t& slot) { slot = next + i; })) next += batch;
            }
        });
        explorer.Thread([this, byWritten] {
            std::uint64_t expected = 0;
            for (int attempt = 0; attempt < 4; ++attempt) {
                const std::uint64_t end = byWritten ? ring.Written() : ring.Published();
                Check(end - ring.Next() <= slots.size(), "more records than the ring can hold");
                ring.Read(end, [&](std::uint64_t value) { Check(value == expected++, "a record is wrong"); });
            }
        });
    }
    std::vector<std::uint64_t> slots;
    std::size_t batch;
    SpscRing<std::uint64_t, ModelSync> ring{slots.data(), slots.size()};
};

Event Of(EventKind kind, std::uint64_t address) {
    Event event;
    event.kind = kind;
    event.address = address;
    return event;
}

struct Lanes2 {
    static constexpr std::size_t kCapacity = 2;
    using Lane = detail::Lane<ModelSync>;
    explicit Lanes2(std::size_t lanes) : slots(lanes * 4) {
        for (std::size_t i = 0; i < lanes; ++i) {
            all.push_back(std::make_unique<Lane>(&slots[i * 4], lanes == 1 ? kCapacity : 4));
            cursors.push_back({.lane = all.back().get()});
        }
    }
    template <class Deliver>
    void Round(bool everything, Deliver deliver) {
        const std::uint64_t now = everything ? detail::kIdle : explorer.Stamp();
        if (!Weakened(Weakening::NoFence) && !everything) explorer.FenceAllThreads();
        late += merge.Round(cursors, now, deliver).late;
    }
    std::vector<Event> slots;
    std::vector<std::unique_ptr<Lane>> all;
    std::vector<detail::LaneCursor<ModelSync>> cursors;
    detail::Merge<ModelSync> merge;
    std::uint64_t late = 0;
};

// One address goes to and fro between two threads while the reader makes rounds.
struct OrderProgram : Lanes2 {
    OrderProgram() : Lanes2(2) {
        const auto stamp = [] { return explorer.Stamp(); };
        // A free follows the load that brought the address; without the fence its stamp may be older than that load.
        const auto freeStamp = [] {
            return Weakened(Weakening::PlainStamp) ? explorer.EarlyStamp() : explorer.Stamp();
        };
        explorer.Thread([this, stamp] {
            Event event = Of(EventKind::Allocated, 1);
            std::uint64_t at = all[0]->Begin(stamp);
            all[0]->TryEmit(&event, 1, at, ThreadId{1});
            where.store(1, std::memory_order_release);
            if (where.load(std::memory_order_acquire) == 2) {
                at = all[0]->Begin(stamp);
                all[0]->TryEmit(&event, 1, at, ThreadId{1});
            }
        });
        explorer.Thread([this, freeStamp] {
            if (where.load(std::memory_order_acquire) != 1) return;
            const Event event = Of(EventKind::Freed, 1);
            const std::uint64_t at = all[1]->Begin(freeStamp);
            where.store(2, std::memory_order_release);  // the memory goes back
            all[1]->TryEmit(&event, 1, at, ThreadId{2});
        });
        explorer.Thread([this] {
            const auto deliver = [this](const Event* records, std::size_t count) {
                for (std::size_t i = 0; i < count; ++i) {
                    const bool allocated = records[i].kind == EventKind::Allocated;
                    Check(allocated || records[i].kind == EventKind::Freed, "not an event that was sent");
                    Check(live != allocated, "an illegal order");
                    live = allocated;
                }
            };
            Round(false, deliver);
            Round(false, deliver);
            explorer.Join();
            Round(true, deliver);
            Check(late == 0, "an event came too late");
        });
    }
    ModelSync::Atomic<std::uint64_t> where{0};
    bool live = false;
};

// Two threads that have nothing to do with each other: what is delivered must still be in the order of the stamps.
struct StampProgram : Lanes2 {
    StampProgram() : Lanes2(2) {
        for (std::size_t lane = 0; lane < 2; ++lane) {
            explorer.Thread([this, lane] {
                for (std::size_t events = 0; events < 2 - lane; ++events) {
                    const Event event = Of(EventKind::Marker, 0);
                    const std::uint64_t at = all[lane]->Begin([] { return explorer.Stamp(); });
                    all[lane]->TryEmit(&event, 1, at, ThreadId{1});
                }
            });
        }
        explorer.Thread([this] {
            const auto deliver = [this](const Event*, std::size_t count) { delivered += count; };
            Round(false, deliver);
            explorer.Join();
            Round(true, deliver);
            Check(late == 0, "an event came too late");
            Check(delivered == 3, "an event is lost");
        });
    }
    std::uint64_t delivered = 0;
};

// A writer numbers its events and drops what does not fit: the gaps must stand where numbers are missing.
struct DropProgram : Lanes2 {
    DropProgram() : Lanes2(1) {
        explorer.Thread([this] {
            for (std::uint64_t i = 1; i <= 5; ++i) {
                const Event event = Of(EventKind::Freed, i);
                const std::uint64_t at = all[0]->Begin([] { return explorer.Stamp(); });
                if (!all[0]->TryEmit(&event, 1, at, ThreadId{1})) all[0]->Drop(&event, 1, at);
            }
        });
        explorer.Thread([this] {
            const auto deliver = [this](const Event* records, std::size_t count) {
                for (std::size_t i = 0; i < count; ++i) {
                    if (records[i].kind == EventKind::Gap) {
                        missing += records[i].Dropped();
                        continue;
                    }
                    Check(records[i].address == last + missing + 1, "a gap is not where events are missing");
                    last = records[i].address;
                    missing = 0;
                }
            };
            Round(false, deliver);
            Round(false, deliver);
            explorer.Join();
            Round(true, deliver);
            Check(last + missing == 5, "the account is wrong");
            Check(late == 0, "an event came too late");
        });
    }
    std::uint64_t last = 0;
    std::uint64_t missing = 0;
};

// Two threads put traces into the table, partly the same; a third has received an id and reads.
struct TraceProgram {
    static constexpr std::uint32_t kCapacity = 6;
    static constexpr std::uint32_t kSlots = 8;
    TraceProgram()
        : words(std::make_unique<Word[]>(2 * (kCapacity + 1))), indices(std::make_unique<Index[]>(2 * kSlots)) {
        table.Use(words.get(), indices.get(), kCapacity, kSlots);
        for (std::uint64_t thread = 0; thread < 2; ++thread) {
            explorer.Thread([this, thread] {
                const std::uint32_t outer = table.Child(0, 100);
                if (thread == 1) sent.store(outer, std::memory_order_release);
                else (void)table.Child(outer, 200);
            });
        }
        explorer.Thread([this] {
            const std::uint32_t id = sent.load(std::memory_order_acquire);
            const std::uint32_t count = table.Count();
            Check(id <= count, "an id was received that the count has not reached");
            for (std::uint32_t i = 1; i <= count; ++i) {
                const auto node = table.At(i);
                Check(node.frame == (node.parent == 0 ? 100u : 200u), "a node below the count is not complete");
                Check(node.parent < i, "a parent is not older than its child");
            }
        });
    }
    using Word = ModelSync::Atomic<std::uint64_t>;
    using Index = ModelSync::Atomic<std::uint32_t>;
    std::unique_ptr<Word[]> words;
    std::unique_ptr<Index[]> indices;
    detail::InternTable<ModelSync> table;
    ModelSync::Atomic<std::uint32_t> sent{0};
};

// No threads: an allocation and the free it needs have the same stamp, in either order of the lanes.
struct TieProgram : Lanes2 {
    TieProgram() : Lanes2(2) {
        explorer.Thread([this] {
            for (const std::size_t freeing : {std::size_t{0}, std::size_t{1}}) {
                const auto emit = [&](std::size_t lane, EventKind kind) {
                    const Event event = Of(kind, 8);
                    const std::uint64_t at = all[lane]->Begin([] { return std::uint64_t{5}; });
                    all[lane]->TryEmit(&event, 1, at, ThreadId{1});
                };
                emit(freeing, EventKind::Freed);
                emit(1 - freeing, EventKind::Allocated);
                EventKind first = EventKind::Marker;
                Round(true, [&](const Event* records, std::size_t) { first = records[0].kind; });
                Check(first == EventKind::Freed, "an allocation goes before the free it needs");
            }
        });
    }
};

template <class Program, class... Args>
bool Explore(const char* name, unsigned preemptions, Args... args) {
    const auto outcome =
        explorer.Explore([&]() -> std::shared_ptr<void> { return std::make_shared<Program>(args...); }, preemptions,
                         3'000'000);
    std::printf("%-24s %9llu executions, %u preemptions, %s%s\n", name,
                static_cast<unsigned long long>(outcome.executions), preemptions,
                outcome.failed ? "FAILED: " : (outcome.complete ? "all, fine" : "NOT ALL: too many"), outcome.failure);
    return !outcome.failed && outcome.complete;
}

}  // namespace

int main(int argc, char** argv) {
    detail::weakening = static_cast<Weakening>(argc > 1 ? std::atoi(argv[1]) : 0);
    bool fine = true;
    fine = fine && Explore<RingProgram>("ring, written", 3, std::size_t{2}, std::size_t{1}, true);
    fine = fine && Explore<RingProgram>("ring, published", 3, std::size_t{16}, std::size_t{8}, false);
    fine = fine && Explore<TieProgram>("merge, ties", 0);
    fine = fine && Explore<OrderProgram>("lanes, order", 2);
    fine = fine && Explore<StampProgram>("lanes, stamps", 2);
    fine = fine && Explore<DropProgram>("lanes, drops", 2);
    fine = fine && Explore<TraceProgram>("trace table", 2);
    return fine ? 0 : 1;
}
