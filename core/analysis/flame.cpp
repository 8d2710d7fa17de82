#include "analysis/flame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace residue::analysis {
namespace {

constexpr std::size_t kMostNodes = 1'000'000;  // bottom-up, where each site has a path of its own

// The names of one log's frames, by address.
class FrameNames {
public:
    // The frame's own, and those inlined into it.
    template <class Number>
    const std::vector<std::uint32_t>& Of(const log::LogView& log, TraceId trace, Number number) {
        const auto [at, fresh] = known_.try_emplace(log.FrameAddress(trace));
        if (fresh) {
            const auto names = FlameBuilder::NamesOf(log.TopFrame(trace));
            for (const std::string& name : names) at->second.push_back(number(name));
        }
        return at->second;
    }

private:
    std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> known_;
};

std::int64_t Size(const FlameNode& node) { return std::max(std::abs(node.value), std::abs(node.earlier)); }

void AddTo(FlameNode& node, std::int64_t value, bool own, bool earlier) {
    if (earlier) {
        node.earlier += value;
        if (own) node.ownEarlier += value;
    } else {
        node.value += value;
        if (own) node.own += value;
    }
}

}  // namespace

std::string FlameBuilder::NameOf(const log::Frame& frame) {
    if (!frame.function.empty()) return frame.function;
    if (frame.file.empty()) return "?";
    return frame.line == 0 ? frame.file : fmt::format("{}:{}", frame.file, frame.line);
}

std::vector<std::string> FlameBuilder::NamesOf(const log::Frame& frame) {
    std::vector<std::string> names = {NameOf(frame)};
    for (auto call = frame.inlined.rbegin(); call != frame.inlined.rend(); ++call) {
        names.push_back(NameOf({.function = call->function, .file = call->file, .line = call->line}));
    }
    return names;
}

symbols::InlinedCall FlameBuilder::PlaceOf(const log::Frame& frame, std::string_view name) {
    for (const symbols::InlinedCall& call : frame.inlined) {
        if (name == call.function) return call;
    }
    return {frame.function, frame.file, frame.line};
}

FlameBuilder::FlameBuilder(Direction direction) {
    tree_.direction = direction;
    tree_.nodes.emplace_back();
    tree_.nodes[0].name = NumberOf("all");
}

std::uint32_t FlameBuilder::NumberOf(const std::string& name) {
    const auto [at, fresh] = numbers_.try_emplace(name, static_cast<std::uint32_t>(tree_.names.size()));
    if (fresh) tree_.names.push_back(name);
    return at->second;
}

std::uint32_t FlameBuilder::ChildOf(std::uint32_t parent, std::uint32_t name, TraceId trace) {
    const auto [at, fresh] = childOf_.try_emplace(std::uint64_t{parent} << 32 | name,
                                                  static_cast<std::uint32_t>(tree_.nodes.size()));
    if (fresh) {
        FlameNode node;
        node.name = name;
        node.parent = parent;
        node.depth = tree_.nodes[parent].depth + 1;
        node.trace = foreign_ ? TraceId{} : trace;
        tree_.nodes.push_back(std::move(node));
    }
    return at->second;
}

void FlameBuilder::Add(const log::LogView& log, const Profile& profile, SiteMeasure measure) {
    tree_.measure = measure;
    AddAll(log, profile, measure, false);
}

void FlameBuilder::Compare(const log::LogView& log, const Profile& profile, SiteMeasure measure, bool another) {
    tree_.compared = true;
    foreign_ = another;
    AddAll(log, profile, measure, true);
}

void FlameBuilder::AddAll(const log::LogView& log, const Profile& profile, SiteMeasure measure, bool earlier) {
    if (tree_.direction == Direction::TopDown) AddTopDown(log, profile, measure, earlier);
    else AddBottomUp(log, profile, measure, earlier);
}

