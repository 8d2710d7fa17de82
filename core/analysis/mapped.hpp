// The memory that a recorded program had mapped for its heap, as it was seen now and then (Event::IsSampledRegion):
// what holds of it at any moment, and how much it was over time. Between two looks it is as at the earlier one, so a
// peak may be missed, and blocks may lie outside of it.
//
//     Mapped mapped;                       // kept, and asked again and again
//     mapped.MoveTo(view, session.NowRow());
//     for (const MappedRange& range : mapped.Ranges()) ...
//
// Cost: of a move, in order of the changes between the two moments; backwards from the beginning. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/ids.hpp"
#include "log/event_log.hpp"

namespace residue::analysis {

struct MappedRange {
    std::uint64_t begin = 0, end = 0;
    friend bool operator==(const MappedRange&, const MappedRange&) = default;
};

class Mapped {
public:
    // `row`: how many rows are applied. `log`: of one and the same log, at whatever length.
    void MoveTo(const log::LogView& log, Row row);
    std::vector<MappedRange> Ranges() const;  // in order of address; none touch
    std::uint64_t Bytes() const { return bytes_; }
    bool Any() const { return !ranges_.empty(); }

private:
    void Apply(const events::Event& event);
    void Remove(std::uint64_t begin, std::uint64_t end);

    std::map<std::uint64_t, std::uint64_t> ranges_;  // end by begin
    std::uint64_t bytes_ = 0, applied_ = 0;          // of LogView::SampledRegions
};

// How much was mapped from a position on.
struct MappedStep {
    Position from{};
    std::uint64_t bytes = 0;
};

// Of all of a log, a step for each position at which it changed. Grows with the log: Update takes what is new.
class MappedSteps {
public:
    void Update(const log::LogView& log);
    const std::vector<MappedStep>& Steps() const { return steps_; }
    std::uint64_t Most() const { return most_; }
    // The least and the most in [from, to), from < to; 0 where nothing was seen yet.
    std::pair<std::uint64_t, std::uint64_t> Between(Position from, Position to) const;

private:
    Mapped mapped_;
    std::vector<MappedStep> steps_;
    std::uint64_t taken_ = 0, most_ = 0;
};

}  // namespace residue::analysis
