// The heap after every call of a log, one position after the other: what the writers of figures go through.
//
//     PositionWalk walk(log, extras);
//     while (walk.Next()) Use(walk.At(), walk.Sum(), walk.Run());
//     if (walk.Cancelled()) ...
//
// Cost: 0.2 to 1 us an event; a long log is put in order first (model/block_order.hpp), which takes 20 bytes a block.
// Sets `extras.progress`, heeds `extras.cancelled`. Internal to export/. One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "analysis/metrics.hpp"
#include "analysis/run_counter.hpp"
#include "export/trace_writer.hpp"
#include "log/event_log.hpp"
#include "model/heap_model.hpp"

namespace residue::exports {

class PositionWalk {
public:
    PositionWalk(const log::LogView& log, const WriteExtras& extras);

    // To position 0 at first, then to the next one. False: there is none, or it was cancelled.
    bool Next();
    bool Cancelled() const { return cancelled_; }

    Position At() const { return position_; }
    Row Rows() const { return heap_.Applied(); }  // that lead here
    const model::HeapModel& Heap() const { return heap_; }
    const model::Totals& Sum() const { return sum_; }
    analysis::RunMetrics Run() const;       // over all positions up to here
    std::optional<double> Seconds() const;  // since the first event; nothing where the log has no time. Never falls

private:
    void Take();
    bool Look();
    analysis::Sample Sample() const;

    const log::LogView& log_;
    const WriteExtras& extras_;
    model::HeapModel heap_;
    analysis::RunCounter counter_;
    model::Totals sum_;
    log::LoggedEvent next_;  // the row at Rows(), where there is one
    Position position_{};
    std::uint64_t firstStamp_ = 0, stamp_ = 0;  // of the first row; the latest so far
    bool began_ = false, cancelled_ = false;
};

}  // namespace residue::exports
