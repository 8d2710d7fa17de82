#include "session/series_follower.hpp"

#include <chrono>
#include <system_error>
#include <utility>

namespace residue::session {

SeriesFollower::SeriesFollower(const log::EventLog& log, analysis::Series& series, std::uint64_t leastRows,
                               const std::atomic<bool>& cancelled)
    : log_(log), series_(series), leastRows_(leastRows), cancelled_(cancelled) {
    try {
        thread_ = std::thread([this] {
            try {
                Follow();
            } catch (...) {
                failed_ = std::current_exception();
            }
        });
    } catch (const std::system_error&) {  // then all of it is done afterwards
    }
}

SeriesFollower::~SeriesFollower() {
    stop_.store(true, std::memory_order_relaxed);
    Join();
}

void SeriesFollower::Finish() {
    Join();
    if (failed_) std::rethrow_exception(std::exchange(failed_, nullptr));
}

void SeriesFollower::Follow() {
    constexpr std::uint64_t kBatch = 4096;  // rows between two looks at the flags
    constexpr std::chrono::milliseconds kPause{5};
    bool begun = false;
    while (!stop_.load(std::memory_order_relaxed) && !cancelled_.load(std::memory_order_relaxed)) {
        const bool closed = log_.Closed();  // before the view: then it has all
        const log::LogView view = log_.View();
        if (!begun && view.Rows().value >= leastRows_) {
            series_.BeginWithPayload();
            begun = true;
        }
        const bool atEnd = !begun || series_.Extend(view, kBatch);
        if (begun && series_.NeedsHeap()) return;
        if (!atEnd) continue;
        if (closed) return;
        std::this_thread::sleep_for(kPause);
    }
}

}  // namespace residue::session
