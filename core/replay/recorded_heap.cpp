#include "replay/recorded_heap.hpp"

#include <algorithm>

#include "alloc/inspect.hpp"
#include "base/checked.hpp"

namespace residue::replay {
namespace {

using events::Event;
using events::EventKind;
using events::RebaseWindow;

constexpr std::uint64_t kSmallestReserve = std::uint64_t{16} << 20;
constexpr std::uint64_t kLargestReserve = std::uint64_t{32} << 30;
constexpr std::uint64_t kLargestSlot = std::uint64_t{1} << 32;

struct RegionList final : alloc::Inspector {
    explicit RegionList(std::map<std::uintptr_t, std::uint64_t>& out) : out_(&out) {}
    void OnRegion(const alloc::Region& region) override { out_->emplace(region.base, region.bytes); }

private:
    std::map<std::uintptr_t, std::uint64_t>* out_;
};

}  // namespace

// ---- the parent ----------------------------------------------------------------------------------------------------

RecordedHeap::Parent::Parent() {
    Allocate = [](alloc::Allocator* self, std::size_t bytes, std::size_t alignment) {
        return static_cast<Parent*>(self)->Give(bytes, alignment);
    };
    Free = [](alloc::Allocator* self, void* pointer) -> Result<void> {
        static_cast<Parent*>(self)->out.erase(reinterpret_cast<std::uintptr_t>(pointer));
        return {};
    };
}

Result<void*> RecordedHeap::Parent::Give(std::size_t bytes, std::size_t alignment) {
    if (offers.empty()) return Fail(MemoryError::InsufficientMemory);
    const Offer offer = offers.front();
    offers.pop_front();
    const auto begin = reinterpret_cast<std::uintptr_t>(offer.block);
    if (offer.block == nullptr || offer.bytes != bytes || begin % std::max<std::size_t>(alignment, 1) != 0) {
        return Fail(MemoryError::InsufficientMemory);
    }
    const auto after = out.lower_bound(begin);
    if (after != out.end() && after->first < begin + bytes) return Fail(MemoryError::InsufficientMemory);
    if (after != out.begin() && std::prev(after)->first + std::prev(after)->second > begin) {
        return Fail(MemoryError::InsufficientMemory);
    }
    out.emplace_hint(after, begin, bytes);
    return offer.block;
}

// ---- what the log tells --------------------------------------------------------------------------------------------

RecordedHeap::RecordedHeap(const Event& creation)
    : creation_(creation),
      sort_(creation.size != 0 ? Sort::Buffer : creation.address != 0 ? Sort::Growing : Sort::Regions) {}

void RecordedHeap::Note(const Event& event) {
    if (event.kind == EventKind::RegionGrown) {
        if (sort_ == Sort::Growing) grown_ = SaturatingAdd(grown_, event.size);
        if (sort_ != Sort::Regions || event.size == 0) return;
        regions_.push_back({event.address, event.size});
        regionBytes_ = regionBytes_ == 0 ? event.size : std::min(regionBytes_, event.size);
    } else if (event.kind == EventKind::Allocated && slotBytes_ == 0) {
        slotBytes_ = std::min(SaturatingAdd(event.size, event.rounding), kLargestSlot);
    }
}

bool RecordedHeap::Holds(const log::LogView& view) {
    for (; scanned_ < view.Rows().value; ++scanned_) {
        const EventKind kind = view.KindAt(Row{scanned_});
        if (kind != EventKind::RegionGrown && (kind != EventKind::Allocated || slotBytes_ != 0)) continue;
        const Event event = view.At(Row{scanned_}).event;
        if (event.allocator == creation_.allocator) Note(event);
    }
    if (range_.Bytes() == 0 || madeSlotBytes_ != slotBytes_ || madeRegionBytes_ != regionBytes_) return false;
    if (sort_ == Sort::Growing) return LeastGrowing() <= windows_.front().bytes;
    for (; placed_ < regions_.size(); ++placed_) {
        const Region& region = regions_[placed_];
        if (Real(region.address) == nullptr || Real(region.End() - 1) == nullptr) return false;
    }
    return true;
}

// ---- the range -----------------------------------------------------------------------------------------------------

Outcome<void> RecordedHeap::Make() {
    parent_.offers.clear();
    parent_.out.clear();
    windows_.clear();
    madeSlotBytes_ = slotBytes_;
    madeRegionBytes_ = regionBytes_;
    if (sort_ == Sort::Buffer) return MakeWindow(creation_.size);
    if (sort_ == Sort::Regions) return MakeWindows();
    const std::uint64_t least = LeastGrowing();
    return MakeWindow(least > kLargestReserve ? least : std::clamp(2 * least, kSmallestReserve, kLargestReserve));
}

// With room for the allocator's bookkeeping at the far end.
std::uint64_t RecordedHeap::LeastGrowing() const { return SaturatingAdd(grown_, grown_ / 16 + (1 << 20)); }

Outcome<void> RecordedHeap::MakeWindow(std::uint64_t bytes) {
    const std::uint64_t lead = creation_.address % kRangeAlignment;
    Outcome<AddressRange> range = AddressRange::Reserve(SaturatingAdd(lead, bytes));
    if (!range) return Fail(range.error());
    range_ = std::move(*range);
    windows_.push_back({range_.Address() + lead, range_.Bytes() - lead, creation_.address});
    return {};
}

Outcome<void> RecordedHeap::MakeWindows() {
    std::vector<Region> sorted = regions_;
    std::sort(sorted.begin(), sorted.end(), [](const Region& a, const Region& b) { return a.address < b.address; });
    // Regions that overlap (at different times) or are near each other share a window.
    std::vector<Region> spans;
    for (const Region& region : sorted) {
        if (spans.empty() || region.address > SaturatingAdd(spans.back().End(), kRangeAlignment)) {
            spans.push_back(region);
        } else {
            spans.back().bytes = std::max(spans.back().End(), region.End()) - spans.back().address;
        }
    }
    std::uint64_t bytes = 0;
    for (const Region& span : spans) {
        const std::uint64_t lead = span.address % kRangeAlignment;
        windows_.push_back({bytes + lead, span.bytes, span.address});
        bytes = CheckedAlignUp(SaturatingAdd(bytes + lead, span.bytes), kRangeAlignment).value_or(~std::uint64_t{0});
        if (bytes > (std::uint64_t{1} << 62)) break;  // no system has that; Reserve says so
    }
    Outcome<AddressRange> range = AddressRange::Reserve(bytes);
    if (!range) return Fail(range.error());
    range_ = std::move(*range);
    for (RebaseWindow& window : windows_) window.realBase += range_.Address();
    placed_ = regions_.size();
    return {};
}

alloc::MakeOptions RecordedHeap::Options() {
    alloc::MakeOptions options;
    options.slotBytes = static_cast<std::size_t>(slotBytes_);
    if (sort_ == Sort::Regions) {
        options.parent = &parent_;
        options.regionBytes = static_cast<std::size_t>(regionBytes_);
        return options;
    }
    options.base = reinterpret_cast<void*>(windows_.front().realBase);
    options.reserved = static_cast<std::size_t>(windows_.front().bytes);
    if (sort_ == Sort::Buffer) options.capacity = creation_.size;
    return options;
}

void* RecordedHeap::Real(std::uint64_t shown) const {
    const auto after =
        std::upper_bound(windows_.begin(), windows_.end(), shown,
                         [](std::uint64_t a, const RebaseWindow& window) { return a < window.fixedBase; });
    if (after == windows_.begin()) return nullptr;
    const std::uint64_t offset = shown - std::prev(after)->fixedBase;
    if (offset >= std::prev(after)->bytes) return nullptr;
    return reinterpret_cast<void*>(std::prev(after)->realBase + offset);
}

void RecordedHeap::TakeRegionsOf(const alloc::Allocator& allocator) {
    if (sort_ != Sort::Regions) return;
    parent_.out.clear();
    RegionList list(parent_.out);
    allocator.options->Inspect(&allocator, list);
}

}  // namespace residue::replay
