#include "session/lanes.hpp"

#include <algorithm>
#include <utility>

#include "session/lab.hpp"

namespace residue::session {

namespace {

using events::Event;
using events::EventKind;

constexpr std::uint64_t kLookEvery = 1 << 14;  // positions between two looks at the cancel flag

// What a call came to: the row that ended it.
class Outcomes {
public:
    explicit Outcomes(const log::LogView& log) : log_(log) {}
    // The next call's; false: there is none.
    bool Next() {
        while (row_ < log_.Rows()) {
            event_ = log_.At(row_).event;
            ++row_;
            if (event_.EndsCall()) {
                if (IsBirth() && !first_) first_ = event_.address;
                return true;
            }
        }
        return false;
    }
    bool IsBirth() const {
        return event_.kind == EventKind::Allocated || (event_.kind == EventKind::ResizeEnds && !event_.Failed());
    }
    bool IsRefused() const {
        return event_.kind == EventKind::AllocateFailed || (event_.kind == EventKind::ResizeEnds && event_.Failed());
    }
    // From the first block; only of one that has bytes.
    std::uint64_t Offset() const { return IsBirth() && event_.size != 0 ? event_.address - first_.value_or(0) : 0; }

private:
    const log::LogView& log_;
    Row row_{};
    Event event_;
    std::optional<std::uint64_t> first_;
};

}  // namespace

void Lanes::StopComparing() {
    comparing_.reset();
    ++number_;
}

void Lanes::Add(std::unique_ptr<Session> lane) {
    if (lane == nullptr || lanes_.size() >= kMost) return;
    StopComparing();
    lanes_.push_back(std::move(lane));
}

std::unique_ptr<Session> Lanes::Remove(std::size_t index) {
    if (index >= lanes_.size()) return nullptr;
    StopComparing();
    std::unique_ptr<Session> removed = std::move(lanes_[index]);
    lanes_.erase(lanes_.begin() + static_cast<std::ptrdiff_t>(index));
    return removed;
}

std::vector<std::unique_ptr<Session>> Lanes::Clear() {
    StopComparing();
    return std::exchange(lanes_, {});
}

std::vector<std::unique_ptr<Session>> Lanes::Tick(Session& first, double seconds) {
    std::vector<std::unique_ptr<Session>> replaced;
    std::vector<Session*> all = {&first};
    for (auto& lane : lanes_) {
        Lab* const lab = lane->GetLab();
        if (auto newer = lab != nullptr ? lab->TakeNewer() : nullptr) {
            StopComparing();
            replaced.push_back(std::exchange(lane, std::move(newer)));
        }
        if (lane->Now() != std::min(first.Now(), lane->End())) lane->SeekTo(first.Now());
        lane->Tick(seconds);
        all.push_back(lane.get());
    }
    if (!lanes_.empty()) scores_->Look(all);
    return replaced;
}

bool Lanes::Working() const {
    if (lanes_.empty()) return false;
    if (comparing_ != nullptr && comparing_->Busy()) return true;
    if (scores_->Working()) return true;
    return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
        return lane->Status().phase == Phase::Loading || !lane->Settled() || lane->Working();
    });
}

Reply<LanesCompared> Lanes::Compare(Session& first) {
    Key key;
    key.number = number_;
    const auto add = [&](Session& session) {
        if (session.Status().phase == Phase::Loading) return false;
        if (session.Status().phase != Phase::Ready) return true;
        key.views.push_back(session.View());
        key.series.push_back(&session.Series());
        return true;
    };
    bool all = add(first);
    for (const auto& lane : lanes_) all = add(*lane) && all;
    if (!all || key.views.size() < 2) return {};
    if (comparing_ == nullptr) comparing_ = std::make_unique<Background<Key, LanesCompared>>(Work);
    return comparing_->Ask(key);
}

std::shared_ptr<const LanesCompared> Lanes::Work(const Key& key, const std::atomic<bool>& cancelled,
                                                 std::atomic<double>& progress) {
    LanesCompared found;
    std::vector<Outcomes> lanes;
    std::uint64_t positions = 0;
    for (const log::LogView& view : key.views) {
        lanes.emplace_back(view);
        positions = std::max(positions, view.Positions().value);
    }
    for (std::uint64_t position = 1; position <= positions && !(found.divergence && found.failure); ++position) {
        if (position % kLookEvery == 0) {
            if (cancelled.load(std::memory_order_relaxed)) return nullptr;
            progress.store(static_cast<double>(position) / static_cast<double>(positions) / 2);
        }
        bool differ = false, refused = false;
        for (std::size_t i = 0; i < lanes.size(); ++i) {
            const bool there = lanes[i].Next();
            refused |= there && lanes[i].IsRefused();
            differ |= there && i > 0 &&
                      (lanes[i].IsRefused() != lanes[0].IsRefused() || lanes[i].Offset() != lanes[0].Offset());
        }
        if (differ && !found.divergence) found.divergence = Position{position};
        if (refused && !found.failure) found.failure = Position{position};
    }
    // Heaps, a column a position.
    constexpr std::size_t kColumns = 4096;
    std::vector<const analysis::Series*> known;
    for (const analysis::Series* series : key.series) {
        if (series->HeapKnown()) known.push_back(series);
    }
    std::vector<analysis::SeriesColumn> columns;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> heaps;  // the least and the most
    for (std::uint64_t from = 0; known.size() > 1 && from <= positions; from += kColumns) {
        if (cancelled.load(std::memory_order_relaxed)) return nullptr;
        progress.store(0.5 + static_cast<double>(from) / static_cast<double>(positions + 1) / 2);
        const std::size_t count = std::min<std::uint64_t>(kColumns, positions + 1 - from);
        heaps.assign(count, {~std::uint64_t{0}, 0});
        for (const analysis::Series* series : known) {
            series->Columns(Position{from}, Position{from + count}, count, columns);
            for (std::size_t i = 0; i < count; ++i) {
                heaps[i].first = std::min(heaps[i].first, columns[i].heapMax);
                heaps[i].second = std::max(heaps[i].second, columns[i].heapMax);
            }
        }
        for (std::size_t i = 0; i < count; ++i) {
            if (heaps[i].second < heaps[i].first || heaps[i].second - heaps[i].first <= found.gap) continue;
            found.gap = heaps[i].second - heaps[i].first;
            found.widest = Position{from + i};
        }
    }
    return std::make_shared<const LanesCompared>(found);
}

}  // namespace residue::session
