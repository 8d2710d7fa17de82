// What an allocator's Inspect tells, kept; and the same reconstructed from its events. A test says that the two are
// equal after every call.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "alloc/allocator.hpp"
#include "alloc/inspect.hpp"
#include "events/sinks.hpp"

namespace residue::alloc {

struct Walk final : Inspector {
    std::vector<Region> regions;
    std::vector<LiveBlock> blocks;
    std::vector<Hole> holes;
    std::vector<DeadRun> dead;
    std::vector<FreeNode> nodes;
    std::vector<std::string> broken;

    void OnRegion(const Region& region) override { regions.push_back(region); }
    void OnBlock(const LiveBlock& block) override { blocks.push_back(block); }
    void OnHole(const Hole& hole) override { holes.push_back(hole); }
    void OnDead(const DeadRun& run) override { dead.push_back(run); }
    void OnFreeNode(const FreeNode& node) override { nodes.push_back(node); }
    void OnBroken(const char* invariant, std::uintptr_t) override { broken.emplace_back(invariant); }

    static std::size_t SetAside(const LiveBlock& b) { return b.size + b.header + b.padding + b.rounding + b.slack; }
    std::size_t LiveBytes() const {
        std::size_t sum = 0;
        for (const LiveBlock& block : blocks) sum += SetAside(block);
        return sum;
    }
    std::size_t Payload() const {
        std::size_t sum = 0;
        for (const LiveBlock& block : blocks) sum += block.size;
        return sum;
    }
    std::size_t FreeBytes() const {
        std::size_t sum = 0;
        for (const Hole& hole : holes) sum += hole.bytes;
        return sum;
    }
    std::size_t LargestHole() const {
        std::size_t largest = 0;
        for (const Hole& hole : holes) largest = std::max(largest, hole.bytes);
        return largest;
    }
    // METRICS.md's H.
    std::size_t HeapBytes() const {
        std::size_t sum = 0;
        for (const Region& region : regions) sum += region.bytes;
        return sum;
    }
    std::size_t Bookkeeping() const { return regions.empty() ? 0 : regions.front().bookkeeping; }
};

inline Walk WalkOf(const Allocator& allocator) {
    Walk walk;
    allocator.options->Inspect(&allocator, walk);
    return walk;
}

// A heap as its events tell it: nothing is taken from the allocator.
class FromEvents {
public:
    std::map<std::uintptr_t, LiveBlock> blocks;
    std::uint64_t heapBytes = 0;
    std::uint64_t bookkeeping = 0;
    std::vector<std::string> illegal;

    void Apply(const std::vector<events::Event>& all) {
        using events::EventKind;
        for (; seen_ < all.size(); ++seen_) {
            const events::Event& event = all[seen_];
            switch (event.kind) {
                case EventKind::AllocatorCreated: heapBytes = event.size, bookkeeping = event.Bookkeeping(); break;
                case EventKind::RegionGrown: heapBytes += event.size; break;
                case EventKind::Allocated: Add(event); break;
                case EventKind::Freed: Remove(event.address); break;
                case EventKind::ResizeBegins: resizing_ = event.address; break;
                case EventKind::ResizeEnds:
                    if (event.Failed()) break;
                    if (event.OldAddress() != resizing_) illegal.emplace_back("a resize ends another one");
                    Remove(event.OldAddress());
                    Add(event);
                    break;
                case EventKind::RegionShrunk: heapBytes -= event.size; [[fallthrough]];  // what lay there is gone too
                case EventKind::BulkFreed: {
                    const auto from = blocks.lower_bound(event.address);
                    const auto to = blocks.lower_bound(event.address + event.size);
                    blocks.erase(from, to);
                    break;
                }
                case EventKind::AllocatorDestroyed: blocks.clear(); break;
                default: break;
            }
        }
    }

    bool Equals(const Walk& walk) const {
        if (walk.blocks.size() != blocks.size()) return false;
        auto mine = blocks.begin();
        for (const LiveBlock& theirs : walk.blocks) {
            const LiveBlock& block = (mine++)->second;
            if (block.address != theirs.address || block.size != theirs.size || block.header != theirs.header ||
                block.padding != theirs.padding || block.rounding != theirs.rounding || block.slack != theirs.slack) {
                return false;
            }
        }
        return walk.regions.empty() || (walk.HeapBytes() == heapBytes && walk.Bookkeeping() == bookkeeping);
    }

private:
    void Add(const events::Event& event) {
        LiveBlock block;
        block.address = event.address;
        block.size = event.size;
        block.header = event.header;
        block.padding = event.padding;
        block.rounding = event.rounding;
        block.slack = event.slack;
        const auto above = blocks.lower_bound(event.address);
        if (above != blocks.end() && above->second.address - above->second.header < event.End()) {
            illegal.emplace_back("an allocation overlaps the block above");
        }
        if (above != blocks.begin()) {
            const LiveBlock& below = std::prev(above)->second;
            if (below.address + below.size + below.rounding + below.slack > event.Begin()) {
                illegal.emplace_back("an allocation overlaps the block below");
            }
        }
        blocks[event.address] = block;
    }
    void Remove(std::uintptr_t address) {
        if (blocks.erase(address) == 0) illegal.emplace_back("a free of what is not live");
    }

    std::size_t seen_ = 0;
    std::uint64_t resizing_ = 0;
};

}  // namespace residue::alloc
