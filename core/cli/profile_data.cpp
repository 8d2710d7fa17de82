#include "cli/profile_data.hpp"

#include <system_error>

#include "analysis/format.hpp"
#include "cli/console.hpp"

namespace residue::cli {

namespace {

Outcome<analysis::ProfileRange> RangeOf(const session::Session& session, const ProfileRequest& request) {
    const log::LogView& log = session.View();
    const std::uint64_t end = log.Positions().value;
    const auto tooFar = [&](const char* flag, Position position) {
        return Fail(Failure{flag, analysis::FormatCount(position.value) + " is behind the end of the run",
                            "at most " + analysis::FormatCount(end)});
    };
    analysis::ProfileRange range;
    if (request.at) {
        if (request.at->value > end) return tooFar("--at", *request.at);
        range.to = *request.at;
    }
    if (request.range) {
        range.from = request.range->first;
        range.to = request.range->second;
        if (range.from.value > end) return tooFar("--range", range.from);
    }
    range.to = Position{std::min(range.to.value, end)};
    std::vector<analysis::SeriesColumn> columns;
    session.Series().Columns(range.from, range.to + 1, 1, columns);
    if (!columns.empty() && columns[0].any) range.peak = columns[0].liveMaxAt;
    return range;
}

Outcome<analysis::Profile> ProfileOver(const log::LogView& log, const analysis::ProfileRange& range,
                                       const analysis::BlockFilter& filter, std::atomic<double>* progress) {
    auto profile = MakeProfile(log, range, filter, &Interrupted(), progress);
    if (!profile) return Fail(Failure{"", "cancelled", ""});
    return std::move(*profile);
}

}  // namespace

Outcome<analysis::Profile> ProfileOf(const session::Session& session, const ProfileRequest& request,
                                     std::atomic<double>* progress) {
    const auto range = RangeOf(session, request);
    if (!range) return Fail(range.error());
    return ProfileOver(session.View(), *range, request.filter, progress);
}

std::future<Outcome<analysis::Profile>> ProfileSoon(const session::Session& session, const ProfileRequest& request) {
    constexpr std::uint64_t kWorthAThread = 200'000;  // rows
    const auto range = RangeOf(session, request);
    const auto make = [range, view = session.View(), filter = request.filter]() -> Outcome<analysis::Profile> {
        if (!range) return Fail(range.error());
        return ProfileOver(view, *range, filter, nullptr);
    };
    if (session.View().Rows().value >= kWorthAThread) {
        try {
            return std::async(std::launch::async, make);
        } catch (const std::system_error&) {  // then later, without
        }
    }
    return std::async(std::launch::deferred, make);
}

std::vector<std::string> TraceTexts(const log::LogView& log, TraceId trace) {
    std::vector<std::string> texts;
    for (const log::Frame& frame : log.Frames(trace)) {
        std::string text = frame.function;
        if (!frame.file.empty()) {
            text += " (" + frame.file + (frame.line != 0 ? ":" + std::to_string(frame.line) : "") + ")";
        }
        if (frame.isInlined) text += " [inlined]";
        texts.push_back(std::move(text));
    }
    return texts;
}

std::string HiddenText(const ProfileRequest& request, const analysis::Profile& profile) {
    if (!request.filter.Any()) return "";
    return analysis::Describe(request.filter) + ": hides " + analysis::FormatCount(profile.hiddenBlocks) +
           (profile.hiddenBlocks == 1 ? " block (" : " blocks (") + analysis::FormatBytes(profile.hiddenBytes) + ")";
}

}  // namespace residue::cli
