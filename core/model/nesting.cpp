#include "model/nesting.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace residue::model {

namespace {

// The nests of one block, in address order; where two overlap, the second one begins behind the first.
void AddNestsOf(const HeapModel& heap, AllocatorId owner, const Block& block, std::vector<Nest>& nests) {
    const std::size_t first = nests.size();
    heap.VisitChildrenIn(block.id, [&](AllocatorId child) {
        if (child == owner) return true;
        heap.VisitRegions(child, block.begin, block.end, [&](const Region& region) {
            // Neighbouring regions are told as one, so it may reach out of the block.
            const auto inBlock = [&](std::uint64_t at) { return std::clamp(at, block.begin, block.end); };
            const std::uint64_t behind = SaturatingAdd(region.end, region.bookkeeping);
            nests.push_back({owner, child, block, inBlock(region.begin), inBlock(region.end), inBlock(behind)});
            return true;
        });
        return true;
    });
    const auto begins = nests.begin() + static_cast<std::ptrdiff_t>(first);
    std::stable_sort(begins, nests.end(), [](const Nest& a, const Nest& b) { return a.begin < b.begin; });
    std::uint64_t reached = block.begin;
    for (auto nest = begins; nest != nests.end(); ++nest) {
        nest->begin = std::max(nest->begin, reached);
        nest->usableEnd = std::max(nest->usableEnd, nest->begin);
        reached = std::max(reached, nest->end);
    }
    nests.erase(std::remove_if(begins, nests.end(), [](const Nest& nest) { return nest.end <= nest.begin; }),
                nests.end());
}

std::uint64_t BytesAt(const HeapModel& heap, AllocatorId owner, std::uint64_t begin, std::uint64_t end,
                      std::size_t& nests, int depth) {
    std::uint64_t bytes = heap.OccupiedBytes(owner, begin, end);
    if (depth == kDeepestNest || bytes == 0) return bytes;
    for (const Nest& nest : NestsIn(heap, owner, begin, end, nests)) {
        if (nests == 0) break;
        --nests;
        const std::uint64_t from = std::max(begin, nest.begin), to = std::min(end, nest.usableEnd);
        if (from >= to) continue;
        // The block is live, so all of it was counted.
        bytes -= to - from;
        bytes += BytesAt(heap, nest.child, from, to, nests, depth + 1);
    }
    return bytes;
}

// The last block, by address, that lies in the heap of `owner` before `end`, down to the innermost.
Block InnermostLast(const HeapModel& heap, AllocatorId owner, Block block) {
    for (int depth = 0; depth < kDeepestNest; ++depth) {
        if (!block.region) return block;
        const std::vector<Nest> nests = NestsIn(heap, owner, block.begin, block.end, kDeepestNest);
        std::optional<Block> inner;
        for (auto nest = nests.rbegin(); nest != nests.rend() && !inner; ++nest) {
            inner = heap.PreviousBlock(nest->child, nest->end);
            if (inner && inner->begin < nest->begin) inner.reset();
            if (inner) owner = nest->child;
        }
        if (!inner) return block;
        block = *inner;
    }
    return block;
}

}  // namespace

std::vector<Nest> NestsIn(const HeapModel& heap, AllocatorId owner, std::uint64_t begin, std::uint64_t end,
                          std::size_t most) {
    std::vector<Nest> nests;
    if (most == 0) return nests;
    heap.VisitRegionBlocks(owner, begin, end, [&](const Block& block) {
        const auto first = static_cast<std::ptrdiff_t>(nests.size());
        AddNestsOf(heap, owner, block, nests);
        nests.erase(std::remove_if(nests.begin() + first, nests.end(),
                                   [&](const Nest& nest) { return nest.begin >= end || nest.end <= begin; }),
                    nests.end());
        return nests.size() < most;
    });
    if (nests.size() > most) nests.resize(most);
    return nests;
}

