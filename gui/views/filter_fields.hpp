// The filter as people type it: fields of text, read into analysis::BlockFilter. Pure.
//   size and life: "64", "1K-4K", "1K-" (and more), "-4K" (and less), ">= 1K", "< 64"
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/profile.hpp"
#include "log/failure.hpp"

namespace residue::gui {

struct FilterFields {
    enum Field : std::size_t { Size, Life, Site, Thread, Count };
    std::array<std::string, Count> texts{};
    std::optional<AllocatorId> allocator{};
    std::optional<std::pair<Position, Position>> born{};

    bool Any() const;
    // The failure's `where` is the field's name: "size", "life", "thread".
    Outcome<analysis::BlockFilter> Parse() const;
    // The first field that cannot be read; nothing where all can.
    std::optional<Field> Wrong() const;
};

// Inclusive. `bytes`: K, M, G mean powers of 1,024; else whole numbers.
Outcome<std::pair<std::uint64_t, std::uint64_t>> ParseInterval(std::string_view text, bool bytes);

}  // namespace residue::gui