void FlameBuilder::AddTopDown(const log::LogView& log, const Profile& profile, SiteMeasure measure, bool earlier) {
    FrameNames names;
    const auto number = [this](const std::string& name) { return NumberOf(name); };
    std::vector<std::uint32_t> nodeOf(std::size_t{log.Traces()} + 1, FlameNode::kNone);
    nodeOf[0] = 0;
    std::vector<TraceId> path;
    for (const SiteFigures& site : profile.sites) {
        const std::int64_t value = Value(site, measure);
        if (value == 0) continue;
        // From the site up to a frame that has its node already, and back.
        path.clear();
        TraceId at = site.trace.value < nodeOf.size() ? site.trace : TraceId{};
        const bool none = !at;
        for (; nodeOf[at.value] == FlameNode::kNone; at = log.ParentTrace(at)) path.push_back(at);
        std::uint32_t node = nodeOf[at.value];
        for (auto frame = path.rbegin(); frame != path.rend(); ++frame) {
            for (const std::uint32_t name : names.Of(log, *frame, number)) node = ChildOf(node, name, *frame);
            nodeOf[frame->value] = node;
        }
        if (none) node = ChildOf(0, NumberOf(kNoTrace), TraceId{});
        AddTo(tree_.nodes[node], value, true, earlier);
    }
}

void FlameBuilder::AddBottomUp(const log::LogView& log, const Profile& profile, SiteMeasure measure, bool earlier) {
    FrameNames names;
    const auto number = [this](const std::string& name) { return NumberOf(name); };
    // The large ones first: where there are too many nodes, small ones end at their first frame.
    for (const SiteFigures& site : TopSites(profile, measure, profile.sites.size())) {
        const std::int64_t value = Value(site, measure);
        std::uint32_t node = 0;
        if (!site.trace) node = ChildOf(0, NumberOf(kNoTrace), TraceId{});
        for (TraceId at = site.trace; at; at = log.ParentTrace(at)) {
            if (tree_.nodes.size() >= kMostNodes && node != 0) {
                tree_.cut = true;
                break;
            }
            const std::vector<std::uint32_t>& own = names.Of(log, at, number);
            for (auto name = own.rbegin(); name != own.rend(); ++name) node = ChildOf(node, *name, at);
        }
        AddTo(tree_.nodes[node], value, true, earlier);
    }
}

FlameTree FlameBuilder::Finish() {
    std::vector<FlameNode>& nodes = tree_.nodes;
    // A child's index is larger than its parent's. Own values are there; now all that is below comes on top.
    for (std::size_t i = nodes.size() - 1; i > 0; --i) {
        FlameNode& parent = nodes[nodes[i].parent];
        parent.value += nodes[i].value;
        parent.earlier += nodes[i].earlier;
    }
    for (std::uint32_t i = 1; i < nodes.size(); ++i) nodes[nodes[i].parent].children.push_back(i);
    for (FlameNode& node : nodes) {
        std::sort(node.children.begin(), node.children.end(), [&](std::uint32_t a, std::uint32_t b) {
            const std::int64_t x = Size(nodes[a]), y = Size(nodes[b]);
            return x != y ? x > y : tree_.NameOf(nodes[a]) < tree_.NameOf(nodes[b]);
        });
    }
    childOf_.clear();
    numbers_.clear();
    return std::move(tree_);
}

FlameMatches Search(const FlameTree& tree, std::string_view text) {
    FlameMatches found;
    found.matches.resize(tree.nodes.size());
    if (text.empty()) return found;
    std::vector<bool> named(tree.names.size());
    for (std::size_t i = 0; i < named.size(); ++i) named[i] = HoldsText(tree.names[i], text);
    std::vector<bool> inside(tree.nodes.size());  // of one that matches
    for (std::size_t i = 1; i < tree.nodes.size(); ++i) {
        const FlameNode& node = tree.nodes[i];
        inside[i] = inside[node.parent] || found.matches[node.parent];
        if (!named[node.name]) continue;
        found.matches[i] = true;
        ++found.count;
        if (!inside[i]) found.value += node.value;
    }
    return found;
}

}  // namespace residue::analysis
