#include "replay/reexecution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "alloc/registry.hpp"
#include "events/rebase_sink.hpp"
#include "replay/call_sink.hpp"
#include "replay/page_history.hpp"
#include "replay/recorded_heap.hpp"
#include "replay/resize.hpp"

namespace residue::replay {
namespace {

using events::Event;
using events::EventKind;

constexpr std::uint64_t kInterval = 4096;   // calls between two copies
constexpr std::uint64_t kCallsPerPage = 8;  // more, where many pages are compared
constexpr std::uint64_t kMostKept = std::uint64_t{256} << 20;
constexpr std::uint64_t kLookAround = 1024;  // calls between two looks at `cancelled`

// What the allocator tells, with addresses as in the log.
class Collector final : public events::EventSink {
public:
    std::uint64_t Begin() noexcept override { return 0; }
    void Emit(const Event* records, std::size_t count, std::uint64_t) noexcept override {
        for (std::size_t i = 0; i < count; ++i) {
            if (records[i].kind == EventKind::Continuation) continue;
            if (used_ == told_.size()) {
                overflowed_ = true;
                return;
            }
            told_[used_++] = records[i];
        }
    }
    TraceId Capture(unsigned) noexcept override { return {}; }
    AllocatorId NextAllocatorId() noexcept override { return AllocatorId{1}; }

    void Clear() { used_ = 0, overflowed_ = false; }
    std::size_t Count() const { return used_; }
    bool Overflowed() const { return overflowed_; }
    const Event& operator[](std::size_t i) const { return told_[i]; }

private:
    std::array<Event, 64> told_;  // of one call: a handful
    std::size_t used_ = 0;
    bool overflowed_ = false;
};

class DecisionList final : public alloc::DecisionSink {
public:
    void On(const alloc::Decision& decision) override {
        if (all.size() < kMostInsideDecisions)
            all.push_back(decision);
        else
            ++leftOut;
    }
    std::vector<alloc::Decision> all;
    std::uint64_t leftOut = 0;
};

class StateReader final : public alloc::Inspector {
public:
    explicit StateReader(const events::RebaseSink& shown) : shown_(shown) {}

    void OnMark(const alloc::Mark& mark) override { state.marks.push_back({shown_.Rebased(mark.address)}); }
    void OnFreeStructure(const alloc::FreeStructure& structure) override { state.structure = structure; }
    void OnFreeBin(const alloc::FreeBin& bin) override {
        state.bins.push_back({bin, static_cast<std::uint32_t>(state.nodes.size()), 0, 0});
    }
    void OnFreeNode(const alloc::FreeNode& node) override {
        if (state.bins.empty()) state.bins.push_back({{0, 0, ~std::size_t{0}}, 0, 0, 0});
        state.bins.back().bytes += node.bytes;
        if (state.nodes.size() == kMostInsideNodes) {
            ++state.nodesLeftOut;
            return;
        }
        ++state.bins.back().count;
        state.nodes.push_back({shown_.Rebased(node.address), node.bytes, node.bin});
    }
    void OnBroken(const char* invariant, std::uintptr_t where) override {
        if (state.broken.size() < 100)
            state.broken.push_back(fmt::format("{} at {:#x}", invariant, shown_.Rebased(where)));
    }
    InsideState state;

private:
    const events::RebaseSink& shown_;
};

class LogReexecution final : public Reexecution {
public:
    LogReexecution(const alloc::ObservedForm& form, Row created, const Event& creation)
        : form_(form), created_(created), creation_(creation), heap_(creation) {}
    ~LogReexecution() override { TearDown(); }
    LogReexecution(const LogReexecution&) = delete;
    LogReexecution& operator=(const LogReexecution&) = delete;

