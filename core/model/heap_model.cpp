// Stepping. An ordinary row (a birth or a death) keeps nothing for its undoing: the log has the block's birth. Rare
// rows (an allocator, its regions, what is a child's region) push what they changed on a stack, tagged with their row.
#include "model/heap_model.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "model/heap_model_state.hpp"

namespace residue::model {

namespace {

using events::Event;
using events::EventFlag;
using events::EventKind;
using log::LoggedEvent;
using log::LogView;

constexpr std::uint64_t kEndOfMemory = std::numeric_limits<std::uint64_t>::max();

}  // namespace

void HeapModel::State::Birth(const LogView& log, const LoggedEvent& logged) {
    const std::uint32_t id = logged.block.value;
    const auto entry = BlockEntry::Of(logged);
    if (id == 0 || id > log.Blocks() || !entry || IsLive(id)) return Ignore(logged.block, true);
    const std::size_t index = IndexOf(logged.event.allocator);
    AllocatorHeap& heap = heaps[index];
    if (entry->Weight() != 0) RemoveDead(logged.event.allocator, entry->begin, entry->End());  // it was not, after all
    const bool mayLie = entry->Weight() != 0 && heap.Takes(id);
    const bool overlaps = mayLie && heap.Overlaps(*entry);
    if (overlaps) overlapping.insert(id);
    const bool stray = overlaps || !mayLie;
    heap.AddBlock(*entry, stray, states[index].totals);
    if (stray || !order) live.Set(id);
}

void HeapModel::State::Unbirth(const LoggedEvent& logged) {
    if (WasIgnored(logged.block, true)) return;
    const std::uint32_t id = logged.block.value;
    const std::size_t index = IndexOf(logged.event.allocator);
    const BlockEntry entry = *BlockEntry::Of(logged);
    if (IsStray(entry, heaps[index])) heaps[index].RemoveStray(id, entry.begin, states[index].totals);
    else heaps[index].RemoveBlock(id, logged.event.address, states[index].totals);
    if (!overlapping.empty()) overlapping.erase(id);
    live.Clear(id);
}

void HeapModel::State::Death(const LogView& log, BlockId block, AllocatorId allocator, std::uint64_t address) {
    if (!IsLive(block.value)) return Ignore(block, false);
    live.Clear(block.value);
    if (Knows(allocator)) {
        const std::size_t index = IndexOf(allocator);
        if (heaps[index].RemoveBlock(block.value, address, states[index].totals)) return;
    }
    // Not where the event says: the block's own birth knows.
    const LoggedEvent birth = log.Birth(block);
    const std::size_t index = IndexOf(birth.event.allocator);
    if (heaps[index].RemoveBlock(block.value, birth.event.address, states[index].totals)) return;
    heaps[index].RemoveStray(block.value, birth.event.Begin(), states[index].totals);
}

void HeapModel::State::Undeath(const LogView& log, BlockId block) {
    if (WasIgnored(block, false)) return;
    const LoggedEvent birth = log.Birth(block);
    const std::size_t index = IndexOf(birth.event.allocator);
    BlockEntry entry = *BlockEntry::Of(birth);
    entry.id = block.value;
    if (IsMarked(block.value)) entry.region = true;
    const bool stray = IsStray(entry, heaps[index]);
    heaps[index].AddBlock(entry, stray, states[index].totals);
    if (stray || !order) live.Set(block.value);
}

// A death, after which the bytes cannot be had again where `event` says so.
void HeapModel::State::Kill(const LogView& log, BlockId block, const Event& event, std::uint64_t address) {
    if (event.Has(EventFlag::StaysDead) && IsLive(block.value) && Knows(event.allocator)) {
        const std::size_t index = IndexOf(event.allocator);
        if (heaps[index].KillBlock(block.value, address, states[index].totals)) {
            live.Clear(block.value);
            return;
        }
    }
    Death(log, block, event.allocator, address);
}

void HeapModel::State::Unkill(const LogView& log, BlockId block, const Event& event, std::uint64_t address) {
    if (WasIgnored(block, false)) return;
    if (event.Has(EventFlag::StaysDead) && Knows(event.allocator)) {
        const std::size_t index = IndexOf(event.allocator);
        const bool region = log.Birth(block).event.Has(EventFlag::Region) || IsMarked(block.value);
        if (heaps[index].ReviveBlock(block.value, address, region, states[index].totals)) {
            if (!order) live.Set(block.value);
            return;
        }
    }
    Undeath(log, block);
}

void HeapModel::State::RemoveDead(AllocatorId allocator, std::uint64_t begin, std::uint64_t end) {
    const std::size_t index = IndexOf(allocator);
    if (states[index].totals.dead == 0) return;
    auto removed = heaps[index].RemoveDead(begin, end, states[index].totals);
    if (!removed.empty()) deadRemoved.push_back({applied, allocator, std::move(removed)});
}

void HeapModel::State::RestoreDead() {
    if (deadRemoved.empty() || deadRemoved.back().row != applied) return;
    const UndoDead& undo = deadRemoved.back();
    const std::size_t index = IndexOf(undo.allocator);
    for (const BlockEntry& entry : undo.removed) heaps[index].AddDead(entry, states[index].totals);
    deadRemoved.pop_back();
}

void HeapModel::State::KeepIdentity(const AllocatorState& state) {
    identities.push_back({applied, state.id,
                          {state.parent, state.name, state.alive, state.base, state.capacity,
                           state.totals.heapKnown, state.totals.partsTold}});
}

void HeapModel::State::KnowHeap(AllocatorState& state) {
    if (state.totals.heapKnown) return;
    KeepIdentity(state);
    state.totals.heapKnown = true;
}

void HeapModel::State::CreateAllocator(const LogView& log, const Event& event) {
    AllocatorState& state = states[IndexOf(event.allocator)];
    KeepIdentity(state);
    state.parent = event.Parent();
    state.name = std::string(log.Text(applied));
    state.alive = true;
    state.base = event.address;
    state.capacity = event.size;
    if (event.size > 0 || event.address != 0) state.totals.heapKnown = true;
    else if (state.totals.heap == 0) state.totals.heapKnown = false;  // an earlier one of this number may have told
    if (event.size > 0) {
        MarkRegionBlock(log, event.allocator, event.address);
        GrowRegion(event, event.Bookkeeping());
    }
}

void HeapModel::State::DestroyAllocator(const Event& event) {
    const std::size_t index = IndexOf(event.allocator);
    KeepIdentity(states[index]);
    states[index].alive = false;
    states[index].totals.heapKnown = states[index].totals.partsTold = true;  // it has none any more
    regionChanges.push_back({applied, event.allocator,
                             heaps[index].RemoveRange(0, kEndOfMemory, states[index].totals)});
}

void HeapModel::State::GrowRegion(const Event& event, std::uint64_t bookkeeping) {
    if (event.size == 0) return;
    const std::size_t index = IndexOf(event.allocator);
    auto change = heaps[index].AddRegion(event.address, event.size, bookkeeping, states[index].totals);
    // A heap may grow with every call: what the event itself can undo is not kept.
    if (event.kind == EventKind::RegionGrown && change.plain) return;
    regionChanges.push_back({applied, event.allocator, std::move(change)});
}

void HeapModel::State::UngrowRegion(const Event& event) {
    if (event.size == 0 || (!regionChanges.empty() && regionChanges.back().row == applied)) return;
    const std::size_t index = IndexOf(event.allocator);
    heaps[index].RemoveRange(event.address, SaturatingAdd(event.address, event.size), states[index].totals);
}

void HeapModel::State::ShrinkRegion(const Event& event) {
    if (event.size == 0) return;
    const std::size_t index = IndexOf(event.allocator);
    regionChanges.push_back(
        {applied, event.allocator,
         heaps[index].RemoveRange(event.address, SaturatingAdd(event.address, event.size), states[index].totals)});
}

// The parent's block around `address` is from now on the region of `child`.
void HeapModel::State::MarkRegionBlock(const LogView& log, AllocatorId child, std::uint64_t address) {
    const AllocatorId parent = states[IndexOf(child)].parent;
    if (!parent || parent == child || !Knows(parent)) return;
    const auto block = heaps[IndexOf(parent)].BlockAt(address);
    if (!block) return;
    const Mark mark{block->id.value, child.value};
    if (marks.count(mark) != 0) return;
    markChanges.push_back({applied, mark, false});
    SetMark(log, mark, true);
}

// A block is a region while any mark is on it; a mark of the log itself (the event's flag) stays.
void HeapModel::State::SetMark(const LogView& log, Mark mark, bool set) {
    if (set) marks.insert(mark);
    else marks.erase(mark);
    if (!IsLive(mark.block)) return;
    const Event birth = log.Birth(BlockId{mark.block}).event;
    const std::size_t index = IndexOf(birth.allocator);
    heaps[index].MarkRegion(mark.block, birth.address, IsMarked(mark.block) || birth.Has(EventFlag::Region),
                            states[index].totals);
}

void HeapModel::State::UndoRareChanges(const LogView& log) {
    while (!regionChanges.empty() && regionChanges.back().row == applied) {
        const UndoRegions& undo = regionChanges.back();
        const std::size_t index = IndexOf(undo.allocator);
        heaps[index].Undo(undo.change, states[index].totals);
        regionChanges.pop_back();
    }
    while (!markChanges.empty() && markChanges.back().row == applied) {
        const UndoMark undo = markChanges.back();
        markChanges.pop_back();
        SetMark(log, undo.mark, undo.lifted);
    }
    while (!identities.empty() && identities.back().row == applied) {
        UndoIdentity& undo = identities.back();
        AllocatorState& state = states[IndexOf(undo.allocator)];
        state.parent = undo.before.parent;
        state.name = std::move(undo.before.name);
        state.alive = undo.before.alive;
        state.base = undo.before.base;
        state.capacity = undo.before.capacity;
        state.totals.heapKnown = undo.before.heapKnown;
        state.totals.partsTold = undo.before.partsTold;
        identities.pop_back();
    }
}

HeapModel::HeapModel() : state_(std::make_unique<State>()) {}
HeapModel::HeapModel(std::shared_ptr<const BlockOrder> order) : HeapModel() { state_->order = std::move(order); }
HeapModel::~HeapModel() = default;
HeapModel::HeapModel(const HeapModel& other) : state_(std::make_unique<State>(*other.state_)) {}
HeapModel& HeapModel::operator=(const HeapModel& other) {
    if (this != &other) state_ = std::make_unique<State>(*other.state_);
    return *this;
}
HeapModel::HeapModel(HeapModel&& other) noexcept = default;
HeapModel& HeapModel::operator=(HeapModel&& other) noexcept = default;

void HeapModel::Apply(const LogView& log) { Apply(log, log.At(state_->applied)); }

void HeapModel::Apply(const LogView& log, const LoggedEvent& logged) {
    State& s = *state_;
    const Event& event = logged.event;
    if (s.order && s.StepBriefly({logged.block, event.allocator, event.kind, event.flags}, true)) {
        ++s.applied;
        return;
    }
    const bool concernsBlock = event.kind == EventKind::Allocated || event.kind == EventKind::ResizeEnds;
    if (event.allocator || concernsBlock) s.MeetAllocator(log, event.allocator);
    switch (event.kind) {
        case EventKind::Allocated:
            s.Birth(log, logged);
            break;
        case EventKind::Freed:
            s.Kill(log, logged.block, event, event.address);
            break;
        case EventKind::ResizeEnds:
            if (event.Failed()) break;
            if (logged.oldBlock) s.Kill(log, logged.oldBlock, event, event.OldAddress());
            s.Birth(log, logged);
            break;
        case EventKind::BulkFreed:
        case EventKind::AllocatorDestroyed:
        case EventKind::RegionShrunk:
            if (event.IsSampledRegion()) break;
            for (const BlockId block : log.DiedTogether(s.applied)) {
                s.Death(log, block, AllocatorId{}, 0);
            }
            if (!event.allocator) break;
            if (event.kind == EventKind::AllocatorDestroyed) s.RemoveDead(event.allocator, 0, kEndOfMemory);
            else s.RemoveDead(event.allocator, event.address, SaturatingAdd(event.address, event.size));
            if (event.kind == EventKind::RegionShrunk) s.ShrinkRegion(event);
            if (event.kind == EventKind::AllocatorDestroyed) {
                s.DestroyAllocator(event);
                std::vector<Mark> lifted;
                for (const Mark& mark : s.marks) {
                    if (mark.child == event.allocator.value) lifted.push_back(mark);
                }
                for (const Mark& mark : lifted) {
                    s.markChanges.push_back({s.applied, mark, true});
                    s.SetMark(log, mark, false);
                }
            }
            break;
        case EventKind::AllocatorCreated:
            if (event.allocator) s.CreateAllocator(log, event);
            break;
        case EventKind::RegionGrown:
            if (!event.allocator || event.IsSampledRegion()) break;
            s.KnowHeap(s.states[s.IndexOf(event.allocator)]);
            s.MarkRegionBlock(log, event.allocator, event.address);
            s.GrowRegion(event, event.Bookkeeping());
            break;
        default:
            break;
    }
    ++s.applied;
}

void HeapModel::Unapply(const LogView& log) {
    State& s = *state_;
    --s.applied;
    const LoggedEvent logged = log.At(s.applied);
    const Event& event = logged.event;
    if (event.kind == EventKind::RegionGrown && event.allocator && !event.IsSampledRegion()) s.UngrowRegion(event);
    s.UndoRareChanges(log);
    switch (event.kind) {
        case EventKind::Allocated:
            s.Unbirth(logged);
            s.RestoreDead();
            break;
        case EventKind::Freed:
            s.Unkill(log, logged.block, event, event.address);
            break;
        case EventKind::ResizeEnds:
            if (event.Failed()) break;
            s.Unbirth(logged);
            s.RestoreDead();
            if (logged.oldBlock) s.Unkill(log, logged.oldBlock, event, event.OldAddress());
            break;
        case EventKind::BulkFreed:
        case EventKind::AllocatorDestroyed:
        case EventKind::RegionShrunk: {
            s.RestoreDead();
            const auto died = log.DiedTogether(s.applied);
            for (auto block = died.rbegin(); block != died.rend(); ++block) s.Undeath(log, *block);
            break;
        }
        default:
            break;
    }
    while (!s.appearances.empty() && s.appearances.back().row == s.applied) {
        const auto index = static_cast<std::ptrdiff_t>(s.IndexOf(s.appearances.back().allocator));
        s.states.erase(s.states.begin() + index);
        s.heaps.erase(s.heaps.begin() + index);
        s.appearances.pop_back();
    }
}

namespace {

// Can a row of this kind change a heap?
bool TouchesHeap(EventKind kind) {
    switch (kind) {
        case EventKind::Allocated:
        case EventKind::Freed:
        case EventKind::ResizeEnds:
        case EventKind::BulkFreed:
        case EventKind::AllocatorCreated:
        case EventKind::AllocatorDestroyed:
        case EventKind::RegionGrown:
        case EventKind::RegionShrunk: return true;
        default: return false;
    }
}

}  // namespace

bool HeapModel::State::Appears(std::uint32_t id, AllocatorId allocator) {
    const BlockOrder::Seat seat = order->SeatOf(id);
    if (seat.rank == kNoRank || seat.kind == BlockOrder::kRare) return false;
    const BlockOrder::Kind& kind = order->KindOf(seat.kind);
    const std::size_t index = IndexOf(allocator);
    if (kind.allocator != allocator || index >= states.size() || states[index].id != allocator) return false;
    return heaps[index].AddRank(*order, seat, kind.parts, order->KnownDisjoint(), states[index].totals);
}

bool HeapModel::State::Goes(std::uint32_t id, AllocatorId allocator) {
    const BlockOrder::Seat seat = order->SeatOf(id);
    if (seat.rank == kNoRank || seat.kind == BlockOrder::kRare) return false;
    const BlockOrder::Kind& kind = order->KindOf(seat.kind);
    const std::size_t index = IndexOf(allocator);
    if (kind.allocator != allocator || index >= states.size() || states[index].id != allocator) return false;
    return heaps[index].RemoveRank(*order, seat, kind.parts, states[index].totals);
}

bool HeapModel::State::StepBriefly(const log::BriefEvent& brief, bool forward) {
    // No strays, nothing ignored, no child in its parent's block: then a block is live if and only if its bit is set.
    if (!live.NeverSet() || !ignored.empty() || !marks.empty()) return false;
    if (!forward) {
        // With this row an allocator came, or dead blocks made room.
        const auto was = [this](const auto& undo) { return !undo.empty() && undo.back().row + 1 == applied; };
        if (was(appearances) || was(deadRemoved)) return false;
    }
    constexpr std::uint8_t kTold = Bit(EventFlag::StaysDead) | Bit(EventFlag::Region);
    if ((brief.flags & kTold) != 0) return false;
    if (brief.kind == EventKind::Allocated) {
        return forward ? Appears(brief.block.value, brief.allocator) : Goes(brief.block.value, brief.allocator);
    }
    if (brief.kind == EventKind::Freed) {
        return forward ? Goes(brief.block.value, brief.allocator) : Appears(brief.block.value, brief.allocator);
    }
    return false;
}

// An estimate: finding a hole anew costs about a quarter of what a step costs more where holes are kept.
std::uint64_t HeapModel::State::CostOfFindingHoles() const {
    std::uint64_t blocks = 0;
    bool any = false;
    for (std::size_t i = 0; i < heaps.size(); ++i) {
        if (!heaps[i].HasHoles()) continue;
        any = true;
        blocks += states[i].totals.blocks;
    }
    return any ? 100 + blocks / 4 : 0;
}

void HeapModel::State::LeaveHoles() {
    for (AllocatorHeap& heap : heaps) {
        if (heap.HasHoles()) heap.LeaveHoles();
    }
}

void HeapModel::State::FindHoles() {
    for (std::size_t i = 0; i < heaps.size(); ++i) {
        if (heaps[i].HasHoles()) heaps[i].FindHoles(states[i].totals);
    }
}

void HeapModel::State::StepBatch(HeapModel& model, const LogView& log, std::uint64_t rows, bool forward) {
    constexpr std::size_t kBatch = 64;
    log::BriefEvent briefs[kBatch];
    const bool disjoint = order->KnownDisjoint();
    // Holes are left while that pays: each row that is not brief asks for them, so that many of those end it.
    std::uint64_t cost = CostOfFindingHoles(), credit = rows;
    bool leaves = cost > 0 && cost < rows;
    if (leaves) LeaveHoles();
    while (rows > 0) {
        const std::size_t count = std::min<std::uint64_t>(rows, kBatch);
        for (std::size_t i = 0; i < count; ++i) {
            briefs[i] = log.BriefAt(Row{forward ? applied.value + i : applied.value - 1 - i});
            order->PrefetchSeat(briefs[i].block.value);
        }
        for (std::size_t i = 0; i < count; ++i) {
            const BlockOrder::Seat seat = order->SeatOf(briefs[i].block.value);
            if (seat.rank == kNoRank) continue;
            const AllocatorId allocator = briefs[i].allocator;
            const std::size_t index = IndexOf(allocator);
            if (index >= heaps.size() || states[index].id != allocator) continue;
            if (seat.weight == BlockOrder::kWide || heaps[index].AsksForPlaces(disjoint)) order->Prefetch(seat.rank);
            heaps[index].Prefetch(seat.rank);
        }
        for (std::size_t i = 0; i < count; ++i) {
            if (StepBriefly(briefs[i], forward)) {
                if (forward) ++applied;
                else --applied;
                continue;
            }
            const bool asks = leaves && TouchesHeap(briefs[i].kind);
            if (asks) FindHoles();
            if (forward) model.Apply(log);
            else model.Unapply(log);
            if (!asks) continue;
            credit -= std::min(credit, 4 * cost);
            cost = CostOfFindingHoles();
            leaves = cost > 0 && cost < std::min(rows - i, credit / 4);
            if (leaves) LeaveHoles();
        }
        rows -= count;
    }
    if (leaves) FindHoles();
}

bool HeapModel::Advance(const LogView& log, Row target, std::uint64_t budget) {
    target = std::min(target, log.Rows());
    State& s = *state_;
    if (s.order) {
        const bool forward = s.applied < target;
        const std::uint64_t distance = forward ? target.value - s.applied.value : s.applied.value - target.value;
        s.StepBatch(*this, log, std::min(distance, budget), forward);
        // All that were ever born over a live block are in `overlapping`.
        if (s.applied >= s.order->Rows() && s.overlapping.empty()) s.order->SayDisjoint();
        return s.applied == target;
    }
    for (; budget > 0 && Applied() < target; --budget) Apply(log);
    for (; budget > 0 && Applied() > target; --budget) Unapply(log);
    return Applied() == target;
}

bool HeapModel::IsOrdered() const { return state_->order != nullptr; }
Row HeapModel::Applied() const { return state_->applied; }
const std::vector<AllocatorState>& HeapModel::Allocators() const { return state_->states; }

const AllocatorState* HeapModel::Find(AllocatorId id) const {
    return state_->Knows(id) ? &state_->states[state_->IndexOf(id)] : nullptr;
}

Totals HeapModel::Sum() const {
    Totals sum;
    bool known = false, unknown = false;
    for (const AllocatorState& state : state_->states) {
        const Totals& t = state.totals;
        sum.payload += t.payload - t.regionPayload;
        sum.header += t.header;
        sum.padding += t.padding;
        sum.rounding += t.rounding;
        sum.slack += t.slack;
        sum.blocks += t.blocks - t.regionBlocks;
        sum.bookkeeping += t.bookkeeping;
        sum.free += t.free;
        sum.dead += t.dead;
        sum.holes += t.holes;
        sum.largestHole = std::max(sum.largestHole, t.largestHole);
        sum.sumOfSquares += t.sumOfSquares;
        sum.regionPayload += t.regionPayload;
        sum.regionBlocks += t.regionBlocks;
        // What a child has from below is part of its parent's heap.
        if (state.parent && state.parent != state.id && state_->Knows(state.parent)) continue;
        sum.heap += t.heap;
        sum.partsTold = sum.partsTold && t.partsTold;
        known = known || t.heapKnown;
        unknown = unknown || !t.heapKnown;
    }
    sum.heapKnown = known && !unknown;
    return sum;
}

bool HeapModel::IsLive(BlockId block) const { return block && state_->IsLive(block.value); }

std::size_t HeapModel::CopyBytes() const {
    constexpr std::size_t kNode = 40;  // of a set
    const State& s = *state_;
    std::size_t bytes = sizeof(State) + s.live.CopyBytes() + (s.overlapping.size() + s.marks.size()) * kNode +
                        s.appearances.capacity() * sizeof(Appearance) + s.identities.capacity() * sizeof(UndoIdentity) +
                        s.regionChanges.capacity() * sizeof(UndoRegions) + s.deadRemoved.capacity() * sizeof(UndoDead) +
                        s.markChanges.capacity() * sizeof(UndoMark) + s.ignored.capacity() * sizeof(Ignored);
    for (const UndoDead& undo : s.deadRemoved) bytes += undo.removed.capacity() * sizeof(BlockEntry);
    for (const AllocatorState& state : s.states) bytes += sizeof(state) + state.name.capacity();
    for (const AllocatorHeap& heap : s.heaps) bytes += heap.CopyBytes();
    return bytes;
}

bool HeapModel::operator==(const HeapModel& other) const {
    const auto totals = [](const Totals& t) {
        return std::tie(t.payload, t.header, t.padding, t.rounding, t.slack, t.blocks, t.heapKnown, t.partsTold, t.heap,
                        t.bookkeeping, t.free, t.dead, t.holes, t.largestHole, t.sumOfSquares, t.regionPayload,
                        t.regionBlocks);
    };
    const auto same = [&](const AllocatorState& a, const AllocatorState& b) {
        return std::tie(a.id, a.parent, a.name, a.alive, a.base, a.capacity) ==
                   std::tie(b.id, b.parent, b.name, b.alive, b.base, b.capacity) &&
               totals(a.totals) == totals(b.totals);
    };
    // Two forms of the same heap (one with an order) are the same; which blocks live follows from the heaps.
    const State& a = *state_;
    const State& b = *other.state_;
    return a.applied == b.applied &&
           std::equal(a.states.begin(), a.states.end(), b.states.begin(), b.states.end(), same) && a.heaps == b.heaps &&
           (a.order != b.order || a.live == b.live) && a.overlapping == b.overlapping && a.marks == b.marks &&
           a.ignored == b.ignored && a.appearances.size() == b.appearances.size() &&
           a.identities.size() == b.identities.size() && a.regionChanges.size() == b.regionChanges.size() &&
           a.deadRemoved.size() == b.deadRemoved.size() && a.markChanges.size() == b.markChanges.size();
}

}  // namespace residue::model
