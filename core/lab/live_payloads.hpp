// The live payloads of a run, operation by operation: what the lab's analyses go through a run with.
//
//     LivePayloads live(trace.slots);
//     for (i...) live.Do(trace.ops[i], records[i], [](const Payload& born) {}, [](const Payload& died) {});
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "lab/layout.hpp"

namespace residue::lab {

struct Payload {
    std::uint64_t address = 0;  // 0: none
    std::uint64_t size = 0;     // bytes
    std::uint64_t op = 0;       // that made it
    std::uint64_t End() const { return address + size; }
};

class LivePayloads {
public:
    explicit LivePayloads(std::uint64_t slots) : slots_(slots) {}

    // What dies is told before what is born. A failed request changes nothing, as far as is known here.
    template <class Born, class Died>
    void Do(const Op& op, const Record& record, Born born, Died died) {
        Payload& own = slots_[op.slot];
        const bool makes = op.kind == OpKind::Malloc || op.kind == OpKind::ReallocNull || op.kind == OpKind::Realloc;
        const bool ends = op.kind == OpKind::Free || op.kind == OpKind::ReallocFree || op.kind == OpKind::Realloc;
        if ((ends || makes) && own.address != 0) {
            bytes_ -= own.size;
            died(own);
            own = {};
        }
        // One that cannot be (of a run that went wrong) would wrap around.
        const bool isSane = record.address != 0 && op.size <= kLargestHeap &&
                            record.address <= kHeapBase + kLargestHeap;
        if (makes && isSane) {
            own = {record.address, op.size, done_};
            bytes_ += own.size;
            born(own);
        }
        if (record.heapEnd > kHeapBase) heap_ = std::max(heap_, std::min(record.heapEnd - kHeapBase, kLargestHeap));
        ++done_;
    }

    std::uint64_t Bytes() const { return bytes_; }  // their sum
    std::uint64_t Heap() const { return heap_; }    // the largest heap so far, bytes
    std::uint64_t Done() const { return done_; }    // operations

private:
    std::vector<Payload> slots_;
    std::uint64_t bytes_ = 0, heap_ = 0, done_ = 0;
};

}  // namespace residue::lab
