#include "lab/waterfall.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include "lab/live_payloads.hpp"

namespace residue::lab {
namespace {

using Layout = std::map<std::uint64_t, Payload>;  // live payloads by address

std::uint64_t Less(std::uint64_t a, std::uint64_t b) {
    return a > b ? a - b : 0;
}

// What blocks take at the least, by the size of their payload.
class Rooms {
public:
    void See(const Payload& payload, std::uint64_t next) {
        if (next < payload.End()) return;  // they overlap, in a run that went wrong
        const std::uint64_t distance = next - payload.address;
        const auto [at, fresh] = least_.try_emplace(payload.size, distance);
        if (!fresh) at->second = std::min(at->second, distance);
    }
    // Larger payloads take no less. After the last See.
    void Settle() {
        std::uint64_t least = ~std::uint64_t{0};
        for (auto at = least_.rbegin(); at != least_.rend(); ++at) at->second = least = std::min(least, at->second);
    }
    std::uint64_t Of(std::uint64_t size) const {
        const auto at = least_.lower_bound(size);
        return at == least_.end() ? size : std::max(at->second, size);
    }
    std::uint64_t Least() const { return least_.empty() ? 0 : std::max<std::uint64_t>(least_.begin()->second, 1); }

private:
    std::map<std::uint64_t, std::uint64_t> least_;
};

// Goes through the run, in the order of operations, for each of its questions anew.
class Analysis {
public:
    Analysis(const LabTrace& trace, std::span<const Record> records, const std::atomic<bool>* cancelled)
        : trace_(trace), records_(records), count_(std::min(records.size(), trace.ops.size())), cancelled_(cancelled) {}

    std::optional<Waterfall> Make() {
        if (!FindPeakAndRooms() || !FindGrowths() || !TellGaps() || !FindWhoFreed()) return std::nullopt;
        fall_.lost[0] = Less(fall_.heapBytes, fall_.payloadBytes + fall_.lost[1] + fall_.lost[2] + fall_.lost[3]);
        std::stable_sort(fall_.costs.begin(), fall_.costs.end(),
                         [](const Cost& a, const Cost& b) { return a.bytes > b.bytes; });
        return std::move(fall_);
    }

private:
    bool IsCancelled(std::size_t i) const {
        return i % 4096 == 0 && cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed);
    }
    std::uint64_t& Lost(Loss loss) { return fall_.lost[static_cast<unsigned>(loss)]; }

    bool FindPeakAndRooms() {
        LivePayloads live(trace_.slots);
        Layout layout;
        for (std::size_t i = 0; i < count_; ++i) {
            if (IsCancelled(i)) return false;
            const std::uint64_t end = std::max(records_[i].heapEnd, kHeapBase);
            const auto born = [&](const Payload& payload) {
                const auto at = layout.insert_or_assign(payload.address, payload).first;
                const auto next = std::next(at);
                rooms_.See(payload, next == layout.end() ? end : next->first);
                if (at != layout.begin()) rooms_.See(std::prev(at)->second, payload.address);
                lowest_ = std::min(lowest_, payload.address);
            };
            live.Do(trace_.ops[i], records_[i], born, [&](const Payload& died) { layout.erase(died.address); });
            if (live.Bytes() > fall_.payloadBytes) {
                fall_.payloadBytes = live.Bytes();
                fall_.peakOp = i;
            }
        }
        fall_.heapBytes = live.Heap();
        rooms_.Settle();
        fall_.leastBlock = rooms_.Least();
        return true;
    }

    std::uint64_t Front() const { return lowest_ == ~std::uint64_t{0} ? 0 : Less(lowest_, kHeapBase); }

    // Where the heap grew: beside how much room, and after the peak.
    bool FindGrowths() {
        LivePayloads live(trace_.slots);
        std::uint64_t rooms = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            if (IsCancelled(i)) return false;
            const std::uint64_t before = live.Heap(), free = Less(before, Front() + rooms);
            live.Do(
                trace_.ops[i], records_[i], [&](const Payload& born) { rooms += rooms_.Of(born.size); },
                [&](const Payload& died) { rooms -= rooms_.Of(died.size); });
            const std::uint64_t grown = live.Heap() - before;
            if (grown == 0) continue;
            if (before > 0 && std::min(grown, free) >= fall_.leastBlock) fall_.growths.push_back({i, grown, free});
            if (i > fall_.peakOp) {
                Lost(Loss::LateGrowth) += grown;
                fall_.costs.push_back({Loss::LateGrowth, i, grown, kHeapBase + before});
            } else {
                lastGrowth_ = i;
            }
        }
        return true;
    }

