// Modes of the subject that tell of pools (core/events/residue.h).
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "residue.h"

int PoolThreads();
int PoolGarbage();
int PoolMany();

// Four threads, each with slots of its own in one pool that all share, and pools that come and go.
int PoolThreads() {
    constexpr std::size_t kSlot = 64, kSlots = 16;
    auto* const memory = static_cast<char*>(std::malloc(4 * kSlots * kSlot));
    const residue_pool shared = residue_pool_create("shared", memory, 4 * kSlots * kSlot, RESIDUE_NONE);
    const std::string text(900, 'm');
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            char* const own = memory + t * kSlots * kSlot;
            for (std::size_t i = 0; i < 2000; ++i) {
                char* const slot = own + i % kSlots * kSlot;
                if (i >= kSlots) residue_pool_freed(shared, slot);
                residue_pool_allocated(shared, slot, 33, kSlot);
                if (i % 100 == 0) residue_marker(text.c_str());
                if (i % 10 != 0) continue;
                const residue_pool brief = residue_pool_create("brief", slot, 33, shared);
                residue_pool_allocated(brief, slot, 5, 8);
                residue_pool_destroy(brief);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    residue_pool_destroy(shared);
    std::free(memory);
    return 0;
}

int PoolGarbage() {
    static char memory[4096];
    const residue_pool pool = residue_pool_create("garbage", memory, sizeof(memory), RESIDUE_NONE);
    residue_pool_allocated(pool, memory + 4000, 97, 0);               // over its end
    residue_pool_allocated(pool, reinterpret_cast<void*>(8), 1, 0);   // anywhere
    residue_pool_freed(pool, memory + 7);                             // never given out
    residue_pool_freed(pool, nullptr);
    residue_pool_resized(pool, memory + 1, memory + 16, 10, 5);       // of what never was; less than asked
    residue_pool_bulk_freed(pool, memory + 100, memory);              // ends before it begins
    residue_pool_shrunk(pool, nullptr, ~std::size_t{0});
    residue_pool_grown(pool, reinterpret_cast<void*>(~std::uintptr_t{0}), ~std::size_t{0});
    residue_pool_freed(0, memory);                                    // nobody's
    residue_pool_freed(0xFFFFFFFF, memory);
    residue_pool_destroy(pool);
    residue_pool_destroy(pool);                                       // twice
    residue_pool_freed(pool, memory);                                 // gone
    (void)residue_pool_create(nullptr, memory, 0, pool);              // in one that is gone
    std::string umlauts = "x";                                        // each letter starts at an odd byte
    for (int i = 0; i < 2000; ++i) umlauts += "\xc3\xa4";
    (void)residue_pool_create(umlauts.c_str(), memory, 16, RESIDUE_NONE);
    residue_told told{};
    (void)residue_tell(&told);                                        // of no size
    told.bytes = sizeof(told);
    told.kind = 200;
    (void)residue_tell(&told);
    residue_marker(nullptr);
    return 0;
}

int PoolMany() {
    residue_pool gone = RESIDUE_NONE;
    for (int i = 0; i < 300; ++i) {
        const residue_pool brief = residue_pool_create("one of many", nullptr, 0, RESIDUE_NONE);
        if (i == 0) gone = brief;
        residue_pool_destroy(brief);
    }
    std::vector<residue_pool> all;
    for (int i = 0; i < 65'536; ++i) all.push_back(residue_pool_create("p", nullptr, 0, RESIDUE_NONE));
    if (all[65'533] == 0 || all[65'534] != 0) return 1;
    residue_pool_freed(gone, &all);  // its id is another pool's by now
    residue_pool_destroy(all[0]);
    return residue_pool_create("p", nullptr, 0, RESIDUE_NONE) != 0 ? 0 : 2;
}
