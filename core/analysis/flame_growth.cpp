#include "analysis/flame_growth.hpp"

#include <algorithm>
#include <cstdlib>

#include "analysis/flame_lookup.hpp"
#include "analysis/site_name.hpp"

namespace residue::analysis {

FlameGrowth GrowthOf(const FlameTree& tree, std::size_t most) {
    FlameGrowth growth;
    for (std::uint32_t i = 0; i < tree.nodes.size(); ++i) {
        const SiteGrowth site{i, tree.nodes[i].ownEarlier, tree.nodes[i].own};
        if (site.Change() > 0) growth.grown.push_back(site);
        if (site.Change() < 0) growth.shrunk.push_back(site);
    }
    growth.grew = growth.grown.size();
    growth.shrank = growth.shrunk.size();
    const auto larger = [](const SiteGrowth& a, const SiteGrowth& b) {
        const std::int64_t x = std::abs(a.Change()), y = std::abs(b.Change());
        return x != y ? x > y : a.node < b.node;
    };
    for (std::vector<SiteGrowth>* sites : {&growth.grown, &growth.shrunk}) {
        const std::size_t count = std::min(most, sites->size());
        std::partial_sort(sites->begin(), sites->begin() + static_cast<std::ptrdiff_t>(count), sites->end(), larger);
        sites->resize(count);
        sites->shrink_to_fit();
    }
    return growth;
}

const std::string& SiteNameOf(const FlameTree& tree, std::uint32_t node) {
    std::vector<std::uint32_t> path = PathTo(tree, node);
    if (tree.direction == Direction::TopDown) std::reverse(path.begin(), path.end());  // innermost first
    for (const std::uint32_t at : path) {
        const std::string& name = tree.NameOf(tree.nodes[at]);
        if (!IsAllocationFunction(name)) return name;
    }
    return tree.NameOf(tree.nodes[path.empty() ? node : path.front()]);
}

}  // namespace residue::analysis
