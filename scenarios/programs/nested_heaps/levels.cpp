#include "levels.hpp"

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "../program.hpp"
#include "alloc/bump_allocator.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/pool_allocator.hpp"

namespace residue::scenarios {

namespace {

using namespace alloc;

constexpr std::size_t kHeapBytes = 128 * 1024, kRegionBytes = 16 * 1024, kStringBytes = 10 * 1024;
constexpr std::size_t kScratchBytes = 3 * 1024, kEntityBytes = 96;

// Inlined into what asks, so that the call traces end there.
[[gnu::always_inline]] inline void* Take(Allocator& allocator, std::size_t bytes) {
    const Result<void*> block = allocator.Allocate(&allocator, bytes, alignof(std::max_align_t));
    if (!block) std::abort();
    return *block;
}

void Give(Allocator& allocator, void* block) {
    if (!allocator.Free(&allocator, block)) std::abort();
}

[[gnu::noinline]] void* LoadSound(Allocator& allocator, Dice& dice) { return Take(allocator, dice.Between(600, 4000)); }
[[gnu::noinline]] void* LoadMesh(Allocator& allocator, Dice& dice) { return Take(allocator, dice.Between(64, 900)); }
[[gnu::noinline]] void* SpawnMonster(Allocator& allocator, Dice& dice) {
    return Take(allocator, kEntityBytes - dice.Below(24));
}
[[gnu::noinline]] void* CopyName(Allocator& allocator, Dice& dice) { return Take(allocator, dice.Between(12, 150)); }
[[gnu::noinline]] void* FormatLine(Allocator& allocator, Dice& dice) { return Take(allocator, dice.Between(24, 120)); }
[[gnu::noinline]] void* MakeRoom(Allocator& allocator, std::size_t bytes) { return Take(allocator, bytes); }

// Things of one kind that come and go.
class Crowd {
public:
    using Make = void* (*)(Allocator&, Dice&);
    Crowd(Allocator& allocator, Make make, Dice& dice) : allocator_(allocator), make_(make), dice_(dice) {}

    void Join(int count = 1) {
        for (; count > 0; --count) members_.push_back(make_(allocator_, dice_));
    }
    void Leave(int count = 1) {
        for (; count > 0 && !members_.empty(); --count) {
            const std::size_t which = dice_.Below(members_.size());
            Give(allocator_, members_[which]);
            members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(which));
        }
    }
    void LeaveAll() { Leave(static_cast<int>(members_.size())); }
    std::size_t Count() const { return members_.size(); }

private:
    Allocator& allocator_;
    Make make_;
    Dice& dice_;
    std::vector<void*> members_;
};

}  // namespace

void PlayLevel(events::EventSink* sink, int rounds) {
    alignas(4096) static std::byte memory[kHeapBytes];
    Dice dice(11);
    FixedBufferAllocator heap = CreateFixedBufferAllocator(memory, Placement::BestFit);
    heap.AttachSink(sink, "game heap");
    Crowd sounds(heap, LoadSound, dice);
    sounds.Join(6);

    // The level grows by regions as it is loaded; other things come to lie between them.
    ArenaAllocator level = CreateArenaAllocator(HeapMemory::From(&heap, kRegionBytes));
    level.AttachSink(sink, "level", kGameHeap);
    PoolAllocator entities = CreatePoolAllocator(HeapMemory::From(&heap, kRegionBytes / 4), kEntityBytes);
    entities.AttachSink(sink, "entities", kGameHeap);
    for (int i = 0; i < 12; ++i) (void)LoadMesh(level, dice);
    FixedBufferAllocator strings = CreateFixedBufferAllocator(MakeRoom(level, kStringBytes), kStringBytes);
    strings.AttachSink(sink, "strings", kLevelArena);
    Crowd names(strings, CopyName, dice), monsters(entities, SpawnMonster, dice);
    names.Join(30);
    void* const page = MakeRoom(strings, kScratchBytes);
    ArenaAllocator scratch = CreateArenaAllocator(HeapMemory::Buffer(page, kScratchBytes));
    scratch.AttachSink(sink, "scratch", kStringBuffer);
    names.Join(10);
    names.Leave(12);

    for (int round = 0; round < rounds; ++round) {
        monsters.Join(6);
        if (monsters.Count() > 60) monsters.Leave(5);
        for (int i = 0; i < 4; ++i) (void)LoadMesh(level, dice);
        names.Join();
        if (dice.OneIn(2)) names.Leave();
        if (dice.OneIn(3)) sounds.Leave(), sounds.Join();
        if (round % 4 == 0) (void)scratch.options->Reset(&scratch);
        for (int i = 0; i < 5; ++i) (void)FormatLine(scratch, dice);
    }

    names.LeaveAll();
    monsters.LeaveAll();
    sounds.LeaveAll();
    DestroyArenaAllocator(&scratch);
    Give(strings, page);
    DestroyFixedBufferAllocator(&strings);
    DestroyPoolAllocator(&entities);
    DestroyArenaAllocator(&level);
    DestroyFixedBufferAllocator(&heap);
}

}  // namespace residue::scenarios
