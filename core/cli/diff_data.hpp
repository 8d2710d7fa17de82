// Everything `residue diff` says, before it is printed as text or as JSON.
#pragma once

#include <cstdint>
#include <string>

#include "analysis/diff.hpp"
#include "analysis/profile.hpp"

namespace residue::cli {

struct DiffMoment {
    std::string file;
    std::uint64_t position = 0;
    analysis::Profile profile;  // of all calls up to there
    std::string hidden;         // what the filter leaves out; empty without one
};

struct DiffReport {
    DiffMoment before, after;
    analysis::SiteMeasure by = analysis::SiteMeasure::LiveBytes;  // as it was asked for
    bool live = true;  // sizes are those of live blocks, else of all that were allocated
    analysis::Diff diff;
};

std::string DiffText(const DiffReport& report, bool coloured);
std::string DiffJson(const DiffReport& report);

}  // namespace residue::cli
