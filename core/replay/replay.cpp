#include "replay/replay.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "alloc/registry.hpp"
#include "base/checked.hpp"
#include "events/rebase_sink.hpp"
#include "import/id_map.hpp"
#include "replay/call_sink.hpp"
#include "replay/resize.hpp"

namespace residue::replay {
namespace {

using alloc::Allocator;
using import::Meaning;
using import::Operation;

constexpr std::size_t kAlignment = 8;
constexpr std::uint64_t kUsualRange = std::uint64_t{32} << 30;
constexpr std::uint64_t kSmallestRange = std::uint64_t{4} << 20;
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kProgressEvery = 1024;

std::string KnownNames() {
    std::string names;
    for (const alloc::Registration& entry : alloc::Registry())
        names += (names.empty() ? "" : ", ") + std::string(entry.name);
    return names;
}

std::uint64_t PhysicalMemory() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long bytes = ::sysconf(_SC_PAGE_SIZE);
    if (pages <= 0 || bytes <= 0) return std::uint64_t{1} << 40;
    return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(bytes);
}

// A bound of the memory that is touched: all of it, or the two pages around each block's ends.
std::uint64_t TouchedBytes(const import::TraceFigures& figures) {
    const auto ends = CheckedMultiply(figures.allocations, 2 * kPage);
    return std::min(figures.peakLiveBytes, ends.value_or(figures.peakLiveBytes));
}

// Reserves as much as is usual, or where the system does not give that, half and half again down to twice the peak.
Outcome<AddressRange> ReserveGrowing(std::uint64_t peak) {
    const std::uint64_t least = std::max(2 * peak + kSmallestRange, kSmallestRange);
    for (std::uint64_t bytes = std::max(kUsualRange, least);; bytes = std::max(bytes / 2, least)) {
        Outcome<AddressRange> range = AddressRange::Reserve(bytes);
        if (range || bytes == least) return range;
    }
}

class RegistryReplay final : public Replay {
public:
    RegistryReplay(const alloc::Registration& entry, AddressRange range, std::optional<std::uint64_t> capacity)
        : entry_(entry), range_(std::move(range)) {
        allocator_ = entry.Create(storage_, {range_.Base(), static_cast<std::size_t>(range_.Bytes()), capacity});
    }

    ~RegistryReplay() override {
        // Memory from the system goes back by hand: an allocator that remembers nothing could not.
        if (!entry_.inBuffer) {
            for (void* address : forgotten_) (void)allocator_->Free(allocator_, address);
            slots_.Visit([this](std::int64_t, const Slot& slot) {
                if (slot.live) (void)allocator_->Free(allocator_, slot.address);
            });
        }
        entry_.Destroy(allocator_);
    }
    RegistryReplay(const RegistryReplay&) = delete;
    RegistryReplay& operator=(const RegistryReplay&) = delete;

    const char* Title() const override { return entry_.title; }
    std::uint64_t ReservedBytes() const override { return range_.Bytes(); }

    Outcome<void> Run(import::TraceReader& reader, events::EventSink& sink, const std::atomic<bool>& cancelled,
                      std::atomic<double>* progress) override {
        events::RebaseSink rebased(sink, range_.Address(), range_.Bytes(), kFixedBase);
        CallSink calls(entry_.inBuffer ? static_cast<events::EventSink&>(rebased) : sink);
        calls_ = &calls;
        entry_.Attach(allocator_, calls_, entry_.name);
        reader.CancelWith(&cancelled);
        // Detached before the sinks go, also when memory runs out on the way, and without a word: the log ends with the
        // heap as it is.
        struct Ending {
            RegistryReplay& me;
            import::TraceReader& reader;
            ~Ending() {
                reader.CancelWith(nullptr);
                me.calls_->Close();
                me.entry_.Attach(me.allocator_, nullptr, me.entry_.name);
                me.calls_ = nullptr;
            }
        } ending{*this, reader};
        return Drive(reader, cancelled, progress);
    }

private:
    struct Slot {
        void* address = nullptr;  // of its block; when not live, of the last one it had
        std::uint64_t size = 0;
        bool live = false;
    };

    Outcome<void> Drive(import::TraceReader& reader, const std::atomic<bool>& cancelled,
                        std::atomic<double>* progress) {
        import::IdTable ids(reader.Header().unknownIdIsNull);
        Operation operation;
        for (std::uint64_t done = 0;; ++done) {
            if (cancelled.load(std::memory_order_relaxed)) return Fail(Failure{"", "cancelled", ""});
            if (progress != nullptr && done % kProgressEvery == 0) {
                progress->store(reader.Progress(), std::memory_order_relaxed);
            }
            const Outcome<bool> more = reader.Next(operation);
            if (!more) return Fail(more.error());
            if (!*more) break;
            std::uint64_t oldSize = 0;
            const Meaning meaning = ids.Apply(operation, oldSize);
            calls_->BeginOperation();
            Do(operation, meaning);
            calls_->EndOperation(operation.line);
        }
        if (progress != nullptr) progress->store(1, std::memory_order_relaxed);
        return {};
    }

