// A program with nothing below it but the kernel: no C library, no C++ runtime, its own start and its own four memory
// functions. It uses the portable memory library for real and says on the output what came out; its exit code is the
// line of the first check that failed (at least 1), or 0.
#include <cstddef>
#include <cstdint>

#include "alloc/buddy_allocator.hpp"
#include "alloc/bump_allocator.hpp"
#include "alloc/dynamic_array.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/pool_allocator.hpp"
#include "events/rebase_sink.hpp"
#include "events/sink.hpp"

// What a compiler may call without being asked. The empty asm keeps it from seeing its own memcpy in these loops.
extern "C" {
void* memcpy(void* to, const void* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        static_cast<char*>(to)[i] = static_cast<const char*>(from)[i];
        asm volatile("" ::: "memory");
    }
    return to;
}
void* memmove(void* to, const void* from, std::size_t count) {
    if (to <= from) return memcpy(to, from, count);
    while (count-- > 0) {
        static_cast<char*>(to)[count] = static_cast<const char*>(from)[count];
        asm volatile("" ::: "memory");
    }
    return to;
}
void* memset(void* to, int value, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        static_cast<char*>(to)[i] = static_cast<char>(value);
        asm volatile("" ::: "memory");
    }
    return to;
}
int memcmp(const void* a, const void* b, std::size_t count) {
    const auto* const left = static_cast<const unsigned char*>(a);
    const auto* const right = static_cast<const unsigned char*>(b);
    for (std::size_t i = 0; i < count; ++i) {
        if (left[i] != right[i]) return left[i] - right[i];
        asm volatile("" ::: "memory");
    }
    return 0;
}
}

namespace {

using namespace residue;
using namespace residue::alloc;

long Kernel(long number, long a, long b, long c) {
#if defined(__x86_64__)
    long result;
    asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
#else
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = a;
    register long x1 asm("x1") = b;
    register long x2 asm("x2") = c;
    asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#endif
}

#if defined(__x86_64__)
constexpr long kWrite = 1, kExit = 60;
#else
constexpr long kWrite = 64, kExit = 93;
#endif

[[noreturn]] void Exit(int code) {
    for (;;) Kernel(kExit, code, 0, 0);
}

void Print(const char* text) {
    std::size_t length = 0;
    while (text[length] != '\0') ++length;
    Kernel(kWrite, 1, reinterpret_cast<long>(text), static_cast<long>(length));
}

void Print(std::uint64_t number) {
    char digits[21];
    char* at = digits + 20;
    *at = '\0';
    do *--at = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    Print(at);
}

void Check(bool holds, int line = __builtin_LINE()) {
    if (!holds) Exit(line < 255 ? line : 255);
}

// Counts live blocks and failures by what the allocators tell.
class Counter final : public events::EventSink {
public:
    std::uint64_t Begin() noexcept override { return ++steps_; }
    void Emit(const events::Event* records, std::size_t count, std::uint64_t) noexcept override {
        for (std::size_t i = 0; i < count; ++i) {
            if (records[i].kind == events::EventKind::Allocated) ++live;
            if (records[i].kind == events::EventKind::Freed) --live;
            if (records[i].kind == events::EventKind::FreeFailed) ++badFrees;
            if (records[i].kind != events::EventKind::AllocateFailed) continue;
            if (records[i].Error() == MemoryError::Fragmentation) ++fragmentation;
        }
    }
    TraceId Capture(unsigned) noexcept override { return {}; }
    AllocatorId NextAllocatorId() noexcept override { return AllocatorId{++allocators_}; }

    std::uint64_t live = 0;
    std::uint64_t badFrees = 0;
    std::uint64_t fragmentation = 0;

private:
    std::uint64_t steps_ = 0;
    std::uint16_t allocators_ = 0;
};

alignas(16) std::byte buffer[8192];
alignas(16) std::byte small[1024];

// Every second block is freed: half of the heap is free, and nothing larger than a block can be had.
void Fragment(Allocator* allocator) {
    char* blocks[256] = {};
    std::size_t count = 0;
    for (; count < 256; ++count) {
        const Result<char*> block = Allocate<char>(allocator, 56);
        if (!block) break;
        blocks[count] = *block;
    }
    Check(count > 100 && count < 256);
    for (std::size_t i = 0; i < count; i += 2) Check(Free(allocator, blocks[i]).has_value());
    for (int i = 0; i < 8; ++i) {
        const Result<char*> block = Allocate<char>(allocator, 1000);
        Check(!block && block.error() == MemoryError::Fragmentation);
    }
    for (std::size_t i = 1; i < count; i += 2) Check(Free(allocator, blocks[i]).has_value());
}

std::uint64_t SumOfArray(Allocator* allocator) {
    DynamicArray<int> numbers = CreateDynamicArray<int>(allocator);
    for (int i = 0; i < 100; ++i) Check(PushToDynamicArray(&numbers, i).has_value());
    std::uint64_t sum = 0;
    for (const int number : numbers) sum += static_cast<std::uint64_t>(number);
    Check(DestroyDynamicArray(&numbers).has_value());
    return sum;
}

void Run() {
    Counter counter;
    const auto base = reinterpret_cast<std::uintptr_t>(buffer);
    events::RebaseSink sink(counter, base, sizeof buffer, 0x1000);
    FixedBufferAllocator allocator = CreateFixedBufferAllocator(buffer, Placement::BestFit);
    allocator.AttachSink(&sink, "a buffer");
    Print("sum ");
    Print(SumOfArray(&allocator));

    int* twice = *Allocate<int>(&allocator, 4);
    Check(UnsafeFree(&allocator, twice).has_value());
    const Result<void> again = Free(&allocator, twice);
    Check(!again && again.error() == MemoryError::DoubleFree && counter.badFrees == 1);
    Print(", freed twice: told");

    Fragment(&allocator);
    Print(", ");
    Print(counter.fragmentation);
    Print(" failed by fragmentation, ");
    Print(counter.live);
    Print(" live\n");
    DestroyFixedBufferAllocator(&allocator);

    PoolAllocator pool = CreatePoolAllocator(HeapMemory::Buffer(small), 32);
    Check(Allocate<char>(&pool, 33).error() == MemoryError::BufferTooLarge);
    Check(Allocate<char>(&pool, 32).has_value());
    DestroyPoolAllocator(&pool);
    ArenaAllocator arena = CreateArenaAllocator(HeapMemory::Buffer(small));
    Check(Allocate<char>(&arena, 100).has_value());
    DestroyArenaAllocator(&arena);
    BuddyAllocator buddy = CreateBuddyAllocator(HeapMemory::Buffer(small));
    Check(Allocate<char>(&buddy, 500).has_value());
    DestroyBuddyAllocator(&buddy);
}

}  // namespace

extern "C" [[noreturn]] void Start() {
    Run();
    Exit(0);
}

// The kernel enters here with a stack aligned to 16 and no return address.
#if defined(__x86_64__)
asm(".globl _start\n_start: xorl %ebp, %ebp\n call Start\n");
#else
asm(".globl _start\n_start: bl Start\n");
#endif
