// What grew, by site, in a flame graph that compares (FlameBuilder::Compare): the same as analysis/diff.hpp says of the
// same two profiles, from a tree that is there anyway.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/flame.hpp"

namespace residue::analysis {

struct SiteGrowth {
    std::uint32_t node = 0;  // where the site's call trace ends (bottom-up: where it begins)
    std::int64_t before = 0, after = 0;
    std::int64_t Change() const { return after - before; }
};

struct FlameGrowth {
    std::vector<SiteGrowth> grown, shrunk;  // the largest change first; at most as many as were asked for
    std::uint64_t grew = 0, shrank = 0;     // sites in all
};

// Cost: O(nodes). A tree that is cut has its small sites together.
FlameGrowth GrowthOf(const FlameTree& tree, std::size_t most);

// How a node's site is called: the innermost function of its path that is no allocation function (site_name.hpp).
const std::string& SiteNameOf(const FlameTree& tree, std::uint32_t node);

}  // namespace residue::analysis
