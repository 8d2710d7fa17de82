// Copies of the heap at moments all over a log, so that a far seek starts nearby. One thread offers (whoever walks the
// log anyway), any thread asks.
//
// Memory: a copy is kept as soon as the budget pays for it: `allowance` bytes, and `perRow` more for every row of the
// log. What a copy costs is what has changed since the last one (the rest they share, model/shared.hpp), so quiet
// stretches get copies as densely as `spacingRows` says and busy ones fewer.
// A look-up copies nothing; starting from a kept copy costs the same for all heaps (they are shared until written to).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "model/heap_model.hpp"

namespace residue::model {

class Checkpoints {
public:
    struct Budget {
        std::uint64_t spacingRows = 16384;
        std::uint64_t allowance = 64 << 20;  // bytes
        std::uint64_t perRow = 8;            // bytes
    };
    // For heaps that are bits (model/block_order.hpp), which cost little: at most 10 bytes a row of 10^7.
    static Budget ForOrdered() { return {16384, 16 << 20, 8}; }
    Checkpoints() : Checkpoints(Budget{}) {}
    explicit Checkpoints(Budget budget);

    // Keeps a copy if `heap` is the first one, or far enough behind the last one kept, and the budget allows it.
    // Offered in order of rows, by one thread, which changes no other heap meanwhile.
    void Offer(const HeapModel& heap);
    // Forgets its own and goes on with those of `other`, which nobody uses.
    void Take(Checkpoints&& other);

    // The kept copy from which the fewest rows lead to `target`; null if `from` is as close, give or take what a copy
    // costs (128 rows).
    std::shared_ptr<const HeapModel> Closer(Row from, Row target) const;

    std::size_t Count() const;
    std::uint64_t Bytes() const;  // spent

private:
    struct Kept {
        Row row;
        std::shared_ptr<const HeapModel> heap;
    };

    mutable std::mutex lock_;
    Budget budget_;
    std::uint64_t bytes_ = 0;
    std::vector<Kept> kept_;
    // The offering thread's.
    Row last_{};
    bool any_ = false;
    std::uint64_t madeBefore_ = 0;  // bytesOfNodesMade when the last one was kept
};

}  // namespace residue::model
