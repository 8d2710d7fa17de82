#include "replay/log_fork.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <new>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/checked.hpp"
#include "log/appender.hpp"
#include "replay/host.hpp"
#include "replay/resize.hpp"

namespace residue::replay {
namespace {

using events::Event;
using events::EventFlag;
using events::EventKind;
using log::LoggedEvent;

constexpr std::uint64_t kLookEvery = 4096;  // rows between two looks at `cancelled`
constexpr std::size_t kLeastAlignment = 8;
constexpr std::uint8_t kMostAlignmentLog2 = 30;

tl::unexpected<Failure> Cancelled() { return Fail(Failure{"", "cancelled", ""}); }

// Names of frames, from the log that was forked.
class NamesOfLog final : public symbols::Symbolizer {
public:
    explicit NamesOfLog(log::LogView log) : log_(std::move(log)) {}

    symbols::Frame Resolve(std::uint64_t address) override {
        const std::lock_guard lock(lock_);
        for (; indexed_ < log_.Traces(); ++indexed_) {
            const TraceId trace{indexed_ + 1};
            traces_.emplace(log_.FrameAddress(trace), trace);
        }
        const auto found = traces_.find(address);
        if (found == traces_.end()) return symbols::Frame{fmt::format("{:#x}", address), {}};
        return log_.TopFrame(found->second);
    }

private:
    const log::LogView log_;
    std::mutex lock_;
    std::uint32_t indexed_ = 0;
    std::unordered_map<std::uint64_t, TraceId> traces_;
};

// What the new allocator tells, on its way into the log: with the recorded call's stamp, thread and call trace.
class ForkSink final : public events::EventSink {
public:
    ForkSink(log::Appender& appender, AllocatorId next) : appender_(appender), next_(next) {}

    void Follow(const Event& recorded) { recorded_ = recorded; }
    bool RanOutOfMemory() const { return outOfMemory_; }

    std::uint64_t Begin() noexcept override { return recorded_.stamp; }
    void Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept override {
        if (outOfMemory_ || count == 0) return;
        Event first = records[0];
        first.stamp = stamp;
        first.thread = recorded_.thread;
        first.trace = recorded_.trace;
        try {
            appender_.Append(&first, 1);
            appender_.Append(records + 1, count - 1);
        } catch (const std::bad_alloc&) {
            outOfMemory_ = true;
        }
    }
    TraceId Capture(unsigned) noexcept override { return recorded_.trace; }
    AllocatorId NextAllocatorId() noexcept override { return next_; }

private:
    log::Appender& appender_;
    const AllocatorId next_;
    Event recorded_;
    bool outOfMemory_ = false;
};

class Forking {
public:
    Forking(const log::LogView& of, const Fork& fork, log::EventLog& into, const std::atomic<bool>& cancelled,
            std::atomic<double>* progress)
        : of_(of), fork_(fork), into_(into), appender_(into), cancelled_(cancelled), progress_(progress),
          rows_(fork.after == 0 ? Row{} : of.RowsAt(Position{fork.after})) {}
    ~Forking() { GiveBack(); }
    Forking(const Forking&) = delete;
    Forking& operator=(const Forking&) = delete;

