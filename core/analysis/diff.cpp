#include "analysis/diff.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "analysis/flame.hpp"

namespace residue::analysis {
namespace {

class Builder {
public:
    explicit Builder(Diff& diff) : diff_(diff) { diff_.nodes.emplace_back(); }

    void Add(const DiffSide& side, SiteFigures SiteDiff::*figures) {
        NamesOfFrames nameOf;
        for (const SiteFigures& site : side.profile.sites) {
            const std::uint32_t node = NodeOf(side.log, site.trace, nameOf);
            const auto [at, fresh] = siteOf_.try_emplace(node, sites_.size());
            if (fresh) sites_.emplace_back().node = node;
            SiteFigures& sum = sites_[at->second].*figures;
            if (!sum.trace) sum.trace = site.trace;
            sum.Add(site);
        }
    }
    std::vector<SiteDiff> Take() { return std::move(sites_); }

private:
    using NamesOfFrames = std::unordered_map<std::uint64_t, std::vector<std::uint32_t>>;  // with those inlined

    std::uint32_t NodeOf(const log::LogView& log, TraceId trace, NamesOfFrames& nameOf) {
        path_.clear();
        for (TraceId at = trace; at; at = log.ParentTrace(at)) path_.push_back(at);
        std::uint32_t node = 0;
        for (auto frame = path_.rbegin(); frame != path_.rend(); ++frame) {
            const auto [names, fresh] = nameOf.try_emplace(log.FrameAddress(*frame));
            if (fresh) {
                for (const std::string& name : FlameBuilder::NamesOf(log.TopFrame(*frame)))
                    names->second.push_back(NumberOf(name));
            }
            for (const std::uint32_t name : names->second) {
                const auto [child, added] = childOf_.try_emplace(std::uint64_t{node} << 32 | name,
                                                                 static_cast<std::uint32_t>(diff_.nodes.size()));
                if (added) diff_.nodes.push_back({node, name});
                node = child->second;
            }
        }
        return node;
    }
    std::uint32_t NumberOf(const std::string& name) {
        const auto [at, fresh] = numbers_.try_emplace(name, static_cast<std::uint32_t>(diff_.names.size()));
        if (fresh) diff_.names.push_back(name);
        return at->second;
    }

    Diff& diff_;
    std::unordered_map<std::string, std::uint32_t> numbers_;
    std::unordered_map<std::uint64_t, std::uint32_t> childOf_;  // parent << 32 | name
    std::unordered_map<std::uint32_t, std::size_t> siteOf_;     // by node
    std::vector<SiteDiff> sites_;
    std::vector<TraceId> path_;
};

}  // namespace

std::vector<std::string> Diff::FramesOf(const SiteDiff& site) const {
    std::vector<std::string> frames;
    for (std::uint32_t node = site.node; node != 0; node = nodes[node].parent)
        frames.push_back(names[nodes[node].name]);
    return frames;
}

Diff Compare(const DiffSide& before, const DiffSide& after, SiteMeasure measure) {
    Diff diff;
    Builder builder(diff);
    builder.Add(before, &SiteDiff::before);
    builder.Add(after, &SiteDiff::after);
    diff.before = before.profile.total;
    diff.after = after.profile.total;
    diff.change = Value(diff.after, measure) - Value(diff.before, measure);
    for (SiteDiff& site : builder.Take()) {
        site.change = Value(site.after, measure) - Value(site.before, measure);
        if (site.change != 0)
            diff.sites.push_back(site);
        else
            ++diff.same;
    }
    std::stable_sort(diff.sites.begin(), diff.sites.end(),
                     [](const SiteDiff& a, const SiteDiff& b) { return a.change > b.change; });
    return diff;
}

}  // namespace residue::analysis