std::optional<Nest> NestAt(const HeapModel& heap, AllocatorId owner, std::uint64_t address) {
    const std::vector<Nest> nests = NestsIn(heap, owner, address, SaturatingAdd(address, 1), 1);
    if (nests.empty()) return std::nullopt;
    return nests.front();
}

std::optional<Nest> NestAround(const HeapModel& heap, AllocatorId child, std::uint64_t address) {
    const AllocatorState* state = heap.Find(child);
    if (state == nullptr || !state->parent) return std::nullopt;
    auto nest = NestAt(heap, state->parent, address);
    if (nest && nest->child != child) nest.reset();
    return nest;
}

std::vector<Nest> NestsDownTo(const HeapModel& heap, AllocatorId outermost, std::uint64_t address) {
    std::vector<Nest> nests;
    AllocatorId owner = outermost;
    while (nests.size() < static_cast<std::size_t>(kDeepestNest)) {
        const auto nest = NestAt(heap, owner, address);
        if (!nest) break;
        owner = nest->child;
        nests.push_back(*nest);
    }
    return nests;
}

bool IsWithin(const HeapModel& heap, AllocatorId allocator, AllocatorId ancestor) {
    for (int depth = 0; depth <= kDeepestNest; ++depth) {
        if (allocator == ancestor) return true;
        const AllocatorState* state = heap.Find(allocator);
        if (state == nullptr || !state->parent) return false;
        allocator = state->parent;
    }
    return false;
}

AllocatorId RootOf(const HeapModel& heap, AllocatorId allocator) {
    for (int depth = 0; depth < kDeepestNest; ++depth) {
        const AllocatorState* state = heap.Find(allocator);
        if (state == nullptr || !state->parent || heap.Find(state->parent) == nullptr) return allocator;
        allocator = state->parent;
    }
    return allocator;
}

std::uint64_t NestedBytes(const HeapModel& heap, AllocatorId owner, std::uint64_t begin, std::uint64_t end,
                          std::size_t& nests) {
    return BytesAt(heap, owner, begin, end, nests, 0);
}

std::optional<Block> NextNested(const HeapModel& heap, AllocatorId outermost, AllocatorId owner, const Block& block) {
    for (const Nest& nest : NestsIn(heap, owner, block.begin, block.end, kDeepestNest)) {
        const auto first = heap.NextBlock(nest.child, nest.begin);
        if (first && first->begin < nest.end) return first;
    }
    std::uint64_t at = block.begin;
    for (int depth = 0; depth <= kDeepestNest; ++depth) {
        auto next = heap.NextBlock(owner, SaturatingAdd(at, 1));
        if (owner == outermost) return next;
        const auto around = NestAround(heap, owner, at);
        if (!around) return next;
        if (next && next->begin < around->end) return next;
        // Behind it there may be another child's heap in the same block.
        for (const Nest& nest : NestsIn(heap, around->owner, around->end, around->block.end, kDeepestNest)) {
            next = heap.NextBlock(nest.child, nest.begin);
            if (next && next->begin < nest.end) return next;
        }
        owner = around->owner;
        at = around->block.begin;
    }
    return std::nullopt;
}

std::optional<Block> PreviousNested(const HeapModel& heap, AllocatorId outermost, AllocatorId owner,
                                    const Block& block) {
    const auto around = owner == outermost ? std::nullopt : NestAround(heap, owner, block.begin);
    const auto previous = heap.PreviousBlock(owner, block.begin);
    if (previous && (!around || previous->begin >= around->begin)) return InnermostLast(heap, owner, *previous);
    if (!around) return std::nullopt;
    std::vector<Nest> before = NestsIn(heap, around->owner, around->block.begin, around->begin, kDeepestNest);
    for (auto nest = before.rbegin(); nest != before.rend(); ++nest) {
        const auto last = heap.PreviousBlock(nest->child, nest->end);
        if (last && last->begin >= nest->begin) return InnermostLast(heap, nest->child, *last);
    }
    return around->block;
}

}  // namespace residue::model
