#include "cli/console.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace residue::cli {
namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "written by a signal handler");

constexpr double kQuietSeconds = 0.3;  // what is done by then needs no progress

double Seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void OnInterrupt(int signal) {
    interrupted.store(true, std::memory_order_relaxed);
    std::signal(signal, SIG_DFL);
}

}  // namespace

int Complain(const std::vector<Failure>& failures) {
    for (const Failure& failure : failures) std::fprintf(stderr, "residue: %s\n", failure.Text().c_str());
    return kBadInput;
}

int Complain(const Failure& failure) {
    return Complain(std::vector{failure});
}

void CatchInterrupt() {
    std::signal(SIGINT, OnInterrupt);
}

const std::atomic<bool>& Interrupted() {
    return interrupted;
}

int SayInterrupted() {
    std::fputs("residue: interrupted; nothing was written\n", stderr);
    return kInterrupted;
}

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) == 1), began_(Seconds()) {}

ProgressLine::~ProgressLine() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
}

void ProgressLine::Show(const std::string& doing, double progress) {
    if (!terminal_ || Seconds() - began_ < kQuietSeconds) return;
    shown_ = true;
    if (progress < 0) {
        std::fprintf(stderr, "\r\x1b[K%s …", doing.c_str());
    } else {
        std::fprintf(stderr, "\r\x1b[K%s %3.0f %%", doing.c_str(), progress * 100);
    }
    std::fflush(stderr);
}

bool WaitUntilLoaded(session::Session& session) {
    ProgressLine line;
    // Short waits at first: most files take no time at all.
    for (auto pause = std::chrono::microseconds(200);; pause = std::min(pause * 2, std::chrono::microseconds(50'000))) {
        const session::LoadStatus status = session.Status();
        if (status.phase != session::Phase::Loading) break;
        if (interrupted.load(std::memory_order_relaxed)) {
            session.Cancel();
            break;
        }
        line.Show(status.doing, status.progress);
        std::this_thread::sleep_for(pause);
    }
    session.WaitUntilLoaded();
    return !interrupted.load(std::memory_order_relaxed);
}

std::unique_ptr<session::Session> OpenLoaded(const std::string& path, session::OpenOptions options, int& exitCode) {
    options.index = false;  // a few moments are looked at
    auto session = session::Session::Open(path, options);
    if (!WaitUntilLoaded(*session)) {
        exitCode = SayInterrupted();
        return nullptr;
    }
    if (const session::LoadStatus status = session->Status(); status.phase != session::Phase::Ready) {
        exitCode = Complain(status.failure ? *status.failure : Failure{path, "cannot be read", ""});
        return nullptr;
    }
    session->Tick(0);  // takes in what was loaded
    for (const Warning& warning : session->Warnings()) {
        std::fprintf(stderr, "residue: %s: %s\n", warning.where.c_str(), warning.text.c_str());
    }
    return session;
}

bool OutputIsColoured() {
    const char* none = std::getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) == 1 && (none == nullptr || *none == '\0');
}

int Print(const std::string& text) {
    const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    if (whole && std::fflush(stdout) == 0) return kFine;
    return Complain({"standard output", std::string("cannot be written: ") + std::strerror(errno), ""});
}

}  // namespace residue::cli
