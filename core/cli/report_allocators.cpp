#include "cli/report_allocators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/checked.hpp"
#include "cli/log_figures.hpp"

namespace residue::cli {
namespace {

using events::EventKind;

class Counter {
public:
    Counter(const log::LogView& log, const model::HeapModel& end) : log_(log), regions_(RegionsOfChildren(log, end)) {}

    void Count(Row row) {
        const log::LoggedEvent logged = log_.At(row);
        const events::Event& event = logged.event;
        if (event.kind == EventKind::AllocatorCreated) return Created(row, event);
        if (!event.allocator) return;
        ReportAllocator& of = Of(event.allocator);
        switch (event.kind) {
            case EventKind::Allocated:
                if (regions_.contains(logged.block.value)) return;
                ++of.allocations;
                Born(of, event.size);
                break;
            case EventKind::ResizeEnds:
                if (event.Failed()) {
                    ++of.failed;
                    return;
                }
                if (regions_.contains(logged.block.value)) return Died(of, logged.oldBlock);
                ++(logged.oldBlock ? of.resizes : of.allocations);
                Died(of, logged.oldBlock);
                Born(of, event.size);
                break;
            case EventKind::Freed: Freed(of, logged.block); break;
            case EventKind::AllocateFailed: ++of.failed; break;
            case EventKind::FreeFailed: ++of.badFrees; break;
            default:
                for (const BlockId block : log_.DiedTogether(row)) Freed(of, block);
                break;
        }
    }
    std::vector<ReportAllocator> Take() { return std::move(allocators_); }

private:
    void Created(Row row, const events::Event& event) {
        std::string name(log_.Text(row));
        if (name.empty()) name = fmt::format("allocator {}", event.allocator.value);
        Take(event.allocator, std::move(name), event.Parent() ? Of(event.Parent()).name : "").made += 1;
    }
    // What that id is from now on.
    ReportAllocator& Take(AllocatorId id, std::string name, std::string parent) {
        const auto [at, added] = byName_.try_emplace({name, parent}, allocators_.size());
        if (added) allocators_.push_back({.name = std::move(name), .parent = std::move(parent)});
        byId_[id] = at->second;
        return allocators_[at->second];
    }
    ReportAllocator& Of(AllocatorId id) {
        const auto known = byId_.find(id);
        if (known != byId_.end()) return allocators_[known->second];
        return Take(id, fmt::format("allocator {}", id.value), "");
    }
    static void Born(ReportAllocator& of, std::uint64_t size) {
        of.totalBytes = SaturatingAdd(of.totalBytes, size);
        of.liveBytes = SaturatingAdd(of.liveBytes, size);
        of.peakBytes = std::max(of.peakBytes, of.liveBytes);
        ++of.liveBlocks;
    }
    void Died(ReportAllocator& of, BlockId block) {
        if (!block || regions_.contains(block.value)) return;
        of.liveBytes -= std::min(of.liveBytes, log_.Birth(block).event.size);
        of.liveBlocks -= std::min<std::uint64_t>(of.liveBlocks, 1);
    }
    void Freed(ReportAllocator& of, BlockId block) {
        if (regions_.contains(block.value)) return;
        ++of.frees;
        Died(of, block);
    }

    const log::LogView& log_;
    std::unordered_set<std::uint32_t> regions_;
    std::vector<ReportAllocator> allocators_;
    std::map<AllocatorId, std::size_t> byId_;
    std::map<std::pair<std::string, std::string>, std::size_t> byName_;
};

}  // namespace

std::optional<std::vector<ReportAllocator>> CountAllocators(const log::LogView& log, const model::HeapModel& end,
                                                            const std::atomic<bool>& cancelled) {
    if (end.Allocators().size() < 2) return std::vector<ReportAllocator>{};
    Counter counter(log, end);
    for (Row row{}; row < log.Rows(); ++row) {
        if (row.value % log::kChunkRows == 0 && cancelled.load(std::memory_order_relaxed)) return std::nullopt;
        counter.Count(row);
    }
    return counter.Take();
}

}  // namespace residue::cli
