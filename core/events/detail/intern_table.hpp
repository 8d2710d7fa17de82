// The lock-free core of the trace table: (parent, frame) pairs to small numbers and back. Freestanding.
//
// Two append-only arrays of words, the distinct frames and the nodes (parent << 32 | number of the frame), each with a
// hash of its numbers. The slots of a node's first children lie together, where its own number says, not where a hash
// does: a path that is new has numbers that follow each other, and so its slots and words share a few cache lines (the
// hash is as large as a program's traces, and each line of it that is touched has to be waited for).
//
// A word goes into the first free place in one step, so there is never a number whose word is not complete; whoever
// meets a word that the count has not reached yet moves the count on for its writer. So nobody waits for anybody, and
// what a reader finds below the count is whole.
#pragma once

#include <bit>
#include <cstdint>

#include "events/detail/sync.hpp"

namespace residue::events::detail {

// The finaliser of MurmurHash3 (Austin Appleby, public domain): every bit of the input reaches every bit of the output.
constexpr std::uint64_t Mix(std::uint64_t x) noexcept {
    x ^= x >> 33;
    x *= 0xFF51AFD7ED558CCDull;
    x ^= x >> 33;
    x *= 0xC4CEB9FE1A85EC53ull;
    x ^= x >> 33;
    return x;
}

template <class A, class V>
inline bool CompareExchange(A& atomic, V& expected, V value, Weakening ifNot) noexcept {
    if (Weakened(ifNot)) return atomic.compare_exchange_strong(expected, value, std::memory_order_relaxed);
    return atomic.compare_exchange_strong(expected, value, std::memory_order_acq_rel);
}

template <class Sync = NativeSync>
class InternTable {
    using Word = typename Sync::template Atomic<std::uint64_t>;
    using Index = typename Sync::template Atomic<std::uint32_t>;
    using enum Weakening;

public:
    // All zero at first: `words` 2 * (capacity + 1) of them, `indices` 2 * slots, slots a power of two above capacity.
    void Use(Word* words, Index* indices, std::uint32_t capacity, std::uint32_t slots) noexcept {
        capacity_ = capacity;
        slotMask_ = slots - 1;
        indexMask_ = std::bit_ceil(capacity + 1) - 1;
        frames_.items = words;
        nodes_.items = words + capacity + 1;
        frames_.slots = indices;
        nodes_.slots = indices + slots;
    }

    // The number of (parent, frame), 1 and up; parent 0: none; frame not 0. 0 when there is no room for a new one.
    std::uint32_t Child(std::uint32_t parent, std::uint64_t frame) noexcept {
        return FindOrAdd(
            nodes_, kGroup, parent * std::uint64_t{kSlotsEach}, Mix(frame + parent * 0x9E3779B97F4A7C15ull),
            [&](std::uint32_t index) {
                const std::uint64_t node = nodes_.items[index].load(std::memory_order_acquire);
                return ParentOf(node) == parent && FrameAt(node) == frame;
            },
            [&] {
                const std::uint32_t number = FrameNumber(frame);
                if (number == 0) return std::uint32_t{0};
                return Append(nodes_, (std::uint64_t{parent} << 32) | number);
            });
    }

    struct Node {
        std::uint32_t parent;
        std::uint64_t frame;
    };
    // 1 <= index <= Count().
    Node At(std::uint32_t index) const noexcept {
        const std::uint64_t node = nodes_.items[index].load(std::memory_order_acquire);
        return {ParentOf(node), FrameAt(node)};
    }

    std::uint32_t Count() const noexcept { return nodes_.count.load(std::memory_order_acquire); }
    std::uint32_t Capacity() const noexcept { return capacity_; }

private:
    struct Words {
        Word* items = nullptr;   // [1..capacity]; 0: not written yet
        Index* slots = nullptr;  // open addressing; 0: empty; above an index, as far as there is room, bits of its hash
        alignas(64) Index count{0};
    };

    static std::uint32_t ParentOf(std::uint64_t node) noexcept { return static_cast<std::uint32_t>(node >> 32); }
    // The frame was there before the node that names it, and whoever has the node has acquired both.
    std::uint64_t FrameAt(std::uint64_t node) const noexcept {
        return frames_.items[static_cast<std::uint32_t>(node)].load(std::memory_order_relaxed);
    }

    std::uint32_t FrameNumber(std::uint64_t frame) noexcept {
        return FindOrAdd(
            frames_, 0, 0, Mix(frame),
            [&](std::uint32_t index) { return frames_.items[index].load(std::memory_order_relaxed) == frame; },
            [&] { return Append(frames_, frame); });
    }

    std::uint32_t Append(Words& words, std::uint64_t value) noexcept {
        std::uint32_t count = words.count.load(std::memory_order_acquire);
        while (count < capacity_) {
            const auto advance = [&] {
                std::uint32_t seen = count;
                CompareExchange(words.count, seen, count + 1, TraceCountRelaxed);
            };
            if (Weakened(TraceCountEarly)) advance();
            std::uint64_t empty = 0;
            const bool mine = CompareExchange(words.items[count + 1], empty, value, TraceAppendRelaxed);
            advance();
            ++count;
            if (mine) return count;
        }
        return 0;
    }

    // First the `near` slots around number `home`, a power of two of them that share a cache line, then linear probing
    // by the hash; nothing is ever removed. same(index): is it this one? make(): a new index, or 0. Two threads may
    // make the same entry at once: who comes second to the slot takes the other's, and its own index stays unused.
    template <class Same, class Make>
    std::uint32_t FindOrAdd(Words& words, std::uint32_t near, std::uint64_t home, std::uint64_t hash, Same same,
                            Make make) noexcept {
        const std::uint32_t tag = static_cast<std::uint32_t>(hash >> 32) & ~indexMask_;
        std::uint32_t made = 0;
        for (std::uint64_t probe = 0;; ++probe) {
            const std::uint64_t nearby = (home & ~std::uint64_t{near - 1}) + ((home + probe) & (near - 1));
            Index& slot = words.slots[(probe < near ? nearby : hash + (probe - near)) & slotMask_];
            // Acquire: with the index comes a count that has reached it.
            std::uint32_t entry = LoadAcquire(slot, TraceSlotRelaxed);
            if (entry == 0) {
                if (made == 0) made = make();
                if (made == 0) return 0;
                if (CompareExchange(slot, entry, tag | made, TraceSlotRelaxed)) return made;
            }
            if ((entry & ~indexMask_) == tag && same(entry & indexMask_)) return entry & indexMask_;
        }
    }

    static constexpr std::uint32_t kSlotsEach = 2, kGroup = 16;  // of a node; of eight nodes, a cache line

    std::uint32_t capacity_ = 0;
    std::uint32_t slotMask_ = 0;
    std::uint32_t indexMask_ = 0;
    Words frames_;
    Words nodes_;
};

}  // namespace residue::events::detail
