// The project's own sources, as the rules of tests/meta read them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace meta {

struct SourceFile {
    std::string path;                // relative to the root, "core/base/ids.hpp"
    std::vector<std::string> lines;  // as written
    std::vector<std::string> code;   // the same lines without comments and without what stands in quotes

    bool IsHeader() const;
    bool IsUnder(const std::string& folder) const;  // "core", "tests/support"
};

// Every .hpp, .h and .cpp file below core, gui and tests, by path.
std::vector<SourceFile> ReadSources(const std::filesystem::path& root);

// One #include: which file, with which quotes.
struct Include {
    std::string target;
    bool inQuotes = false;
    std::size_t line = 0;  // from 1
};
std::vector<Include> Includes(const SourceFile& file);

}  // namespace meta