    Outcome<Inside> At(const log::LogView& view, Position position, const std::atomic<bool>& cancelled,
                       std::atomic<double>* progress) override {
        if (auto ready = Prepare(view); !ready) return Fail(ready.error());
        const Row target = view.RowsAt(position);
        const Row call = position.value == 0 ? Row{0} : view.RowsAt(Position{position.value - 1});
        if (auto there = GoTo(view, call, cancelled, progress); !there) return Fail(there.error());
        Inside inside;
        inside.allocator = creation_.allocator;
        inside.position = position;
        inside.rule = alloc::RuleOfKind(creation_.argument);
        inside.before = Read(call);
        const std::uint64_t before = driven_;
        DecisionList decisions;
        form_.Observe(allocator_, &decisions);
        const auto done = DriveTo(view, target, cancelled, nullptr);
        form_.Observe(allocator_, nullptr);
        if (!done) return Fail(done.error());
        const bool untouched = driven_ == before && !ended_ && call > created_;
        inside.after = untouched ? inside.before : Read(target);
        for (alloc::Decision& decision : decisions.all) {
            decision.address = rebase_->Rebased(decision.address);
            // Of no bytes, it may be where the range ends.
            if (decision.other != 0) decision.other = rebase_->Rebased(decision.other - 1) + 1;
        }
        inside.decisions = std::move(decisions.all);
        inside.decisionsLeftOut = decisions.leftOut;
        return inside;
    }

    Position KnownUntil() const override { return unknownFrom_; }
    std::uint64_t KeptBytes() const override { return history_ ? history_->Bytes() : 0; }

private:
    struct Moment {
        Row next;  // the first row that is not applied
        std::uint64_t driven;
        bool ended;
        std::array<std::byte, alloc::kAllocatorStorageBytes> storage;
    };

    // A range that holds the heap as far as the log goes, and the allocator at its beginning.
    Outcome<void> Prepare(const log::LogView& view) {
        if (heap_.Holds(view) && allocator_ != nullptr) return {};
        TearDown();
        if (auto made = heap_.Make(); !made) return made;
        rebase_.emplace(collector_, heap_.Windows().data(), heap_.Windows().size());
        calls_.emplace(*rebase_);
        allocator_ = form_.Create(storage_, heap_.Options());
        collector_.Clear();
        form_.Attach(allocator_, &*calls_, "");
        next_ = created_;
        driven_ = 0;
        ended_ = false;
        if (auto same = Compare(view); !same) return same;
        history_.emplace(heap_.Range());
        KeepMoment();
        return {};
    }

    void TearDown() {
        if (allocator_ == nullptr) return;
        calls_->Close();
        form_.Destroy(allocator_);
        allocator_ = nullptr;
        history_.reset();
        moments_.clear();
        interval_ = kInterval;
    }

    void KeepMoment() {
        Moment& moment = moments_.emplace_back();
        moment.next = next_;
        moment.driven = driven_;
        moment.ended = ended_;
        std::memcpy(moment.storage.data(), storage_, sizeof storage_);
        history_->Keep();
        interval_ = std::max(interval_, kCallsPerPage * history_->PagesSeen());
        while (history_->Bytes() + moments_.size() * sizeof(Moment) > kMostKept && moments_.size() > 2) {
            history_->DropOdd();
            for (std::size_t i = 0; 2 * i < moments_.size(); ++i) moments_[i] = moments_[2 * i];
            moments_.resize(history_->Moments());
            interval_ *= 2;
        }
    }

    // Back to the last moment that is not after `row`.
    void RestoreBefore(Row row) {
        std::size_t last = moments_.size() - 1;
        while (last > 0 && moments_[last].next > row) --last;
        const Moment& moment = moments_[last];
        std::memcpy(storage_, moment.storage.data(), sizeof storage_);
        history_->Restore(last);
        if (!moment.ended) heap_.TakeRegionsOf(*allocator_);
        next_ = moment.next;
        driven_ = moment.driven;
        ended_ = moment.ended;
    }

    Outcome<void> GoTo(const log::LogView& view, Row row, const std::atomic<bool>& cancelled,
                       std::atomic<double>* progress) {
        if (next_ > row && next_ > moments_.front().next) {
            RestoreBefore(row);
        } else if (moments_.back().next > next_ && moments_.back().next <= row) {
            RestoreBefore(row);  // a moment between here and there
        }
        return DriveTo(view, row, cancelled, progress);
    }

