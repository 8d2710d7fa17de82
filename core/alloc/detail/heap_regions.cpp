#include "alloc/detail/heap_regions.hpp"

#include <cstring>

#include "base/checked.hpp"

namespace residue::alloc {

namespace {

// The record of a region from a parent lies at the very end of it.
constexpr std::size_t kRecordBytes = (sizeof(HeapRegion) + 7) / 8 * 8;

// Splits [base, base + bytes) into heap and bits; `base` is aligned. What is too little for a unit is bookkeeping.
void SplitUp(HeapRegion& region, std::uintptr_t base, std::size_t bytes, std::size_t unit, unsigned spareBits) {
    std::uint64_t granules = bytes / 8;
    if (granules > GranuleBits::kMostGranules) granules = GranuleBits::kMostGranules;
    const std::uint64_t heap = GranuleBits::GranulesIn(granules);
    const std::uint64_t bits = (granules - heap) / 2 * 64;  // that there are, in each set
    const std::uint64_t served = bits < spareBits ? 0 : bits - spareBits < heap ? bits - spareBits : heap;
    region.base = base;
    region.limit = static_cast<std::size_t>(served * 8) / unit * unit;
    region.bookkeeping = static_cast<std::size_t>(granules * 8) - region.limit;
    region.bits = GranuleBits(reinterpret_cast<std::byte*>(base + heap * 8), region.limit / 8 + spareBits);
}

// The bytes of a region whose heap has `bytes`.
std::uint64_t WholeFor(std::uint64_t bytes, unsigned spareBits) {
    const std::uint64_t granules = (bytes + 7) / 8 + spareBits;
    return granules * 8 + GranuleBits::BytesFor(granules) + 16;  // 16: GranulesIn may leave two granules
}

}  // namespace

HeapRegions::HeapRegions(const HeapMemory& memory, std::size_t alignment, std::size_t unit, unsigned spareBits)
    : memory_(memory), alignment_(alignment), unit_(unit), spareBits_(spareBits) {
    if (memory.growth == Growth::Regions) return;
    hasOwn_ = true;
    const auto start = reinterpret_cast<std::uintptr_t>(memory.base);
    const auto aligned = CheckedAlignUp(start, alignment);
    if (memory.base == nullptr || !aligned || *aligned - start >= memory.bytes) return;
    SplitUp(own_, static_cast<std::uintptr_t>(*aligned), memory.bytes - static_cast<std::size_t>(*aligned - start),
            unit, spareBits);
    if (memory.growth == Growth::Growing) {
        own_.bookkeeping = 0;  // at the far end of what is only reserved
        return;
    }
    own_.used = own_.limit;
    if (own_.limit != 0) own_.bits.Clear(own_.limit / 8 + spareBits);
}

HeapRegion* HeapRegions::Containing(std::uintptr_t address) {
    for (HeapRegion* region = First(); region != nullptr; region = region->next) {
        if (region->Contains(address)) return region;
    }
    return nullptr;
}

const HeapRegion* HeapRegions::Containing(std::uintptr_t address) const {
    return const_cast<HeapRegions*>(this)->Containing(address);
}

HeapRegion* HeapRegions::Grow(std::size_t bytes, Emitter& emitter) {
    if (memory_.growth == Growth::Fixed || bytes == 0) return nullptr;
    if (memory_.growth == Growth::Regions) {
        HeapRegion* region = Append(bytes);
        if (region != nullptr)
            emitter.RegionGrown(region->base, region->used + region->bookkeeping, region->bookkeeping);
        return region;
    }
    if (!CouldGrow(bytes)) return nullptr;
    bytes = (bytes + unit_ - 1) / unit_ * unit_;  // no more than the limit: that is one of units
    emitter.RegionGrown(own_.End(), bytes);
    own_.used += bytes;
    return &own_;
}

bool HeapRegions::CouldGrow(std::size_t bytes) const {
    switch (memory_.growth) {
        case Growth::Fixed: return false;
        case Growth::Growing: return bytes <= own_.limit - own_.used;
        case Growth::Regions: return bytes <= GranuleBits::kMostGranules * 8;
    }
    return false;
}

std::size_t HeapRegions::MostBytes() const {
    return hasOwn_ ? own_.limit : static_cast<std::size_t>(GranuleBits::kMostGranules * 8);
}

HeapRegion* HeapRegions::Append(std::size_t bytes) {
    if (!CouldGrow(bytes) || memory_.parent == nullptr) return nullptr;
    std::uint64_t whole = WholeFor((bytes + unit_ - 1) / unit_ * unit_, spareBits_) + kRecordBytes;
    if (whole < memory_.bytes) whole = memory_.bytes / 8 * 8;
    const std::size_t alignment = alignment_ < alignof(HeapRegion) ? alignof(HeapRegion) : alignment_;
    const Result<void*> block =
        memory_.parent->Allocate(memory_.parent, static_cast<std::size_t>(whole), alignment);
    if (!block) return nullptr;

    HeapRegion made;
    const auto base = reinterpret_cast<std::uintptr_t>(*block);
    SplitUp(made, base, static_cast<std::size_t>(whole) - kRecordBytes, unit_, spareBits_);
    made.bookkeeping = static_cast<std::size_t>(whole) - made.limit;
    made.used = made.limit;
    made.block = *block;
    made.bits.Clear(made.limit / 8 + spareBits_);
    auto* const record = reinterpret_cast<HeapRegion*>(base + whole - kRecordBytes);
    std::memcpy(static_cast<void*>(record), &made, sizeof made);
    HeapRegion* last = &own_;
    while (last->next != nullptr) last = last->next;
    last->next = record;
    return record;
}

Result<HeapRegion*> HeapRegions::Locate(const void* pointer) {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    HeapRegion* const region = pointer == nullptr || address % 8 != 0 ? nullptr : Containing(address);
    if (region == nullptr) return Fail(MemoryError::InvalidPointer);
    const auto granule = region->GranuleOf(address);
    if (region->bits.IsLive(granule)) return region;
    return Fail(region->bits.WasGivenBack(granule) ? MemoryError::DoubleFree : MemoryError::InvalidPointer);
}

Result<const HeapRegion*> HeapRegions::Locate(const void* pointer) const {
    const auto found = const_cast<HeapRegions*>(this)->Locate(pointer);
    if (!found) return Fail(found.error());
    return *found;
}

std::uintptr_t HeapRegions::Nearest(const void* pointer) const {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    std::uintptr_t nearest = 0;
    std::uintptr_t distance = ~std::uintptr_t{0};
    for (const HeapRegion* region = First(); region != nullptr; region = region->next) {
        if (region->used == 0) continue;
        const auto end = static_cast<GranuleBits::Granule>(region->used / 8);
        const auto from = address < region->base ? 0 : address >= region->End() ? end - 1 : region->GranuleOf(address);
        const auto granule = region->bits.NearestLive(from, end);
        if (granule == GranuleBits::kNone) continue;
        const std::uintptr_t live = region->base + std::uintptr_t{granule} * 8;
        const std::uintptr_t away = live > address ? live - address : address - live;
        if (!region->Contains(address) && away >= distance) continue;
        nearest = live;
        distance = away;
        if (region->Contains(address)) break;
    }
    return nearest;
}

std::size_t HeapRegions::HeapBytes() const {
    std::size_t sum = 0;
    for (const HeapRegion* region = First(); region != nullptr; region = region->next) {
        sum += region->used + region->bookkeeping;
    }
    return sum;
}

Emitter::Created HeapRegions::Created() const {
    if (!hasOwn_) return {};
    return {own_.base, own_.used + own_.bookkeeping, own_.bookkeeping};
}

void HeapRegions::Inspect(Inspector& inspector) const {
    for (const HeapRegion* region = First(); region != nullptr; region = region->next) {
        inspector.OnRegion({region->base, region->used + region->bookkeeping, region->bookkeeping});
    }
}

void HeapRegions::Release(std::size_t keep, Emitter* emitter) {
    if (hasOwn_) return;
    HeapRegion* last = &own_;
    for (; keep > 0 && last->next != nullptr; --keep) last = last->next;
    HeapRegion* region = last->next;
    last->next = nullptr;
    while (region != nullptr) {
        HeapRegion* const after = region->next;  // the record lies in what goes back
        if (emitter != nullptr) emitter->RegionShrunk(region->base, region->used + region->bookkeeping);
        (void)memory_.parent->Free(memory_.parent, region->block);
        region = after;
    }
}

void HeapRegions::TellReset(Emitter& emitter) {
    Release(1, &emitter);
    const HeapRegion* const kept = First();
    emitter.BulkFreed(kept == nullptr ? 0 : kept->base, kept == nullptr ? 0 : kept->used);
}

void HeapRegions::End(Emitter& emitter) {
    Release(0, &emitter);
    emitter.Destroyed();
}

}  // namespace residue::alloc
