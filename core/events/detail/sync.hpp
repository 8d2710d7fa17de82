// What the ring and the lanes need from the machine, as one type: NativeSync is the real thing; the model checker of
// tests/meta/weakening has its own, and so runs the very code that ships. Freestanding.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "events/detail/weaken.hpp"

namespace residue::events::detail {

// The memory orders, each under the name of the weakening that takes it away. Separate calls, because a memory order
// that is not a constant is compiled as sequentially consistent.
template <class A, class V>
inline void StoreRelease(A& atomic, V value, Weakening ifNot) noexcept {
    if (Weakened(ifNot)) atomic.store(value, std::memory_order_relaxed);
    else atomic.store(value, std::memory_order_release);
}

template <class A>
inline auto LoadAcquire(const A& atomic, Weakening ifNot) noexcept {
    return Weakened(ifNot) ? atomic.load(std::memory_order_relaxed) : atomic.load(std::memory_order_acquire);
}

// The time stamp counter, read after everything before it is done: loads have their values, so an address that came
// from another thread came before this stamp; a store after it is seen by nobody before this stamp (stores leave in
// order). `lfence; rdtsc` orders as rdtscp does and also runs where rdtscp is not there. Intel SDM vol. 2, RDTSC.
inline std::uint64_t FencedTicks() noexcept {
#if defined(__x86_64__)
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    if (Weakened(Weakening::PlainStamp)) asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    else asm volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high)::"memory");
    return (static_cast<std::uint64_t>(high) << 32) | low;
#elif defined(__aarch64__)
    std::uint64_t ticks = 0;
    asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
#else
#error "a fenced time stamp is needed for this processor"
#endif
}

// Without the wait for what is before it. Elsewhere than on x86-64, where stores leave in order, with it.
inline std::uint64_t PlainTicks() noexcept {
#if defined(__x86_64__)
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (static_cast<std::uint64_t>(high) << 32) | low;
#else
    return FencedTicks();
#endif
}

inline void Relax() noexcept {
#if defined(__x86_64__)
    asm volatile("pause" ::: "memory");
#elif defined(__aarch64__)
    asm volatile("yield" ::: "memory");
#endif
}

// Makes memory that another core has used ours, faster than storing to it line by line: its content is lost. (On the
// processors with fast string operations these stores invalidate whole lines without fetching them first.)
inline void TakeOverLines(void* begin, std::size_t bytes) noexcept {
#if defined(__x86_64__)
    std::size_t words = bytes / 8;
    asm volatile("rep stosq" : "+D"(begin), "+c"(words) : "a"(0) : "memory");
#else
    (void)begin, (void)bytes;
#endif
}

struct NativeSync {
    template <class T>
    using Atomic = std::atomic<T>;

    // Plain memory is about to be used: the model checker looks for races here.
    static void WillWrite(const void*) noexcept {}
    static void WillRead(const void*) noexcept {}
};

}  // namespace residue::events::detail
