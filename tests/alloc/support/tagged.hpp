// A segregated fit or TLSF heap in a buffer, for the tests of both.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "alloc/segregated_allocator.hpp"
#include "alloc/support/walk.hpp"
#include "alloc/tlsf_allocator.hpp"
#include "support/catch.hpp"

namespace residue::alloc {

struct DecisionRecorder final : DecisionSink {
    std::vector<Decision> all;
    void On(const Decision& decision) override { all.push_back(decision); }

    // One letter a decision: Probe taken T, too small s, too small once aligned a; Split, Coalesce, Insert, Remove.
    std::string Letters() const {
        std::string text;
        for (const Decision& each : all) {
            switch (each.kind) {
                case DecisionKind::Probe:
                    text += each.verdict == ProbeVerdict::Taken      ? 'T'
                            : each.verdict == ProbeVerdict::TooSmall ? 's'
                                                                     : 'a';
                    break;
                case DecisionKind::Split: text += 'S'; break;
                case DecisionKind::Coalesce: text += 'C'; break;
                case DecisionKind::Insert: text += 'I'; break;
                case DecisionKind::Remove: text += 'R'; break;
            }
        }
        return text;
    }
};

// 4,096 bytes, of which 3,968 are heap: 62 words of 64 granules, less two words of bits for each.
template <class T>
struct TaggedHeap {
    explicit TaggedHeap(std::size_t bytes = sizeof buffer) : heap(T::Make(HeapMemory::Buffer(buffer, bytes))) {}

    std::byte* Take(std::size_t bytes, std::size_t alignment = 8) {
        const auto block = heap.Allocate(&heap, bytes, alignment);
        REQUIRE(block);
        return static_cast<std::byte*>(*block);
    }
    MemoryError Refused(std::size_t bytes, std::size_t alignment = 8) {
        const auto block = heap.Allocate(&heap, bytes, alignment);
        REQUIRE_FALSE(block);
        return block.error();
    }
    void Give(void* pointer) { REQUIRE(heap.Free(&heap, pointer)); }
    std::byte* Resize(void* pointer, std::size_t bytes, std::size_t alignment = 8) {
        const auto block = heap.options->Resize(&heap, pointer, bytes, alignment);
        REQUIRE(block);
        REQUIRE(WalkOf(heap).broken.empty());
        return static_cast<std::byte*>(*block);
    }
    // Of a payload.
    std::size_t Offset(const void* pointer) const {
        return static_cast<std::size_t>(static_cast<const std::byte*>(pointer) - buffer);
    }
    // Blocks with those gross sizes, a small one between each two and above the last; then all of them are freed, in
    // order, and the rest of the heap is taken: these are the only holes.
    std::vector<std::byte*> MakeHoles(const std::vector<std::size_t>& gross) {
        std::vector<std::byte*> holes;
        for (const std::size_t bytes : gross) {
            holes.push_back(Take(bytes - 8));
            Take(8);
        }
        Take(heap.FreeBytes() - 8);
        for (std::byte* hole : holes) Give(hole);
        return holes;
    }

    alignas(4096) std::byte buffer[4096] = {};
    T heap;
};

}  // namespace residue::alloc
