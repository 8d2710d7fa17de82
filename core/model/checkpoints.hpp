// Copies of the heap at moments all over a log, so that a far seek starts nearby. One thread offers (whoever walks the
// log anyway), any thread asks.
//
// Cost: memory for at most about `mostBlocks` live blocks in all, counted as if copies shared nothing; when they are
// exceeded every second copy goes and the spacing doubles. Apart from that, in each copy, a pointer for 16,384 blocks
// ever born.
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
    explicit Checkpoints(std::uint64_t spacingRows = 16384, std::uint64_t mostBlocks = 2'000'000);

    // Keeps a copy if `heap` is far enough behind the last one kept. Offered in order of rows.
    void Offer(const HeapModel& heap);

    // The kept copy from which the fewest rows lead to `target`; null if `from` is as close, give or take what a copy
    // costs (128 rows).
    std::shared_ptr<const HeapModel> Closer(Row from, Row target) const;

    std::size_t Count() const;

private:
    struct Kept {
        Row row;
        std::uint64_t blocks;
        std::shared_ptr<const HeapModel> heap;
    };
    void Thin();

    mutable std::mutex lock_;
    std::uint64_t spacing_;
    const std::uint64_t mostBlocks_;
    std::uint64_t blocks_ = 0;
    std::vector<Kept> kept_;
};

}  // namespace residue::model
