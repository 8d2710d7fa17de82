#include "cli/picture_svg.hpp"

#include <CLI/CLI.hpp>
#include <optional>

#include "analysis/format.hpp"
#include "analysis/metrics.hpp"
#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/filter_arguments.hpp"
#include "export/heap_svg.hpp"

namespace residue::cli {
namespace {

constexpr std::uint64_t kRowsAtOnce = 1 << 16;  // between looks at Ctrl-C

struct Request {
    std::string file, out;
    std::optional<Position> at;
    std::optional<AllocatorId> allocator;
    session::OpenOptions replay;
};

// The file's name, the allocator's, and the moment.
std::string TitleOf(const session::Session& session, const model::AllocatorState& allocator) {
    std::string title = session.Title();
    if (!allocator.name.empty()) title += " · " + allocator.name;
    return title + " · after call " + analysis::FormatCount(session.Now().value);
}

std::string SubtitleOf(const analysis::Metrics& metrics) {
    std::string text = analysis::FormatBytes(metrics.liveBytes) + " live in " +
                       analysis::FormatCount(metrics.liveBlocks) + (metrics.liveBlocks == 1 ? " block" : " blocks");
    if (metrics.gaps) {
        return text + ", " + analysis::FormatBytes(metrics.heap.value_or(0)) + " of heap with " +
               analysis::FormatCount(*metrics.gaps) + (metrics.gaps == 1u ? " gap" : " gaps") + " (headers and holes)";
    }
    if (!metrics.holes) return text;
    return text + ", " + analysis::FormatBytes(metrics.free.value_or(0)) + " free in " +
           analysis::FormatCount(metrics.holes.value_or(0)) + (metrics.holes == 1u ? " hole" : " holes") +
           ", external fragmentation " + analysis::FormatFraction(metrics.externalFragmentation.value_or(0));
}

int Draw(const Request& request) {
    int exitCode = kFine;
    const auto session = OpenLoaded(request.file, request.replay, exitCode);
    if (session == nullptr) return exitCode;
    if (request.at && *request.at > session->End()) {
        return Complain({"--at", analysis::FormatCount(request.at->value) + " is behind the end of the run",
                         "at most " + analysis::FormatCount(session->End().value)});
    }
    if (request.at)
        session->SeekTo(*request.at);
    else
        session->JumpToPeak();
    while (!session->Tick(0, kRowsAtOnce)) {
        if (Interrupted()) return SayInterrupted();
    }
    const AllocatorId id = request.allocator ? *request.allocator : session->Shown();
    const model::AllocatorState* const allocator = session->Heap().Find(id);
    if (allocator == nullptr && request.allocator) {
        return Complain({"--allocator-id", "there is no allocator " + std::to_string(id.value) + " at this moment",
                         "1 to " + std::to_string(session->Heap().Allocators().size())});
    }
    exports::HeapSvgOptions options;
    options.allocator = id;
    options.title = TitleOf(*session, allocator != nullptr ? *allocator : model::AllocatorState{});
    options.subtitle = SubtitleOf(analysis::Measure(session->Heap(), id, 0));
    exports::WriteSummary summary;
    const exports::WriteExtras extras{&Interrupted(), &summary, nullptr};
    const auto written = exports::WriteHeapSvg(session->Heap(), session->View(), options, request.out, extras);
    if (Interrupted()) return SayInterrupted();
    return written ? kFine : Complain(written.error());
}

}  // namespace

bool WantsSvg(const Arguments& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        const bool isOut = (i > 0 && (arguments[i - 1] == "-o" || arguments[i - 1] == "--out")) ||
                           word.starts_with("--out=") || word.starts_with("-o");
        if (isOut && word.ends_with(".svg")) return true;
    }
    return false;
}

int SvgPicture(const Arguments& arguments) {
    CLI::App app("The heap at one position as SVG.", "residue picture");
    Request request;
    ReplayArguments replay;
    std::string at, allocator;
    app.add_option("FILE", request.file, "a trace, a recording or a scenario");
    app.add_option("--at", at, "the position (after N calls); without it the peak")->type_name("N");
    app.add_option("-o,--out", request.out, "the picture's file")->type_name("OUT.svg");
    app.add_option("--allocator-id", allocator, "whose heap (1 is the first allocator)")->type_name("N");
    replay.AddTo(app);

    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, arguments, failures); !parsed.goOn) return parsed.exitCode;
    request.replay = replay.Check(failures);
    request.at = ParsePosition("--at", at, failures);
    FilterArguments filter;
    filter.allocator = allocator;
    request.allocator = filter.Check(failures).filter.allocator;
    CheckReadable(request.file, "FILE", failures);
    if (!failures.empty()) return Complain(failures);
    CatchInterrupt();
    return Draw(request);
}

}  // namespace residue::cli
