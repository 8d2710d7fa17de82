// residue convert IN OUT [--to FORMAT] [--balanced] [--every N] [--rows N] [--by MEASURE] [--at N] [--range A-B]
//   [--size A-B] [--lifetime A-B] [--site TEXT] [--allocator-id N] [--thread N]
//   [--force] [--json] [--allocator A] [--capacity N|auto]
#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "analysis/format.hpp"
#include "base/parse_size.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/convert_formats.hpp"
#include "import/recording.hpp"
#include "import/trace.hpp"

namespace residue::cli {
namespace {

struct Flags {
    std::string to, by, at, every, rows;  // empty: not given
    bool force = false;
    bool json = false;
    FilterArguments filter;
};

std::uint64_t CheckCount(const char* flag, const std::string& text, std::uint64_t least,
                         std::vector<Failure>& failures) {
    if (text.empty()) return 0;
    const auto number = ParseWhole(text);
    if (number && *number >= least) return *number;
    failures.push_back({flag, "'" + text + "' does not do", "a whole number from " + std::to_string(least) + " up"});
    return 0;
}

// Flags that the format has no use for, said rather than ignored.
void CheckUse(const Format& format, const Flags& flags, bool balanced, std::vector<Failure>& failures) {
    const auto check = [&](const char* flag, Takes group) {
        if (Heeds(format.takes, group)) return;
        failures.push_back({flag, std::string("has no meaning for ") + format.name, Endings(group) + " as OUT"});
    };
    if (balanced) check("--balanced", Takes::Balanced);
    if (!flags.every.empty()) check("--every", Takes::Sampling);
    if (!flags.rows.empty()) check("--rows", Takes::Sampling);
    if (!flags.by.empty()) check("--by", Takes::Measure);
    if (!flags.at.empty()) check("--at", Takes::Profile);
    for (const char* flag : flags.filter.Given()) check(flag, Takes::Profile);
    if (!flags.every.empty() && std::string_view(format.name) == "chrome") {
        failures.push_back({"--every", "has no meaning for chrome", "--rows, so many moments at most"});
    }
}

const Format* Check(const Flags& flags, ConvertRequest& request, std::vector<Failure>& failures) {
    CheckReadable(request.in, "IN", failures);
    request.every = CheckCount("--every", flags.every, 1, failures);
    request.rows = CheckCount("--rows", flags.rows, 2, failures);
    if (!flags.every.empty() && !flags.rows.empty()) {
        failures.push_back({"--rows", "--every says already how many there are", "one of the two"});
    }
    request.measure = ParseMeasure(flags.by, request.measure, failures);
    request.profile = flags.filter.Check(failures);
    request.profile.at = ParsePosition("--at", flags.at, failures);
    if (request.profile.at && request.profile.range) {
        failures.push_back({"--at", "--range says already where it ends", "one of the two"});
    }
    const Format* format = flags.to.empty() ? FormatOf(request.out) : FormatNamed(flags.to);
    if (!flags.to.empty() && format == nullptr) {
        failures.push_back({"--to", "there is no format '" + flags.to + "'", FormatNames()});
    }
    if (request.out.empty()) {
        failures.push_back({"OUT", "is missing", "a path that ends in " + Endings()});
        return nullptr;
    }
    if (flags.to.empty() && format == nullptr) {
        failures.push_back({request.out, "its ending names no format", Endings() + ", or --to"});
    }
    if (format != nullptr) CheckUse(*format, flags, request.balanced, failures);
    std::error_code error;
    if (std::filesystem::is_directory(request.out, error)) {
        failures.push_back({request.out, "is a directory", "a file"});
    } else if (!flags.force && std::filesystem::is_regular_file(request.out, error)) {
        failures.push_back({request.out, "is already there", "--force to overwrite it"});
    }
    return format;
}

// What was written, for people and as JSON.
int Tell(const ConvertRequest& request, const Format& format, bool json, const exports::WriteSummary& summary,
         const std::string& hidden) {
    if (json) {
        nlohmann::ordered_json object = {
            {"out", request.out}, {format.unit, summary.operations}, {"left_out", summary.leftOut}};
        if (!hidden.empty()) object["filter"] = hidden;
        return Print(object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    }
    std::string text = request.out + ": " + analysis::FormatCount(summary.operations) + " " + format.unit;
    if (summary.leftOut > 0) text += "; " + analysis::FormatCount(summary.leftOut) + " " + format.leftOut;
    if (!hidden.empty()) text += "; " + hidden;
    return Print(text + "\n");
}

bool IsTrace(const std::string& path) {
    return !import::IsRecording(path) && import::OpenTrace(path).has_value();
}

// From one trace of ids and sizes to another: needs no heap.
Outcome<void> ConvertTrace(const ConvertRequest& request, const Format& format, const exports::WriteExtras& extras) {
    const bool rep = std::string_view(format.name) == "rep";
    return exports::ConvertTrace(request.in, request.out, rep ? exports::TextFormat::Rep : exports::TextFormat::Script,
                                 request.balanced, extras);
}

int Convert(const ConvertRequest& request, const Format& format, bool json) {
    exports::WriteSummary summary;
    std::string hidden;
    const auto finish = [&](const Outcome<void>& written) {
        if (Interrupted()) return SayInterrupted();
        return written ? Tell(request, format, json, summary, hidden) : Complain(written.error());
    };
    if (Heeds(format.takes, Takes::Balanced) && IsTrace(request.in)) {
        return finish(ShowingProgress("writing", [&](std::atomic<double>& progress) {
            return ConvertTrace(request, format, {&Interrupted(), &summary, &progress});
        }));
    }
    int exitCode = kFine;
    const auto session = OpenLoaded(request.in, request.replay, exitCode);
    if (session == nullptr) return exitCode;
    return finish(ShowingProgress("writing", [&](std::atomic<double>& progress) {
        const exports::WriteExtras extras{&Interrupted(), &summary, &progress};
        ConvertWork work{request, *session, extras, {}};
        const Outcome<void> written = format.write(work);
        hidden = std::move(work.hidden);
        return written;
    }));
}

}  // namespace

int ConvertCommand(const Arguments& arguments) {
    CLI::App app(
        "Between traces of ids and sizes (.rep, .script), scenarios (.iridis) and recordings (.residue, .jsonl; from "
        "heaptrack, mtrace, ltrace, valgrind, logalloc and memory_replay too), and from all of these to files for "
        "other programs; OUT's ending decides.",
        "residue convert");
    ConvertRequest request;
    Flags flags;
    ReplayArguments replay;
    app.add_option("IN", request.in, "a trace, a recording or a scenario");
    app.add_option("OUT", request.out, "a path that ends in " + Endings());
    app.add_option("--to", flags.to, "the format, whatever OUT is called: " + FormatNames())->type_name("FORMAT");
    app.add_flag("--balanced", request.balanced,
                 ".rep, .script: free at the end what is live, and leave bad frees out");
    app.add_option("--every", flags.every, ".csv: a row each N positions")->type_name("N");
    app.add_option("--rows", flags.rows, ".csv, .trace.json: so many rows or moments at most (100,000)")
        ->type_name("N");
    app.add_option("--by", flags.by, ".folded: what is counted: " + MeasureNames() + " (peak)")->type_name("MEASURE");
    app.add_option("--at", flags.at, ".folded, .html: as if the run ended at this position (after N calls)")
        ->type_name("N");
    flags.filter.AddTo(app);
    app.add_flag("--force", flags.force, "overwrite OUT");
    app.add_flag("--json", flags.json, "print what was written as JSON");
    replay.AddTo(app);

    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, arguments, failures); !parsed.goOn) return parsed.exitCode;
    request.replay = replay.Check(failures);
    const Format* const format = Check(flags, request, failures);
    if (!failures.empty()) return Complain(failures);
    CatchInterrupt();
    return Convert(request, *format, flags.json);
}

}  // namespace residue::cli
