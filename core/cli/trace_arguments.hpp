// Arguments of the commands that run traces of ids and sizes: `lab` and `race`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/run.hpp"
#include "log/failure.hpp"

namespace residue::cli {

// A number in [least, most]; none, and a failure of `option`, for anything else.
std::optional<double> Number(const std::string& text, const char* option, double least, double most,
                             std::vector<Failure>& failures);

// How much an mm.c may have: --heap and --timeout, into `options`; what is wrong with them is a failure.
void ReadLimits(const std::string& heap, const std::string& timeout, lab::RunOptions& options,
                std::vector<Failure>& failures);

// A folder stands for the traces in it, by name. None at all, and a folder without any, are failures.
std::vector<std::string> ExpandTraces(const std::vector<std::string>& given, std::vector<Failure>& failures);

// Oddities of a trace itself, on the error stream.
void TellWarnings(const std::vector<Warning>& warnings);

}  // namespace residue::cli
