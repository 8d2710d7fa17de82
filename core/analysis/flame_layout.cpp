#include "analysis/flame_layout.hpp"

#include <algorithm>
#include <cstdlib>

namespace residue::analysis {
namespace {

std::uint64_t Size(std::int64_t value) {
    return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

}  // namespace

std::vector<std::uint64_t> FlameWeights(const FlameTree& tree) {
    std::vector<std::uint64_t> weights(tree.nodes.size()), below(tree.nodes.size());
    // A child's index is larger than its parent's.
    for (std::size_t i = tree.nodes.size(); i-- > 0;) {
        const FlameNode& node = tree.nodes[i];
        weights[i] = std::max({Size(node.value), Size(node.earlier), below[i]});
        if (node.parent != FlameNode::kNone) below[node.parent] += weights[i];
    }
    return weights;
}

std::vector<FlameBox> LayOutFlame(const FlameTree& tree, const std::vector<std::uint64_t>& weights,
                                  std::uint32_t zoomed, float width, float least) {
    std::vector<FlameBox> boxes;
    if (zoomed >= tree.nodes.size() || weights[zoomed] == 0 || width <= 0) return boxes;
    const double scale = static_cast<double>(width) / static_cast<double>(weights[zoomed]);
    // Children are sorted by size; without a comparison that is their weight, and all behind a narrow one are narrow.
    const bool sorted = !tree.compared && tree.measure != SiteMeasure::GrownBytes;
    boxes.push_back({zoomed, 0, 0, width, 0, tree.nodes[zoomed].value});
    for (std::size_t at = 0; at < boxes.size() && boxes.size() < kMostFlameBoxes; ++at) {
        const FlameBox parent = boxes[at];
        if (parent.merged != 0) continue;
        const FlameNode& node = tree.nodes[parent.node];
        double x = static_cast<double>(parent.begin);
        FlameBox rest{parent.node, parent.row + 1, 0, 0, 0, 0};
        std::uint64_t restWeight = 0, shown = 0;
        std::int64_t shownValue = 0;
        for (std::size_t i = 0; i < node.children.size(); ++i) {
            const std::uint32_t child = node.children[i];
            const double wide = static_cast<double>(weights[child]) * scale;
            if (wide < static_cast<double>(least)) {
                if (sorted) {  // all that is left of the parent, besides its own
                    rest.merged = static_cast<std::uint32_t>(node.children.size() - i);
                    rest.value = node.value - node.own - shownValue;
                    restWeight = Size(node.value) - Size(node.own) - shown;
                    break;
                }
                ++rest.merged;
                rest.value += tree.nodes[child].value;
                restWeight += weights[child];
                continue;
            }
            boxes.push_back({child, parent.row + 1, static_cast<float>(x), static_cast<float>(x + wide), 0,
                             tree.nodes[child].value});
            x += wide;
            shown += weights[child];
            shownValue += tree.nodes[child].value;
        }
        if (rest.merged == 0) continue;
        rest.begin = static_cast<float>(x);
        rest.end = static_cast<float>(x + static_cast<double>(restWeight) * scale);
        boxes.push_back(rest);
    }
    return boxes;
}

}  // namespace residue::analysis
