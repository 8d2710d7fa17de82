// JUnit XML as CI servers read it: a suite with its cases. For all commands that check something.
#pragma once

#include <string>
#include <vector>

namespace residue::cli {

struct JUnitCase {
    std::string classname, name;
    std::string failure;  // its first line is the message; empty: it passed
    std::string skipped;  // why it did not run; empty: it did
};

std::string JUnit(const std::string& suite, const std::vector<JUnitCase>& cases);

}  // namespace residue::cli
