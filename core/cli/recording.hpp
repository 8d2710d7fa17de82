// One process that `residue record` writes down: its log, its file, and the thread that fills both.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/capture.hpp"
#include "capture/growing_file.hpp"
#include "log/event_log.hpp"
#include "log/native_file.hpp"

namespace residue::cli {

class Recording {
public:
    // Makes the file; nothing of the name is touched before Finish.
    static Outcome<std::unique_ptr<Recording>> Create(const std::string& path);

    Outcome<void> Start(const std::vector<std::string>& program, capture::CaptureOptions options);
    Outcome<void> Adopt(capture::Child child, capture::CaptureOptions options);
    Outcome<void> Attach(pid_t process, capture::CaptureOptions options);
    capture::Capture& Process() { return *capture_; }

    std::uint64_t ResidentBytes() const { return log_.ResidentBytes(); }
    std::uint64_t Bytes() const { return log_.ResidentBytes() + log_.SpilledBytes(); }
    bool IsOver() const;        // the process has ended, or is left alone, and all is in the log: Finish does not wait
    // Waits for the rest, writes it, and says how it went in one line on the error stream.
    Outcome<void> Finish();
    void Discard();             // where it could not be started
    const std::string& Path() const { return path_; }

private:
    Recording(std::string path, std::unique_ptr<capture::GrowingFile> file)
        : path_(std::move(path)), file_(std::move(file)), stream_(*file_) {}
    Outcome<void> Keep(Outcome<std::unique_ptr<capture::Capture>> started);
    capture::CaptureOptions Behind(capture::CaptureOptions options);
    void WriteAlong();          // on the thread that makes rows
    void Summarise() const;

    std::string path_;
    std::unique_ptr<capture::GrowingFile> file_;
    log::NativeStream stream_;
    std::optional<Failure> failure_;
    bool waits_ = false;  // the program for us, for as long as it takes
    std::chrono::steady_clock::time_point lastWrite_{};
    log::EventLog log_;
    std::unique_ptr<capture::Capture> capture_;  // uses all of the above: gone first
};

// "out.residue", 4711 -> "out.4711.residue".
std::string PathOfChild(const std::string& path, pid_t child);

}  // namespace residue::cli
