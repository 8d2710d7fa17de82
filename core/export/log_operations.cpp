#include <vector>

#include "export/operations.hpp"

namespace residue::exports {
namespace {

using events::EventFlag;
using events::EventKind;
using log::LoggedEvent;

constexpr std::uint64_t kCancelEvery = 4096;

class LogWalk {
public:
    LogWalk(const log::LogView& log, const StreamOptions& options, const VisitOperation& visit)
        : log_(log), options_(options), visit_(visit), ids_(std::size_t{log.Blocks()} + 1) {}

    Outcome<std::uint64_t> Run() {
        // Which blocks are regions of a child is said only after their birth.
        for (Row row{}; row < log_.Rows(); ++row) {
            if (IsCancelled(row)) return Cancelled();
            const EventKind kind = log_.KindAt(row);
            if (kind != EventKind::AllocatorCreated && kind != EventKind::RegionGrown) continue;
            const LoggedEvent logged = log_.At(row);
            if (logged.event.Has(EventFlag::Region) && logged.block) ids_[logged.block.value] = kRegion;
        }
        for (Row row{}; row < log_.Rows(); ++row) {
            if (IsCancelled(row)) return Cancelled();
            Take(row);
        }
        if (options_.balanced) {
            for (std::uint32_t& id : ids_) Free(id);
        }
        return leftOut_;
    }

private:
    // ids_[block]: 0 not live, kRegion, else its id + 1.
    static constexpr std::uint32_t kRegion = 0xFFFF'FFFF;

    bool IsCancelled(Row row) const {
        return row.value % kCancelEvery == 0 && options_.cancelled != nullptr &&
               options_.cancelled->load(std::memory_order_relaxed);
    }
    static tl::unexpected<Failure> Cancelled() { return Fail(Failure{"", "cancelled", ""}); }

    void Allocate(std::uint32_t& id, std::uint64_t size) {
        if (id == kRegion) return;
        id = ++nextId_;
        visit_({'a', id - std::int64_t{1}, size});
    }
    void Free(std::uint32_t& id) {
        if (id == 0 || id == kRegion) return;
        visit_({'f', id - std::int64_t{1}, 0});
        id = 0;
    }
    void Resize(std::uint32_t& oldId, std::uint32_t& id, std::uint64_t size) {
        // realloc(p, 0) would be a free.
        if (size == 0 || oldId == 0 || oldId == kRegion || id == kRegion) {
            Free(oldId);
            Allocate(id, size);
            return;
        }
        id = oldId;
        oldId = 0;
        visit_({'r', id - std::int64_t{1}, size});
    }

    void Take(Row row) {
        const LoggedEvent logged = log_.At(row);
        const events::Event& event = logged.event;
        // An allocator's own requests to its parent are no requests of the program.
        const bool isInner = event.Has(EventFlag::NotACall) && !event.Has(EventFlag::Inferred);
        std::uint32_t& id = ids_[logged.block.value];
        switch (event.kind) {
            case EventKind::Allocated:
                if (!isInner) Allocate(id, event.size);
                return;
            case EventKind::Freed: Free(id); return;
            case EventKind::ResizeEnds:
                if (event.Failed()) break;
                if (!isInner) Resize(ids_[logged.oldBlock.value], id, event.size);
                return;
            case EventKind::BulkFreed:
            case EventKind::RegionShrunk:
                for (const BlockId block : log_.DiedTogether(row)) Free(ids_[block.value]);
                return;
            case EventKind::AllocatorDestroyed: return;
            default: break;
        }
        if (event.EndsCall()) ++leftOut_;
    }

    const log::LogView& log_;
    const StreamOptions& options_;
    const VisitOperation& visit_;
    std::vector<std::uint32_t> ids_;
    std::uint32_t nextId_ = 0;
    std::uint64_t leftOut_ = 0;
};

}  // namespace

Outcome<std::uint64_t> VisitLog(const log::LogView& log, const StreamOptions& options, const VisitOperation& visit) {
    return LogWalk(log, options, visit).Run();
}

}  // namespace residue::exports