    void Do(const Operation& operation, Meaning meaning) {
        switch (meaning) {
            case Meaning::Allocate:
            case Meaning::ResizeAllocate: AllocateFor(operation); break;
            case Meaning::Free:
            case Meaning::ResizeFree: FreeOf(operation); break;
            case Meaning::Resize: ResizeOf(operation); break;
            case Meaning::FreeUnknown: FreeAgain(operation); break;
            case Meaning::FreeNull:
            case Meaning::ResizeNull:
            case Meaning::Touch: break;
        }
    }

    void AllocateFor(const Operation& operation) {
        Slot& slot = slots_.At(operation.id);
        if (slot.live && !entry_.inBuffer) forgotten_.push_back(slot.address);
        const Result<void*> block = allocator_->Allocate(allocator_, operation.size, kAlignment);
        slot = block ? Slot{*block, operation.size, true} : Slot{};
    }

    void FreeOf(const Operation& operation) {
        Slot* slot = slots_.Find(operation.id);
        if (slot == nullptr || !slot->live) return;  // its allocation failed
        (void)allocator_->Free(allocator_, slot->address);
        slot->live = false;
    }

    void FreeAgain(const Operation& operation) {
        const Slot* slot = slots_.Find(operation.id);
        if (slot == nullptr) {
            (void)allocator_->Free(allocator_, nullptr);  // there is no address to name: InvalidPointer
            return;
        }
        if (slot->address == nullptr) return;  // its allocation failed
        const alloc::AllocatorOptions* options = allocator_->options;
        if (options == nullptr || options->Owns == nullptr || options->Owns(allocator_, slot->address)) return;
        (void)allocator_->Free(allocator_, slot->address);
    }

    void ResizeOf(const Operation& operation) {
        Slot* slot = slots_.Find(operation.id);
        if (slot == nullptr || !slot->live) return;
        const Result<void*> block = ResizeBlock(allocator_, *calls_, range_, entry_.inBuffer,
                                                {slot->address, slot->size}, operation.size, kAlignment);
        if (block) *slot = {*block, operation.size, true};
    }

    const alloc::Registration& entry_;
    AddressRange range_;
    alignas(alloc::kAllocatorStorageAlignment) std::byte storage_[alloc::kAllocatorStorageBytes];
    Allocator* allocator_ = nullptr;
    CallSink* calls_ = nullptr;
    import::IdMap<Slot> slots_;
    std::vector<void*> forgotten_;  // live blocks whose id was used again
};

}  // namespace

Outcome<std::unique_ptr<Replay>> Replay::Create(const import::TraceFigures& figures, const ReplayOptions& options) {
    const alloc::Registration* entry = alloc::FindRegistration(options.allocator);
    if (entry == nullptr) {
        return Fail(Failure{"allocator", fmt::format("there is none named '{}'", options.allocator), KnownNames()});
    }
    if (options.capacity && !entry->inBuffer) {
        return Fail(Failure{"capacity", fmt::format("'{}' has none: it takes memory from the system", entry->name),
                            "no capacity, or another allocator"});
    }
    if (options.capacity && *options.capacity == 0) {
        return Fail(Failure{"capacity", "0 bytes hold no heap", "at least 1 byte"});
    }
    const auto needs = [&](std::uint64_t most, const char* what) {
        return Fail(Failure{"", fmt::format("needs {}{} bytes of heap", figures.overflowed ? "more than " : "",
                                            figures.peakLiveBytes),
                            fmt::format("at most {} bytes, {}", most, what)});
    };
    // With a capacity of the user's choice a request that does not fit fails, and that is what is to be seen.
    if (entry->inBuffer && !options.capacity && figures.peakLiveBytes > kLargestHeap) {
        return needs(kLargestHeap, "the largest heap");
    }
    const std::uint64_t memory = PhysicalMemory();
    const std::uint64_t most = std::min(options.capacity.value_or(memory), TouchedBytes(figures));
    if (most > memory || (!entry->inBuffer && figures.overflowed)) return needs(memory, "the machine's memory");

    Outcome<AddressRange> range = AddressRange();
    if (entry->inBuffer) {
        range = options.capacity ? AddressRange::Reserve(*options.capacity) : ReserveGrowing(figures.peakLiveBytes);
        if (!range) return Fail(range.error());
    }
    return std::unique_ptr<Replay>(std::make_unique<RegistryReplay>(*entry, std::move(*range), options.capacity));
}

}  // namespace residue::replay
