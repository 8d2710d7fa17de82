#include "analysis/holes.hpp"

#include <algorithm>
#include <limits>

namespace residue::analysis {

std::vector<model::Hole> ListHoles(const model::HeapModel& heap, AllocatorId allocator, HoleOrder order,
                                   std::size_t most) {
    std::vector<model::Hole> holes;
    if (most == 0) return holes;
    const auto larger = [](const model::Hole& a, const model::Hole& b) {
        return a.Bytes() != b.Bytes() ? a.Bytes() > b.Bytes() : a.begin < b.begin;
    };
    heap.VisitHoles(allocator, 0, std::numeric_limits<std::uint64_t>::max(), [&](const model::Hole& hole) {
        if (order == HoleOrder::ByAddress) {
            holes.push_back(hole);
            return holes.size() < most;
        }
        // A heap (the data structure) of the largest so far, the smallest of them on top.
        if (holes.size() == most && !larger(hole, holes.front())) return true;
        if (holes.size() == most) {
            std::pop_heap(holes.begin(), holes.end(), larger);
            holes.pop_back();
        }
        holes.push_back(hole);
        std::push_heap(holes.begin(), holes.end(), larger);
        return true;
    });
    if (order == HoleOrder::BySize) std::sort_heap(holes.begin(), holes.end(), larger);
    return holes;
}

std::optional<std::uint64_t> NextPlace(const model::HeapModel& heap, AllocatorId allocator,
                                       std::optional<std::uint64_t> from, bool forward) {
    constexpr std::uint64_t kEnd = ~std::uint64_t{0};
    std::optional<std::uint64_t> place;
    if (!forward && from) {
        heap.VisitHoles(allocator, 0, *from, [&](const model::Hole& hole) {
            if (hole.begin < *from) place = hole.begin;
            return true;
        });
        return place;
    }
    heap.VisitHoles(allocator, from ? SaturatingAdd(*from, 1) : 0, kEnd, [&](const model::Hole& hole) {
        if (!from || hole.begin > *from) place = hole.begin;
        return !place;
    });
    if (place) return place;
    std::uint64_t end = heap.Span(allocator).second;
    if (const model::AllocatorState* state = heap.Find(allocator); end == 0 && state != nullptr) end = state->base;
    if (end == 0 || (from && end <= *from)) return std::nullopt;
    return end;
}

std::vector<HoleSize> CountHoles(const model::HeapModel& heap, AllocatorId allocator) {
    std::vector<HoleSize> sizes;
    heap.VisitHoleSizes(allocator, [&](std::uint64_t bytes, std::uint64_t count) { sizes.push_back({bytes, count}); });
    return sizes;
}

}  // namespace residue::analysis
