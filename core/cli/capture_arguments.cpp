#include "cli/capture_arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "base/parse_size.hpp"
#include "events/trace_table.hpp"

namespace residue::cli {

void CaptureArguments::AddTo(CLI::App& app) {
    app.add_option("--call-traces", callTraces,
                   "auto, fp (frame pointers), dwarf (unwinding tables), or off; auto is the best there is");
    app.add_option("--depth", depth, "frames of a call trace, 1 to 64 (32)");
    app.add_option("--limit", limit, "memory that the recording may take, such as 4G (half of the machine's)");
    app.add_flag("--drop", drop, "where the recorder is behind, lose events at once rather than let the program wait");
}

capture::CaptureOptions CaptureArguments::Check(std::vector<Failure>& failures) const {
    capture::CaptureOptions options;
    using capture::Unwinding;
    if (callTraces == "auto") options.channel.unwinding = Unwinding::Auto;
    else if (callTraces == "fp") options.channel.unwinding = Unwinding::FramePointers;
    else if (callTraces == "dwarf") options.channel.unwinding = Unwinding::Tables;
    else if (callTraces == "off") options.channel.unwinding = Unwinding::Off;
    else failures.push_back({"--call-traces", "unknown '" + callTraces + "'", "auto, fp, dwarf or off"});
    if (!depth.empty()) {
        const auto frames = ParseWhole(depth);
        if (!frames || *frames == 0 || *frames > events::kMaxTraceDepth) {
            failures.push_back({"--depth", "'" + depth + "' is no depth", "1 to 64 frames"});
        } else {
            options.channel.traceDepth = static_cast<std::uint32_t>(*frames);
        }
    }
    if (limit.empty()) {
        options.mostLog = capture::HalfOfMemory();
    } else if (const auto bytes = ParseBytes(limit); bytes && *bytes >= (1u << 20)) {
        options.mostLog = *bytes;
    } else {
        failures.push_back({"--limit", "'" + limit + "' is no limit", "at least 1M"});
    }
    if (drop) options.channel.whenFull = capture::WhenFull::Drop;
    return options;
}

std::pair<std::vector<std::string>, std::vector<std::string>> SplitAtProgram(
    const std::vector<std::string>& arguments) {
    const auto split = std::find(arguments.begin(), arguments.end(), "--");
    if (split == arguments.end()) return {arguments, {}};
    return {{arguments.begin(), split}, {split + 1, arguments.end()}};
}

}  // namespace residue::cli