    Outcome<std::string> Run() {
        if (fork_.after >= of_.Positions().value) {
            return Fail(Failure{"fork", fmt::format("after event {}", fork_.after),
                                fmt::format("less than {}, as many as there are", of_.Positions().value)});
        }
        const auto figures = Survey();
        if (!figures) return Cancelled();
        auto host = Host::Make(*figures, fork_.allocator, fork_.capacity);
        if (!host) return Fail(Failure{"fork: " + host.error().where, host.error().what, host.error().expected});
        host_ = std::move(*host);
        const std::string change = fmt::format("from event {} on {}{}", fork_.after, host_->entry.title,
                                               fork_.capacity ? fmt::format(" of {} B", *fork_.capacity) : "");
        TellSource(change);
        if (!CopyRows()) return Cancelled();
        if (lastId_.value == std::numeric_limits<std::uint16_t>::max()) {
            return Fail(Failure{"fork", "the recording has too many allocators", "an id that is free for another one"});
        }
        sink_.emplace(appender_, AllocatorId{static_cast<std::uint16_t>(lastId_.value + 1)});
        EndTheRecorded();
        PlaceAfresh();
        if (!GoOn()) return Cancelled();
        if (sink_->RanOutOfMemory()) return Fail(OutOfMemory());
        return change;
    }

private:
    struct Slot {
        void* address = nullptr;  // null: it is not live, or had no room
        std::uint64_t size = 0;
    };
    // What a call did to a block of the program's.
    struct Change {
        enum class Kind : std::uint8_t { Allocate, Refused, Free, Resize };
        Kind kind;
        Row row;
        BlockId block{};
        BlockId old{};  // Resize: what it was before
    };

    bool Look(Row row) {
        if (row.value % kLookEvery != 0) return true;
        if (progress_ != nullptr) {
            progress_->store(static_cast<double>(row.value) / static_cast<double>(of_.Rows().value),
                             std::memory_order_relaxed);
        }
        return !cancelled_.load(std::memory_order_relaxed);
    }

    // ---- before ----

    // How large a heap it needs, and which blocks are regions of children. Nothing: cancelled.
    std::optional<import::TraceFigures> Survey() {
        import::TraceFigures figures;
        std::uint64_t live = 0;
        std::vector<Change> changes;
        for (Row row{}; row < of_.Rows(); ++row) {
            if (row.value % kLookEvery == 0 && cancelled_.load(std::memory_order_relaxed)) return std::nullopt;
            const LoggedEvent logged = of_.At(row);
            const bool isRegion = logged.event.kind == EventKind::AllocatorCreated ||
                                  logged.event.kind == EventKind::RegionGrown;
            if (isRegion && logged.event.Has(EventFlag::Region) && logged.block) regions_.insert(logged.block.value);
            changes.clear();
            Collect(row, logged, changes);
            for (const Change& change : changes) {
                const bool ends = change.kind == Change::Kind::Free || change.kind == Change::Kind::Resize;
                if (ends) live -= std::min(live, SizeOf(change.old ? change.old : change.block));
                if (change.kind == Change::Kind::Free) continue;
                figures.overflowed = figures.overflowed || !CheckedAdd(live, logged.event.size);
                const bool stays = change.kind != Change::Kind::Refused;
                figures.peakLiveBytes = std::max(figures.peakLiveBytes, SaturatingAdd(live, logged.event.size));
                if (stays) live = SaturatingAdd(live, logged.event.size);
                ++figures.allocations;
            }
        }
        return figures;
    }

    std::uint64_t SizeOf(BlockId block) const { return of_.Birth(block).event.size; }

    void TellSource(const std::string& change) {
        log::SourceInfo source = of_.Source();
        source.provenance += (source.provenance.empty() ? "" : "; ") + change;
        if (fork_.after == 0) source.payloadsOnly = {};  // nothing of them is there
        lastId_ = source.payloadsOnly;
        into_.SetSource(std::move(source));
        for (std::uint32_t id = 1; id <= of_.Traces(); ++id) {
            into_.AddTrace(of_.ParentTrace(TraceId{id}), of_.FrameAddress(TraceId{id}));
        }
        if (of_.Traces() > 0) into_.SetSymbolizer(std::make_shared<NamesOfLog>(of_));
    }

    // False: cancelled.
    bool CopyRows() {
        for (Row row{}; row < rows_; ++row) {
            if (!Look(row)) return false;
            const Event event = of_.At(row).event;
            lastId_ = std::max(lastId_, event.allocator);
            if (event.kind == EventKind::AllocatorCreated) alive_.push_back(event.allocator);
            if (event.kind == EventKind::AllocatorDestroyed) std::erase(alive_, event.allocator);
            appender_.Append(event, of_.Text(row));
            last_ = event;
        }
        return true;
    }

