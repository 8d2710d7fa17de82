// Where the nodes of a flame graph lie: rows of boxes as wide as what they are worth, the zoomed node on top. Pure.
//
//     const auto weights = FlameWeights(tree);                        // once a tree
//     for (const FlameBox& box : LayOutFlame(tree, weights, node, 1200, 1)) Draw(box);
//
// Cost: weights O(nodes); a layout O(boxes), and in trees that are compared, O(children of what is shown).
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/flame.hpp"

namespace residue::analysis {

// How wide nodes are, beside each other: their value; where values are differences or are compared, the larger of what
// is and what was, and never less than all below them.
std::vector<std::uint64_t> FlameWeights(const FlameTree& tree);

struct FlameBox {
    std::uint32_t node = 0;    // of `merged`: whose children they are
    std::uint32_t row = 0;     // 0: the zoomed node
    float begin = 0, end = 0;  // pixels from the left
    std::uint32_t merged = 0;  // so many children of `node` that are too narrow, together
    std::int64_t value = 0;    // of all that are merged, or of the node
};

inline constexpr std::size_t kMostFlameBoxes = 100'000;

// `zoomed` fills `width` pixels; boxes narrower than `least` (> 0) pixels are merged. Parents come before children, of
// one parent the left ones first.
std::vector<FlameBox> LayOutFlame(const FlameTree& tree, const std::vector<std::uint64_t>& weights,
                                  std::uint32_t zoomed, float width, float least);

}  // namespace residue::analysis
