// Sessions side by side: the same trace through other allocators, or from a position on under other rules. All are at
// the position of the first one, which is the window's.
//
//     Lanes lanes;
//     lanes.Add(Session::Open(path, options));
//     lanes.Tick(*first, seconds);                  // once a frame
//     const auto found = lanes.Compare(*first);     // asked each frame, found on a thread
//
// Thread: one, as Session.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "session/background.hpp"
#include "session/lane_scores.hpp"
#include "session/session.hpp"

namespace residue::session {

// Where sessions part. Positions count from 1, as "after N calls"; none: nowhere.
struct LanesCompared {
    // After which two lanes differ for the first time: their blocks lie at other offsets from the first block of each,
    // or one was refused what the other got.
    std::optional<Position> divergence;
    std::optional<Position> failure;      // the first refused request of any lane
    std::optional<Position> widest;       // where known heaps differ most, for the first time
    std::uint64_t gap = 0;                // bytes they differ there
};

class Lanes {
public:
    static constexpr std::size_t kMost = 7;  // beside the first

    void Add(std::unique_ptr<Session> lane);
    std::unique_ptr<Session> Remove(std::size_t index);
    std::vector<std::unique_ptr<Session>> Clear();
    std::size_t Count() const { return lanes_.size(); }
    Session& At(std::size_t index) { return *lanes_[index]; }

    // Each goes on reading, and to where the first one is. A student's allocator that was saved is run again: its newer
    // run takes the place of the lane, which is given out.
    std::vector<std::unique_ptr<Session>> Tick(Session& first, double seconds);
    bool Working() const;  // what is shown of them will change by itself
    // Not fresh before all of them are read; one that failed does not take part.
    Reply<LanesCompared> Compare(Session& first);
    LaneScores& Scores() { return *scores_; }
    const LaneScores& Scores() const { return *scores_; }

    Lanes() = default;
    Lanes(Lanes&&) = default;
    Lanes& operator=(Lanes&&) = default;

private:
    struct Key {
        std::vector<log::LogView> views;
        std::vector<const analysis::Series*> series;
        std::uint64_t number = 0;
        friend bool operator==(const Key& a, const Key& b) { return a.number == b.number; }
    };
    static std::shared_ptr<const LanesCompared> Work(const Key& key, const std::atomic<bool>& cancelled,
                                                     std::atomic<double>& progress);
    void StopComparing();

    std::vector<std::unique_ptr<Session>> lanes_;
    std::uint64_t number_ = 1;  // of the set of lanes
    std::unique_ptr<LaneScores> scores_ = std::make_unique<LaneScores>();
    std::unique_ptr<Background<Key, LanesCompared>> comparing_;  // its thread reads the lanes: gone before any of them
};

}  // namespace residue::session
