// The functions behind shapes.hpp, anew in each file that includes it.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>

#include "capture/shapes.hpp"

namespace residue::capture::testing {
namespace {

// What the compiler cannot see through.
template <class T>
[[gnu::noinline]] T Opaque(T value) {
    asm volatile("" : "+r"(value)::"memory");
    return value;
}

[[gnu::noinline]] unsigned Recurse(unsigned depth, const Probe& probe) {
    if (depth == 0) probe();
    const unsigned below = depth == 0 ? 0 : Recurse(depth - 1, probe);
    return Opaque(below) + 1;
}
void Deep(const Probe& probe) { Opaque(Recurse(Opaque(40u), probe)); }

// Many values alive across the call: all registers that a callee saves are used, the frame pointer too.
[[gnu::noinline]] unsigned Busy(unsigned depth, const Probe& probe) {
    unsigned values[12];
    for (unsigned i = 0; i < 12; ++i) values[i] = Opaque(depth + i);
    const unsigned a = Opaque(1u), b = Opaque(2u), c = Opaque(3u), d = Opaque(4u), e = Opaque(5u), f = Opaque(6u);
    if (depth == 0) probe();
    else values[depth % 12] += Busy(depth - 1, probe);
    unsigned sum = a * 2 + b * 3 + c * 5 + d * 7 + e * 11 + f * 13;
    for (const unsigned value : values) sum += value;
    return Opaque(sum);
}
void Crowded(const Probe& probe) { Opaque(Busy(9, probe)); }

[[gnu::noinline]] void CallThrough(unsigned depth, const std::function<void(unsigned)>& next) {
    next(depth);
    Opaque(depth);
}
void Functions(const Probe& probe) {
    std::function<void(unsigned)> step = [&](unsigned depth) {
        if (depth == 0) probe();
        else CallThrough(depth - 1, step);
        Opaque(depth);
    };
    CallThrough(8, step);
    const auto pointer = Opaque(&Recurse);
    Opaque(pointer(2, probe));
}

const Probe* present = nullptr;  // qsort takes no data
int CompareAndProbe(const void* a, const void* b) {
    (*present)();
    return *static_cast<const int*>(a) - *static_cast<const int*>(b);
}
void QuickSort(const Probe& probe) {
    present = &probe;
    int values[] = {5, 1, 4, 2, 3};
    std::qsort(values, 5, sizeof(int), CompareAndProbe);
    Opaque(values[0]);
}
void LibrarySort(const Probe& probe) {
    int values[] = {5, 1, 4, 2, 3, 9, 8, 7, 6, 0, 11, 15, 14, 13, 12, 19, 18, 17, 16, 10};
    std::sort(std::begin(values), std::end(values), [&](int a, int b) {
        probe();
        return a < b;
    });
    Opaque(values[0]);
}

struct ProbesAtItsEnd {
    const Probe& probe;
    ~ProbesAtItsEnd() { probe(); }
};
[[gnu::noinline]] void Throw(unsigned depth, const Probe& probe) {
    const ProbesAtItsEnd end{probe};
    if (depth == 0) throw std::runtime_error("a shape");
    Throw(depth - 1, probe);
    Opaque(depth);
}
void Exceptions(const Probe& probe) {
    try {
        Throw(Opaque(4u), probe);
    } catch (const std::runtime_error&) {
        probe();
        Opaque(Recurse(3, probe));
    }
}

[[gnu::noinline]] unsigned OfAnySize(std::size_t bytes, const Probe& probe) {
    char* const memory = static_cast<char*>(__builtin_alloca(bytes));
    std::memset(Opaque(memory), 1, bytes);
    if (bytes < 100) probe();
    else OfAnySize(bytes / 2, probe);
    return Opaque(static_cast<unsigned>(memory[bytes / 2]));
}
void FramesOfAnySize(const Probe& probe) { Opaque(OfAnySize(Opaque(std::size_t{3000}), probe)); }

template <unsigned kAlignment>
[[gnu::noinline]] unsigned Aligned(unsigned depth, const Probe& probe) {
    alignas(kAlignment) char memory[kAlignment * 2];
    std::memset(Opaque(&memory[0]), static_cast<int>(depth), sizeof memory);
    if (depth == 0) probe();
    else Aligned<kAlignment>(depth - 1, probe);
    return Opaque(static_cast<unsigned>(memory[depth]));
}
void AlignedFrames(const Probe& probe) { Opaque(Aligned<64>(5, probe) + Aligned<32>(3, probe)); }

// Aligned, and with an allocation of any size: what gcc addresses through one more register.
[[gnu::noinline]] unsigned AlignedOfAnySize(std::size_t bytes, const Probe& probe) {
    alignas(64) char memory[128];
    std::memset(Opaque(&memory[0]), 1, sizeof memory);
    char* const more = static_cast<char*>(__builtin_alloca(bytes));
    std::memset(Opaque(more), 1, bytes);
    if (bytes < 40) probe();
    else AlignedOfAnySize(bytes / 2, probe);
    return Opaque(static_cast<unsigned>(memory[1] + more[0]));
}
void AlignedFramesOfAnySize(const Probe& probe) { Opaque(AlignedOfAnySize(Opaque(std::size_t{300}), probe)); }

[[gnu::noinline]] unsigned Large(unsigned depth, const Probe& probe) {
    char memory[3 << 19];  // beyond what the cache has room to say
    Opaque(&memory[0])[depth] = 1;
    if (depth == 0) probe();
    else Large(depth - 1, probe);
    return Opaque(static_cast<unsigned>(memory[depth]));
}
void LargeFrames(const Probe& probe) { Opaque(Large(2, probe)); }

constexpr Shape kShapes[] = {
    {"recursion", Deep},
    {"all registers in use", Crowded},
    {"function objects and pointers", Functions},
    {"qsort", QuickSort},
    {"std::sort", LibrarySort},
    {"exceptions", Exceptions},
    {"frames of any size", FramesOfAnySize},
    {"aligned frames", AlignedFrames},
    {"aligned frames of any size", AlignedFramesOfAnySize},
    {"large frames", LargeFrames},
};

}  // namespace
}  // namespace residue::capture::testing
