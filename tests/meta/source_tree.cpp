#include "meta/source_tree.hpp"

#include <algorithm>
#include <fstream>
#include <regex>

namespace meta {
namespace {

namespace fs = std::filesystem;

// Comments go, literals become "" and ''. Knows raw strings and digit separators (1'000), not trigraphs.
std::vector<std::string> StripComments(const std::vector<std::string>& lines) {
    std::vector<std::string> code;
    bool inComment = false;
    std::string rawEnd;  // not empty: inside a raw string that ends so
    for (const std::string& line : lines) {
        std::string kept;
        for (std::size_t i = 0; i < line.size();) {
            if (inComment) {
                const std::size_t end = line.find("*/", i);
                inComment = end == std::string::npos;
                i = inComment ? line.size() : end + 2;
            } else if (!rawEnd.empty()) {
                const std::size_t end = line.find(rawEnd, i);
                if (end == std::string::npos) break;
                i = end + rawEnd.size();
                rawEnd.clear();
            } else if (line.compare(i, 2, "//") == 0) {
                break;
            } else if (line.compare(i, 2, "/*") == 0) {
                inComment = true;
                i += 2;
            } else if (line.compare(i, 2, "R\"") == 0 && line.find('(', i) != std::string::npos) {
                const std::size_t open = line.find('(', i);
                rawEnd = ")" + line.substr(i + 2, open - i - 2) + "\"";
                kept += "\"\"";
                i = open + 1;
            } else if (line[i] == '"' ||
                       (line[i] == '\'' && (i == 0 || !std::isalnum(static_cast<unsigned char>(line[i - 1]))))) {
                const char quote = line[i];
                kept.append(2, quote);
                for (++i; i < line.size() && line[i] != quote; ++i) {
                    if (line[i] == '\\') ++i;
                }
                ++i;
            } else {
                kept += line[i++];
            }
        }
        code.push_back(std::move(kept));
    }
    return code;
}

}  // namespace

bool SourceFile::IsHeader() const {
    return path.ends_with(".hpp") || path.ends_with(".h");
}

bool SourceFile::IsUnder(const std::string& folder) const {
    return path.starts_with(folder + "/");
}

std::vector<SourceFile> ReadSources(const fs::path& root) {
    std::vector<SourceFile> files;
    for (const char* folder : {"core", "gui", "tests"}) {
        if (!fs::exists(root / folder)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
            const std::string extension = entry.path().extension().string();
            if (!entry.is_regular_file() || (extension != ".hpp" && extension != ".h" && extension != ".cpp")) continue;
            SourceFile file;
            file.path = fs::relative(entry.path(), root).generic_string();
            std::ifstream stream(entry.path());
            for (std::string line; std::getline(stream, line);) file.lines.push_back(line);
            file.code = StripComments(file.lines);
            files.push_back(std::move(file));
        }
    }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return files;
}

std::vector<Include> Includes(const SourceFile& file) {
    static const std::regex pattern(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
    std::vector<Include> found;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
        // An include inside a comment has left no '#' in the code.
        if (file.code[i].find('#') == std::string::npos) continue;
        std::smatch match;
        if (std::regex_search(file.lines[i], match, pattern)) found.push_back({match[2], match[1] == "\"", i + 1});
    }
    return found;
}

}  // namespace meta
