// The lessons in a folder: what a picker shows of them. Reading costs some milliseconds a lesson; any thread.
#pragma once

#include <string>
#include <vector>

namespace residue::session {

struct Lesson {
    std::string path;
    std::string title;
    std::string level;   // "first steps", "intermediate", "advanced"; empty: not said
    std::string learns;  // the introduction without its "Level:" line, in one paragraph
};

// Files that end with .iridis, by name; those that cannot be read as scenarios are left out.
std::vector<Lesson> FindLessons(const std::string& folder);

}  // namespace residue::session
