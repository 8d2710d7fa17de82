// What is told of the lanes of a race beside the figures of their logs: mean search length, throughput, and the pages
// of payloads where a heap is not known. As `residue race` has them (lab/race.hpp).
//
//     LaneScores scores;
//     scores.Look({first, &lane});                 // once a frame: all sessions of the race
//     if (auto score = scores.Of(lane)) ...        // null: not found yet
//
// One lane after the other on a thread of its own, and only once all of them are loaded, so that what is timed is not
// disturbed. Thread: one, as Session.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/trace.hpp"
#include "session/background.hpp"
#include "session/session.hpp"

namespace residue::session {

// A figure that is none is not known, or not yet: the reason says which, as a part of a sentence.
struct LaneScore {
    std::optional<double> searchLength;  // holes looked at, per request that was granted
    std::string noSearch;
    std::optional<double> operationsPerSecond;  // measured, on this machine
    std::string noThroughput;
    std::optional<std::uint64_t> pageBytes;  // of the 4 KiB pages that payloads have ever lain on; only without a heap
};

class LaneScores {
public:
    void TakeTimes(bool timed) { timed_ = timed; }  // else throughput is not measured
    void Look(const std::vector<Session*>& sessions);
    std::shared_ptr<const LaneScore> Of(Session& session) const;
    bool Working() const { return working_; }

private:
    struct Key {
        std::uint64_t revision = 0;  // of the series: no two logs have the same
        log::LogView view;
        bool heapKnown = false, isReplayed = false, isTimed = false;
        std::string trace;
        OpenOptions options;
        friend bool operator==(const Key& a, const Key& b) { return a.revision == b.revision; }
    };
    static Key KeyOf(Session& session);
    static std::shared_ptr<const LaneScore> OfLab(Session& session);
    std::shared_ptr<const LaneScore> Work(const Key& key, const std::atomic<bool>& cancelled);
    void Time(const Key& key, const std::atomic<bool>& cancelled, LaneScore& score);

    std::map<std::uint64_t, std::shared_ptr<const LaneScore>> found_;  // by revision
    bool timed_ = false, working_ = false;

    // The thread's: the trace of all lanes, read once.
    std::string readPath_;
    std::shared_ptr<const lab::LabTrace> read_;
    Background<Key, LaneScore> background_{
        [this](const Key& key, const std::atomic<bool>& cancelled, std::atomic<double>&) {
            return Work(key, cancelled);
        }};  // last: its thread reads what is above
};

}  // namespace residue::session
