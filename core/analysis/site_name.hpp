// How the place that asked for a block is called: the innermost function of its call trace that is none of the
// allocation functions themselves. In a C++ program all would be called "operator new" otherwise.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "analysis/flame.hpp"
#include "log/event_log.hpp"

namespace residue::analysis {

inline bool IsAllocationFunction(std::string_view function) {
    constexpr std::array<std::string_view, 11> kNames{"malloc",   "calloc",        "realloc",        "reallocarray",
                                                      "memalign", "aligned_alloc", "posix_memalign", "valloc",
                                                      "strdup",   "operator new",  "operator new[]"};
    function = function.substr(0, function.find('('));
    return std::find(kNames.begin(), kNames.end(), function) != kNames.end();
}

// A frame's name (FlameBuilder::NameOf); empty where there is no trace. Where a trace has nothing else, an allocation
// function's. Cost: a name or two.
inline std::string SiteName(const log::LogView& log, TraceId trace) {
    constexpr int kMost = 4;  // allocation functions that call each other
    if (!trace) return {};
    TraceId at = trace;
    for (int i = 0; i < kMost && at; ++i, at = log.ParentTrace(at)) {
        std::string name = FlameBuilder::NameOf(log.TopFrame(at));
        if (!IsAllocationFunction(name)) return name;
    }
    return FlameBuilder::NameOf(log.TopFrame(trace));
}

}  // namespace residue::analysis
