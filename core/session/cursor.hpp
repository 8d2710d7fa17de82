// What all sessions share: a log with its series, and the user's place in it. A concrete session only fills the log
// on a thread of its own and says how far it is.
//
// Threads: `log_` and `series_` are filled by the source's threads; everything else belongs to the caller's thread.
#pragma once

#include <atomic>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "model/checkpoints.hpp"
#include "model/heap_gatherer.hpp"
#include "session/analyst.hpp"
#include "session/background.hpp"
#include "session/series_follower.hpp"
#include "session/session.hpp"

namespace residue::session {

class CursorSession : public Session {
public:
    explicit CursorSession(std::string path, OpenOptions options);

    LoadStatus Status() const override;
    void Cancel() override { cancelled_.store(true, std::memory_order_relaxed); }
    std::vector<Warning> Warnings() const override;
    const std::string& Path() const override { return path_; }
    std::string Title() const override;
    std::string Subtitle() const override;
    const OpenOptions& Options() const override { return options_; }

    bool Tick(double seconds, std::uint64_t budgetRows) override;

    const log::LogView& View() const override { return view_; }
    const analysis::Series& Series() const override { return series_; }
    const model::HeapModel& Heap() const override { return heap_; }

    Position Now() const override { return now_; }
    Position End() const override { return view_.Positions(); }
    bool Settled() const override { return settled_; }
    void SeekTo(Position position) override;
    void StepBy(std::int64_t positions) override;
    Row NowRow() const override { return Row{view_.RowsAt(now_).value + within_}; }
    void SeekToRow(Row rows) override;
    bool JumpToError(bool forward) override;
    void JumpToPeak() override;
    bool FollowsEnd() const override { return followsEnd_; }
    void FollowEnd(bool follow) override;

    bool Playing() const override { return playing_; }
    void Play(bool playing) override;
    double Speed() const override { return speed_; }
    void SetSpeed(double positionsPerSecond) override;

    AllocatorId Shown() const override;
    void Show(AllocatorId allocator) override { shown_ = allocator; }

    std::optional<Row> PresentRow() const override;
    const std::optional<analysis::FailureReport>& PresentFailure() override;
    const analysis::Metrics& PresentMetrics() override;
    const analysis::Mapped& PresentMapped() override;
    const analysis::MappedSteps& MappedOverTime() override;
    const std::vector<analysis::Leak>& PresentLeaks() override;
    const std::vector<analysis::CallNode>& PresentCallTree() override;
    std::uint64_t ProbesOfPresent() const override;
    session::Analyst& Analyst() override { return analyst_; }
    bool Working() const override {
        return leaks_.background.Busy() || callTree_.background.Busy() || analyst_.Working();
    }
    InsideAnswer PresentInside() override { return inside_.Ask(view_, Shown(), now_); }

protected:
    AllocatorId ChosenAllocator() const { return shown_; }  // by Show; 0: none was
    bool Cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
    // For the source's threads.
    void SetDoing(const char* what);
    void SetSubtitle(std::string subtitle);
    void AddWarnings(std::vector<Warning> warnings);
    void SetPhase(Phase phase, std::optional<Failure> failure = std::nullopt);
    // Runs what a thread of the source does. Where memory runs out the session has failed, and says so.
    template <class Work>
    void Guard(Work work) noexcept {
        try {
            work();
        } catch (const std::bad_alloc&) {
            log_.Close();
            SetPhase(Phase::Failed, OutOfMemory());
        }
    }
    // Builds the series up to the log's end; false if cancelled meanwhile.
    bool ExtendSeries();
    // The same for a log to which nothing more comes; then makes what lets it be gone through by far leaps
    // (model/block_order.hpp), if it is long enough to need that. `follower` may have built some of it meanwhile.
    bool ExtendToWhole(SeriesFollower* follower = nullptr);
    // Reads a whole log: `read` fills and closes the one that it is given, and gives a Result of a summary that has
    // warnings; `tell` takes what the log says of its source, and the summary. Ends with a phase. Where the options
    // have a fork, what is read is forked.
    template <class Read, class Tell>
    void LoadWhole(Read read, Tell tell) {
        SetDoing("reading");
        if (options_.fork) {
            log::EventLog recorded;
            if (!TakeWhole(recorded, read(recorded), tell)) return;
            return LoadFork(recorded.View());
        }
        SeriesFollower follower(log_, series_, kLongLog, cancelled_);
        if (!TakeWhole(log_, read(log_), tell)) return;
        SetDoing("indexing");
        SetPhase(ExtendToWhole(&follower) ? Phase::Ready : Phase::Cancelled);
    }
    // The fork of the options, of a log that is whole. Ends with a phase.
    void LoadFork(const log::LogView& recorded);

