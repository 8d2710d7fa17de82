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

    // `app`: a CLI::App; this layer does not know it.
    template <class App>
    void AddTo(App& app) {
        app.add_option("--compiler", compiler, "the C compiler (cc, gcc or clang)");
        app.add_option("--cflags", flags, "more flags for it, such as \"-O3 -DNDEBUG\"");
        app.add_option("--heap", heap, "the most that mem_sbrk gives (100M)")->type_name("BYTES");
        app.add_option("--timeout", timeout, "seconds for a trace (20)")->type_name("SECONDS");
        app.add_option("--alignment", alignment, "of payloads (8, or 16 for the 2016 generation, or config.h's)");
        app.add_option("--generation", generation, "whose scores: A 2002, B 2004, C 2016, M MIT (told by the code)");
        app.add_flag("-D,--check-all", checkAll, "check every payload, and call mm_checkheap, before every operation");
        app.add_flag("--no-timing", noTiming, "no throughput: the same output every time");
        app.add_flag("--no-landlock", noLandlock, "go on where the kernel cannot keep files from the code");
        app.add_option("--util-weight", utilWeight, "0..1 of the index is for utilisation; the rest is throughput's");
        app.add_option("--min-util", minUtil, "utilisation without points, 0..1");
        app.add_option("--max-util", maxUtil, "utilisation with all points, 0..1");
        app.add_option("--min-throughput", minThroughput, "Kops/s without points");
        app.add_option("--max-throughput", maxThroughput, "Kops/s with all points");
    }
    std::vector<std::string> Words() const;  // as they are typed: "--heap=100M"
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
