#include "session/lessons.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "scenario/program.hpp"

namespace residue::session {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kLevel = "Level:";
constexpr std::size_t kMostLessons = 500;

void TakeIntroduction(std::string_view text, Lesson& lesson) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, end - at);
        at = end + 1;
        while (line.starts_with(' ')) line.remove_prefix(1);
        if (line.starts_with(kLevel)) {
            line.remove_prefix(kLevel.size());
            while (line.starts_with(' ')) line.remove_prefix(1);
            lesson.level = line;
        } else if (!line.empty()) {
            lesson.learns += (lesson.learns.empty() ? "" : " ") + std::string(line);
        }
    }
}

}  // namespace

std::vector<Lesson> FindLessons(const std::string& folder) {
    std::vector<std::string> paths;
    std::error_code error;
    for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator(); at.increment(error)) {
        if (at->path().extension() == ".iridis" && paths.size() < kMostLessons) {
            paths.push_back(at->path().lexically_normal().string());
        }
    }
    std::sort(paths.begin(), paths.end());
    std::vector<Lesson> lessons;
    for (const std::string& path : paths) {
        const scenario::Parsed parsed = scenario::ParseFile(path);
        if (parsed.program == nullptr) continue;
        Lesson lesson;
        lesson.path = path;
        lesson.title = parsed.program->Title();
        TakeIntroduction(parsed.program->Introduction(), lesson);
        lessons.push_back(std::move(lesson));
    }
    return lessons;
}

}  // namespace residue::session
