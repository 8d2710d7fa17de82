#include "analysis/flame_lookup.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace residue::analysis {
namespace {


// Names by frame address: a frame's own is found once.
class Names {
public:
    explicit Names(const log::LogView& log) : log_(log) {}
    const std::string& Of(TraceId trace) {
        const auto [at, fresh] = known_.try_emplace(log_.FrameAddress(trace));
        if (fresh) at->second = FlameBuilder::NameOf(log_.TopFrame(trace));
        return at->second;
    }

private:
    const log::LogView& log_;
    std::unordered_map<std::uint64_t, std::string> known_;
};

}  // namespace

std::vector<std::uint32_t> PathTo(const FlameTree& tree, std::uint32_t node) {
    std::vector<std::uint32_t> path;
    for (; node < tree.nodes.size() && tree.nodes[node].parent != FlameNode::kNone; node = tree.nodes[node].parent) {
        path.push_back(node);
    }
    std::reverse(path.begin(), path.end());
    return path;
}

std::uint32_t FindNode(const FlameTree& tree, const log::LogView& log, TraceId trace) {
    if (tree.nodes.empty() || trace.value > log.Traces()) return FlameNode::kNone;
    std::vector<std::string> names;  // from the root on
    for (TraceId at = trace; at; at = log.ParentTrace(at)) names.push_back(FlameBuilder::NameOf(log.TopFrame(at)));
    if (!trace) names.emplace_back(kNoTrace);
    if (tree.direction == Direction::TopDown) std::reverse(names.begin(), names.end());
    std::uint32_t node = 0;
    for (const std::string& name : names) {
        const std::vector<std::uint32_t>& children = tree.nodes[node].children;
        const auto child = std::find_if(children.begin(), children.end(), [&](std::uint32_t index) {
            return tree.NameOf(tree.nodes[index]) == name;
        });
        if (child == children.end()) break;
        node = *child;
    }
    return node == 0 ? FlameNode::kNone : node;
}

std::vector<bool> TracesOf(const FlameTree& tree, const log::LogView& log, std::uint32_t node) {
    std::vector<bool> in(std::size_t{log.Traces()} + 1);
    std::vector<std::string> path;
    for (const std::uint32_t at : PathTo(tree, node)) path.push_back(tree.NameOf(tree.nodes[at]));
    if (path.empty()) {
        in.assign(in.size(), true);
        return in;
    }
    if (path.size() == 1 && path.front() == kNoTrace) {
        in[0] = true;
        return in;
    }
    Names names(log);
    if (tree.direction == Direction::BottomUp) {
        for (std::uint32_t id = 1; id < in.size(); ++id) {
            TraceId at{id};
            std::size_t same = 0;
            while (at && same < path.size() && names.Of(at) == path[same]) at = log.ParentTrace(at), ++same;
            in[id] = same == path.size();
        }
        return in;
    }
    // How many frames from the outermost on are those of the path; a parent's id is below its child's.
    constexpr std::uint32_t kOther = 0xffffffff;
    std::vector<std::uint32_t> same(in.size());
    for (std::uint32_t id = 1; id < in.size(); ++id) {
        const std::uint32_t before = same[log.ParentTrace(TraceId{id}).value];
        if (before == kOther || before == path.size())
            same[id] = before;
        else
            same[id] = names.Of(TraceId{id}) == path[before] ? before + 1 : kOther;
        in[id] = same[id] == path.size();
    }
    return in;
}

}  // namespace residue::analysis
