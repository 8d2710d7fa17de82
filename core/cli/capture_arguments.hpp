// What `residue record` and `residue open -- PROGRAM` share: how a program is watched.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "capture/capture.hpp"
#include "cli/arguments.hpp"

namespace residue::cli {

struct CaptureArguments {
    std::string callTraces = "auto";
    std::string depth;
    std::string limit;
    bool drop = false;
    void AddTo(CLI::App& app);
    capture::CaptureOptions Check(std::vector<Failure>& failures) const;
};

// Splits at the first "--": what stands before it, and the program with its arguments.
std::pair<std::vector<std::string>, std::vector<std::string>> SplitAtProgram(const std::vector<std::string>& arguments);

}  // namespace residue::cli