    log::EventLog log_;
    analysis::Series series_;
    model::Checkpoints checkpoints_;
    std::atomic<bool> cancelled_{false};
    std::atomic<double> progress_{-1};

private:
    // False: it was not read, and the phase says so.
    template <class Summary, class Tell>
    bool TakeWhole(const log::EventLog& log, Summary summary, Tell tell) {
        if (Cancelled()) SetPhase(Phase::Cancelled);
        else if (!summary) SetPhase(Phase::Failed, summary.error());
        if (Cancelled() || !summary) return false;
        AddWarnings(std::move(summary->warnings));
        tell(log.View().Source(), *summary);
        return true;
    }

    static constexpr std::uint64_t kLongLog = 200'000;  // rows; up to there checkpoints of entries are as good

    // What was computed for a moment; thrown away when the moment is another one.
    struct Cached {
        Row row{log::kNever};
        AllocatorId allocator{};
        bool failure = false, metrics = false;
        std::optional<analysis::FailureReport> failureReport;
        analysis::Metrics measured;
    };
    // Costs O(live blocks). Of many blocks on a thread of its own: an older answer is shown meanwhile. Of few at once,
    // and while the heap moves by itself every quarter of a second.
    struct HeapKey {
        log::LogView view;
        std::shared_ptr<const model::HeapModel> heap;
        Row row{};
        friend bool operator==(const HeapKey& a, const HeapKey& b) { return a.row == b.row; }
    };
    template <class T>
    struct Slow {
        using Compute = T (*)(const log::LogView&, const model::HeapModel&);
        explicit Slow(Compute compute);
        Compute compute;
        Row row{log::kNever};
        double at = 0;
        std::shared_ptr<const T> value = std::make_shared<const T>();
        Background<HeapKey, T> background;
    };
    template <class T>
    const T& Refresh(Slow<T>& slow);

    bool MoveHeap(Row target, std::uint64_t budgetRows);
    bool WorthGathering(Row target) const;
    Position PositionShowing(Row row) const;
    Cached& CacheForNow();

    const std::string path_;
    const OpenOptions options_;

    mutable std::mutex statusLock_;
    LoadStatus status_;
    std::string subtitle_;
    std::vector<Warning> warnings_;

    log::LogView view_;
    analysis::Mapped mapped_;
    analysis::MappedSteps mappedSteps_;
    model::HeapModel heap_;
    std::unique_ptr<model::HeapGatherer> gatherer_;  // on its way to replace heap_
    bool plain_ = true;                              // until a gatherer said that the log is not
    Position now_{};
    std::uint64_t within_ = 0;  // rows behind those of now_ that are shown too
    bool settled_ = true;
    bool followsEnd_ = false;
    bool playing_ = false;
    double speed_ = 8;
    double owed_ = 0;  // positions that playback has yet to move
    AllocatorId shown_{};
    double clock_ = 0;  // seconds that Tick was told of
    Cached cached_;
    InsideSource inside_;
    Slow<std::vector<analysis::Leak>> leaks_{analysis::FindLeaks};
    Slow<std::vector<analysis::CallNode>> callTree_{analysis::BuildCallTree};
    session::Analyst analyst_{*this};  // last: its threads read what is above
};

}  // namespace residue::session
