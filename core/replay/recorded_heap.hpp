// Where the heap of a recorded allocator lies while its calls are run again: one range of our own, in which addresses
// keep their low 16 bits and their order. The log shows the old ones, a RebaseSink translates.
//
// A heap of its own (a buffer, a growing range) is one window. Regions from a parent are as many as they lie apart, and
// the parent is one that gives out, on demand, just the region that the log tells next:
//
//     RecordedHeap heap(creation);
//     if (!heap.Holds(view)) heap.Make();                       // the range; everything reads as zero
//     allocator = form.Create(storage, heap.Options());
//     heap.OfferRegion(grown.address, grown.size);              // before the call that grew
//
// What the log tells is not trusted: a region is given only if it is as large as the one that is asked for, aligned,
// and apart from all that are out. Thread safety: none.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "alloc/registry.hpp"
#include "events/event.hpp"
#include "events/rebase_sink.hpp"
#include "log/event_log.hpp"
#include "replay/address_range.hpp"

namespace residue::replay {

class RecordedHeap {
public:
    explicit RecordedHeap(const events::Event& creation);
    RecordedHeap(const RecordedHeap&) = delete;  // allocators point at its parent
    RecordedHeap& operator=(const RecordedHeap&) = delete;

    // Takes in what the log tells of the allocator's memory since the last time. Is that inside of what Make made?
    bool Holds(const log::LogView& view);
    // Anew. Failure: no address space.
    Outcome<void> Make();

    const AddressRange& Range() const { return range_; }
    std::span<const events::RebaseWindow> Windows() const { return windows_; }
    alloc::MakeOptions Options();
    void* Real(std::uint64_t shown) const;  // null: it is in none of the windows

    // The parent's next answers; none are left from the call before.
    void OfferRegion(std::uint64_t shown, std::uint64_t bytes) { parent_.offers.push_back({Real(shown), bytes}); }
    void WithdrawOffers() { parent_.offers.clear(); }
    // The allocator was put back to an earlier state: the regions that are out are those that it has.
    void TakeRegionsOf(const alloc::Allocator& allocator);

private:
    enum class Sort : std::uint8_t { Buffer, Growing, Regions };
    struct Region {
        std::uint64_t address;
        std::uint64_t bytes;
        std::uint64_t End() const { return address + bytes; }
    };
    struct Offer {
        void* block;
        std::uint64_t bytes;
    };
    struct Parent : alloc::Allocator {
        Parent();
        Result<void*> Give(std::size_t bytes, std::size_t alignment);

        std::deque<Offer> offers;
        std::map<std::uintptr_t, std::uint64_t> out;  // begin to bytes
    };

    void Note(const events::Event& event);
    std::uint64_t LeastGrowing() const;
    Outcome<void> MakeWindow(std::uint64_t bytes);
    Outcome<void> MakeWindows();

    const events::Event creation_;
    const Sort sort_;
    AddressRange range_;
    std::vector<events::RebaseWindow> windows_;  // by address, both ways
    Parent parent_;
    std::uint64_t scanned_ = 0;       // rows
    std::uint64_t grown_ = 0;         // bytes (Growing)
    std::vector<Region> regions_;     // in the log's order
    std::size_t placed_ = 0;          // of these, in the windows
    std::uint64_t regionBytes_ = 0;   // of an ordinary one: no region is smaller
    std::uint64_t slotBytes_ = 0;     // a pool's; 0: not known
    std::uint64_t madeRegionBytes_ = 0;
    std::uint64_t madeSlotBytes_ = 0;
};

}  // namespace residue::replay