    // ---- the fork itself: rows that are no calls ----

    void AppendQuietly(EventKind kind, AllocatorId allocator, std::uint64_t address) {
        Event event;
        event.kind = kind;
        event.allocator = allocator;
        event.address = address;
        event.stamp = last_.stamp;
        event.flags = events::Bit(EventFlag::NotACall);
        appender_.Append(event, {});
    }

    bool IsLiveAtFork(BlockId block) const {
        const log::BlockLife life = of_.Life(block);
        return life.born < rows_ && life.died >= rows_;
    }

    // Children first, as they were made last. Blocks of allocators of which only requests are known go one by one.
    void EndTheRecorded() {
        for (std::uint32_t id = 1; id <= of_.Blocks() && of_.Life(BlockId{id}).born < rows_; ++id) {
            if (!IsLiveAtFork(BlockId{id})) continue;
            const Event birth = of_.Birth(BlockId{id}).event;
            if (std::find(alive_.begin(), alive_.end(), birth.allocator) != alive_.end()) continue;
            AppendQuietly(EventKind::Freed, birth.allocator, birth.address);
        }
        std::sort(alive_.begin(), alive_.end());
        alive_.erase(std::unique(alive_.begin(), alive_.end()), alive_.end());
        for (auto each = alive_.rbegin(); each != alive_.rend(); ++each) {
            AppendQuietly(EventKind::AllocatorDestroyed, *each, 0);
        }
    }

    void PlaceAfresh() {
        slots_.resize(std::size_t{of_.Blocks()} + 1);
        sink_->Follow(last_);
        calls_ = &host_->Attach(*sink_);
        if (fork_.after == 0) return;
        calls_->BeginFork();
        std::uint64_t placed = 0, refused = 0;
        for (std::uint32_t id = 1; id < slots_.size(); ++id) {  // ids are in order of birth
            if (!IsLiveAtFork(BlockId{id}) || regions_.contains(id)) continue;
            const LoggedEvent birth = of_.Birth(BlockId{id});
            Event follows = birth.event;
            follows.stamp = last_.stamp;
            sink_->Follow(follows);
            Allocate(BlockId{id}, birth.event);
            ++(slots_[id].address != nullptr ? placed : refused);
        }
        std::string text = fmt::format("forked here: {} live blocks placed afresh in {}, in order of allocation",
                                       placed, host_->entry.title);
        if (refused != 0) text += fmt::format("; {} had no room", refused);
        calls_->Remark(text.data(), text.size(), 0);
        calls_->EndFork();
    }

    // ---- after it ----

    bool GoOn() {
        std::vector<Change> changes;
        for (Row row = rows_; row < of_.Rows(); ++row) {
            if (!Look(row)) return false;
            const LoggedEvent logged = of_.At(row);
            if (logged.event.kind == EventKind::Gap) appender_.Append(logged.event, {});
            Collect(row, logged, changes);
            if (!logged.event.EndsCall()) continue;
            DoCall(logged.event, changes);
            changes.clear();
            if (sink_->RanOutOfMemory()) break;
        }
        appender_.Flush();
        return true;
    }

    // All but the last of its changes are told as no calls: what they did belongs to the position after it.
    void DoCall(const Event& call, const std::vector<Change>& changes) {
        calls_->BeginOperation();
        for (std::size_t i = 0; i < changes.size(); ++i) {
            const bool leads = i + 1 < changes.size();
            Event follows = of_.At(changes[i].row).event;
            follows.stamp = call.stamp;
            sink_->Follow(follows);
            if (leads) calls_->BeginFork();
            Do(changes[i]);
            if (leads) calls_->EndFork();
        }
        sink_->Follow(call);
        calls_->EndOperation(call.kind == EventKind::Step ? call.Line() : 0);
    }

