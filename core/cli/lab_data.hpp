// What `residue lab` has found out, and its three forms: text, JSON, JUnit.
#pragma once

#include <string>
#include <vector>

#include "lab/build.hpp"
#include "lab/run.hpp"
#include "lab/score.hpp"
#include "lab/trace.hpp"

namespace residue::cli {

struct LabTraceResult {
    std::string path, name;
    std::uint64_t ops = 0;
    std::uint64_t weight = 1;
    std::uint64_t peakLive = 0;
    lab::TraceOutcome outcome;
};

struct LabResults {
    std::string student;  // as given
    std::string source;   // "mm.c"
    std::string compiler;
    lab::Course course;
    std::uint64_t alignment = 8;  // that payloads were held to
    std::vector<LabTraceResult> traces;
    lab::ScoreRules rules;
    lab::Score score;

    bool AllValid() const;  // of the traces that ran
    bool AnyRan() const;
};

std::string LabText(const LabResults& results);
std::string LabJson(const LabResults& results);
std::string LabJUnit(const LabResults& results);

}  // namespace residue::cli