    Outcome<void> DriveTo(const log::LogView& view, Row target, const std::atomic<bool>& cancelled,
                          std::atomic<double>* progress) {
        const std::uint64_t from = next_.value;
        std::uint64_t looked = 0;
        while (next_ < target) {
            if (++looked % kLookAround == 0) {
                if (cancelled.load(std::memory_order_relaxed)) return Fail(Failure{"", "cancelled", ""});
                if (progress != nullptr) {
                    progress->store(static_cast<double>(next_.value - from) / static_cast<double>(target.value - from),
                                    std::memory_order_relaxed);
                }
            }
            const log::LoggedEvent logged = view.At(next_);
            if (logged.event.kind == EventKind::Gap) {
                calling_ = next_;
                unknownFrom_ = view.PositionOf(next_);
                return Fail(Failure{Where(view), "events were lost here: what the allocator did is not known", ""});
            }
            if (logged.event.allocator != creation_.allocator || ended_ || next_ == created_) {
                ++next_;
                continue;
            }
            if (failure_ && next_ >= failedAt_) return Fail(*failure_);
            const Row begins = calling_ = next_;
            const auto driven = DriveCall(view, logged, target);
            if (!driven) {
                if (collector_.Count() != 0) {  // it was done: the state is not the log's any more
                    failure_ = driven.error();
                    failedAt_ = begins;
                    unknownFrom_ = view.PositionOf(begins);
                    RestoreBefore(begins);
                }
                return Fail(driven.error());
            }
            if (!*driven) return {};
            const bool atEnd = moments_.back().next < next_;
            if (atEnd && driven_ - moments_.back().driven >= interval_) KeepMoment();
        }
        return {};
    }

    // What the log tells about it, and it did not do itself.
    static bool IsTalk(EventKind kind) {
        return kind == EventKind::Step || kind == EventKind::Output || kind == EventKind::Duck ||
               kind == EventKind::AccessFailed;
    }

    // What is told of a call before the event that ends it.
    static bool Leads(const Event& event) {
        return event.kind == EventKind::RegionGrown || event.kind == EventKind::RegionShrunk ||
               event.kind == EventKind::ResizeBegins ||
               (event.kind == EventKind::BulkFreed && event.Has(events::EventFlag::NotACall));
    }

    // False: the call that begins at next_ ends at `target` or later, so it has not happened yet.
    Outcome<bool> DriveCall(const log::LogView& view, const log::LoggedEvent& first, Row target) {
        collector_.Clear();
        log::LoggedEvent logged = first;
        log::LoggedEvent resize;
        Row row = next_;
        heap_.WithdrawOffers();
        while (Leads(logged.event) || logged.event.allocator != creation_.allocator) {
            const bool own = logged.event.allocator == creation_.allocator;
            if (own && logged.event.kind == EventKind::RegionGrown) {
                heap_.OfferRegion(logged.event.address, logged.event.size);
            }
            if (own && logged.event.kind == EventKind::ResizeBegins) resize = logged;
            ++row;
            if (row >= target) return false;
            logged = view.At(row);
        }
        if (logged.event.kind == EventKind::AllocatorDestroyed) ended_ = true;
        // A foreign pointer changed nothing, and may by chance point into our own range.
        const bool foreign = logged.event.kind == EventKind::FreeFailed && heap_.Real(logged.event.address) == nullptr;
        const bool remark = logged.event.kind == EventKind::Marker && !logged.event.EndsCall();
        if (remark && logged.event.size != 0 &&
            (form_.GoOnAs == nullptr || !form_.GoOnAs(allocator_, logged.event.size))) {
            return Fail(Failure{Where(view), "it goes on as another allocator, which is not known here", ""});
        }
        if (ended_ || foreign || remark || IsTalk(logged.event.kind)) {
            next_ = Row{row.value + 1};
            return true;
        }
        calls_->BeginOperation();
        ++driven_;
        Do(view, logged, resize);
        if (auto same = Compare(view); !same) return Fail(same.error());
        return true;
    }

    void Do(const log::LogView& view, const log::LoggedEvent& logged, const log::LoggedEvent& resize) {
        const Event& event = logged.event;
        switch (event.kind) {
            case EventKind::Allocated:
            case EventKind::AllocateFailed:
                (void)allocator_->Allocate(allocator_, event.size, std::size_t{1} << event.alignmentLog2);
                break;
            case EventKind::Freed:
            case EventKind::FreeFailed: (void)allocator_->Free(allocator_, heap_.Real(event.address)); break;
            case EventKind::ResizeEnds: DoResize(view, resize, std::size_t{1} << event.alignmentLog2); break;
            case EventKind::BulkFreed:
                if (event.argument != 0 && form_.marks != nullptr) {
                    (void)form_.marks->Release(allocator_, event.argument);
                } else if (allocator_->options->Reset != nullptr) {
                    (void)allocator_->options->Reset(allocator_);
                }
                break;
            case EventKind::Marker:
                if (form_.marks != nullptr) (void)form_.marks->Set(allocator_);
                break;
            default: break;  // Compare finds nothing told
        }
    }

