// What the host reported, in words. Every number of it may be made up.
#pragma once

#include <string>

#include "lab/layout.hpp"
#include "lab/process.hpp"
#include "lab/run.hpp"

namespace residue::lab {

// The problem that a report tells of, if any, without its calls. `end`: how the host's process ended.
std::optional<Problem> Describe(const Report& report, const ChildEnd& end, const LabTrace& trace,
                                const RunOptions& options, std::uint64_t alignment);

std::string NameOf(Pass pass);
// "mm_malloc(24)": what an operation asks of the student's code.
std::string CallText(const Op& op);

}  // namespace residue::lab
