// What the window shows of an allocator's inside, shared by the Inside panel and the heap panel: the answer for this
// frame, how many of the call's decisions have been shown, and what the mouse is over.
//
// Sub-steps: `shown` counts the decisions that are told, 0 .. all of them; while it does, the heap and the free
// structure are as before the call. kSettled: the call is done.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "imgui.h"
#include "session/inside_source.hpp"

namespace residue::gui {

struct InsideLook {
    static constexpr std::size_t kSettled = std::numeric_limits<std::size_t>::max();

    bool open = false;             // the panel is shown
    session::InsideAnswer answer;  // of this frame
    std::size_t shown = kSettled;

    // Hovering is written while drawing and read in the next frame.
    std::optional<std::uint64_t> hovered, nextHovered;  // a free node's address
    std::optional<std::uint32_t> hoveredBin, nextHoveredBin;

    // Where the panel drew which node this frame: the heap panel, drawn after it, links them to their holes.
    struct Anchor {
        std::uint64_t address = 0;
        ImVec2 at;
    };
    std::vector<Anchor> anchors;

    // Of the present position; null: not known (yet).
    const replay::Inside* Present() const { return answer.ready ? answer.inside.get() : nullptr; }
    std::size_t Decisions() const { return Present() != nullptr ? Present()->decisions.size() : 0; }
    bool Deciding() const { return Present() != nullptr && shown <= Decisions(); }
    // The decision that was told last, while the call is being looked into.
    const alloc::Decision* Last() const { return Deciding() && shown > 0 ? &Present()->decisions[shown - 1] : nullptr; }
    const replay::InsideState* State() const {
        if (answer.inside == nullptr) return nullptr;
        return Deciding() ? answer.inside->before.get() : answer.inside->after.get();
    }

    // The node whose bytes include `address`; null: there is none.
    const alloc::FreeNode* NodeAround(std::uint64_t address) const {
        const replay::InsideState* state = State();
        if (state == nullptr) return nullptr;
        const auto above = std::upper_bound(
            state->byAddress.begin(), state->byAddress.end(), address,
            [&](std::uint64_t value, std::uint32_t index) { return value < state->nodes[index].address; });
        if (above == state->byAddress.begin()) return nullptr;
        const alloc::FreeNode& node = state->nodes[*std::prev(above)];
        return address - node.address < node.bytes ? &node : nullptr;
    }

    // The app's, once a frame.
    void NextFrame() {
        hovered = std::exchange(nextHovered, std::nullopt);
        hoveredBin = std::exchange(nextHoveredBin, std::nullopt);
        anchors.clear();
    }
};

}  // namespace residue::gui
