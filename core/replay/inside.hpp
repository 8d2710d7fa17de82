// What an allocator looked like inside at one position: its free structure in its own order and shape, its marks, and
// what it decided in the call that led there. Found out by re-execution (replay/reexecution.hpp); views draw it.
// Addresses are as in the log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alloc/decisions.hpp"
#include "alloc/inspect.hpp"
#include "base/ids.hpp"

namespace residue::replay {

struct InsideBin {
    alloc::FreeBin sizes;         // the gross sizes that it is for
    std::uint32_t first = 0;      // its nodes: nodes[first .. first + count), in the structure's order
    std::uint32_t count = 0;
    std::uint64_t bytes = 0;      // gross, of its nodes
};

struct InsideState {
    alloc::FreeStructure structure;
    std::vector<InsideBin> bins;           // empty ones too; structure.bins of them
    std::vector<alloc::FreeNode> nodes;
    std::vector<std::uint32_t> byAddress;  // indices of the nodes, by address
    std::uint64_t nodesLeftOut = 0;        // beyond kMostInsideNodes
    std::vector<alloc::Mark> marks;        // oldest first
    std::vector<std::string> broken;       // invariants that do not hold: a fault of the allocator
    bool ended = false;                    // it was destroyed: there is nothing inside
};

inline constexpr std::size_t kMostInsideNodes = std::size_t{1} << 18;
inline constexpr std::size_t kMostInsideDecisions = std::size_t{1} << 16;

struct Inside {
    AllocatorId allocator{};
    Position position{};
    std::shared_ptr<const InsideState> before;   // before the call that ended at `position`; the same as `after` where
    std::shared_ptr<const InsideState> after;    // that was no call of this allocator. Never null
    std::vector<alloc::Decision> decisions;      // N.1, N.2, ... of that call
    std::uint64_t decisionsLeftOut = 0;          // beyond kMostInsideDecisions
    const char* rule = "";                       // by which the allocator decides: one plain sentence

    std::uint64_t Probes() const {
        std::uint64_t probes = 0;
        for (const alloc::Decision& each : decisions) probes += each.kind == alloc::DecisionKind::Probe ? 1 : 0;
        return probes;
    }
};

}  // namespace residue::replay
