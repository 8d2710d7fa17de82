#include "cli/trace_arguments.hpp"

#include <algorithm>
#include <cstdio>

namespace residue::cli {

void TellWarnings(const std::vector<Warning>& warnings) {
    constexpr std::size_t kMost = 5;
    for (std::size_t i = 0; i < std::min(warnings.size(), kMost); ++i) {
        std::fprintf(stderr, "residue: %s: %s\n", warnings[i].where.c_str(), warnings[i].text.c_str());
    }
    if (warnings.size() > kMost) std::fprintf(stderr, "residue: ... and %zu more\n", warnings.size() - kMost);
}

}  // namespace residue::cli
