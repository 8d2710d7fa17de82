// Builds a series on a thread of its own while its log is being read, as far as that goes without a heap
// (Series::BeginWithPayload): so a timeline is seen while a long recording loads, and is nearly done when that is.
//
// A log of few rows is left alone: it is quicker done afterwards. Nobody else may build the series before Finish.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>

#include "analysis/series.hpp"
#include "log/event_log.hpp"

namespace residue::session {

class SeriesFollower {
public:
    // Logs of less than `leastRows` are left alone. What is passed must live as long. `cancelled` stops it.
    SeriesFollower(const log::EventLog& log, analysis::Series& series, std::uint64_t leastRows,
                   const std::atomic<bool>& cancelled);
    ~SeriesFollower();  // stops it
    SeriesFollower(const SeriesFollower&) = delete;
    SeriesFollower& operator=(const SeriesFollower&) = delete;

    // Waits until it has come as far as it can in a log that is closed, or was cancelled. Throws what it met.
    void Finish();

private:
    void Follow();
    void Join() {
        if (thread_.joinable()) thread_.join();
    }

    const log::EventLog& log_;
    analysis::Series& series_;
    const std::uint64_t leastRows_;
    const std::atomic<bool>& cancelled_;
    std::atomic<bool> stop_{false};
    std::exception_ptr failed_;
    std::thread thread_;
};

}  // namespace residue::session