    // At the peak: what lies between the payloads.
    bool TellGaps() {
        LivePayloads live(trace_.slots);
        Layout layout;
        std::uint64_t highest = kHeapBase;  // end of any payload so far
        for (std::size_t i = 0; i < count_ && i <= fall_.peakOp; ++i) {
            if (IsCancelled(i)) return false;
            const auto born = [&](const Payload& payload) {
                layout.insert_or_assign(payload.address, payload);
                highest = std::max(highest, payload.End());
            };
            live.Do(trace_.ops[i], records_[i], born, [&](const Payload& died) { layout.erase(died.address); });
        }
        const std::uint64_t end = kHeapBase + live.Heap();
        std::uint64_t at = kHeapBase, own = Front();
        std::uint64_t op = 0;
        for (const auto& [address, payload] : layout) {
            TellGap(at, address, own, op, end);
            at = std::max(at, payload.End());
            own = rooms_.Of(payload.size) - payload.size;
            op = payload.op;
        }
        TellGap(at, end, own, op, highest);
        return true;
    }

    // [from, to) is no live payload; its first `own` bytes belong to the block before it, which `op` made. What lies
    // from `used` on never was a payload's.
    void TellGap(std::uint64_t from, std::uint64_t to, std::uint64_t own, std::uint64_t op, std::uint64_t used) {
        if (to <= from) return;
        std::uint64_t begin = std::min(from + own, to);
        const bool isRoom = to - begin >= fall_.leastBlock && fall_.leastBlock > 0;
        if (!isRoom) begin = to;
        if (begin > from) fall_.costs.push_back({Loss::Overhead, op, begin - from, from});
        const std::uint64_t split = std::clamp(used, begin, to);
        if (split > begin) {
            Lost(Loss::Holes) += split - begin;
            fall_.costs.push_back({Loss::Holes, fall_.peakOp, split - begin, begin});
        }
        if (to > split) {
            Lost(Loss::EarlyGrowth) += to - split;
            fall_.costs.push_back({Loss::EarlyGrowth, lastGrowth_, to - split, split});
        }
    }

    // The largest holes' last payloads.
    bool FindWhoFreed() {
        KeepLargest();
        LivePayloads live(trace_.slots);
        for (std::size_t i = 0; i < count_ && i <= fall_.peakOp; ++i) {
            if (IsCancelled(i)) return false;
            const auto died = [&](const Payload& payload) {
                for (Cost& cost : fall_.costs) {
                    const bool overlaps = payload.address < cost.address + cost.bytes && payload.End() > cost.address;
                    if (cost.loss == Loss::Holes && overlaps) cost.op = i;
                }
            };
            live.Do(trace_.ops[i], records_[i], [](const Payload&) {}, died);
        }
        return true;
    }

    void KeepLargest() {
        std::stable_sort(fall_.costs.begin(), fall_.costs.end(), [](const Cost& a, const Cost& b) {
            return a.loss != b.loss ? a.loss < b.loss : a.bytes > b.bytes;
        });
        std::array<std::size_t, kLosses> kept{};
        std::erase_if(fall_.costs,
                      [&](const Cost& cost) { return kept[static_cast<unsigned>(cost.loss)]++ >= kMostCosts; });
        std::stable_sort(fall_.growths.begin(), fall_.growths.end(), [](const Growth& a, const Growth& b) {
            return std::min(a.grown, a.free) > std::min(b.grown, b.free);
        });
        if (fall_.growths.size() > kMostCosts) fall_.growths.resize(kMostCosts);
    }

    const LabTrace& trace_;
    std::span<const Record> records_;
    std::size_t count_;
    const std::atomic<bool>* cancelled_;
    Rooms rooms_;
    std::uint64_t lowest_ = ~std::uint64_t{0};
    std::uint64_t lastGrowth_ = 0;
    Waterfall fall_;
};

}  // namespace

const char* NameOf(Loss loss) {
    switch (loss) {
        case Loss::Overhead: return "headers and padding";
        case Loss::Holes: return "external holes";
        case Loss::EarlyGrowth: return "grown too early";
        case Loss::LateGrowth: return "grown after the peak";
    }
    return "";
}

std::optional<Waterfall> FallOf(const LabTrace& trace, std::span<const Record> records,
                                const std::atomic<bool>* cancelled) {
    return Analysis(trace, records, cancelled).Make();
}

std::vector<CurveColumn> CurveOf(const LabTrace& trace, std::span<const Record> records, std::size_t columns) {
    const std::size_t count = std::min(records.size(), trace.ops.size());
    std::vector<CurveColumn> curve(std::min(columns, count));
    LivePayloads live(trace.slots);
    std::uint64_t most = 0;
    std::size_t done = 0;
    for (std::size_t c = 0; c < curve.size(); ++c) {
        CurveColumn& column = curve[c];
        column.payloadMin = ~std::uint64_t{0};
        for (const std::size_t end = count * (c + 1) / curve.size(); done < end; ++done) {
            live.Do(trace.ops[done], records[done], [](const Payload&) {}, [](const Payload&) {});
            column.payloadMin = std::min(column.payloadMin, live.Bytes());
            column.payloadMax = std::max(column.payloadMax, live.Bytes());
        }
        most = std::max(most, column.payloadMax);
        column.heap = live.Heap();
        column.utilisation = column.heap == 0 ? 0 : static_cast<double>(most) / static_cast<double>(column.heap);
    }
    return curve;
}

}  // namespace residue::lab
