// Why an allocator did what it did in one call, in plain words: which holes it looked at, why it refused them, what it
// split and joined. From the call's decisions (replay/inside.hpp has them), so it is told, not guessed.
// Pure; cost: the decisions of the call.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "alloc/decisions.hpp"
#include "events/event.hpp"

namespace residue::analysis {

// `event`: the one that ended the call. `rule`: the allocator's, a sentence ("Takes the lowest hole that is large
// enough."); may be empty. Empty where there is nothing to tell.
std::string ExplainDecisions(const events::Event& event, std::span<const alloc::Decision> decisions,
                             std::string_view rule = {});

}  // namespace residue::analysis
