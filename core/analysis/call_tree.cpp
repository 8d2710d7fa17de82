#include "analysis/call_tree.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <unordered_map>

namespace residue::analysis {

namespace {

template <class Visit>
void VisitLiveBlocks(const model::HeapModel& heap, Visit&& visit) {
    for (const model::AllocatorState& allocator : heap.Allocators()) {
        heap.VisitBlocks(allocator.id, 0, std::numeric_limits<std::uint64_t>::max(), [&](const model::Block& block) {
            if (!block.region) visit(allocator.id, block);
            return true;
        });
    }
}

}  // namespace

std::vector<Leak> FindLeaks(const log::LogView&, const model::HeapModel& heap) {
    std::unordered_map<std::uint64_t, Leak> byTrace;
    VisitLiveBlocks(heap, [&](AllocatorId allocator, const model::Block& block) {
        Leak& leak = byTrace[std::uint64_t{block.trace.value} << 16 | allocator.value];
        leak.trace = block.trace;
        leak.allocator = allocator;
        leak.bytes += block.size;
        if (leak.blocks == 0 || block.id < leak.first) leak.first = block.id;
        ++leak.blocks;
    });
    std::vector<Leak> leaks;
    leaks.reserve(byTrace.size());
    for (const auto& [key, leak] : byTrace) leaks.push_back(leak);
    std::sort(leaks.begin(), leaks.end(), [](const Leak& a, const Leak& b) {
        return std::tie(b.bytes, b.blocks, a.trace, a.allocator) < std::tie(a.bytes, a.blocks, b.trace, b.allocator);
    });
    return leaks;
}

std::vector<CallNode> BuildCallTree(const log::LogView& log, const model::HeapModel& heap) {
    struct Sums { std::uint64_t ownBytes = 0, bytes = 0, blocks = 0; };
    std::unordered_map<std::uint32_t, Sums> own;
    VisitLiveBlocks(heap, [&](AllocatorId, const model::Block& block) {
        Sums& sums = own[block.trace.value];
        sums.ownBytes += block.size;
        ++sums.blocks;
    });

    // A parent's id is always smaller, so handing sums up from the highest id visits every node once.
    std::map<std::uint32_t, Sums, std::greater<>> sums;
    for (const auto& [trace, mine] : own) sums[trace] = {mine.ownBytes, mine.ownBytes, mine.blocks};
    sums.try_emplace(0);
    const auto parentOf = [&](std::uint32_t trace) {
        const std::uint32_t parent = log.ParentTrace(TraceId{trace}).value;
        return parent < trace ? parent : 0;
    };
    for (auto node = sums.begin(); node->first != 0; ++node) {
        Sums& parent = sums[parentOf(node->first)];
        parent.bytes += node->second.bytes;
        parent.blocks += node->second.blocks;
    }

    std::vector<CallNode> nodes;
    nodes.reserve(sums.size());
    std::unordered_map<std::uint32_t, std::uint32_t> indexOf;
    for (auto node = sums.rbegin(); node != sums.rend(); ++node) {  // the root, then parents before children
        const auto index = static_cast<std::uint32_t>(nodes.size());
        indexOf[node->first] = index;
        nodes.push_back({TraceId{node->first}, node->second.bytes, node->second.blocks, node->second.ownBytes, {}});
        if (node->first != 0) nodes[indexOf[parentOf(node->first)]].children.push_back(index);
    }
    for (CallNode& node : nodes) {
        std::sort(node.children.begin(), node.children.end(), [&](std::uint32_t a, std::uint32_t b) {
            return std::tie(nodes[b].liveBytes, a) < std::tie(nodes[a].liveBytes, b);
        });
    }
    return nodes;
}

}  // namespace residue::analysis
