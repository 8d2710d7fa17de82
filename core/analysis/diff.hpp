// What grew between two profiles (analysis/profile.hpp), of one log at two moments or of two logs: by site, by size, by
// lifetime. Sites are the same where the names of their frames are (FlameBuilder::NameOf), whatever their addresses.
//
//     const Diff diff = Compare({logA, profileA}, {logB, profileB}, SiteMeasure::LiveBytes);
//     for (const SiteDiff& site : diff.sites) Use(diff.FramesOf(site), site.after, site.before);
//
// Cost: a hash look-up for each frame of each site. For a thread of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/profile.hpp"
#include "log/event_log.hpp"

namespace residue::analysis {

struct DiffSide {
    const log::LogView& log;
    const Profile& profile;
};

struct SiteDiff {
    std::uint32_t node = 0;     // for Diff::FramesOf
    SiteFigures before, after;  // their `trace` is one of those that are this site; 0 where it has none
    std::int64_t change = 0;    // of the measure that was compared
};

struct Diff {
    SiteFigures before, after;  // of all
    std::int64_t change = 0;
    std::vector<SiteDiff> sites;  // those that changed: what grew most first, what shrank most last
    std::uint64_t same = 0;       // sites that did not change

    // Names of a site's frames, innermost first; empty: it has no call trace.
    std::vector<std::string> FramesOf(const SiteDiff& site) const;

    struct Node {
        std::uint32_t parent = 0, name = 0;
    };
    std::vector<Node> nodes;  // [0]: the root, no frame
    std::vector<std::string> names;
};

Diff Compare(const DiffSide& before, const DiffSide& after, SiteMeasure measure);

}  // namespace residue::analysis
