// What a HeapModel is made of. Only for its own sources.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/allocator_heap.hpp"
#include "model/heap_model.hpp"
#include "model/live_bits.hpp"

namespace residue::model {

// What an AllocatorState says beside its totals.
struct Identity {
    AllocatorId parent{};
    std::string name;
    bool alive = false;
    std::uint64_t base = 0;
    std::uint64_t capacity = 0;
    bool heapKnown = false;
    bool partsTold = true;
};

struct UndoIdentity { Row row; AllocatorId allocator; Identity before; };
struct UndoRegions { Row row; AllocatorId allocator; AllocatorHeap::RegionChange change; };
struct UndoDead { Row row; AllocatorId allocator; std::vector<BlockEntry> removed; };
// A block that is (or, lifted, is no more) the region of a child, or holds it among others.
struct Mark {
    std::uint32_t block = 0;
    std::uint16_t child = 0;
    friend auto operator<=>(const Mark&, const Mark&) = default;
};
struct UndoMark { Row row; Mark mark; bool lifted = false; };
struct Appearance { Row row; AllocatorId allocator; };
struct Ignored {
    Row row;
    std::uint32_t block = 0;
    bool birth = false;
    friend bool operator==(const Ignored&, const Ignored&) = default;
};

struct HeapModel::State {
    Row applied{};
    std::shared_ptr<const BlockOrder> order;  // null: blocks are kept as entries
    std::vector<AllocatorState> states;   // by id
    std::vector<AllocatorHeap> heaps;     // beside states
    LiveBits live;                        // with an order: of strays alone
    std::set<std::uint32_t> overlapping;  // blocks, dead ones too, that were born over live ones
    std::set<Mark> marks;                 // dead blocks too; a block may hold the regions of several children
    std::vector<Appearance> appearances;
    std::vector<UndoIdentity> identities;
    std::vector<UndoRegions> regionChanges;
    std::vector<UndoDead> deadRemoved;
    std::vector<UndoMark> markChanges;
    std::vector<Ignored> ignored;

    std::size_t IndexOf(AllocatorId id) const {
        // Ids count from 1, so an allocator is nearly always where its id says.
        const std::size_t guess = id.value;
        if (guess < states.size() && states[guess].id == id) return guess;
        if (guess >= 1 && guess - 1 < states.size() && states[guess - 1].id == id) return guess - 1;
        const auto found = std::lower_bound(states.begin(), states.end(), id,
                                            [](const AllocatorState& s, AllocatorId i) { return s.id < i; });
        return static_cast<std::size_t>(found - states.begin());
    }
    bool Knows(AllocatorId id) const {
        const std::size_t index = IndexOf(id);
        return index < states.size() && states[index].id == id;
    }
    const AllocatorHeap* HeapOf(AllocatorId id) const { return Knows(id) ? &heaps[IndexOf(id)] : nullptr; }

    void MeetAllocator(const log::LogView& log, AllocatorId id) {
        const std::size_t index = IndexOf(id);
        if (index < states.size() && states[index].id == id) return;
        AllocatorState state;
        state.id = id;
        const AllocatorId payloadsOnly = log.Source().payloadsOnly;
        state.totals.partsTold = !payloadsOnly || id > payloadsOnly;
        states.insert(states.begin() + static_cast<std::ptrdiff_t>(index), state);
        const auto heap = heaps.insert(heaps.begin() + static_cast<std::ptrdiff_t>(index), AllocatorHeap{});
        if (order) heap->Use(order, id);
        appearances.push_back({applied, id});
    }

    // Births and deaths, and the same backwards. `applied` is the row that is being worked on.
    void Birth(const log::LogView& log, const log::LoggedEvent& logged);
    void Unbirth(const log::LoggedEvent& logged);
    void Death(const log::LogView& log, BlockId block, AllocatorId allocator, std::uint64_t address);
    void Undeath(const log::LogView& log, BlockId block);
    void Kill(const log::LogView& log, BlockId block, const events::Event& event, std::uint64_t address);
    void Unkill(const log::LogView& log, BlockId block, const events::Event& event, std::uint64_t address);
    void RemoveDead(AllocatorId allocator, std::uint64_t begin, std::uint64_t end);
    void RestoreDead();  // what this row removed; at most once a row
    void Ignore(BlockId block, bool birth) { ignored.push_back({applied, block.value, birth}); }
    bool WasIgnored(BlockId block, bool birth) {
        if (ignored.empty() || ignored.back() != Ignored{applied, block.value, birth}) return false;
        ignored.pop_back();
        return true;
    }
    // The short way for ordinary births and deaths in a heap of bits. False: the long way must be taken.
    bool Appears(std::uint32_t id, AllocatorId allocator);
    bool Goes(std::uint32_t id, AllocatorId allocator);
    bool StepBriefly(const log::BriefEvent& brief, bool forward);
    // Steps ordered heaps, up to `rows` of them; a batch at a time, so that what they need can come from memory
    // together.
    void StepBatch(HeapModel& model, const log::LogView& log, std::uint64_t rows, bool forward);
    // A far leap leaves holes as they were and finds them anew at its end, which costs as much as so many rows with
    // them; 0: there are none.
    std::uint64_t CostOfFindingHoles() const;
    void LeaveHoles();
    void FindHoles();

    bool IsStray(const BlockEntry& entry, const AllocatorHeap& heap) const {
        return entry.Weight() == 0 || !heap.Takes(entry.id) ||
               (!overlapping.empty() && overlapping.count(entry.id) != 0);
    }
    bool IsLive(std::uint32_t id) const {
        if (live.Has(id)) return true;
        if (!order) return false;
        const std::uint32_t rank = order->RankOf(id);
        if (rank == kNoRank) return false;
        const AllocatorHeap* const heap = HeapOf(order->AllocatorOf(rank));
        return heap != nullptr && heap->IsLive(id);
    }

    void CreateAllocator(const log::LogView& log, const events::Event& event);
    void DestroyAllocator(const events::Event& event);
    void GrowRegion(const events::Event& event, std::uint64_t bookkeeping);
    void UngrowRegion(const events::Event& event);
    void ShrinkRegion(const events::Event& event);
    void KeepIdentity(const AllocatorState& state);
    void KnowHeap(AllocatorState& state);
    void MarkRegionBlock(const log::LogView& log, AllocatorId child, std::uint64_t address);
    void SetMark(const log::LogView& log, Mark mark, bool set);
    bool IsMarked(std::uint32_t block) const {
        const auto found = marks.lower_bound({block, 0});
        return found != marks.end() && found->block == block;
    }
    void UndoRareChanges(const log::LogView& log);
};

}  // namespace residue::model
