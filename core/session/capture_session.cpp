#include "session/capture_session.hpp"

#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "capture/attach.hpp"

namespace residue::session {

namespace {
std::string NameOf(const std::vector<std::string>& arguments) {
    if (arguments.empty()) return "program";
    return arguments[0].substr(arguments[0].rfind('/') + 1);
}

std::string TextOf(const capture::Ended& ended) {
    if (!ended.known) return "ended";
    if (ended.signal == 0) return "exit code " + std::to_string(ended.exitCode);
    return "killed by signal " + std::to_string(ended.signal) + " (" + ::strsignal(ended.signal) + ")";
}
}  // namespace

CaptureSession::CaptureSession(std::vector<std::string> arguments, capture::CaptureOptions options)
    : CursorSession("", OpenOptions{}), name_(NameOf(arguments)) {
    Begin(capture::Capture::Start(arguments, options, log_));
    if (!capture_ || !options.channel.follow) return;
    options.channel.follow = false;
    processesFollower_ = std::thread([this, options] { FollowProcesses(options); });
}

CaptureSession::CaptureSession(capture::Child child, const capture::CaptureOptions& options)
    : CursorSession("", OpenOptions{}), childName_(child.name) {
    Begin(capture::Capture::Adopt(std::move(child), options, log_));
}

CaptureSession::CaptureSession(pid_t process, const capture::CaptureOptions& options)
    : CursorSession("", OpenOptions{}), name_(capture::CheckAttachable(process).value_or("program")) {
    Begin(capture::Capture::AttachTo(process, options, log_));
}

void CaptureSession::Begin(Outcome<std::unique_ptr<capture::Capture>> capture) {
    FollowEnd(true);
    if (!capture) {
        whole_.store(true, std::memory_order_release);
        SetPhase(Phase::Failed, capture.error());
        return;
    }
    capture_ = std::move(*capture);
    SetPhase(Phase::Ready);
    const capture::Capture::Status now = capture_->Now();
    SetSubtitle("live · process " + std::to_string(now.program) + (now.midLife ? " · attached in mid-life" : ""));
    if (now.midLife) AddWarnings({{name_, std::string(capture::kMidLifeWarning)}});
    follower_ = std::thread([this] { Guard([this] { Follow(); }); });
}

CaptureSession::~CaptureSession() {
    Cancel();
    if (follower_.joinable()) follower_.join();
    if (processesFollower_.joinable()) processesFollower_.join();
}

// A process waits for its answer when it begins to allocate: so not at the pace of whoever draws.
void CaptureSession::FollowProcesses(const capture::CaptureOptions& options) {
    constexpr std::chrono::milliseconds kPause{2}, kLongPause{20};  // the second: when the program has ended
    std::size_t come = 0;
    while (!Cancelled()) {
        for (capture::Child& child : capture_->NewChildren()) {
            try {
                if (++come > kMostProcesses) throw std::bad_alloc();
                auto session = std::make_unique<CaptureSession>(std::move(child), options);
                const std::lock_guard lock(processesLock_);
                newProcesses_.push_back(std::move(session));
            } catch (const std::bad_alloc&) {
                unfollowed_.fetch_add(1, std::memory_order_relaxed);
            }
        }
        std::this_thread::sleep_for(IsLive() ? kPause : kLongPause);
    }
}

std::vector<std::unique_ptr<Session>> CaptureSession::TakeProcesses() {
    const std::lock_guard lock(processesLock_);
    return std::exchange(newProcesses_, {});
}

void CaptureSession::Follow() {
    constexpr std::chrono::milliseconds kPause{2};
    while (!log_.Closed() && !Cancelled()) {
        const Row before = log_.View().Rows();
        if (!ExtendSeries()) return;
        if (log_.View().Rows() == before) std::this_thread::sleep_for(kPause);
    }
    if (Cancelled() || !ExtendToWhole()) return;
    const capture::Capture::Status now = capture_->Now();
    if (now.outOfMemory) SetPhase(Phase::Failed, OutOfMemory());
    AddWarnings(capture_->Warnings());
    SetSubtitle((now.midLife ? "recorded live, from mid-life on" : "recorded live") +
                (now.ended ? " · " + TextOf(*now.ended) : std::string(" · left while it ran")));
    whole_.store(true, std::memory_order_release);
}

void CaptureSession::Cancel() {
    CursorSession::Cancel();
    StopRecording();
}

void CaptureSession::WaitUntilLoaded() {
    if (follower_.joinable()) follower_.join();
}

std::string CaptureSession::Title() const { return childName_ ? childName_->Get() : name_; }

void CaptureSession::StopRecording() {
    if (capture_) capture_->Detach();
}

void CaptureSession::StopAtLimit() {
    if (capture_) capture_->DetachAtLimit();
}

void CaptureSession::EndProgram() {
    if (capture_) capture_->Kill(SIGTERM);
}

bool CaptureSession::Tick(double seconds, std::uint64_t budgetRows) {
    if (capture_) {
        const capture::Capture::Status now = capture_->Now();
        state_.process = static_cast<int>(now.program);
        state_.running = now.running;
        state_.recording = now.recording;
        state_.seen = now.attached;
        state_.midLife = now.midLife;
        if (now.ended) state_.ended = TextOf(*now.ended);
        state_.laneFill = now.fill;
        state_.received = now.counted.taken;
        state_.lost = now.counted.dropped;
        state_.waiting = now.waiting;
        state_.threads = now.counted.threads;
        state_.spilled = now.spilled;
        state_.others = now.counted.others;
        state_.unfollowed = now.counted.unfollowed + unfollowed_.load(std::memory_order_relaxed);
        state_.waitedSeconds = static_cast<double>(now.counted.waited) / 1e9;
        sinceRate_ += seconds;
        if (sinceRate_ >= 0.25) {
            state_.eventsPerSecond = static_cast<double>(state_.received - rateFrom_) / sinceRate_;
            rateFrom_ = state_.received;
            sinceRate_ = 0;
        }
    }
    return CursorSession::Tick(seconds, budgetRows);
}

}  // namespace residue::session
