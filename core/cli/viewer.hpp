// Hands over to `residue-view`, the program with the window, which lies in the same folder.
#pragma once

#include <string>
#include <vector>

namespace residue::cli {

// Becomes residue-view with these arguments. Returns only if that fails: the exit code, with the reason printed.
int BecomeViewer(const std::vector<std::string>& arguments);

// Do these say that the file is a student's allocator, with --trace? It may be a folder then; the viewer checks it.
bool IsLab(const std::vector<std::string>& arguments);

}  // namespace residue::cli
