// residue record [-o FILE] [--call-traces HOW] [--depth N] [--limit BYTES] [--drop] -- PROGRAM ARGS...
// Ends as the program ends: with its exit code, or 128 and the signal that killed it.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

#include "analysis/format.hpp"
#include "analysis/series.hpp"
#include "capture/capture.hpp"
#include "capture/growing_file.hpp"
#include "cli/arguments.hpp"
#include "cli/capture_arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "log/native_file.hpp"

namespace residue::cli {
namespace {

std::atomic<int> toPass{0};  // a signal for the program
void PassOn(int signal) { toPass.store(signal, std::memory_order_relaxed); }

// The file, written along by the thread that makes rows.
class Writing {
public:
    explicit Writing(std::unique_ptr<capture::GrowingFile> file) : file_(std::move(file)), stream_(*file_) {}

    void Follow(const log::LogView& log) {
        using Clock = std::chrono::steady_clock;
        constexpr auto kPause = std::chrono::milliseconds(500);
        if (failure_) return;
        const bool whole = log.Rows().value - stream_.RowsWritten() >= log::kChunkRows;
        if (!whole && Clock::now() - last_ < kPause) return;
        if (const auto updated = stream_.Update(log); !updated) failure_ = updated.error();
        last_ = Clock::now();
    }
    Outcome<void> Finish(const log::LogView& log) {
        if (failure_) return Fail(*failure_);
        if (auto written = stream_.Finish(log); !written) return written;
        return file_->Commit();
    }
    void Discard() { file_->Discard(); }
    const std::optional<Failure>& Trouble() const { return failure_; }

private:
    std::unique_ptr<capture::GrowingFile> file_;
    log::NativeStream stream_;
    std::chrono::steady_clock::time_point last_{};
    std::optional<Failure> failure_;
};

std::string HowItEnded(const capture::Ended& ended) {
    if (ended.signal == 0) return "exit code " + std::to_string(ended.exitCode);
    return std::string("killed by signal ") + std::to_string(ended.signal) + " (" + strsignal(ended.signal) + ")";
}

// One line on the error stream: the program's own output stays as it is.
void Summarise(const log::LogView& log, const capture::Capture::Status& status, const std::string& file) {
    analysis::Series series;
    series.BeginWithPayload();
    while (!series.Extend(log, 1 << 20) && !series.NeedsHeap()) {}
    std::string text = "residue: " + log.Source().name;
    if (status.ended) text += ", " + HowItEnded(*status.ended);
    text += ": " + analysis::FormatCount(log.Positions().value) + " calls in " + file;
    if (!series.NeedsHeap() && log.Rows().value > 0) {
        text += ", at most " + analysis::FormatBytes(series.MaxLive()) + " alive";
    }
    const capture::Channel::Counted& counted = status.counted;
    if (counted.dropped != 0) text += "; " + analysis::FormatCount(counted.dropped) + " events were LOST";
    std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace

int RecordCommand(const Arguments& arguments) {
    const auto [before, program] = capture::SplitAtProgram(arguments);
    CLI::App app("Runs a program and writes down every allocation and free in it.\n"
                 "residue record [-o FILE] [OPTIONS] -- PROGRAM ARGUMENTS...", "residue record");
    std::string output;
    capture::OptionTexts how;
    app.add_option("-o,--output", output, "the recording (PROGRAM.residue)");
    AddCaptureOptions(app, how);
    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, before, failures); !parsed.goOn) return parsed.exitCode;
    capture::CaptureOptions options = capture::CheckOptions(how, failures);
    if (program.empty()) {
        failures.push_back({"residue record", "no program", "residue record -o FILE -- PROGRAM ARGUMENTS..."});
    }
    if (!failures.empty()) return Complain(failures);
    if (output.empty()) output = program[0].substr(program[0].rfind('/') + 1) + ".residue";

    auto file = capture::GrowingFile::Create(output);
    if (!file) return Complain(file.error());
    log::EventLog log;
    Writing writing(std::move(*file));
    options.afterRound = [&] { writing.Follow(log.View()); };
    // Ctrl-C is the program's: it comes to both.
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGQUIT, SIG_IGN);
    for (const int signal : {SIGTERM, SIGHUP}) std::signal(signal, PassOn);
    const auto capture = capture::Capture::Start(program, options, log);
    if (!capture) {
        writing.Discard();
        return Complain(capture.error());
    }
    while ((*capture)->Now().running) {
        if (const int signal = toPass.exchange(0)) (*capture)->Kill(signal);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    const capture::Capture::Status ended = (*capture)->Now();
    {
        ProgressLine line;
        for (auto status = ended; status.recording; status = (*capture)->Now()) {
            line.Show("writing", -1);
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        (*capture)->Wait();
    }
    const log::LogView view = log.View();
    for (const Warning& warning : (*capture)->Warnings()) {
        std::fprintf(stderr, "residue: %s: %s\n", warning.where.c_str(), warning.text.c_str());
    }
    if (const auto written = writing.Finish(view); !written) return Complain(written.error());
    Summarise(view, (*capture)->Now(), output);
    return ended.ended ? ended.ended->AsShell() : kBadInput;
}

}  // namespace residue::cli
