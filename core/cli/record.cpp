// residue record [-o FILE] [--follow] [--call-traces HOW] [--depth N] [--limit BYTES] [--drop | --wait]
//     -- PROGRAM ARGS...
// Ends as the program ends: with its exit code, or 128 and the signal that killed it.
// residue record [-o FILE] [...] --attach PID: one that runs already. Ends with it, or at a signal: it goes on then.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <thread>

#include "capture/attach.hpp"
#include "cli/arguments.hpp"
#include "cli/capture_arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/recording.hpp"

namespace residue::cli {
namespace {

std::atomic<int> toPass{0};  // a signal for the program
void PassOn(int signal) { toPass.store(signal, std::memory_order_relaxed); }

// Those that the program, or a child of it, has started.
class Children {
public:
    Children(std::string path, const capture::CaptureOptions& options) : path_(std::move(path)), options_(options) {}

    void TakeNew(capture::Capture& program) {
        for (capture::Child& child : program.NewChildren()) Take(std::move(child));
    }
    // Those that are over are written and let go. True: there are more.
    bool FinishThoseOver() {
        for (auto at = running_.begin(); at != running_.end();) {
            if (!(*at)->IsOver()) {
                ++at;
                continue;
            }
            if (const auto written = (*at)->Finish(); !written) Failed(written.error());
            at = running_.erase(at);
        }
        return !running_.empty();
    }
    // All recordings together stay within the limit that one has: else the largest ends.
    void KeepWithinLimit(Recording& program) {
        Recording* largest = nullptr;
        std::uint64_t resident = 0, bytes = 0;
        const auto look = [&](Recording& recording) {
            if (recording.IsOver()) return;
            resident += recording.ResidentBytes();
            bytes += recording.Bytes();
            if (largest == nullptr || recording.Bytes() > largest->Bytes()) largest = &recording;
        };
        look(program);
        for (const auto& child : running_) look(*child);
        if (largest != nullptr && (resident >= options_.mostLog || bytes >= options_.mostInAll))
            largest->Process().DetachAtLimit();
    }
    void LeaveAlone() {
        for (const auto& child : running_) child->Process().Detach();
        for (const auto& child : running_) {
            if (const auto written = child->Finish(); !written) Failed(written.error());
        }
        running_.clear();
    }
    bool AnyFailed() const { return failed_; }

private:
    // A process id that came a second time gets a file of its own.
    std::string PathFor(pid_t process) {
        const std::string path = PathOfChild(path_, process);
        const int times = ++times_[process];
        return times == 1 ? path : PathOfChild(path, times);
    }
    void Take(capture::Child child) {
        auto recording = Recording::Create(PathFor(child.process));
        if (!recording) return Failed(recording.error());
        if (const auto adopted = (*recording)->Adopt(std::move(child), options_); !adopted) {
            (*recording)->Discard();
            return Failed(adopted.error());
        }
        running_.push_back(std::move(*recording));
    }
    void Failed(const Failure& failure) {
        failed_ = true;
        (void)Complain(failure);
    }

