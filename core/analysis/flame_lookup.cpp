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
    // The frame's own first, then those inlined into it.
    const std::vector<std::string>& Of(TraceId trace) {
        const auto [at, fresh] = known_.try_emplace(log_.FrameAddress(trace));
        if (fresh) at->second = FlameBuilder::NamesOf(log_.TopFrame(trace));
        return at->second;
    }

private:
    const log::LogView& log_;
    std::unordered_map<std::uint64_t, std::vector<std::string>> known_;
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
    std::vector<std::string> names;  // the innermost first
    for (TraceId at = trace; at; at = log.ParentTrace(at)) {
        const auto own = FlameBuilder::NamesOf(log.TopFrame(at));
        names.insert(names.end(), own.rbegin(), own.rend());
    }
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
            for (bool alike = true; at && alike && same < path.size(); at = log.ParentTrace(at)) {
                const std::vector<std::string>& own = names.Of(at);
                for (auto name = own.rbegin(); name != own.rend() && alike && same < path.size(); ++name) {
                    alike = *name == path[same];
                    if (alike) ++same;
                }
            }
            in[id] = same == path.size();
        }
        return in;
    }
    // How many names from the outermost on are those of the path; a parent's id is below its child's.
    constexpr std::uint32_t kOther = 0xffffffff;
    std::vector<std::uint32_t> same(in.size());
    for (std::uint32_t id = 1; id < in.size(); ++id) {
        same[id] = same[log.ParentTrace(TraceId{id}).value];
        if (same[id] != kOther && same[id] != path.size()) {
            for (const std::string& name : names.Of(TraceId{id})) {
                if (same[id] == path.size()) break;
                same[id] = name == path[same[id]] ? same[id] + 1 : kOther;
                if (same[id] == kOther) break;
            }
        }
        in[id] = same[id] == path.size();
    }
    return in;
}

}  // namespace residue::analysis
