// What an allocator looks like inside, as it is and as re-execution says it was.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

#include "alloc/inspect.hpp"
#include "events/rebase_sink.hpp"
#include "replay/reexecution.hpp"
#include "support/catch.hpp"

namespace support {

namespace alloc = residue::alloc;
namespace events = residue::events;
namespace log = residue::log;
namespace replay = residue::replay;
using residue::AllocatorId, residue::Position;

inline const std::atomic<bool> kNever{false};

// What Inspect tells of the free structure, with addresses as in the log.
struct Seen final : alloc::Inspector {
    explicit Seen(const events::RebaseSink& shown) : shown_(&shown) {}
    void OnFreeNode(const alloc::FreeNode& node) override {
        nodes.emplace_back(shown_->Rebased(node.address), node.bytes, node.bin);
    }
    void OnMark(const alloc::Mark& mark) override { marks.push_back(shown_->Rebased(mark.address)); }
    std::vector<std::tuple<std::uint64_t, std::size_t, std::uint32_t>> nodes;
    std::vector<std::uint64_t> marks;

private:
    const events::RebaseSink* shown_;
};

inline void RequireSame(const replay::InsideState& state, const Seen& seen) {
    REQUIRE(state.broken.empty());
    REQUIRE(state.nodes.size() == seen.nodes.size());
    for (std::size_t i = 0; i < seen.nodes.size(); ++i) {
        const auto& node = state.nodes[i];
        REQUIRE(std::tuple(std::uint64_t{node.address}, node.bytes, node.bin) == seen.nodes[i]);
    }
    REQUIRE(state.marks.size() == seen.marks.size());
    for (std::size_t i = 0; i < seen.marks.size(); ++i) REQUIRE(state.marks[i].address == seen.marks[i]);
}

inline std::unique_ptr<replay::Reexecution> Again(const log::LogView& view, AllocatorId id = AllocatorId{1}) {
    auto again = replay::Reexecution::Create(view, id);
    if (!again) FAIL(again.error().Text());
    return std::move(*again);
}

inline replay::Inside At(replay::Reexecution& again, const log::LogView& view, std::uint64_t position) {
    auto inside = again.At(view, Position{position}, kNever, nullptr);
    if (!inside) FAIL(inside.error().Text());
    return std::move(*inside);
}

}  // namespace support
