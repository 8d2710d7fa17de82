// How a program is watched, as the user says it; the same in both front ends.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capture/capture.hpp"

namespace residue::capture {

struct OptionTexts {
    std::string callTraces = "auto";
    std::string depth{}, limit{};  // empty: the usual one
    bool drop = false, wait = false;  // not both
    bool follow = false;
    std::string attach{};            // a process that runs already, instead of a program to start; empty: none
    std::optional<pid_t> process{};  // the same, once it is checked

    static constexpr const char* kCallTracesHelp =
        "auto, fp (frame pointers), dwarf (unwinding tables), or off; auto is the best there is";
    static constexpr const char* kDepthHelp = "frames of a call trace, 1 to 64 (32)";
    static constexpr const char* kLimitHelp =
        "how large the recording may become in memory and on disk together, such as 4G";
    static constexpr const char* kDropHelp =
        "where the recorder is behind, lose events at once rather than let the program wait";
    static constexpr const char* kWaitHelp =
        "where the recorder is behind, let the program wait for as long as it takes (without: 50 ms in all): no event "
        "is lost";
    static constexpr const char* kFollowHelp =
        "processes that the program starts are recorded too, each in a file of its own: FILE.PROCESS.residue";
    static constexpr const char* kAttachHelp =
        "watch this process, which runs already, from now on (its number); it goes on when the recording ends";
};

// What cannot be is added to `failures`. Sets `texts.process`.
CaptureOptions CheckOptions(OptionTexts& texts, std::vector<Failure>& failures);

// Splits at the first "--": what stands before it, and the program with its arguments.
std::pair<std::vector<std::string>, std::vector<std::string>> SplitAtProgram(const std::vector<std::string>& arguments);

}  // namespace residue::capture
