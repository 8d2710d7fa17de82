// How a student's allocator is built, run and scored, as the user says it; the same in both front ends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/build.hpp"
#include "lab/run.hpp"
#include "lab/score.hpp"
#include "log/failure.hpp"

namespace residue::lab {

struct OptionTexts {
    std::string compiler{}, flags{};  // empty: the usual ones, as with all that follows
    std::string heap = "100M", timeout = "20", alignment{}, generation{};
    std::string utilWeight{}, minUtil{}, maxUtil{}, minThroughput{}, maxThroughput{};
    bool checkAll = false, noTiming = false, noLandlock = false;

    static constexpr const char* kCompilerHelp = "the C compiler (cc, gcc or clang)";
    static constexpr const char* kFlagsHelp = "more flags for it, such as \"-O3 -DNDEBUG\"";
    static constexpr const char* kHeapHelp = "the most that mem_sbrk gives (100M)";
    static constexpr const char* kTimeoutHelp = "seconds for a trace (20)";
    static constexpr const char* kAlignmentHelp =
        "of payloads (8, or 16 for the 2016 generation, or config.h's)";
    static constexpr const char* kGenerationHelp =
        "whose scores: A 2002, B 2004, C 2016, M MIT (told by the code)";
    static constexpr const char* kCheckAllHelp =
        "check every payload, and call mm_checkheap, before every operation";
    static constexpr const char* kNoTimingHelp = "no throughput: the same output every time";
    static constexpr const char* kNoLandlockHelp = "go on where the kernel cannot keep files from the code";
};

// What the user set of the rules; the rest is the generation's.
struct RuleSettings {
    std::optional<double> utilWeight, minUtil, maxUtil;  // 0..1
    std::optional<double> minThroughput, maxThroughput;  // operations a second
    ScoreRules Over(ScoreRules rules) const;
};

struct LabSettings {
    BuildOptions build;
    RunOptions run;
    RuleSettings rules;
    char generation = 0;  // 0: as the code says
};

// What cannot be is added to `failures`. `cancelled` is set in none of them.
LabSettings CheckOptions(const OptionTexts& texts, std::vector<Failure>& failures);

// A number in [least, most]; none, and a failure of `option`, for anything else.
std::optional<double> Number(const std::string& text, const char* option, double least, double most,
                             std::vector<Failure>& failures);
// How much an mm.c may have: --heap and --timeout, into `options`; what is wrong with them is a failure.
void ReadLimits(const std::string& heap, const std::string& timeout, RunOptions& options,
                std::vector<Failure>& failures);

// A folder stands for the traces in it, by name. None at all, and a folder without any, are failures.
std::vector<std::string> ExpandTraces(const std::vector<std::string>& given, std::vector<Failure>& failures);

}  // namespace residue::lab
