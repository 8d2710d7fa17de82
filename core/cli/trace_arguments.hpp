// Arguments of the commands that run traces of ids and sizes: `lab` and `race`.
#pragma once

#include <vector>

#include "lab/option_texts.hpp"
#include "log/failure.hpp"

namespace residue::cli {

// Oddities of a trace itself, on the error stream.
void TellWarnings(const std::vector<Warning>& warnings);

}  // namespace residue::cli
