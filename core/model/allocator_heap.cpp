#include "model/allocator_heap.hpp"

#include <algorithm>
#include <limits>

namespace residue::model {

namespace {
constexpr std::uint64_t kEndOfMemory = std::numeric_limits<std::uint64_t>::max();

std::uint64_t FullEnd(const Region& region) { return SaturatingAdd(region.end, region.bookkeeping); }
}  // namespace

bool AllocatorHeap::Overlaps(const BlockEntry& entry) const {
    const BlockSet::Place at = blocks_.PlaceFor(entry);
    const auto next = blocks_.Peek(at);
    if (next && next.Begin() < entry.End()) return true;
    const auto previous = blocks_.PeekBack(at);
    return previous && previous.End() > entry.begin;
}

BlockEntry AllocatorHeap::EntryOf(const BlockSet::Found& found) const {
    BlockEntry entry = found.Entry();
    if (IsOrdered()) entry.region = !entry.dead && regionBlocks_.count({entry.begin, entry.id}) != 0;
    return entry;
}

void AllocatorHeap::Count(const BlockEntry& entry, Change change, Totals& totals) {
    if (change == Change::Appears) {
        totals.payload += entry.size;
        totals.header += entry.header;
        totals.padding += entry.padding;
        totals.rounding += entry.rounding;
        totals.slack += entry.slack;
        ++totals.blocks;
    } else {
        totals.payload -= entry.size;
        totals.header -= entry.header;
        totals.padding -= entry.padding;
        totals.rounding -= entry.rounding;
        totals.slack -= entry.slack;
        --totals.blocks;
    }
    if (entry.region) CountRegion(entry, change, totals);
}

void AllocatorHeap::CountRegion(const BlockEntry& entry, Change change, Totals& totals) {
    if (change == Change::Appears) {
        totals.regionPayload += entry.size;
        ++totals.regionBlocks;
        regionBlocks_.emplace(entry.begin, entry.id);
    } else {
        totals.regionPayload -= entry.size;
        --totals.regionBlocks;
        regionBlocks_.erase({entry.begin, entry.id});
    }
}

std::vector<Region>::const_iterator AllocatorHeap::FirstRegionEndingAfter(std::uint64_t address) const {
    return std::upper_bound(regions_.begin(), regions_.end(), address,
                            [](std::uint64_t a, const Region& region) { return a < region.end; });
}

std::size_t AllocatorHeap::FirstRegionReaching(std::uint64_t address) const {
    const auto found = std::lower_bound(regions_.begin(), regions_.end(), address,
                                        [](const Region& region, std::uint64_t a) { return FullEnd(region) < a; });
    return static_cast<std::size_t>(found - regions_.begin());
}

void AllocatorHeap::CountGap(std::uint64_t begin, std::uint64_t end, Change change, Totals& totals) {
    if (begin >= end) return;
    for (auto region = FirstRegionEndingAfter(begin); region != regions_.end() && region->begin < end; ++region) {
        const std::uint64_t from = std::max(begin, region->begin);
        const std::uint64_t to = std::min(end, region->end);
        if (from < to) CountHole(to - from, change, totals);
    }
}

void AllocatorHeap::CountHole(std::uint64_t bytes, Change change, Totals& totals) {
    const auto square = static_cast<unsigned __int128>(bytes) * bytes;
    if (change == Change::Appears) {
        totals.free += bytes;
        ++totals.holes;
        squares_ += square;
        holeSizes_.Add(bytes);
    } else {
        totals.free -= bytes;
        --totals.holes;
        squares_ -= square;
        holeSizes_.Remove(bytes);
    }
}

void AllocatorHeap::SettleHoles(Totals& totals) {
    totals.largestHole = holeSizes_.Largest();
    totals.sumOfSquares = static_cast<double>(squares_);
}

void AllocatorHeap::AddBlock(const BlockEntry& entry, bool stray, Totals& totals) {
    Count(entry, Change::Appears, totals);
    if (stray) strays_.emplace(std::pair(entry.begin, entry.id), entry);
    else InsertInOrder(entry, totals);
}

void AllocatorHeap::AddDead(const BlockEntry& entry, Totals& totals) {
    totals.dead += entry.Weight();
    InsertInOrder(entry, totals);
}

void AllocatorHeap::TakeFromHoles(const BlockSet::Place& place, std::uint64_t begin, std::uint64_t end,
                                  Totals& totals) {
    const auto region = FirstRegionEndingAfter(begin);
    if (region == regions_.end() || region->begin >= end) return;
    // The holes that it cuts lie between its neighbours, and in the regions that it touches.
    const auto previous = blocks_.PeekBack(place);
    const auto next = blocks_.Peek(place);
    auto last = region;
    while (std::next(last) != regions_.end() && std::next(last)->begin < end) ++last;
    const std::uint64_t from = std::max(previous ? previous.End() : 0, region->begin);
    const std::uint64_t to = std::min(next ? next.Begin() : kEndOfMemory, last->end);
    CountGap(from, to, Change::Goes, totals);
    CountGap(from, begin, Change::Appears, totals);
    CountGap(end, to, Change::Appears, totals);
    SettleHoles(totals);
}

void AllocatorHeap::GiveToHoles(const BlockSet::Place& place, std::uint64_t begin, std::uint64_t end, Totals& totals) {
    const auto region = FirstRegionEndingAfter(begin);
    if (region == regions_.end() || region->begin >= end) return;
    const auto previous = blocks_.PeekBack(place);
    BlockSet::Place after = place;
    blocks_.Next(after);
    const auto next = blocks_.Get(after);
    auto last = region;
    while (std::next(last) != regions_.end() && std::next(last)->begin < end) ++last;
    const std::uint64_t from = std::max(previous ? previous.End() : 0, region->begin);
    const std::uint64_t to = std::min(next ? next.Begin() : kEndOfMemory, last->end);
    CountGap(from, begin, Change::Goes, totals);
    CountGap(end, to, Change::Goes, totals);
    CountGap(from, to, Change::Appears, totals);
    SettleHoles(totals);
}

void AllocatorHeap::InsertInOrder(const BlockEntry& entry, Totals& totals) {
    const BlockSet::Place at = blocks_.PlaceFor(entry);
    TakeFromHoles(at, entry.begin, entry.End(), totals);
    blocks_.Insert(at, entry);
}

void AllocatorHeap::EraseInOrder(const BlockSet::Place& place, Totals& totals) {
    const auto entry = blocks_.Peek(place);
    GiveToHoles(place, entry.Begin(), entry.End(), totals);
    blocks_.Erase(place);
}

bool AllocatorHeap::AddRank(const BlockOrder& order, const BlockOrder::Seat& seat, const BlockParts& parts,
                            bool disjoint, Totals& totals) {
    const std::uint32_t rank = seat.rank;
    if (blocks_.AnyDead() || blocks_.Has(rank)) return false;
    const std::uint64_t weight = order.WeightOf(seat);
    const BlockSet::Place place{{}, rank};
    if (!disjoint) {
        const auto next = blocks_.Peek(place);
        if (next && next.Begin() < order.Begin(rank) + weight) return false;
        const auto previous = blocks_.PeekBack(place);
        if (previous && previous.End() > order.Begin(rank)) return false;
    }
    if (!regions_.empty() && !leavesHoles_) {
        TakeFromHoles(place, order.Begin(rank), order.Begin(rank) + weight, totals);
    }
    blocks_.Set(rank, weight);
    totals.payload += weight - parts.Sum();
    totals.header += parts.header;
    totals.padding += parts.padding;
    totals.rounding += parts.rounding;
    totals.slack += parts.slack;
    ++totals.blocks;
    return true;
}

bool AllocatorHeap::RemoveRank(const BlockOrder& order, const BlockOrder::Seat& seat, const BlockParts& parts,
                               Totals& totals) {
    const std::uint32_t rank = seat.rank;
    if (blocks_.AnyDead() || !regionBlocks_.empty() || !blocks_.Has(rank)) return false;
    const std::uint64_t weight = order.WeightOf(seat);
    if (!regions_.empty() && !leavesHoles_) {
        GiveToHoles(BlockSet::Place{{}, rank}, order.Begin(rank), order.Begin(rank) + weight, totals);
    }
    blocks_.Clear(rank, weight);
    totals.payload -= weight - parts.Sum();
    totals.header -= parts.header;
    totals.padding -= parts.padding;
    totals.rounding -= parts.rounding;
    totals.slack -= parts.slack;
    --totals.blocks;
    return true;
}

bool AllocatorHeap::RemoveBlock(std::uint32_t id, std::uint64_t address, Totals& totals) {
    BlockSet::Place at;
    const auto found = blocks_.Find(id, address, at);
    if (!found) return false;
    Count(EntryOf(found), Change::Goes, totals);
    EraseInOrder(at, totals);
    return true;
}

bool AllocatorHeap::KillBlock(std::uint32_t id, std::uint64_t address, Totals& totals) {
    BlockSet::Place at;
    const auto found = blocks_.Find(id, address, at);
    if (!found) return false;
    BlockEntry entry = EntryOf(found);
    Count(entry, Change::Goes, totals);
    totals.dead += entry.Weight();
    entry.dead = true;
    blocks_.Change(at, entry);
    return true;
}

bool AllocatorHeap::ReviveBlock(std::uint32_t id, std::uint64_t address, bool region, Totals& totals) {
    BlockSet::Place at;
    const auto found = blocks_.Find(id, address, at);
    if (!found) return false;
    BlockEntry entry = found.Entry();
    entry.dead = false;
    entry.region = region;
    totals.dead -= entry.Weight();
    Count(entry, Change::Appears, totals);
    blocks_.Change(at, entry);
    return true;
}

std::vector<BlockEntry> AllocatorHeap::RemoveDead(std::uint64_t begin, std::uint64_t end, Totals& totals) {
    std::vector<BlockEntry> dead;
    if (totals.dead == 0) return dead;
    BlockSet::Place at = blocks_.Locate(begin);
    if (const auto previous = blocks_.PeekBack(at); previous && previous.End() > begin) blocks_.Back(at);
    for (auto entry = blocks_.Get(at); entry && entry.Begin() < end; entry = blocks_.Get(at)) {
        if (entry.Dead()) dead.push_back(EntryOf(entry));
        blocks_.Next(at);
    }
    for (const BlockEntry& entry : dead) {
        totals.dead -= entry.Weight();
        BlockSet::Place place;
        blocks_.Find(entry.id, entry.Address(), place);
        EraseInOrder(place, totals);
    }
    return dead;
}

bool AllocatorHeap::RemoveStray(std::uint32_t id, std::uint64_t begin, Totals& totals) {
    const auto found = strays_.find({begin, id});
    if (found == strays_.end()) return false;
    Count(found->second, Change::Goes, totals);
    strays_.erase(found);
    return true;
}

bool AllocatorHeap::MarkRegion(std::uint32_t id, std::uint64_t address, bool region, Totals& totals) {
    BlockSet::Place at;
    const auto found = blocks_.Find(id, address, at);
    if (!found) return false;
    BlockEntry entry = EntryOf(found);
    if (entry.region == region) return true;
    entry.region = region;
    CountRegion(entry, region ? Change::Appears : Change::Goes, totals);
    blocks_.Change(at, entry);
    return true;
}

AllocatorHeap::RegionChange AllocatorHeap::AddRegion(std::uint64_t address, std::uint64_t size,
                                                     std::uint64_t bookkeeping, Totals& totals) {
    const std::uint64_t fullEnd = SaturatingAdd(address, size);
    const std::uint64_t kept = std::min(bookkeeping, fullEnd - address);
    Region whole{address, fullEnd - kept, kept};
    bool overlaps = false;
    // Regions that touch it become one with it, unless bookkeeping lies between.
    const auto touches = [&](const Region& r) {
        if (r.begin < fullEnd && FullEnd(r) > address) return true;
        if (FullEnd(r) == address) return r.bookkeeping == 0;
        return r.begin == fullEnd && kept == 0;
    };
    std::size_t index = FirstRegionReaching(address);
    if (index < regions_.size() && !touches(regions_[index]) && regions_[index].begin < address) ++index;
    std::size_t last = index;
    for (; last < regions_.size() && touches(regions_[last]); ++last) {
        const Region& r = regions_[last];
        overlaps = overlaps || (r.begin < fullEnd && FullEnd(r) > address);
        whole.begin = std::min(whole.begin, r.begin);
        if (r.end >= whole.end) {
            whole.end = r.end;
            whole.bookkeeping = r.bookkeeping;
        }
    }
    // Bookkeeping that is overlapped can become usable, also beside the new bytes.
    const std::uint64_t begin = overlaps ? whole.begin : address;
    const std::uint64_t end = overlaps ? std::max(fullEnd, FullEnd(whole)) : fullEnd;
    RegionChange change{index, {regions_.begin() + static_cast<std::ptrdiff_t>(index),
                                regions_.begin() + static_cast<std::ptrdiff_t>(last)}, 1, begin, end,
                        kept == 0 && !overlaps};
    ReplaceRegions(index, last - index, {&whole, 1}, begin, end, totals);
    return change;
}

AllocatorHeap::RegionChange AllocatorHeap::RemoveRange(std::uint64_t begin, std::uint64_t end, Totals& totals) {
    std::size_t index = FirstRegionReaching(begin);
    if (index < regions_.size() && FullEnd(regions_[index]) == begin) ++index;
    std::size_t last = index;
    std::vector<Region> rest;
    for (; last < regions_.size() && regions_[last].begin < end; ++last) {
        const Region& r = regions_[last];
        if (r.begin < begin) {
            const std::uint64_t usable = std::min(r.end, begin);
            rest.push_back({r.begin, usable, begin - usable});  // it may be cut inside its bookkeeping
        }
        if (FullEnd(r) > end) {
            const std::uint64_t from = std::max(end, r.begin);
            const std::uint64_t usable = std::max(r.end, from);
            rest.push_back({from, usable, FullEnd(r) - usable});
        }
    }
    RegionChange change{index, {regions_.begin() + static_cast<std::ptrdiff_t>(index),
                                regions_.begin() + static_cast<std::ptrdiff_t>(last)}, rest.size(), begin, end, false};
    ReplaceRegions(index, last - index, rest, begin, end, totals);
    return change;
}

void AllocatorHeap::Undo(const RegionChange& change, Totals& totals) {
    ReplaceRegions(change.index, change.inserted, change.removed, change.begin, change.end, totals);
}

void AllocatorHeap::ReplaceRegions(std::size_t index, std::size_t remove, std::span<const Region> insert,
                                   std::uint64_t begin, std::uint64_t end, Totals& totals) {
    const auto first = regions_.begin() + static_cast<std::ptrdiff_t>(index);
    const auto last = first + static_cast<std::ptrdiff_t>(remove);
    // Only holes that touch the changed bytes change. They end at the next block on either side, or with their region.
    std::uint64_t from = begin, to = end;
    const auto widen = [&](const Region& r) {
        from = std::min(from, r.begin);
        to = std::max(to, r.end);
    };
    std::for_each(first, last, widen);
    std::for_each(insert.begin(), insert.end(), widen);
    const BlockSet::Place atBegin = blocks_.Locate(begin);
    if (const auto previous = blocks_.PeekBack(atBegin)) from = std::max(from, previous.Begin());
    if (const auto next = blocks_.Peek(blocks_.Locate(end))) to = std::min(to, next.End());
    const auto countAll = [&](Change change) {
        WalkHoles(from, to, [&](std::uint64_t a, std::uint64_t b) {
            CountHole(b - a, change, totals);
            return true;
        });
    };
    countAll(Change::Goes);
    for (auto r = first; r != last; ++r) {
        totals.heap -= r->end - r->begin + r->bookkeeping;
        totals.bookkeeping -= r->bookkeeping;
    }
    for (const Region& r : insert) {
        totals.heap += r.end - r.begin + r.bookkeeping;
        totals.bookkeeping += r.bookkeeping;
    }
    const auto gap = regions_.erase(first, last);
    regions_.insert(gap, insert.begin(), insert.end());
    countAll(Change::Appears);
    SettleHoles(totals);
}

bool AllocatorHeap::operator==(const AllocatorHeap& other) const {
    const auto same = [](const Region& a, const Region& b) {
        return a.begin == b.begin && a.end == b.end && a.bookkeeping == b.bookkeeping;
    };
    return squares_ == other.squares_ && strays_ == other.strays_ && regionBlocks_ == other.regionBlocks_ &&
           std::equal(regions_.begin(), regions_.end(), other.regions_.begin(), other.regions_.end(), same) &&
           SameBlocks(other) && holeSizes_ == other.holeSizes_;
}

bool AllocatorHeap::SameBlocks(const AllocatorHeap& other) const {
    if (blocks_.SameForm(other.blocks_)) return blocks_ == other.blocks_;
    if (blocks_.Count() != other.blocks_.Count()) return false;
    BlockSet::Place at = blocks_.Locate(0), otherAt = other.blocks_.Locate(0);
    for (std::uint64_t i = 0; i < blocks_.Count(); ++i, blocks_.Next(at), other.blocks_.Next(otherAt)) {
        BlockEntry a = EntryOf(blocks_.Get(at)), b = other.EntryOf(other.blocks_.Get(otherAt));
        if (a.dead) a.region = b.region;  // nobody asks whether a dead block was one
        if (!(a == b)) return false;
    }
    return true;
}

std::size_t AllocatorHeap::CopyBytes() const {
    constexpr std::size_t kNode = 48;  // a tree node of the standard library, without what it holds
    return sizeof(*this) + blocks_.CopyBytes() + holeSizes_.CopyBytes() + regions_.capacity() * sizeof(Region) +
           strays_.size() * (kNode + sizeof(BlockEntry)) + regionBlocks_.size() * (kNode + 16);
}

// Holes, or the parts of them, inside [begin, end); visit(from, to) returns false to stop.
template <class Visit>
bool AllocatorHeap::WalkHoles(std::uint64_t begin, std::uint64_t end, Visit&& visit) const {
    for (auto region = FirstRegionEndingAfter(begin); region != regions_.end() && region->begin < end; ++region) {
        std::uint64_t from = std::max(begin, region->begin);
        const std::uint64_t to = std::min(end, region->end);
        BlockSet::Place at = blocks_.Locate(from);
        if (const auto previous = blocks_.PeekBack(at)) from = std::max(from, previous.End());
        for (auto entry = blocks_.Get(at); entry && entry.Begin() < to; entry = blocks_.Get(at)) {
            if (entry.Begin() > from && !visit(from, entry.Begin())) return false;
            from = std::max(from, entry.End());
            blocks_.Next(at);
        }
        if (from < to && !visit(from, to)) return false;
    }
    return true;
}

void AllocatorHeap::FindHoles(Totals& totals) {
    leavesHoles_ = false;
    holeSizes_ = {};
    squares_ = 0;
    totals.free = totals.holes = 0;
    WalkHoles(0, kEndOfMemory, [&](std::uint64_t from, std::uint64_t to) {
        CountHole(to - from, Change::Appears, totals);
        return true;
    });
    SettleHoles(totals);
}

void AllocatorHeap::VisitHoles(std::uint64_t begin, std::uint64_t end,
                               const std::function<bool(const Hole&)>& visit) const {
    if (begin >= end) return;
    // Widen to whole holes, so that those at the ends are told in full.
    if (const auto hole = HoleAt(begin)) begin = hole->begin;
    if (const auto hole = HoleAt(end - 1)) end = hole->end;
    WalkHoles(begin, end, [&](std::uint64_t from, std::uint64_t to) { return visit(Hole{from, to}); });
}

std::optional<Hole> AllocatorHeap::HoleAt(std::uint64_t address) const {
    const auto region = FirstRegionEndingAfter(address);
    if (region == regions_.end() || region->begin > address) return std::nullopt;
    std::uint64_t from = region->begin, to = region->end;
    const BlockSet::Place at = blocks_.Locate(address == kEndOfMemory ? address : address + 1);
    if (const auto previous = blocks_.PeekBack(at)) {
        if (previous.End() > address) return std::nullopt;
        from = std::max(from, previous.End());
    }
    if (const auto next = blocks_.Peek(at)) to = std::min(to, next.Begin());
    return Hole{from, to};
}

std::optional<Hole> AllocatorHeap::LargestHole() const {
    const std::uint64_t largest = holeSizes_.Largest();
    if (largest == 0) return std::nullopt;
    std::optional<Hole> found;
    const auto take = [&](std::uint64_t from, std::uint64_t to) {
        if (to - from != largest) return true;
        found = Hole{from, to};
        return false;
    };
    // The gaps around a run's entries lie in [end of the run before, end of this one): a run whose gaps are together
    // smaller than the largest hole is passed over unread.
    std::uint64_t reached = 0;
    blocks_.VisitRuns(blocks_.Locate(0), [&](BlockSet::Place, std::uint64_t, std::uint64_t end, std::uint64_t weight) {
        const bool may = end - reached - weight >= largest;
        const bool goOn = !may || WalkHoles(reached, end, take);
        reached = end;
        return goOn;
    });
    if (!found) WalkHoles(reached, kEndOfMemory, take);
    return found;
}

}  // namespace residue::model
