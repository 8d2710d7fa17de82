#include "gui/views/nest_text.hpp"

#include <vector>

#include "analysis/format.hpp"

namespace residue::gui {

std::string NameOf(const model::HeapModel& heap, AllocatorId allocator) {
    const model::AllocatorState* state = heap.Find(allocator);
    if (state != nullptr && !state->name.empty()) return state->name;
    return "allocator " + std::to_string(allocator.value);
}

std::string InsideText(const model::HeapModel& heap, AllocatorId allocator, std::uint64_t address) {
    std::string text;
    for (int depth = 0; depth < model::kDeepestNest; ++depth) {
        const auto nest = model::NestAround(heap, allocator, address);
        if (!nest) break;
        if (text.empty()) text = "inside " + NameOf(heap, allocator);
        text += ", which lies in block #" + analysis::FormatCount(nest->block.id.value) + " of " +
                NameOf(heap, nest->owner);
        allocator = nest->owner;
        address = nest->block.begin;
    }
    return text;
}

std::string HoldsText(const model::HeapModel& heap, BlockId block) {
    constexpr std::size_t kMostNamed = 2;
    std::vector<std::string> names;
    std::size_t children = 0;
    heap.VisitChildrenIn(block, [&](AllocatorId child) {
        if (++children <= kMostNamed) names.push_back(NameOf(heap, child));
        return true;
    });
    if (names.empty()) return {};
    if (children == 1) return "the heap of " + names[0];
    if (children == 2) return "the heaps of " + names[0] + " and " + names[1];
    return "the heaps of " + names[0] + ", " + names[1] + " and " + analysis::FormatCount(children - kMostNamed) +
           (children == kMostNamed + 1 ? " other" : " others");
}

std::string PlaceText(const model::HeapModel& heap, AllocatorId owner, const model::Block& block) {
    std::string text = HoldsText(heap, block.id);
    if (!text.empty()) text = "it holds " + text;
    const std::string inside = InsideText(heap, owner, block.begin);
    if (!text.empty() && !inside.empty()) text += "\n";
    return text + inside;
}

}  // namespace residue::gui
