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

#include "log/chunk.hpp"
#include "log/event_log.hpp"
#include "log/stable_vector.hpp"
#include "log/trace_store.hpp"

namespace residue::log {

// `died` is written once, by the appending thread, after readers may have seen the block; a reader takes it for
// "still alive" when it is not below its own number of rows, so no order with other memory is needed.
struct BlockRecord {
    std::uint64_t born;
    std::atomic<std::uint64_t> died;
};

struct DeathList {
    std::uint64_t row;
    const BlockId* blocks;
    std::size_t count;
};

struct LogState {
    LogState();
    ~LogState();

    std::shared_ptr<Spill> spill;             // outlives what lies in it
    std::uint64_t spillBeyond = 0;            // bytes in memory
    StableVector<const SealedChunk*> sealed;  // owned
    StableVector<BlockRecord> blocks;
    StableVector<std::uint64_t> errors;       // rows
    StableVector<std::uint64_t> regions;      // rows: Event::IsSampledRegion
    StableVector<DeathList> deaths;
    TraceStore traces;
    std::atomic<bool> closed{false};
    std::atomic<std::size_t> heldBytes{0};    // sealed chunks and death lists

    std::shared_ptr<RowMemory> rowMemory;
    mutable std::mutex mutex;                 // guards the two pointers
    std::shared_ptr<OpenChunk> open;
    std::shared_ptr<const SourceInfo> source;

    // The writer's alone.
    std::uint64_t rows = 0;
    std::vector<std::unique_ptr<BlockId[]>> deathArrays;
};

}  // namespace residue::log