    void DoResize(const log::LogView& view, const log::LoggedEvent& begins, std::size_t alignment) {
        const std::uint64_t oldSize = begins.block ? view.Birth(begins.block).event.size : 0;
        (void)ResizeBlock(allocator_, *calls_, heap_.Range(), true, {heap_.Real(begins.event.address), oldSize},
                          begins.event.size, alignment);
    }

    // What the allocator told is what stands in the log from next_ on; next_ goes behind it.
    Outcome<void> Compare(const log::LogView& view) {
        const auto differs = [&](const char* what) {
            return Fail(Failure{
                Where(view), fmt::format("running it again gives {}: its inside is not known from here on", what), ""});
        };
        if (collector_.Overflowed()) return differs("more events than one call has");
        for (std::size_t i = 0; i < collector_.Count(); ++i) {
            std::optional<Event> logged;
            while (next_ < view.Rows()) {
                const Event event = view.At(next_).event;
                ++next_;
                if (event.allocator != creation_.allocator || IsTalk(event.kind)) continue;
                logged = event;
                break;
            }
            const Event& told = collector_[i];
            if (!logged || logged->kind != told.kind) return differs("another event");
            if (logged->address != told.address) return differs("another place");
            if (told.kind != EventKind::FreeFailed && logged->size != told.size) return differs("another size");
            if (logged->error != told.error || logged->rounding != told.rounding || logged->slack != told.slack ||
                logged->padding != told.padding) {
                return differs("another outcome");
            }
        }
        if (collector_.Count() == 0) return differs("no event");
        return {};
    }

    std::string Where(const log::LogView& view) const {
        return fmt::format("event {}", calling_ < view.Rows() ? view.PositionOf(calling_).value : 0);
    }

    // `rows` are applied.
    std::shared_ptr<const InsideState> Read(Row rows) const {
        StateReader reader(*rebase_);
        reader.state.ended = ended_;
        if (!ended_ && rows > created_) allocator_->options->Inspect(allocator_, reader);
        auto& order = reader.state.byAddress;
        order.resize(reader.state.nodes.size());
        std::iota(order.begin(), order.end(), 0u);
        std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
            return reader.state.nodes[a].address < reader.state.nodes[b].address;
        });
        return std::make_shared<const InsideState>(std::move(reader.state));
    }

    const alloc::ObservedForm& form_;
    const Row created_;
    const Event creation_;
    RecordedHeap heap_;
    Collector collector_;
    std::optional<events::RebaseSink> rebase_;
    std::optional<CallSink> calls_;
    alignas(alloc::kAllocatorStorageAlignment) std::byte storage_[alloc::kAllocatorStorageBytes];
    alloc::Allocator* allocator_ = nullptr;
    std::optional<PageHistory> history_;
    std::vector<Moment> moments_;
    std::uint64_t interval_ = kInterval;
    Row next_{};
    Row calling_{};  // where the call that is run begins
    std::uint64_t driven_ = 0;
    bool ended_ = false;
    std::optional<Failure> failure_;  // of the call that begins at failedAt_
    Row failedAt_{};
    Position unknownFrom_{};
};

}  // namespace

Outcome<std::unique_ptr<Reexecution>> Reexecution::Create(const log::LogView& view, AllocatorId allocator) {
    for (Row row{}; row < view.Rows(); ++row) {
        if (view.KindAt(row) != EventKind::AllocatorCreated) continue;
        const Event event = view.At(row).event;
        if (event.allocator != allocator) continue;
        const alloc::ObservedForm* form = event.argument == 0 ? nullptr : alloc::FindObservedForm(event.argument);
        if (form == nullptr) {
            return Fail(Failure{"", "what goes on inside this allocator was not recorded",
                                "one of Residue's own allocators, with a heap of its own"});
        }
        return std::unique_ptr<Reexecution>(std::make_unique<LogReexecution>(*form, row, event));
    }
    return Fail(Failure{"", "its beginning was not recorded, so its inside is not known", ""});
}

}  // namespace residue::replay
