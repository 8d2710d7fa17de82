// What a log consists of; shared by the EventLog, which writes it, and its views, which read it.
//
// How readers are safe without a lock: sealed chunks, lives, errors and lists of the dead are append-only arrays that
// publish their size with a release store; the open chunk publishes its length likewise; a view keeps the open chunk it
// saw alive. The mutex is taken once for a view and once for a chunk that is sealed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "log/block_table.hpp"
#include "log/chunk.hpp"
#include "log/event_log.hpp"
#include "log/stable_vector.hpp"
#include "log/trace_store.hpp"

namespace residue::log {

struct DeathList {
    std::uint64_t row;
    const BlockId* blocks;
    std::size_t count;
};

struct LogState {
    LogState();
    ~LogState();
    void Seal();
    // Is this the first row of its allocator? To be asked once.
    bool Meets(AllocatorId id) {
        if (id.value == lastMet) return false;
        lastMet = id.value;
        if (id.value >= met.size()) met.resize(std::size_t{id.value} + 1);
        if (met[id.value]) return false;
        return met[id.value] = true;
    }
    std::uint64_t ResidentBytes() const;
    // The block ends in this row, unless it has ended.
    void Dies(BlockId block, std::uint64_t row) {
        if (block.value == 0 || block.value > blocks.Size()) return;
        blocks.Die(block.value - 1, row);
    }
    [[gnu::always_inline]] void PrefetchBlock(BlockId block) const {
        if (block.value != 0 && block.value <= blocks.Size()) blocks.Prefetch(block.value - 1);
    }

    std::shared_ptr<Spill> spill;             // outlives what lies in it
    std::uint64_t spillBeyond = 0;            // bytes in memory
    StableVector<const SealedChunk*> sealed;  // owned
    BlockTable blocks;
    StableVector<std::uint64_t> errors;       // rows
    StableVector<std::uint64_t> regions;      // rows: Event::IsSampledRegion
    StableVector<std::uint64_t> rare;         // rows: LogView::RareRows
    StableVector<DeathList> deaths;
    TraceStore traces;
    std::atomic<bool> closed{false};
    std::atomic<bool> mayOverlap{false};
    std::atomic<std::size_t> heldBytes{0};    // sealed chunks and death lists

    std::shared_ptr<RowMemory> rowMemory;
    mutable std::mutex mutex;                 // guards the two pointers
    std::shared_ptr<OpenChunk> open;
    std::shared_ptr<const SourceInfo> source;

    // The writer's alone.
    std::uint64_t rows = 0;
    std::vector<std::unique_ptr<BlockId[]>> deathArrays;
    std::vector<bool> met;                    // allocators, by id
    std::uint32_t lastMet = 1u << 16;         // the id met last; none
};

}  // namespace residue::log
