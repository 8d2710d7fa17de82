// Golden files: what a program printed is compared with a file in the repository; tests/support/approve puts a reviewed
// change in its place.
//
//     CHECK(support::Golden("cli/golden/report.txt", run.output) == "");
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "support/scratch_folder.hpp"

namespace support {

// `name` is relative to tests/. Empty when it is the same; otherwise what to do, and the text received is kept.
inline std::string Golden(const std::string& name, const std::string& text) {
    const std::filesystem::path golden = std::filesystem::path(RESIDUE_SOURCE_DIR) / "tests" / name;
    const std::filesystem::path received = std::filesystem::path(RESIDUE_BIN_DIR).parent_path() / "received" / name;
    if (std::filesystem::exists(golden) && ReadFile(golden) == text) {
        std::filesystem::remove(received);
        return "";
    }
    std::filesystem::create_directories(received.parent_path());
    std::ofstream(received, std::ios::binary) << text;
    return name + " differs; see tests/support/approve. Received:\n" + text;
}

}  // namespace support
