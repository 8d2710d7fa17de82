// Call traces of a log: parent-linked nodes, and names for their frames, found when first asked for.
//
// One thread adds nodes; names may be given, and everything may be read, by any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.hpp"
#include "log/stable_vector.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::log {

// The text of a Marker: from here on some events have no call trace, though they were to have one.
inline constexpr std::string_view kNoRoomForTraces =
    "There is no room for more call traces: some events from here on have none.";

class TraceStore {
public:
    TraceId Add(TraceId parent, std::uint64_t frame);  // 0: there are 2^32 - 1 already
    void SetSymbolizer(std::shared_ptr<symbols::Symbolizer> symbolizer);
    void Name(std::uint64_t frame, symbols::Frame name);

    std::uint32_t Count() const { return static_cast<std::uint32_t>(nodes_.Size()); }
    // An id above Count() is a trace of no frames.
    TraceId Parent(TraceId trace) const;
    std::uint64_t FrameAddress(TraceId trace) const;
    symbols::Frame TopFrame(TraceId trace) const;
    std::vector<symbols::Frame> Frames(TraceId trace) const;

    std::size_t ResidentBytes() const { return nodes_.ResidentBytes() + nameBytes_.load(std::memory_order_relaxed); }

private:
    struct Node {
        std::uint64_t frame;
        TraceId parent;
    };
    const Node* Find(TraceId trace) const;
    symbols::Frame Resolve(std::uint64_t frame) const;
    const symbols::Frame& Keep(std::uint64_t frame, symbols::Frame name) const;  // the first one given stays

    StableVector<Node> nodes_;
    mutable std::mutex mutex_;  // guards what follows
    std::shared_ptr<symbols::Symbolizer> symbolizer_;
    mutable std::unordered_map<std::uint64_t, symbols::Frame> names_;
    mutable std::atomic<std::size_t> nameBytes_{0};
};

}  // namespace residue::log
