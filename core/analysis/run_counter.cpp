#include "analysis/run_counter.hpp"

namespace residue::analysis {

using events::Event;
using events::EventKind;

bool RunCounter::IsError(const Event& event) {
    switch (event.kind) {
        case EventKind::AllocateFailed:
        case EventKind::FreeFailed:
        case EventKind::AccessFailed:
        case EventKind::Gap: return true;
        case EventKind::ResizeEnds: return event.Failed();
        default: return false;
    }
}

void RunCounter::Count(const log::LogView& log, Row row, const log::LoggedEvent& logged) {
    const Event& event = logged.event;
    switch (event.kind) {
        case EventKind::Allocated:
            sizes_.Add(event.size);
            Requested(logged);
            break;
        case EventKind::ResizeEnds:
            sizes_.Add(event.size);
            if (event.Failed()) ++counted_.failedRequests;
            else Requested(logged);
            break;
        case EventKind::AllocateFailed:
            sizes_.Add(event.size);
            ++counted_.failedRequests;
            break;
        case EventKind::Freed:
            Ended(logged.block);
            break;
        case EventKind::FreeFailed:
            ++counted_.badFrees;
            break;
        case EventKind::BulkFreed:
        case EventKind::AllocatorDestroyed:
        case EventKind::RegionShrunk:
            for (const BlockId block : log.DiedTogether(row)) Ended(block);
            break;
        default:
            break;
    }
}

void RunCounter::Requested(const log::LoggedEvent& logged) {
    const std::uint32_t block = logged.block.value;
    if (block == 0) return;
    std::uint32_t& newest = newest_[logged.event.thread.value];
    if (newest != 0) isNewest_[newest] = false;
    newest = block;
    if (block >= isNewest_.size()) isNewest_.resize(std::size_t{block} + 1);
    isNewest_[block] = true;
}

void RunCounter::Ended(BlockId block) {
    if (block.value >= isNewest_.size() || !isNewest_[block.value]) return;
    ++counted_.temporaryAllocations;
    isNewest_[block.value] = false;
}

void RunCounter::Peaks::Take(Position position, const Sample& sample) {
    if (position.value > 0) {  // one sample after each call
        sumLive += static_cast<double>(sample.live);
        sumHeap += static_cast<double>(sample.heap);
    }
    heapMissing = heapMissing || (sample.live > 0 && sample.heap == 0);
    if (sample.live > live) {
        live = sample.live;
        heapAtPeakLive = sample.heap;
        livePosition = position;
    }
    if (sample.heap > heap) {
        heap = sample.heap;
        liveAtPeakHeap = sample.live;
    }
}

void RunCounter::Take(Position position, const Sample& sample) { peaks_.Take(position, sample); }

RunMetrics RunCounter::Result(std::optional<std::pair<Position, Sample>> open, bool heapKnown) const {
    Peaks peaks = peaks_;
    if (open) peaks.Take(open->first, open->second);
    RunMetrics run = counted_;
    run.peakLiveBytes = peaks.live;
    run.peakPosition = peaks.livePosition;
    run.medianRequest = sizes_.Median();
    if (!heapKnown || peaks.heapMissing) return run;
    run.peakHeap = peaks.heap;
    const auto ratio = [](double a, double b) -> std::optional<double> {
        if (b == 0) return std::nullopt;
        return a / b;
    };
    const auto overhead = [&](double heap, double live) -> std::optional<double> {
        const auto share = ratio(heap, live);
        return share ? std::optional(*share - 1) : std::nullopt;
    };
    const auto peakLive = static_cast<double>(peaks.live), peakHeap = static_cast<double>(peaks.heap);
    run.peakUtilisation = ratio(peakLive, peakHeap);
    run.overhead1 = overhead(peaks.sumHeap, peaks.sumLive);
    run.overhead2 = overhead(static_cast<double>(peaks.heapAtPeakLive), peakLive);
    run.overhead3 = overhead(peakHeap, static_cast<double>(peaks.liveAtPeakHeap));
    run.overhead4 = overhead(peakHeap, peakLive);
    return run;
}

}  // namespace residue::analysis
