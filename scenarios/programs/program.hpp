// The small programs whose heaps are shipped as traces. Each is a function of an allocator and nothing else: no clock,
// no address, no standard generator decides what it does, so that it makes the same requests in every run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "alloc/allocator.hpp"

namespace residue::scenarios {

// The heap of a program: Take and Give are malloc and free. A program that gets no memory ends (std::abort).
class Heap {
public:
    explicit Heap(alloc::Allocator* allocator) : allocator_(allocator) {}

    void* Take(std::size_t bytes);
    void Give(void* block);
    void* Grow(void* block, std::size_t bytes);  // realloc; also to fewer bytes

    template <class T>
    T* Make() {
        return new (Take(sizeof(T))) T{};
    }

private:
    alloc::Allocator* allocator_;
};

// Random numbers that are the same everywhere: xorshift64* (Vigna 2016).
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(seed * 0x9E37'79B9'7F4A'7C15U + 1) {}

    std::uint64_t Next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545'F491'4F6C'DD1DU;
    }
    std::size_t Below(std::size_t end) { return static_cast<std::size_t>((Next() >> 33) % end); }
    std::size_t Between(std::size_t first, std::size_t last) { return first + Below(last - first + 1); }
    bool OneIn(std::size_t count) { return Below(count) == 0; }

private:
    std::uint64_t state_;
};

struct Program {
    const char* name;  // of the trace, without ".rep"
    void (*run)(Heap& heap);
};

// Programs that do some work.
void CountWords(Heap& heap);
void BuildTree(Heap& heap);
void EditText(Heap& heap);

// Shapes: requests that show one thing.
void CoalescingPairs(Heap& heap);
void BinaryAlternating(Heap& heap);
void ReallocGrowth(Heap& heap);
void PowersOfTwo(Heap& heap);
void SmallObjectChurn(Heap& heap);

inline constexpr Program kPrograms[] = {
    {"word-counter", CountWords},
    {"tree-builder", BuildTree},
    {"text-editor", EditText},
    {"coalescing-pairs", CoalescingPairs},
    {"binary-alternating", BinaryAlternating},
    {"realloc-growth", ReallocGrowth},
    {"powers-of-two", PowersOfTwo},
    {"small-object-churn", SmallObjectChurn},
};

}  // namespace residue::scenarios
