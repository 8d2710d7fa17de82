#include "alloc/detail/tagged_blocks.hpp"

#include <cstring>

#include "base/checked.hpp"

namespace residue::alloc {

namespace {

constexpr std::uint32_t kFlag = 0x8000'0000;

std::uint32_t Load(std::uintptr_t address) {
    std::uint32_t word;
    std::memcpy(&word, reinterpret_cast<const void*>(address), sizeof word);
    return word;
}

void Store(std::uintptr_t address, std::uint32_t word) {
    std::memcpy(reinterpret_cast<void*>(address), &word, sizeof word);
}

// Where the parts of a block stand.
constexpr std::uintptr_t kSizeAt = 0;
constexpr std::uintptr_t kBelowAt = 4;
constexpr std::uintptr_t kNextAt = 8;
constexpr std::uintptr_t kPreviousAt = 12;

}  // namespace

TaggedBlocks::TaggedBlocks(const HeapMemory& memory) : regions_(memory) {
    HeapRegion* const first = regions_.First();
    if (first == nullptr || first->limit >= kSmallest) return;
    first->bookkeeping += first->used;
    first->used = 0;
}

// ---- requests ------------------------------------------------------------------------------------------------------

std::uint64_t TaggedBlocks::NeedOf(std::size_t bytes) {
    if (bytes > GranuleBits::kMostGranules * 8 - kHeader) return kNever;
    return (bytes + kHeader + 7) / 8 * 8;
}

std::uint64_t TaggedBlocks::GapFor(std::uintptr_t hole, std::size_t alignment) {
    if (alignment <= 8) return 0;
    const auto aligned = CheckedAlignUp(hole + kHeader, alignment);
    if (!aligned || *aligned - hole > kNever) return kNever;
    const std::uint64_t gap = *aligned - kHeader - hole;
    return gap != 0 && gap < kSmallest ? gap + alignment : gap;
}

std::uint64_t TaggedBlocks::MostGap(std::size_t alignment) {
    if (alignment <= 8) return 0;
    return alignment < kNever ? alignment + kSmallest - 8 : kNever;
}

bool TaggedBlocks::CouldEver(std::uint64_t need, std::size_t alignment) const {
    const std::uint64_t most = regions_.MostBytes();
    const HeapRegion* const first = regions_.First();
    // A region to come may begin anywhere.
    const bool known = regions_.Kind() != Growth::Regions && first != nullptr;
    const std::uint64_t gap = known ? GapFor(first->base, alignment) : MostGap(alignment);
    return need + gap <= most;
}

// ---- tags ----------------------------------------------------------------------------------------------------------

std::uint64_t TaggedBlocks::SizeOf(std::uintptr_t block) { return std::uint64_t{Load(block + kSizeAt) & ~kFlag} * 8; }

std::uint64_t TaggedBlocks::Below(std::uintptr_t block) { return std::uint64_t{Load(block + kBelowAt) & ~kFlag} * 8; }

bool TaggedBlocks::IsLive(std::uintptr_t block) { return (Load(block + kSizeAt) & kFlag) != 0; }

bool TaggedBlocks::IsExact(std::uintptr_t block) { return (Load(block + kBelowAt) & kFlag) != 0; }

void TaggedBlocks::SetHeader(std::uintptr_t block, std::uint64_t size, std::uint64_t below, bool live) {
    Store(block + kSizeAt, static_cast<std::uint32_t>(size / 8) | (live ? kFlag : 0));
    Store(block + kBelowAt, static_cast<std::uint32_t>(below / 8));
}

void TaggedBlocks::SetBelow(const HeapRegion& region, std::uintptr_t above, std::uint64_t size) {
    if (above >= region.End()) return;
    Store(above + kBelowAt, static_cast<std::uint32_t>(size / 8) | (Load(above + kBelowAt) & kFlag));
}

std::uint64_t TaggedBlocks::HoleAt(const HeapRegion& region, std::uintptr_t at) {
    return at < region.End() && !IsLive(at) ? SizeOf(at) : 0;
}

std::uint64_t TaggedBlocks::UnusedBytes(std::uintptr_t block) {
    if (IsExact(block)) return 0;
    const std::uint64_t size = SizeOf(block);
    // Masked and cut: the byte is next to the payload, where a program may write by mistake.
    const std::uint64_t unused = *reinterpret_cast<const unsigned char*>(block + size - 1) & 15;
    const std::uint64_t most = size - kHeader - 1;
    return unused < most ? unused : most;
}

void TaggedBlocks::SetUnusedBytes(std::uintptr_t block, std::size_t bytesUsed) {
    const std::uint64_t size = SizeOf(block);
    const std::uint64_t unused = size - kHeader - bytesUsed;
    Store(block + kBelowAt, (Load(block + kBelowAt) & ~kFlag) | (unused == 0 ? kFlag : 0));
    if (unused != 0) *reinterpret_cast<unsigned char*>(block + size - 1) = static_cast<unsigned char>(unused);
}

Block TaggedBlocks::Describe(std::uintptr_t block) {
    const std::uint64_t unused = UnusedBytes(block);
    Block described;
    described.address = block + kHeader;
    described.header = kHeader;
    described.slack = unused >= 8 ? 8 : 0;
    described.rounding = unused - described.slack;
    described.size = SizeOf(block) - kHeader - unused;
    return described;
}

// ---- links ---------------------------------------------------------------------------------------------------------

const HeapRegion* TaggedBlocks::RegionOf(Link link) const {
    const HeapRegion* region = regions_.First();
    while (region != nullptr && std::uint64_t{link} - region->own[0] >= region->used / 8) region = region->next;
    return region;
}

HeapRegion* TaggedBlocks::RegionOf(Link link) {
    return const_cast<HeapRegion*>(const_cast<const TaggedBlocks*>(this)->RegionOf(link));
}

TaggedBlocks::Link TaggedBlocks::Next(std::uintptr_t hole) { return Load(hole + kNextAt); }

TaggedBlocks::Link TaggedBlocks::Previous(std::uintptr_t hole) { return Load(hole + kPreviousAt); }

void TaggedBlocks::SetNext(std::uintptr_t hole, Link next) { Store(hole + kNextAt, next); }

void TaggedBlocks::SetPrevious(std::uintptr_t hole, Link previous) { Store(hole + kPreviousAt, previous); }

// ---- regions -------------------------------------------------------------------------------------------------------

HeapRegion* TaggedBlocks::AddRegion(std::uint64_t bytes, Emitter& emitter) {
    // Beyond, a region of the largest size could not be numbered any more.
    if (regions_.Kind() != Growth::Regions || numbered_ > kNone - GranuleBits::kMostGranules) return nullptr;
    HeapRegion* const region = regions_.Grow(static_cast<std::size_t>(bytes), emitter);
    if (region == nullptr) return nullptr;
    region->own[0] = numbered_;
    numbered_ += region->used / 8;
    return region;
}

void TaggedBlocks::Reset(Emitter& emitter) {
    regions_.TellReset(emitter);
    HeapRegion* const kept = regions_.First();
    if (kept != nullptr) {
        kept->bits.MarkAllGivenBack(static_cast<GranuleBits::Granule>(kept->used / 8));
        SetTopmost(*kept, 0);
    }
    numbered_ = kept == nullptr || regions_.Kind() != Growth::Regions ? 0 : kept->used / 8;
}

}  // namespace residue::alloc
