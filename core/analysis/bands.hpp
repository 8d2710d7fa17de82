// Live bytes by allocator over time, for a stack whose height is the sum of all. A part of Series.
//
// An allocator's share is what it gave out less the blocks that are themselves the memory of another allocator: those
// bytes are counted where they are given out in the end. So nested allocators are not counted twice, and the shares of
// all add up to the total (model::Totals::payload - regionPayload, HeapModel::Sum) at every position.
//
// The kMostBands allocators with the largest peaks have a band each; all the rest share one. While only one allocator
// ever had live bytes, its share is the total and nothing is kept.
//
// Cost: O(allocators) a position, as the sum itself, and a few nanoseconds where there is one. Memory: 17 bytes a
// change of an allocator's share (most calls change one), 0 while there is one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "analysis/steps.hpp"
#include "model/heap_model.hpp"

namespace residue::analysis {

inline constexpr std::size_t kMostBands = 8;

struct Band {
    AllocatorId allocator{};
    std::string name;        // as it was created; may be empty
    std::uint64_t peak = 0;  // the most live bytes of its own that it ever had
    friend bool operator==(const Band&, const Band&) = default;
};

struct BandList {
    std::vector<Band> named;  // ascending by id, so that the order stays as more come
    std::size_t others = 0;   // allocators that share the band behind these
    friend bool operator==(const BandList&, const BandList&) = default;
};

// What the stack is made of where a column's total is highest and where it is lowest (the first such positions).
// [i] is named[i]; [named.size()] are the others together. Sums: liveMax and liveMin.
using BandShares = std::array<std::uint64_t, kMostBands + 1>;
struct BandColumn {
    BandShares atMax{}, atMin{};
};

class Bands {
public:
    using Allocators = std::vector<model::AllocatorState>;  // a model's, with their totals
    static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

    // What readers get: a list and where its figures are, good for as long as the Bands live.
    struct View {
        std::shared_ptr<const BandList> list = std::make_shared<BandList>();
        std::array<const Steps*, kMostBands> steps{};
        std::uint64_t split = kNever;    // until here only `sole` had live bytes: all there were
        std::size_t sole = kMostBands;   // its index in the list; kMostBands: it is not in it
        std::uint64_t end = 0;           // the last position: not final yet, so its figures are here
        std::array<std::uint64_t, kMostBands> last{};

        // Of named[band]. `live`: the total at this position. `hint`: as Steps::At.
        std::uint64_t At(std::size_t band, std::uint64_t position, std::uint64_t live, std::size_t& hint) const {
            if (position >= end) return last[band];
            if (position < split) return band == sole ? live : 0;
            return steps[band] == nullptr ? 0 : steps[band]->At(position, hint);
        }
    };

    // The builder's. The figures at `position` are final, their total is `live`; in order of positions.
    void Take(const Allocators& states, std::uint64_t position, std::uint64_t live) {
        if (split_ == kNever && states.size() <= 1) {
            if (!sole_ && live > 0) sole_ = states.front().id;
            solePeak_ = std::max(solePeak_, live);
            lastLive_ = live;
            return;
        }
        TakeAll(states, position, live);
    }
    // `end`: the last position; `open`: its figures are the model's, else those taken last.
    View Publish(const Allocators& states, std::uint64_t end, bool open);

private:
    struct Own {
        AllocatorId allocator{};
        std::uint64_t now = 0, peak = 0;
        std::unique_ptr<Steps> steps;
    };
    void TakeAll(const Allocators& states, std::uint64_t position, std::uint64_t live);
    void Meet(const Allocators& states);

    std::vector<Own> owns_;   // beside the model's allocators
    AllocatorId sole_{};      // the first one that had live bytes
    std::uint64_t solePeak_ = 0, lastLive_ = 0;  // until split_
    std::uint64_t split_ = kNever;
    std::shared_ptr<const BandList> list_ = std::make_shared<BandList>();
};

}  // namespace residue::analysis
