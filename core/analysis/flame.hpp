// Call traces as a tree of functions, for flame graphs and call trees: top-down from main, or bottom-up from whoever
// called the allocator. Calls of one function from one place of the tree are one node, whatever their addresses; a
// function that was inlined into another one is a node of its own below it, as if it had been called. Of one profile,
// or of two that are compared (analysis/profile.hpp), of one log or of two.
//
//     FlameBuilder builder(Direction::TopDown);
//     builder.Add(log, profile, SiteMeasure::PeakBytes);
//     const FlameTree tree = builder.Finish();                     // nodes[0] is the root: everything
//
// Cost: top-down a hash look-up for each node of the log's call traces; bottom-up one for each frame of each site.
// Names are found for each frame once, which may take milliseconds a module. For a thread of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/profile.hpp"
#include "log/event_log.hpp"

namespace residue::analysis {

enum class Direction : std::uint8_t { TopDown, BottomUp };

inline constexpr const char* kNoTrace = "(no call trace)";  // the name of the node of sites without one

struct FlameNode {
    static constexpr std::uint32_t kNone = 0xffffffff;
    std::uint32_t name = 0;            // in FlameTree::names
    std::uint32_t parent = kNone;      // kNone: the root
    std::uint32_t depth = 0;           // of the root: 0
    TraceId trace{};                   // one of those that are this node: for its source line. 0: none of this log's
    std::int64_t value = 0;            // inclusive
    std::int64_t own = 0;              // top-down: of requests made right here. Bottom-up: of traces that begin here
    std::int64_t earlier = 0, ownEarlier = 0;  // the same of the profile compared with
    std::vector<std::uint32_t> children;  // the largest first (by either), then by name
};

struct FlameTree {
    std::vector<std::string> names;
    std::vector<FlameNode> nodes;      // [0]: all
    SiteMeasure measure = SiteMeasure::LiveBytes;
    Direction direction = Direction::TopDown;
    bool compared = false;
    bool cut = false;                  // bottom-up: not all small sites are there in full, there were too many
    const std::string& NameOf(const FlameNode& node) const { return names[node.name]; }
};

class FlameBuilder {
public:
    explicit FlameBuilder(Direction direction);
    void Add(const log::LogView& log, const Profile& profile, SiteMeasure measure);
    // The earlier one. `another`: of another log, whose call traces mean nothing in the first.
    void Compare(const log::LogView& log, const Profile& profile, SiteMeasure measure, bool another = false);
    FlameTree Finish();  // once

    // How a frame is called: its function, else its file and line.
    static std::string NameOf(const log::Frame& frame);
    // The same, and what was inlined into it, the outermost (the frame's own) first.
    static std::vector<std::string> NamesOf(const log::Frame& frame);
    // Where in its source what has this name stands: the frame's own place or that of an inlined call. `file` may be
    // empty.
    static symbols::InlinedCall PlaceOf(const log::Frame& frame, std::string_view name);

private:
    void AddAll(const log::LogView& log, const Profile& profile, SiteMeasure measure, bool earlier);
    void AddTopDown(const log::LogView& log, const Profile& profile, SiteMeasure measure, bool earlier);
    void AddBottomUp(const log::LogView& log, const Profile& profile, SiteMeasure measure, bool earlier);
    std::uint32_t ChildOf(std::uint32_t parent, std::uint32_t name, TraceId trace);
    std::uint32_t NumberOf(const std::string& name);

    FlameTree tree_;
    bool foreign_ = false;  // what is added is of another log
    std::unordered_map<std::string, std::uint32_t> numbers_;       // of names
    std::unordered_map<std::uint64_t, std::uint32_t> childOf_;     // parent << 32 | name -> node
};

// Which nodes have `text` in their name (whatever the case), and the sum of their values, nested ones once. An empty
// text: none.
struct FlameMatches {
    std::vector<bool> matches;  // by node
    std::int64_t value = 0;
    std::uint32_t count = 0;
};
FlameMatches Search(const FlameTree& tree, std::string_view text);

}  // namespace residue::analysis
