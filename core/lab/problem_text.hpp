// What was wrong with a run, as text: "ERROR [trace 1, line 17]: ...", as mdriver has it; then where, and the calls.
#pragma once

#include <string>

#include "lab/run.hpp"

namespace residue::lab {

// `trace`: its number. Several lines, the last one ended; fit for a terminal.
std::string ProblemText(std::size_t trace, const Problem& problem);
// "coalesce (mm.c:120)"
std::string FrameText(const symbols::Frame& frame);

}  // namespace residue::lab
