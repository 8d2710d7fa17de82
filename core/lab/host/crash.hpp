// What the student's code does that no code may: signals become a finding in the report, with the calls that led there,
// and end the host. Works on a stack of its own, so that a stack overflow is told too.
#pragma once

#include "lab/layout.hpp"

namespace residue::lab::host {

// Where findings go, and where the host's stack ends (for the walk).
bool CatchCrashes(Report* report, std::uint64_t stackTop);
// Addresses of the student's code.
void SetStudentCode(std::uint64_t begin, std::uint64_t end);

// Writes the finding (what else it has is in the report already) and ends the process.
[[noreturn]] void EndWith(Finding finding);

}  // namespace residue::lab::host