    void Collect(Row row, const LoggedEvent& logged, std::vector<Change>& changes) const {
        using Kind = Change::Kind;
        const auto add = [&](Kind kind, BlockId block, BlockId old = {}) {
            if (block ? regions_.contains(block.value) : kind != Kind::Refused) return;
            changes.push_back({kind, row, block, old});
        };
        switch (logged.event.kind) {
            case EventKind::Allocated: return add(Kind::Allocate, logged.block);
            case EventKind::AllocateFailed: return add(Kind::Refused, {});
            case EventKind::Freed: return add(Kind::Free, logged.block);
            case EventKind::ResizeEnds:
                // The one that failed is tried again; the block's later life is that of the recording.
                if (logged.event.Failed()) return add(Kind::Resize, logged.block, logged.block);
                return logged.oldBlock ? add(Kind::Resize, logged.block, logged.oldBlock)
                                       : add(Kind::Allocate, logged.block);
            default:
                for (const BlockId block : of_.DiedTogether(row)) add(Kind::Free, block);
        }
    }

    void Do(const Change& change) {
        const Event event = of_.At(change.row).event;
        switch (change.kind) {
            case Change::Kind::Allocate: return Allocate(change.block, event);
            case Change::Kind::Refused: return AskAgain(event);
            case Change::Kind::Free: return Free(change.block);
            case Change::Kind::Resize: return Resize(change, event);
        }
    }

    static std::size_t AlignmentOf(const Event& event) {
        return std::max(kLeastAlignment, std::size_t{1} << std::min(event.alignmentLog2, kMostAlignmentLog2));
    }

    void Allocate(BlockId block, const Event& event) {
        const Result<void*> got = host_->allocator->Allocate(host_->allocator, event.size, AlignmentOf(event));
        slots_[block.value] = got ? Slot{*got, event.size} : Slot{};
    }

    void AskAgain(const Event& event) {
        const Result<void*> got = host_->allocator->Allocate(host_->allocator, event.size, AlignmentOf(event));
        if (got) (void)host_->allocator->Free(host_->allocator, *got);
    }

    void Free(BlockId block) {
        Slot& slot = slots_[block.value];
        if (slot.address == nullptr) return;
        (void)host_->allocator->Free(host_->allocator, slot.address);
        slot = {};
    }

    void Resize(const Change& change, const Event& event) {
        const Slot old = std::exchange(slots_[change.old.value], Slot{});
        Slot& slot = slots_[change.block.value];
        slot = old;
        if (old.address == nullptr) return;
        const Result<void*> got = ResizeBlock(host_->allocator, *calls_, host_->range, host_->entry.inBuffer,
                                              {old.address, old.size}, event.size, AlignmentOf(event));
        if (got) slot = {*got, event.size};
    }

    // Memory from the system goes back by hand, without a word.
    void GiveBack() {
        if (host_ == nullptr) return;
        host_->Detach();
        for (const Slot& slot : slots_) {
            if (slot.address != nullptr && !host_->entry.inBuffer) {
                (void)host_->allocator->Free(host_->allocator, slot.address);
            }
        }
    }

    const log::LogView& of_;
    const Fork& fork_;
    log::EventLog& into_;
    log::Appender appender_;
    const std::atomic<bool>& cancelled_;
    std::atomic<double>* const progress_;
    const Row rows_;                             // that are copied
    std::unordered_set<std::uint32_t> regions_;  // blocks that are, at some time, the region of a child
    std::vector<AllocatorId> alive_;             // at the fork
    AllocatorId lastId_{};                       // the highest one in use
    Event last_;                                 // the last row that was copied
    std::optional<ForkSink> sink_;
    std::unique_ptr<Host> host_;
    CallSink* calls_ = nullptr;
    std::vector<Slot> slots_;  // by block
};

}  // namespace

Outcome<std::string> ForkLog(const log::LogView& of, const Fork& fork, log::EventLog& into,
                             const std::atomic<bool>& cancelled, std::atomic<double>* progress) {
    return Forking(of, fork, into, cancelled, progress).Run();
}

}  // namespace residue::replay
