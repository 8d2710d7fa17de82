#include "session/cursor.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/block_order.hpp"
#include "model/nesting.hpp"
#include "replay/log_fork.hpp"

namespace residue::session {
namespace {

constexpr std::uint64_t kSeriesBatch = 4096;  // rows between two looks at the cancel flag
constexpr double kFastest = 1e12;             // positions a second; beyond it is "as fast as it can"

std::string FileName(const std::string& path) {
    const auto slash = path.find_last_of('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

bool IsFailedRequest(const events::Event& event) {
    return event.kind == events::EventKind::AllocateFailed ||
           (event.kind == events::EventKind::ResizeEnds && event.Failed());
}

}  // namespace

CursorSession::CursorSession(std::string path, OpenOptions options)
    : path_(std::move(path)), options_(std::move(options)) {}

LoadStatus CursorSession::Status() const {
    const std::lock_guard lock(statusLock_);
    LoadStatus status = status_;
    status.progress = progress_.load(std::memory_order_relaxed);
    if (status.failure && status.failure->where.empty()) status.failure->where = Title();
    return status;
}

std::vector<Warning> CursorSession::Warnings() const {
    const std::lock_guard lock(statusLock_);
    return warnings_;
}

std::string CursorSession::Title() const { return FileName(path_); }

std::string CursorSession::Subtitle() const {
    const std::lock_guard lock(statusLock_);
    return subtitle_;
}

void CursorSession::SetDoing(const char* what) {
    const std::lock_guard lock(statusLock_);
    status_.doing = what;
}

void CursorSession::SetSubtitle(std::string subtitle) {
    const std::lock_guard lock(statusLock_);
    subtitle_ = std::move(subtitle);
}

void CursorSession::AddWarnings(std::vector<Warning> warnings) {
    const std::lock_guard lock(statusLock_);
    warnings_.insert(warnings_.end(), std::make_move_iterator(warnings.begin()),
                     std::make_move_iterator(warnings.end()));
}

void CursorSession::SetPhase(Phase phase, std::optional<Failure> failure) {
    const std::lock_guard lock(statusLock_);
    status_.phase = phase;
    if (failure) status_.failure = std::move(failure);
}

bool CursorSession::ExtendSeries() {
    while (true) {
        const bool done = series_.Extend(log_.View(), kSeriesBatch);
        checkpoints_.Offer(series_.Head());
        if (done) return true;
        if (Cancelled()) return false;
    }
}

bool CursorSession::ExtendToWhole(SeriesFollower* follower) {
    const log::LogView view = log_.View();
    if (view.Rows().value < kLongLog) {
        if (follower != nullptr) follower->Finish();
        return ExtendSeries();
    }
    if (!options_.index && follower != nullptr) {
        follower->Finish();
        if (!series_.NeedsHeap() && series_.Applied().value > 0) {
            if (!ExtendSeries()) return false;
            series_.Settle();
            return true;
        }
    }
    SetDoing("ordering the blocks of");
    auto order = model::BlockOrder::Build(view, &cancelled_, &progress_);  // while the follower goes on
    SetDoing("indexing");
    progress_.store(0, std::memory_order_relaxed);
    if (follower != nullptr) follower->Finish();
    if (order == nullptr || Cancelled()) return false;
    model::Checkpoints checkpoints(model::Checkpoints::ForOrdered());
    const auto walk = [&](auto step, const model::HeapModel& head) {
        while (!step()) {
            checkpoints.Offer(head);
            progress_.store(static_cast<double>(head.Applied().value) / static_cast<double>(view.Rows().value),
                            std::memory_order_relaxed);
            if (Cancelled()) return false;
        }
        return true;
    };
    if (series_.Applied().value == 0) {
        series_.Begin(view, std::move(order));
        if (!walk([&] { return series_.Extend(view, kSeriesBatch); }, series_.Head())) return false;
    } else {
        if (series_.NeedsHeap()) series_.Begin(view, order);
        if (series_.Applied() < view.Rows() && !ExtendSeries()) return false;
        series_.Settle();
        model::HeapModel walker(std::move(order));
        if (!walk([&] { return walker.Advance(view, view.Rows(), kSeriesBatch); }, walker)) return false;
    }
    checkpoints_.Take(std::move(checkpoints));
    return true;
}

void CursorSession::LoadFork(const log::LogView& recorded) {
    SetDoing("forking");
    const auto change = replay::ForkLog(recorded, *options_.fork, log_, cancelled_, &progress_);
    log_.Close();
    if (Cancelled()) return SetPhase(Phase::Cancelled);
    if (!change) return SetPhase(Phase::Failed, change.error());
    SetSubtitle(Subtitle() + (Subtitle().empty() ? "" : " · ") + *change);
    SetDoing("indexing");
    SetPhase(ExtendToWhole() ? Phase::Ready : Phase::Cancelled);
}

bool CursorSession::Tick(double seconds, std::uint64_t budgetRows) {
    view_ = log_.View();
    analyst_.Tick();
    clock_ += seconds;
    const Position end = End();
    const Position before = now_;
    if (playing_ && !followsEnd_) {
        if (speed_ >= kFastest) {
            // As fast as it can: onwards whenever the model has caught up, by as much as one frame can do.
            if (settled_) now_ = std::min(end, now_ + std::max<std::uint64_t>(budgetRows / 4, 1));
        } else {
            owed_ += speed_ * seconds;
            const double whole = std::floor(owed_);
            owed_ -= whole;
            now_ = std::min(end, now_ + static_cast<std::uint64_t>(whole));
        }
        if (now_ == end && !IsLive()) Play(false);
    }
    if (followsEnd_) now_ = end;
    now_ = std::min(now_, end);
    if (now_ != before) within_ = 0;
    settled_ = MoveHeap(NowRow(), budgetRows);
    return settled_;
}

// Is stepping there dearer than to begin anew from the table of blocks?
bool CursorSession::WorthGathering(Row target) const {
    if (!plain_ || heap_.IsOrdered()) return false;
    const Row at = heap_.Applied();
    if (view_.MayOverlap()) {  // a gathered heap could not be stepped back
        if (options_.index) return false;
        if (target < at) return true;
    }
    const std::uint64_t distance = target > at ? target.value - at.value : at.value - target.value;
    if (distance < kLongLog) return false;
    return distance > 2 * model::HeapGatherer::CostInRows(view_, heap_.Sum().blocks);
}

// False: it is on its way.
bool CursorSession::MoveHeap(Row target, std::uint64_t budgetRows) {
    if (const auto closer = checkpoints_.Closer(heap_.Applied(), target)) {
        heap_ = *closer;
        gatherer_.reset();
    }
    if (gatherer_ != nullptr) {  // on its way to where nobody wants to be any more?
        const Row there = gatherer_->Target();
        const std::uint64_t distance = there > target ? there.value - target.value : target.value - there.value;
        if (distance > kLongLog && !followsEnd_) gatherer_.reset();
    }
    if (gatherer_ == nullptr && WorthGathering(target)) {
        gatherer_ = std::make_unique<model::HeapGatherer>(view_, target);
    }
    if (gatherer_ != nullptr) {
        if (!gatherer_->Step(budgetRows)) return false;
        auto gathered = gatherer_->Take();
        gatherer_.reset();
        plain_ = gathered.has_value();
        if (plain_) heap_ = std::move(*gathered);
        return heap_.Applied() == target;
    }
    constexpr std::uint64_t kOrderedSteps = 5;  // as many cost what one of entries does
    return heap_.Advance(view_, target, heap_.IsOrdered() ? budgetRows * kOrderedSteps : budgetRows);
}

void CursorSession::SeekTo(Position position) {
    now_ = std::min(position, End());
    within_ = 0;
    followsEnd_ = false;
    owed_ = 0;
    settled_ = heap_.Applied() == view_.RowsAt(now_);
}

void CursorSession::SeekToRow(Row rows) {
    rows = std::min(rows, view_.Rows());
    // The last position that shows no more than that.
    std::uint64_t low = 0, high = End().value;
    while (low < high) {
        const std::uint64_t middle = low + (high - low + 1) / 2;
        if (view_.RowsAt(Position{middle}) <= rows) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    SeekTo(Position{low});
    within_ = rows.value - std::min(rows.value, view_.RowsAt(now_).value);
    settled_ = heap_.Applied() == NowRow();
}

void CursorSession::StepBy(std::int64_t positions) {
    const std::uint64_t distance = positions < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(positions)
                                                 : static_cast<std::uint64_t>(positions);
    if (positions < 0) {
        const std::uint64_t whole = within_ != 0 && distance > 0 ? distance - 1 : distance;  // back to now_ is a step
        SeekTo(now_ - std::min(whole, now_.value));
    } else {
        SeekTo(now_ + std::min(distance, End().value - now_.value));
    }
}

// The first position at which `row` is applied.
Position CursorSession::PositionShowing(Row row) const {
    std::uint64_t low = 0, high = End().value;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (view_.RowsAt(Position{middle}) > row) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return Position{low};
}

bool CursorSession::JumpToError(bool forward) {
    const Row shown = view_.RowsAt(now_);
    Row row{log::kNever};
    if (forward) {
        row = view_.NextError(shown);
    } else if (now_.value > 0) {
        row = view_.PreviousError(view_.RowsAt(now_ - 1));
    }
    if (row.value == log::kNever) return false;
    Play(false);
    SeekTo(PositionShowing(row));
    return true;
}

void CursorSession::JumpToPeak() {
    Play(false);
    SeekTo(series_.Run().peakPosition);
}

void CursorSession::FollowEnd(bool follow) {
    followsEnd_ = follow;
    if (follow) {
        playing_ = false;
        now_ = End();
        within_ = 0;
        settled_ = heap_.Applied() == view_.RowsAt(now_);
    }
}

void CursorSession::Play(bool playing) {
    if (playing && now_ == End() && !IsLive()) SeekTo(Position{});  // again from the start
    if (playing) followsEnd_ = false;
    playing_ = playing;
    owed_ = 0;
}

void CursorSession::SetSpeed(double positionsPerSecond) {
    if (!(positionsPerSecond > 0)) return;
    speed_ = positionsPerSecond;
}

AllocatorId CursorSession::Shown() const {
    const auto& all = heap_.Allocators();
    if (shown_ && heap_.Find(shown_)) return shown_;
    // The user chose none: the newest one that is alive, else the newest; where its heap lies in another one's, the
    // outermost of these, in whose heap all are seen.
    for (auto candidate = all.rbegin(); candidate != all.rend(); ++candidate) {
        if (candidate->alive) return model::RootOf(heap_, candidate->id);
    }
    return all.empty() ? AllocatorId{} : model::RootOf(heap_, all.back().id);
}

std::optional<Row> CursorSession::PresentRow() const {
    if (now_.value == 0) return std::nullopt;
    const Row first = view_.RowsAt(now_ - 1);
    for (Row row = view_.RowsAt(now_); row > first;) {
        --row;
        if (view_.At(row).event.EndsCall()) return row;
    }
    return std::nullopt;
}

CursorSession::Cached& CursorSession::CacheForNow() {
    const AllocatorId shown = Shown();
    if (cached_.row != heap_.Applied() || cached_.allocator != shown) {
        cached_ = Cached{};
        cached_.row = heap_.Applied();
        cached_.allocator = shown;
    }
    return cached_;
}

const std::optional<analysis::FailureReport>& CursorSession::PresentFailure() {
    Cached& cached = CacheForNow();
    if (!settled_) {
        static const std::optional<analysis::FailureReport> none;
        return none;
    }
    if (!cached.failure) {
        cached.failure = true;
        const auto row = PresentRow();
        if (row && IsFailedRequest(view_.At(*row).event)) {
            cached.failureReport = analysis::ExplainFailure(view_, heap_, *row);
        }
    }
    return cached.failureReport;
}

const analysis::Mapped& CursorSession::PresentMapped() {
    mapped_.MoveTo(view_, heap_.Applied());  // as the blocks that are shown
    return mapped_;
}

const analysis::MappedSteps& CursorSession::MappedOverTime() {
    mappedSteps_.Update(view_);
    return mappedSteps_;
}

const analysis::Metrics& CursorSession::PresentMetrics() {
    Cached& cached = CacheForNow();
    if (!cached.metrics) {
        cached.metrics = settled_;  // on its way: measured again at the next call
        const auto row = PresentRow();
        std::uint64_t interest = series_.Run().medianRequest;
        if (row) {
            const auto event = view_.At(*row).event;
            if (IsFailedRequest(event)) interest = event.size;
        }
        cached.measured = analysis::Measure(heap_, cached.allocator, interest);
    }
    return cached.measured;
}

template <class T>
CursorSession::Slow<T>::Slow(Compute computes)
    : compute(computes),
      background([computes](const HeapKey& key, const std::atomic<bool>&, std::atomic<double>&) {
          return std::make_shared<const T>(computes(key.view, *key.heap));
      }) {}

template <class T>
const T& CursorSession::Refresh(Slow<T>& slow) {
    constexpr double kPatience = 0.25;
    constexpr std::uint64_t kMany = 20'000;
    const Row row = heap_.Applied();
    std::uint64_t blocks = 0;
    for (const model::AllocatorState& allocator : heap_.Allocators()) blocks += allocator.totals.blocks;
    if (blocks > kMany) {
        if (slow.row == row) return *slow.value;
        const auto reply = slow.background.Ask({view_, std::make_shared<const model::HeapModel>(heap_), row});
        if (reply.value != nullptr) slow.value = reply.value;
        if (reply.fresh) slow.row = row;
        return *slow.value;
    }
    const bool moving = playing_ || followsEnd_ || !settled_;
    if (slow.row != row && (!moving || clock_ - slow.at >= kPatience || slow.row.value == log::kNever)) {
        slow.value = std::make_shared<const T>(slow.compute(view_, heap_));
        slow.row = row;
        slow.at = clock_;
    }
    return *slow.value;
}

const std::vector<analysis::Leak>& CursorSession::PresentLeaks() { return Refresh(leaks_); }

const std::vector<analysis::CallNode>& CursorSession::PresentCallTree() { return Refresh(callTree_); }

std::uint64_t CursorSession::ProbesOfPresent() const {
    const auto row = PresentRow();
    if (!row) return 0;
    const auto event = view_.At(*row).event;
    return event.kind == events::EventKind::Allocated ? event.Probes() : 0;
}

}  // namespace residue::session
