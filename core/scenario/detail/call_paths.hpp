// Call traces of a run as parent-linked nodes, interned: every (caller, procedure and line) once. They become ids of
// the sink's trace table when an event needs one.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "events/trace_table.hpp"
#include "scenario/detail/frame_codes.hpp"

namespace residue::scenario::detail {

class CallPaths {
public:
    using Node = std::uint32_t;  // 0: no trace

    explicit CallPaths(events::TraceTable* traces) : traces_(traces), nodes_(1), ids_(1) {}

    Node Child(Node parent, std::uint64_t code) {
        const std::uint64_t key = std::uint64_t{parent} * 0x9E37'79B9'7F4A'7C15 ^ code;
        auto [first, last] = known_.equal_range(key);
        for (; first != last; ++first) {
            const Entry& entry = nodes_[first->second];
            if (entry.parent == parent && entry.code == code) return first->second;
        }
        const auto node = static_cast<Node>(nodes_.size());
        nodes_.push_back({code, parent});
        ids_.push_back({});
        known_.emplace(key, node);
        return node;
    }

    TraceId IdOf(Node node) noexcept {
        if (traces_ == nullptr || node == 0) return {};
        if (ids_[node]) return ids_[node];
        std::uintptr_t frames[events::kMaxTraceDepth];
        unsigned count = 0;
        for (Node at = node; at != 0 && count < events::kMaxTraceDepth; at = nodes_[at].parent) {
            frames[count++] = static_cast<std::uintptr_t>(nodes_[at].code);
        }
        return ids_[node] = traces_->Intern(frames, count);
    }

    std::vector<CallFrame> FramesOf(const ProgramData& program, Node node) const {
        std::vector<CallFrame> frames;
        for (; node != 0 && frames.size() < kMostFrames; node = nodes_[node].parent) {
            frames.push_back(FrameOf(program, nodes_[node].code));
        }
        return frames;
    }
    std::uint32_t LineOf(Node node) const { return static_cast<std::uint32_t>(nodes_[node].code & 0xFFFFFF); }
    Node Count() const { return static_cast<Node>(nodes_.size()); }

private:
    static constexpr std::size_t kMostFrames = 32;
    struct Entry {
        std::uint64_t code = 0;
        Node parent = 0;
    };

    events::TraceTable* traces_;
    std::vector<Entry> nodes_;
    std::vector<TraceId> ids_;
    std::unordered_multimap<std::uint64_t, Node> known_;
};

}  // namespace residue::scenario::detail
