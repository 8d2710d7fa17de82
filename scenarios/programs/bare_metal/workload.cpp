#include "workload.hpp"

#include "alloc/dynamic_array.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/pool_allocator.hpp"

namespace bare_metal {
namespace {

using namespace residue;
using namespace residue::alloc;

struct Task {
    std::uint32_t id;
    std::uint32_t wakes;
    std::byte registers[48];
};

// A run queue that grows, on the heap.
__attribute__((noinline)) bool Schedule(Allocator* heap) {
    DynamicArray<std::uint32_t> queue = CreateDynamicArray<std::uint32_t>(heap);
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < 100; ++i) {
        if (!PushToDynamicArray(&queue, i)) return false;
    }
    for (const std::uint32_t id : queue) sum += id;
    return DestroyDynamicArray(&queue).has_value() && sum == 4950;
}

// Every second buffer comes back: more is free than is asked for, but not in one piece.
__attribute__((noinline)) bool FragmentHeap(Allocator* heap) {
    char* buffers[256] = {};
    std::size_t count = 0;
    for (; count < 256; ++count) {
        const Result<char*> buffer = Allocate<char>(heap, 120);
        if (!buffer) break;
        buffers[count] = *buffer;
    }
    if (count == 256) return false;
    for (std::size_t i = 0; i < count; i += 2) {
        if (!Free(heap, buffers[i])) return false;
    }
    const Result<char*> large = Allocate<char>(heap, 2000);
    if (large || large.error() != MemoryError::Fragmentation) return false;
    for (std::size_t i = 1; i < count; i += 2) {
        if (!Free(heap, buffers[i])) return false;
    }
    Result<char*> now = Allocate<char>(heap, 2000);
    return now && Free(heap, *now).has_value();
}

__attribute__((noinline)) bool FreeTwice(Allocator* heap) {
    const Result<int*> block = Allocate<int>(heap, 4);
    if (!block || !UnsafeFree(heap, *block)) return false;
    const Result<void> again = UnsafeFree(heap, *block);
    return !again && again.error() == MemoryError::DoubleFree;
}

// Two tasks are never reaped: the leaks.
__attribute__((noinline)) bool LeakTasks(Allocator* tasks) {
    Task* made[5] = {};
    for (Task*& task : made) {
        const Result<Task*> room = Allocate<Task>(tasks, 1);
        if (!room) return false;
        task = *room;
    }
    return Free(tasks, made[0]) && Free(tasks, made[2]) && Free(tasks, made[4]);
}

}  // namespace

bool RunWorkload(events::EventSink& sink, std::byte* heapMemory, std::byte* tableMemory) {
    PoolAllocator tasks = CreatePoolAllocator(HeapMemory::Buffer(tableMemory, kTableBytes), sizeof(Task));
    tasks.AttachSink(&sink, "task table");
    FixedBufferAllocator heap = CreateFixedBufferAllocator(heapMemory, kHeapBytes, Placement::BestFit);
    heap.AttachSink(&sink, "kernel heap");

    const bool fine = LeakTasks(&tasks) && Schedule(&heap) && FragmentHeap(&heap) && FreeTwice(&heap);
    if (!Allocate<char>(&heap, 64)) return false;  // dies with the heap
    DestroyFixedBufferAllocator(&heap);
    return fine;  // the task table stays, as it does in a machine that is switched off
}

}  // namespace bare_metal
