// Runs the real `residue` in a scratch folder, as a user would.
#pragma once

#include <string>
#include <vector>

#include "support/process.hpp"
#include "support/scratch_folder.hpp"

namespace cli_tests {

inline const std::string kResidue = std::string(RESIDUE_BIN_DIR) + "/residue";

// Eight operations with every figure known by hand: four blocks, a resize, a free of an id that never was, a peak of
// 1,600 B after operation 6, and 1,088 B in two blocks left at the end.
inline constexpr const char* kTrace =
    "20000\n4\n8\n1\n"
    "a 0 512\na 1 128\na 2 512\nf 1\na 3 64\nr 0 1024\nf 2\nf 9\n";

class Program {
public:
    support::Finished operator()(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), kResidue);
        return support::Run(arguments, {.folder = folder.Path().string()});
    }
    support::ScratchFolder folder;
};

inline bool Contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace cli_tests
