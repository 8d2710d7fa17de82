// Writes a file without holding up its caller, on a thread of its own: a session's log as .residue (its view is a
// snapshot: a session that goes on meanwhile is saved up to where it was), or anything else.
//
// Thread: one; the destructor cancels and waits (a cancelled save leaves no file behind, and an older one untouched).
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::session {

class Saver {
public:
    Saver() = default;
    ~Saver();
    Saver(const Saver&) = delete;
    Saver& operator=(const Saver&) = delete;

    // Writes the file, on the thread. What does not look at `cancelled` is waited for.
    using Work = std::function<Outcome<void>(const std::atomic<bool>& cancelled, std::atomic<double>& progress)>;

    // False: one is already being written.
    bool Start(std::string path, Work work);
    bool Start(log::LogView log, const std::string& path);
    bool Busy() const { return thread_.joinable(); }
    double Progress() const { return progress_.load(std::memory_order_relaxed); }  // 0..1

    struct Done {
        std::string path;
        std::optional<Failure> failure;
    };
    // Once, when a save has ended.
    std::optional<Done> Take();

private:
    std::thread thread_;
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> finished_{false};
    std::atomic<double> progress_{0};
    Done done_;  // the thread's until finished_
};

}  // namespace residue::session
