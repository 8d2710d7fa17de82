#include "cli/recording.hpp"

#include <chrono>
#include <cstdio>
#include <cstring>

#include "analysis/format.hpp"
#include "analysis/series.hpp"

namespace residue::cli {
namespace {

constexpr std::uint64_t kMostSummarised = 50'000'000;  // rows: a second or two

std::string HowItEnded(const capture::Ended& ended) {
    if (!ended.known) return "ended";
    if (ended.signal == 0) return "exit code " + std::to_string(ended.exitCode);
    return std::string("killed by signal ") + std::to_string(ended.signal) + " (" + strsignal(ended.signal) + ")";
}

}  // namespace

Outcome<std::unique_ptr<Recording>> Recording::Create(const std::string& path) {
    auto file = capture::GrowingFile::Create(path);
    if (!file) return Fail(file.error());
    return std::unique_ptr<Recording>(new Recording(path, std::move(*file)));
}

Outcome<void> Recording::Keep(Outcome<std::unique_ptr<capture::Capture>> started) {
    if (!started) return Fail(started.error());
    capture_ = std::move(*started);
    return {};
}

// Nobody looks at it while it is made: the program comes first.
capture::CaptureOptions Recording::Behind(capture::CaptureOptions options) {
    waits_ = options.channel.whenFull == capture::WhenFull::Wait;
    options.eagerFrom = options.mostWaiting / 4;
    options.afterRound = [this] { WriteAlong(); };
    return options;
}

Outcome<void> Recording::Start(const std::vector<std::string>& program, capture::CaptureOptions options) {
    return Keep(capture::Capture::Start(program, Behind(std::move(options)), log_));
}

Outcome<void> Recording::Adopt(capture::Child child, capture::CaptureOptions options) {
    return Keep(capture::Capture::Adopt(std::move(child), Behind(std::move(options)), log_));
}

Outcome<void> Recording::Attach(pid_t process, capture::CaptureOptions options) {
    return Keep(capture::Capture::AttachTo(process, Behind(std::move(options)), log_));
}

void Recording::WriteAlong() {
    using Clock = std::chrono::steady_clock;
    constexpr auto kPause = std::chrono::milliseconds(500);
    if (failure_) return;
    const log::LogView log = log_.View();
    const bool whole = log.Rows().value - stream_.RowsWritten() >= log::kChunkRows;
    if (!whole && Clock::now() - lastWrite_ < kPause) return;
    if (const auto updated = stream_.Update(log); !updated) failure_ = updated.error();
    lastWrite_ = Clock::now();
}

bool Recording::IsOver() const { return !capture_->Now().recording; }

Outcome<void> Recording::Finish() {
    capture_->Wait();
    for (const Warning& warning : capture_->Warnings()) {
        std::fprintf(stderr, "residue: %s: %s\n", warning.where.c_str(), warning.text.c_str());
    }
    if (failure_) return Fail(*failure_);
    if (auto written = stream_.Finish(log_.View()); !written) return written;
    if (auto kept = file_->Commit(); !kept) return kept;
    Summarise();
    return {};
}

void Recording::Discard() { file_->Discard(); }

// One line on the error stream: the program's own output stays as it is.
void Recording::Summarise() const {
    const log::LogView log = log_.View();
    const capture::Capture::Status status = capture_->Now();
    analysis::Series series;
    series.BeginWithPayload();
    const bool soon = log.Rows().value <= kMostSummarised;
    while (soon && !series.Extend(log, 1 << 20) && !series.NeedsHeap()) {}
    std::string text = "residue: " + log.Source().name;
    if (status.ended) text += ", " + HowItEnded(*status.ended);
    else text += ", left while it ran";
    text += ": " + analysis::FormatCount(log.Positions().value) + " calls in " + path_;
    if (soon && !series.NeedsHeap() && log.Rows().value > 0) {
        text += ", at most " + analysis::FormatBytes(series.MaxLive()) + " alive";
        if (status.midLife) text += " of what it allocated since";
    }
    const capture::Channel::Counted& counted = status.counted;
    if (counted.dropped != 0) {
        text += "; " + analysis::FormatCount(counted.dropped) + " events were LOST";
        if (!waits_) text += ", as the program was faster than its recorder (with --wait it would have waited)";
    }
    if (counted.others) text += "; processes that it started were not watched (--follow watches them too)";
    std::fprintf(stderr, "%s\n", text.c_str());
}

std::string PathOfChild(const std::string& path, pid_t child) {
    const std::size_t name = path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1;
    const std::size_t dot = path.rfind('.');
    const std::size_t at = dot == std::string::npos || dot <= name ? path.size() : dot;
    return path.substr(0, at) + "." + std::to_string(child) + path.substr(at);
}

}  // namespace residue::cli
