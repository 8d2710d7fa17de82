// residue convert IN OUT [--balanced] [--force] [--json] [--allocator A] [--capacity N|auto]
#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "analysis/format.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "export/json_lines_writer.hpp"
#include "export/scenario_writer.hpp"
#include "export/trace_writer.hpp"
#include "import/recording.hpp"
#include "import/trace.hpp"
#include "log/native_file.hpp"

namespace residue::cli {
namespace {

enum class Target { Rep, Script, Native, Scenario, JsonLines, Unknown };

Target TargetOf(const std::string& path) {
    const std::string ending = std::filesystem::path(path).extension().string();
    if (ending == ".rep") return Target::Rep;
    if (ending == ".script") return Target::Script;
    if (ending == ".iridis") return Target::Scenario;
    if (ending == ".jsonl") return Target::JsonLines;
    return ending == ".residue" ? Target::Native : Target::Unknown;
}

struct Request {
    std::string in;
    std::string out;
    bool balanced = false;
    bool force = false;
    bool json = false;
    session::OpenOptions replay;
};

void Check(const Request& request, std::vector<Failure>& failures) {
    CheckReadable(request.in, "IN", failures);
    if (request.out.empty()) {
        failures.push_back({"OUT", "is missing", "a path that ends in .rep, .script, .jsonl, .iridis or .residue"});
        return;
    }
    const Target target = TargetOf(request.out);
    if (target == Target::Unknown) {
        failures.push_back({request.out, "its ending names no format", ".rep, .script, .jsonl, .iridis or .residue"});
    }
    const bool keepsAll = target == Target::Native || target == Target::Scenario || target == Target::JsonLines;
    if (keepsAll && request.balanced) {
        failures.push_back({"--balanced", "a recording or a scenario keeps what happened", ".rep or .script as OUT"});
    }
    std::error_code error;
    if (std::filesystem::is_directory(request.out, error)) {
        failures.push_back({request.out, "is a directory", "a file"});
    } else if (!request.force && std::filesystem::is_regular_file(request.out, error)) {
        failures.push_back({request.out, "is already there", "--force to overwrite it"});
    }
}

// What was written, for people and as JSON.
int Tell(const Request& request, const char* unit, std::uint64_t written, std::uint64_t leftOut) {
    if (request.json) {
        const nlohmann::ordered_json object = {{"out", request.out}, {unit, written}, {"left_out", leftOut}};
        return Print(object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    }
    std::string text = request.out + ": " + analysis::FormatCount(written) + " " + unit;
    if (leftOut > 0) text += "; " + analysis::FormatCount(leftOut) + " left out that the format cannot say";
    return Print(text + "\n");
}

int WriteNative(const Request& request, const session::Session& session) {
    const auto written = log::WriteNative(session.View(), request.out, &Interrupted());
    if (Interrupted()) return SayInterrupted();
    if (!written) return Complain(written.error());
    return Tell(request, "events", session.View().Rows().value, 0);
}

int Convert(const Request& request) {
    const Target target = TargetOf(request.out);
    exports::WriteSummary summary;
    const exports::WriteExtras extras{&Interrupted(), &summary};
    const bool isTrace = !import::IsRecording(request.in) && import::OpenTrace(request.in).has_value();
    if (isTrace && (target == Target::Rep || target == Target::Script)) {  // needs no heap
        const auto format = target == Target::Rep ? exports::TextFormat::Rep : exports::TextFormat::Script;
        const auto written = exports::ConvertTrace(request.in, request.out, format, request.balanced, extras);
        if (Interrupted()) return SayInterrupted();
        return written ? Tell(request, "operations", summary.operations, summary.leftOut) : Complain(written.error());
    }
    const auto session = session::Session::Open(request.in, request.replay);
    if (!WaitUntilLoaded(*session)) return SayInterrupted();
    if (const session::LoadStatus status = session->Status(); status.phase != session::Phase::Ready) {
        return Complain(status.failure ? *status.failure : Failure{request.in, "cannot be read", ""});
    }
    session->Tick(0);  // takes in what was loaded
    for (const Warning& warning : session->Warnings()) {
        std::fprintf(stderr, "residue: %s: %s\n", warning.where.c_str(), warning.text.c_str());
    }
    if (target == Target::Native) return WriteNative(request, *session);
    if (target == Target::Scenario) {
        const auto written = exports::WriteScenario(session->View(), request.out, session->Title(), extras);
        if (Interrupted()) return SayInterrupted();
        return written ? Tell(request, "operations", summary.operations, summary.leftOut) : Complain(written.error());
    }
    if (target == Target::JsonLines) {
        const auto written = exports::WriteJsonLines(session->View(), request.out, extras);
        if (Interrupted()) return SayInterrupted();
        return written ? Tell(request, "events", summary.operations, 0) : Complain(written.error());
    }
    const auto write = target == Target::Rep ? exports::WriteRep : exports::WriteScript;
    const auto written = write(session->View(), request.out, request.balanced, extras);
    if (Interrupted()) return SayInterrupted();
    return written ? Tell(request, "operations", summary.operations, summary.leftOut) : Complain(written.error());
}

}  // namespace

int ConvertCommand(const Arguments& arguments) {
    CLI::App app("Between traces of ids and sizes (.rep, .script), scenarios (.iridis) and recordings (.residue, .jsonl; "
                 "from heaptrack, mtrace, ltrace, valgrind, logalloc and memory_replay too); OUT's ending decides.",
                 "residue convert");
    Request request;
    ReplayArguments replay;
    app.add_option("IN", request.in, "a trace, a recording or a scenario");
    app.add_option("OUT", request.out, "OUT.rep, OUT.script, OUT.jsonl, OUT.iridis or OUT.residue");
    app.add_flag("--balanced", request.balanced, "free at the end what is live, and leave bad frees out");
    app.add_flag("--force", request.force, "overwrite OUT");
    app.add_flag("--json", request.json, "print what was written as JSON");
    replay.AddTo(app);

    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, arguments, failures); !parsed.goOn) return parsed.exitCode;
    request.replay = replay.Check(failures);
    Check(request, failures);
    if (!failures.empty()) return Complain(failures);
    CatchInterrupt();
    return Convert(request);
}

}  // namespace residue::cli
