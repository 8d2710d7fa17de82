// Time by address: how much of each stretch of addresses was in use in each stretch of time. Every block is a
// rectangle, from its birth to its death and from its first byte to its last; a cell of the picture is the share of it
// that rectangles cover.
//
// Cost: one pass over the table of blocks, some 60 ns a block and 5 ns for each row of cells that it touches. For a
// thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "analysis/profile.hpp"
#include "log/event_log.hpp"

namespace residue::analysis {

struct LivesRequest {
    AllocatorId allocator{};
    Position from{}, to{};            // columns share it equally; from < to
    std::uint64_t begin = 0;          // the first address
    std::uint64_t bytesPerRow = 0;    // > 0
    std::uint32_t columns = 0, rows = 0;  // at most 4,096 each
    friend bool operator==(const LivesRequest&, const LivesRequest&) = default;
};

struct LivesPicture {
    LivesRequest request;
    std::vector<float> share;         // [row * columns + column]: 0..1
    std::uint64_t blocks = 0;         // that touch it
    std::uint64_t hidden = 0;         // of those, by the filter
};

std::optional<LivesPicture> MakeLives(const log::LogView& log, const LivesRequest& request,
                                      const BlockFilter& filter = {}, const std::atomic<bool>* cancelled = nullptr,
                                      std::atomic<double>* progress = nullptr);

// A stretch of addresses that an allocator's blocks ever had: [begin, end), with how many of them.
struct AddressPiece {
    std::uint64_t begin = 0, end = 0;
    std::uint64_t blocks = 0;
    friend bool operator==(const AddressPiece&, const AddressPiece&) = default;
};
// All of them, ascending. A gap splits where it is larger than half of all that is used, and than 64 KiB; edges are
// those of the first and the last block. Empty where there were no blocks. Cost: some 40 ns a block.
std::vector<AddressPiece> AddressesOf(const log::LogView& log, AllocatorId allocator,
                                      const std::atomic<bool>* cancelled = nullptr);

}  // namespace residue::analysis
