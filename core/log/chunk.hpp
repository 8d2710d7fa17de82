// The two forms of a chunk of 65,536 rows. Open: plain rows in memory reserved beforehand, with a published length.
// Sealed: columns, and two bit sets that find positions without looking at rows.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "log/columns.hpp"
#include "log/stable_vector.hpp"

namespace residue::log {

// The texts of one chunk; shared by its open and its sealed form. One writer; any thread reads.
class ChunkTexts {
public:
    void Add(std::uint32_t rowInChunk, std::string_view text);  // rows ascending
    std::string_view Find(std::uint32_t rowInChunk) const;      // empty where there is none
    std::size_t ResidentBytes() const { return bytes_.load(std::memory_order_relaxed) + entries_.ResidentBytes(); }

private:
    struct Entry {
        const char* data;
        std::uint32_t length;
        std::uint32_t row;
    };
    StableVector<Entry> entries_;
    std::vector<std::unique_ptr<char[]>> blocks_;  // the writer's; readers reach the bytes through entries
    char* next_ = nullptr;
    std::size_t roomLeft_ = 0;
    std::atomic<std::size_t> bytes_{0};
};

// The memory of an open chunk. Fresh pages cost more than the rows that are written to them, so a chunk that is sealed
// and no longer read hands its memory on to the next one. Any thread.
class RowMemory {
public:
    struct Arrays {
        LoggedEvent* rows = nullptr;              // kChunkRows of each, not constructed
        std::uint32_t* callsThrough = nullptr;
    };
    RowMemory() = default;
    ~RowMemory();
    RowMemory(const RowMemory&) = delete;
    RowMemory& operator=(const RowMemory&) = delete;
    Arrays Take();
    void Return(Arrays arrays);

private:
    static void Release(Arrays arrays);
    std::mutex mutex_;
    Arrays spare_;
};

// One writer, which publishes rows through `length`; readers read below it.
class OpenChunk {
public:
    OpenChunk(std::uint64_t firstRow, std::uint64_t callsBefore, std::shared_ptr<RowMemory> memory);
    ~OpenChunk();
    OpenChunk(const OpenChunk&) = delete;
    OpenChunk& operator=(const OpenChunk&) = delete;

    // Writer. Length() < kChunkRows
    void Append(const LoggedEvent& row, std::string_view text);
    // A row each. Length() + calls.size() <= kChunkRows
    template <class Call>  // KnownCall, PlacedCall
    void AppendCalls(AllocatorId allocator, std::span<const Call> calls);

    std::uint64_t FirstRow() const { return firstRow_; }
    std::uint64_t CallsBefore() const { return callsBefore_; }  // in the whole log, before this chunk
    std::size_t Length() const { return length_.load(std::memory_order_acquire); }
    const LoggedEvent& At(std::size_t row) const { return arrays_.rows[row]; }
    std::span<const LoggedEvent> Rows(std::size_t length) const { return {arrays_.rows, length}; }
    const std::shared_ptr<ChunkTexts>& Texts() const { return texts_; }

    // Calls among the first `row` rows of this chunk.
    std::uint32_t CallsUpTo(std::size_t row) const;
    // The row that ends call number `call` (from 0) of this chunk; there is one among the first `length` rows.
    std::size_t RowOfCall(std::uint32_t call, std::size_t length) const;

private:
    std::uint64_t firstRow_;
    std::uint64_t callsBefore_;
    std::shared_ptr<RowMemory> memory_;
    RowMemory::Arrays arrays_;  // callsThrough[row]: calls ended in rows 0..row
    std::atomic<std::uint32_t> length_{0};
    std::shared_ptr<ChunkTexts> texts_;
};

// 65,536 bits, the number of ones before each word kept beside them.
class RankedBits {
public:
    static constexpr std::size_t kWords = kChunkRows / 64;
    void SetWord(std::size_t word, std::uint64_t bits) { words_[word] = bits; }
    void Finish();  // after the last SetWord

    bool Test(std::size_t bit) const { return ((words_[bit / 64] >> (bit % 64)) & 1) != 0; }
    std::uint32_t Ones() const { return ones_; }
    std::uint32_t Rank(std::size_t bit) const;                // ones before `bit` (0..65,536)
    std::size_t Select(std::uint32_t one) const;              // where one number `one` (from 0) is; one < Ones()
    std::size_t Next(std::size_t bit) const;                  // first one at or after `bit`; kChunkRows: none
    std::size_t Previous(std::size_t bit) const;              // last one at or before `bit`; kChunkRows: none

private:
    std::uint64_t words_[kWords]{};
    std::uint16_t before_[kWords]{};
    std::uint32_t ones_ = 0;
};

struct SealedChunk {
    explicit SealedChunk(const OpenChunk& open);  // a full one

    std::uint64_t callsBefore;
    Columns columns;
    RankedBits calls;   // rows that end a call
    RankedBits stops;   // rows that do not trail the position before them
    std::shared_ptr<ChunkTexts> texts;

    std::size_t ResidentBytes() const;
};

}  // namespace residue::log