    std::string path_;
    capture::CaptureOptions options_;
    std::vector<std::unique_ptr<Recording>> running_;
    std::map<pid_t, int> times_;
    bool failed_ = false;
};

constexpr auto kNap = std::chrono::milliseconds(2);

// Children may outlive the program. A second signal leaves them alone.
void FollowChildren(Recording& program, Children& children) {
    while (children.FinishThoseOver()) {
        if (toPass.exchange(0) != 0) return children.LeaveAlone();
        children.TakeNew(program.Process());
        children.KeepWithinLimit(program);
        std::this_thread::sleep_for(kNap);
    }
}

// Once the program is over. A signal ends that, too: the recording then has what was written so far.
void WaitUntilWritten(capture::Capture& process) {
    ProgressLine line;
    toPass.store(0, std::memory_order_relaxed);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, PassOn);
    std::uint64_t all = 1;
    for (capture::Capture::Status now = process.Now(); now.recording; now = process.Now()) {
        all = std::max(all, now.waiting);
        line.Show("writing down the rest", 1 - static_cast<double>(now.waiting) / static_cast<double>(all));
        if (toPass.exchange(0) != 0) process.LeaveOutTheRest();
        std::this_thread::sleep_for(kNap);
    }
}

// Why the two do not go together, and what else cannot be.
void CheckAttach(const capture::OptionTexts& how, const Arguments& program, std::vector<Failure>& failures) {
    if (!program.empty()) {
        failures.push_back({"--attach", "there is a program to start, too", "one of the two"});
    }
    if (how.follow) {
        failures.push_back({"--follow", "a program that is attached to hands the recorder on to nobody that it starts",
                            "residue record --follow -- PROGRAM ARGUMENTS..."});
    }
}

// The program is not ours: no signal of ours is passed on to it.
int RecordAttached(pid_t process, std::string output, const capture::CaptureOptions& options) {
    const auto name = capture::CheckAttachable(process);
    if (!name) return Complain(name.error());
    if (output.empty()) output = *name + ".residue";
    auto recording = Recording::Create(output);
    if (!recording) return Complain(recording.error());
    for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) std::signal(signal, PassOn);
    if (const auto attached = (*recording)->Attach(process, options); !attached) {
        (*recording)->Discard();
        return Complain(attached.error());
    }
    std::fprintf(stderr, "residue: attached to %s, process %d; Ctrl-C ends the recording, and the program goes on\n",
                 name->c_str(), static_cast<int>(process));
    capture::Capture& watched = (*recording)->Process();
    while (watched.Now().recording && toPass.load(std::memory_order_relaxed) == 0) std::this_thread::sleep_for(kNap);
    watched.Detach();
    WaitUntilWritten(watched);
    if (const auto written = (*recording)->Finish(); !written) return Complain(written.error());
    return kFine;
}

}  // namespace

int RecordCommand(const Arguments& arguments) {
    const auto [before, program] = capture::SplitAtProgram(arguments);
    CLI::App app("Runs a program and writes down every allocation and free in it.\n"
                 "residue record [-o FILE] [OPTIONS] -- PROGRAM ARGUMENTS...\n"
                 "residue record [-o FILE] [OPTIONS] --attach PID", "residue record");
    std::string output;
    capture::OptionTexts how;
    app.add_option("-o,--output", output, "the recording (PROGRAM.residue)");
    AddCaptureOptions(app, how);
    app.add_flag("--follow", how.follow, capture::OptionTexts::kFollowHelp);
    app.add_option("--attach", how.attach, capture::OptionTexts::kAttachHelp);
    std::vector<Failure> failures;
    if (const Parsed parsed = Parse(app, before, failures); !parsed.goOn) return parsed.exitCode;
    const capture::CaptureOptions options = capture::CheckOptions(how, failures);
    if (how.process) {
        CheckAttach(how, program, failures);
    } else if (program.empty() && how.attach.empty()) {
        failures.push_back({"residue record", "no program", "residue record -o FILE -- PROGRAM ARGUMENTS..."});
    }
    if (!failures.empty()) return Complain(failures);
    if (how.process) return RecordAttached(*how.process, output, options);
    if (output.empty()) output = program[0].substr(program[0].rfind('/') + 1) + ".residue";

    auto recording = Recording::Create(output);
    if (!recording) return Complain(recording.error());
    Children children(output, options);
    // Ctrl-C is the program's: it comes to both.
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGQUIT, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow further is a failed write
    for (const int signal : {SIGTERM, SIGHUP}) std::signal(signal, PassOn);
    if (const auto started = (*recording)->Start(program, options); !started) {
        (*recording)->Discard();
        return Complain(started.error());
    }
    capture::Capture& process = (*recording)->Process();
    while (process.Now().running) {
        if (const int signal = toPass.exchange(0)) process.Kill(signal);
        children.TakeNew(process);
        (void)children.FinishThoseOver();
        children.KeepWithinLimit(**recording);
        std::this_thread::sleep_for(kNap);
    }
    const std::optional<capture::Ended> ended = process.Now().ended;
    children.TakeNew(process);
    FollowChildren(**recording, children);
    WaitUntilWritten(process);
    if (const auto written = (*recording)->Finish(); !written) return Complain(written.error());
    return ended && !children.AnyFailed() ? ended->AsShell() : kBadInput;
}

}  // namespace residue::cli
