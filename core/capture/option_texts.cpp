#include "capture/option_texts.hpp"

#include <algorithm>

#include "base/parse_size.hpp"
#include "capture/attach.hpp"
#include "events/trace_table.hpp"

namespace residue::capture {

CaptureOptions CheckOptions(OptionTexts& texts, std::vector<Failure>& failures) {
    CaptureOptions options;
    if (texts.callTraces == "auto") options.channel.unwinding = Unwinding::Auto;
    else if (texts.callTraces == "fp") options.channel.unwinding = Unwinding::FramePointers;
    else if (texts.callTraces == "dwarf") options.channel.unwinding = Unwinding::Tables;
    else if (texts.callTraces == "off") options.channel.unwinding = Unwinding::Off;
    else failures.push_back({"--call-traces", "unknown '" + texts.callTraces + "'", "auto, fp, dwarf or off"});
    if (!texts.depth.empty()) {
        const auto frames = ParseWhole(texts.depth);
        if (!frames || *frames == 0 || *frames > events::kMaxTraceDepth) {
            failures.push_back({"--depth", "'" + texts.depth + "' is no depth", "1 to 64 frames"});
        } else {
            options.channel.traceDepth = static_cast<std::uint32_t>(*frames);
        }
    }
    options.mostLog = HalfOfMemory();
    options.spillBeyond = options.mostLog / 2;
    options.mostWaiting = std::min(options.mostWaiting, options.mostLog / 4);
    if (!texts.limit.empty()) {
        const auto bytes = ParseBytes(texts.limit);
        if (bytes && *bytes >= (1u << 20)) options.mostInAll = *bytes;
        else failures.push_back({"--limit", "'" + texts.limit + "' is no limit", "at least 1M"});
    }
    // Beside the limit: what a burst needs.
    options.mostWaiting = std::min(options.mostWaiting, std::max<std::uint64_t>(options.mostInAll, 64u << 20));
    if (texts.drop && texts.wait) failures.push_back({"--wait", "given with --drop", "one of the two"});
    if (texts.drop) options.channel.whenFull = WhenFull::Drop;
    else if (texts.wait) options.channel.whenFull = WhenFull::Wait;
    options.channel.follow = texts.follow;
    if (!texts.attach.empty()) {
        if (const auto process = ParseProcess(texts.attach)) texts.process = *process;
        else failures.push_back(process.error());
    }
    return options;
}

std::pair<std::vector<std::string>, std::vector<std::string>> SplitAtProgram(
    const std::vector<std::string>& arguments) {
    const auto split = std::find(arguments.begin(), arguments.end(), "--");
    if (split == arguments.end()) return {arguments, {}};
    return {{arguments.begin(), split}, {split + 1, arguments.end()}};
}

}  // namespace residue::capture
