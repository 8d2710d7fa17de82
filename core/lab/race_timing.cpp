// How fast an allocator of the registry is: the trace over it with nobody listening. As a system's malloc is timed in
// lab/peer: the first run warms up, and every run begins with nothing allocated.
#include <algorithm>
#include <chrono>

#include "lab/race_lanes.hpp"
#include "replay/address_range.hpp"

namespace residue::lab {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kMostRuns = 20;
constexpr std::chrono::seconds kLongEnough{1};  // after it no run begins
constexpr std::size_t kAlignment = 8;
constexpr std::uint64_t kUsualRange = std::uint64_t{32} << 30;
constexpr std::uint64_t kHeadroom = std::uint64_t{4} << 20;
// What is copied is zeros that nobody wrote; larger blocks are not copied at all, or a trace of vast ones would fill
// the machine's memory.
constexpr std::uint64_t kLargestCopy = std::uint64_t{64} << 20;
constexpr std::size_t kLookEvery = 1 << 16;  // operations, for `cancelled`

class Timed {
public:
    Timed(const alloc::Registration& entry, const LabTrace& trace, const replay::AddressRange& range,
          std::optional<std::uint64_t> capacity)
        : entry_(entry), trace_(trace), blocks_(trace.slots) {
        // The duck of a run that nobody sees would be one too many.
        allocator_ = entry.Create(storage_, {.base = range.Base(), .reserved = static_cast<std::size_t>(range.Bytes()),
                                             .capacity = capacity, .quiet = true});
    }
    ~Timed() {
        FreeAll();
        entry_.Destroy(allocator_);
    }
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

    // Seconds; none: cancelled.
    std::optional<double> Run(const RaceOptions& options) {
        const Clock::time_point began = Clock::now();
        for (std::size_t i = 0; i < trace_.ops.size(); ++i) {
            if (i % kLookEvery == 0 && IsCancelled(options)) return std::nullopt;
            Do(trace_.ops[i]);
        }
        const std::chrono::duration<double> took = Clock::now() - began;
        FreeAll();
        return took.count();
    }

private:
    struct Block {
        void* address = nullptr;
        std::uint64_t size = 0;
    };

    void Do(const Op& op) {
        Block& block = blocks_[op.slot];
        switch (op.kind) {
            case OpKind::Malloc: return Place(op, block);
            case OpKind::ReallocNull:
                if (op.size > 0) Place(op, block);
                return;
            case OpKind::Realloc: return Resize(op, block);
            case OpKind::Free:
            case OpKind::ReallocFree: return Take(block);
            case OpKind::FreeNull:
            case OpKind::Touch:
            case OpKind::Nothing: return;
        }
    }

    void Place(const Op& op, Block& block) {
        if (block.address != nullptr) forgotten_.push_back(block.address);
        const Result<void*> got = allocator_->Allocate(allocator_, op.size, kAlignment);
        block = got ? Block{*got, op.size} : Block{};
    }

    void Take(Block& block) {
        if (block.address == nullptr) return;
        (void)allocator_->Free(allocator_, block.address);
        block = {};
    }

    void Resize(const Op& op, Block& block) {
        if (block.address == nullptr) return;  // its allocation failed
        const alloc::AllocatorOptions* own = allocator_->options;
        if (own != nullptr && own->Resize != nullptr && std::min(block.size, op.size) <= kLargestCopy) {
            const Result<void*> got = own->Resize(allocator_, block.address, op.size, kAlignment);
            if (got) block = {*got, op.size};
            return;
        }
        const Result<void*> got = allocator_->Allocate(allocator_, op.size, kAlignment);
        if (!got) return;
        (void)allocator_->Free(allocator_, block.address);
        block = {*got, op.size};
    }

    void FreeAll() {
        const alloc::AllocatorOptions* own = allocator_->options;
        const bool isReset = own != nullptr && own->Reset != nullptr && own->Reset(allocator_).has_value();
        // The youngest first, as a stack wants it.
        for (std::size_t i = blocks_.size(); i-- > 0;) {
            if (isReset)
                blocks_[i] = {};
            else
                Take(blocks_[i]);
        }
        for (void* address : forgotten_) {
            if (!isReset) (void)allocator_->Free(allocator_, address);
        }
        forgotten_.clear();
    }

    const alloc::Registration& entry_;
    const LabTrace& trace_;
    alignas(alloc::kAllocatorStorageAlignment) std::byte storage_[alloc::kAllocatorStorageBytes];
    alloc::Allocator* allocator_ = nullptr;
    std::vector<Block> blocks_;     // by slot
    std::vector<void*> forgotten_;  // live blocks whose slot was used again
};

Outcome<replay::AddressRange> RangeFor(const LabTrace& trace, const RaceOptions& options) {
    if (options.capacity) return replay::AddressRange::Reserve(*options.capacity);
    auto range = replay::AddressRange::Reserve(std::max(kUsualRange, 2 * trace.peakLive + kHeadroom));
    if (range) return range;
    return replay::AddressRange::Reserve(2 * trace.peakLive + kHeadroom);
}

}  // namespace

double TimeRegistered(const alloc::Registration& entry, const LabTrace& trace, const RaceOptions& options) {
    Outcome<replay::AddressRange> range = replay::AddressRange();
    if (entry.inBuffer) range = RangeFor(trace, options);
    if (!range) return 0;
    Timed timed(entry, trace, *range, entry.inBuffer ? options.capacity : std::nullopt);
    const Clock::time_point began = Clock::now();
    double best = 0;
    for (unsigned run = 0; run <= kMostRuns; ++run) {
        const auto seconds = timed.Run(options);
        if (!seconds) return 0;
        // The first counts only where it is the only one.
        if (run <= 1 || *seconds < best) best = *seconds;
        if (Clock::now() - began > kLongEnough) break;
    }
    return best;
}

}  // namespace residue::lab
