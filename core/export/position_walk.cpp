#include "export/position_walk.hpp"

#include <algorithm>

#include "analysis/metrics.hpp"
#include "model/block_order.hpp"

namespace residue::exports {
namespace {

constexpr std::uint64_t kLong = 200'000;  // rows; shorter logs are walked sooner than put in order
constexpr std::uint64_t kLookEvery = 4096;

}  // namespace

PositionWalk::PositionWalk(const log::LogView& log, const WriteExtras& extras) : log_(log), extras_(extras) {
    if (log.Rows().value >= kLong) {
        auto order = model::BlockOrder::Build(log, extras.cancelled);
        cancelled_ = order == nullptr;
        if (order != nullptr) heap_ = model::HeapModel(std::move(order));
    }
    if (log.Rows().value == 0) return;
    next_ = log.At(Row{});
    firstStamp_ = stamp_ = next_.event.stamp;
}

analysis::Sample PositionWalk::Sample() const {
    analysis::Sample sample;
    sample.live = sum_.payload;
    if (!sum_.heapKnown) return sample;
    sample.heap = sum_.heap;
    if (!sum_.partsTold) return sample;
    sample.fragmentation = static_cast<float>(analysis::ExternalFragmentation(sum_.largestHole, sum_.free));
    return sample;
}

analysis::RunMetrics PositionWalk::Run() const {
    return counter_.Result(std::pair{position_, Sample()}, sum_.heapKnown);
}

std::optional<double> PositionWalk::Seconds() const {
    const log::SourceInfo& source = log_.Source();
    if (source.clock != log::Clock::Ticks || !(source.ticksPerSecond > 0)) return std::nullopt;
    return static_cast<double>(stamp_ - firstStamp_) / source.ticksPerSecond;
}

// False: cancelled.
bool PositionWalk::Look() {
    const Row row = heap_.Applied();
    if (row.value % kLookEvery != 0) return true;
    if (extras_.cancelled != nullptr) cancelled_ = extras_.cancelled->load(std::memory_order_relaxed);
    if (extras_.progress != nullptr) {
        const double share = static_cast<double>(row.value) / static_cast<double>(log_.Rows().value);
        extras_.progress->store(share, std::memory_order_relaxed);
    }
    return !cancelled_;
}

void PositionWalk::Take() {
    const Row row = heap_.Applied();
    heap_.Apply(log_, next_);
    counter_.Count(log_, row, next_);
    stamp_ = std::max(stamp_, next_.event.stamp);
    if (heap_.Applied() < log_.Rows()) next_ = log_.At(heap_.Applied());
}

bool PositionWalk::Next() {
    if (cancelled_ || (began_ && position_ == log_.Positions())) return false;
    if (began_) {
        counter_.Take(position_, Sample());
        for (bool ended = false; !ended;) {
            if (!Look()) return false;
            ended = next_.event.EndsCall();
            Take();
        }
        ++position_;
    }
    began_ = true;
    while (heap_.Applied() < log_.Rows() && next_.event.Trails()) {
        if (!Look()) return false;
        Take();
    }
    sum_ = heap_.Sum();
    return true;
}

}  // namespace residue::exports
