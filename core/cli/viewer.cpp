#include "cli/viewer.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/console.hpp"

namespace residue::cli {

int BecomeViewer(const std::vector<std::string>& arguments) {
    std::error_code error;
    const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::filesystem::path viewer = own.parent_path() / "residue-view";
    if (error || !std::filesystem::exists(viewer, error)) {
        return Complain({viewer.string(), "the program that draws is not there",
                         "residue-view beside residue; build with RESIDUE_GUI=ON"});
    }
    std::vector<std::string> words = {viewer.string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    execv(viewer.c_str(), pointers.data());
    return Complain({viewer.string(), std::string("cannot be started: ") + std::strerror(errno), ""});
}

bool IsLab(const std::vector<std::string>& arguments) {
    return std::any_of(arguments.begin(), arguments.end(),
                       [](const std::string& word) { return word == "--trace" || word.starts_with("--trace="); });
}

}  // namespace residue::cli
