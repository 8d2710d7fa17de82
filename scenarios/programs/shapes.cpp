// Requests that show one thing each, at its clearest. The shapes are classics of the literature on allocators (Wilson,
// Johnstone, Neely, Boles 1995) and of malloc labs; the numbers are our own.

#include <vector>

#include "program.hpp"

namespace residue::scenarios {

// Neighbours are freed in pairs, then blocks of twice the size are asked for: they fit only where the two holes became
// one. Each round does it with larger blocks, and lets some live on.
void CoalescingPairs(Heap& heap) {
    constexpr int kRounds = 12;
    constexpr std::size_t kPairs = 48;
    std::vector<void*> survivors;
    for (int round = 0; round < kRounds; ++round) {
        const std::size_t bytes = 120 + 64 * static_cast<std::size_t>(round);
        std::vector<void*> blocks;
        for (std::size_t block = 0; block < 2 * kPairs; ++block) blocks.push_back(heap.Take(bytes));
        // First one of each pair, then, from the other end, its neighbour.
        for (std::size_t pair = 0; pair < kPairs; ++pair) heap.Give(blocks[2 * pair]);
        for (std::size_t pair = kPairs; pair-- > 0;) {
            if (pair % 8 == 7) survivors.push_back(blocks[2 * pair + 1]);
            else heap.Give(blocks[2 * pair + 1]);
        }
        std::vector<void*> doubles;
        for (std::size_t pair = 0; pair < kPairs / 2; ++pair) doubles.push_back(heap.Take(2 * bytes));
        for (void* block : doubles) heap.Give(block);
    }
    for (void* block : survivors) heap.Give(block);
}

// Small and large in turn; all the large ones go, and what comes then is a little larger than they were. Half of the
// heap is free, and nothing fits.
void BinaryAlternating(Heap& heap) {
    struct Step { std::size_t count, small, large, after; };
    constexpr Step kSteps[] = {{700, 64, 448, 512}, {500, 16, 112, 128}};
    for (const Step& step : kSteps) {
        std::vector<void*> small;
        std::vector<void*> large;
        for (std::size_t pair = 0; pair < step.count; ++pair) {
            small.push_back(heap.Take(step.small));
            large.push_back(heap.Take(step.large));
        }
        for (void* block : large) heap.Give(block);
        large.clear();
        for (std::size_t block = 0; block < step.count; ++block) large.push_back(heap.Take(step.after));
        for (void* block : small) heap.Give(block);
        for (void* block : large) heap.Give(block);
    }
}

// Three arrays grow in turn by reallocation, so that each stands in the others' way; between them small blocks come
// and stay a while. One grows by a fixed step, one by half, one by doubling.
void ReallocGrowth(Heap& heap) {
    void* arrays[3] = {heap.Take(512), heap.Take(512), heap.Take(512)};
    std::size_t sizes[3] = {512, 512, 512};
    std::size_t wanted = 512;
    std::vector<void*> small;
    Dice dice(5);
    for (int step = 0; step < 1400; ++step) {
        wanted += 96;
        const std::size_t grown[3] = {wanted, sizes[1] + sizes[1] / 2, sizes[2] * 2};
        for (std::size_t array = 0; array < 3; ++array) {
            if (sizes[array] >= wanted) continue;
            sizes[array] = grown[array];
            arrays[array] = heap.Grow(arrays[array], sizes[array]);
        }
        small.push_back(heap.Take(dice.Between(16, 128)));
        if (small.size() > 200) {
            const std::size_t victim = dice.Below(small.size());
            heap.Give(small[victim]);
            small[victim] = small.back();
            small.pop_back();
        }
        // Now and then all three shrink to what they began with.
        if (step % 350 == 349) {
            wanted = 512;
            for (std::size_t array = 0; array < 3; ++array) arrays[array] = heap.Grow(arrays[array], sizes[array] = 512);
        }
    }
    for (void* array : arrays) heap.Give(array);
    for (void* block : small) heap.Give(block);
}

// Powers of two, and one byte more: a buddy allocator's best and worst case. Sizes are drawn so that each class gets
// about the same number of bytes; lifetimes are random.
void PowersOfTwo(Heap& heap) {
    std::vector<void*> live;
    Dice dice(6);
    for (int step = 0; step < 5200; ++step) {
        const bool takes = live.size() < 40 || (live.size() < 420 && dice.OneIn(2)) || dice.OneIn(12);
        if (takes) {
            std::size_t power = 4;
            while (power < 13 && dice.OneIn(2)) ++power;
            live.push_back(heap.Take((std::size_t{1} << power) + (step > 2600 ? 1 : 0)));
            continue;
        }
        const std::size_t victim = dice.Below(live.size());
        heap.Give(live[victim]);
        live[victim] = live.back();
        live.pop_back();
    }
    for (void* block : live) heap.Give(block);
}

// Many small objects in waves: each wave grows, most of it dies in a random order, a few of it stay for ever after and
// hold the pages of their wave.
void SmallObjectChurn(Heap& heap) {
    constexpr int kWaves = 9;
    std::vector<void*> stay;
    Dice dice(7);
    for (int wave = 0; wave < kWaves; ++wave) {
        std::vector<void*> live;
        for (int object = 0; object < 420; ++object) {
            live.push_back(heap.Take(dice.Between(8, 72)));
            if (live.size() > 60 && dice.OneIn(4)) {
                const std::size_t victim = dice.Below(live.size());
                heap.Give(live[victim]);
                live[victim] = live.back();
                live.pop_back();
            }
        }
        while (!live.empty()) {
            const std::size_t victim = dice.Below(live.size());
            if (dice.OneIn(12)) stay.push_back(live[victim]);
            else heap.Give(live[victim]);
            live[victim] = live.back();
            live.pop_back();
        }
    }
    for (void* block : stay) heap.Give(block);
}

}  // namespace residue::scenarios
