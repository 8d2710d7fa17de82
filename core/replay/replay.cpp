#include "replay/replay.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "alloc/emitter.hpp"
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

// An allocator of the registry, in a range of its own.
class Host {
public:
    Host(const alloc::Registration& of, AddressRange in, std::optional<std::uint64_t> bytes)
        : entry(of), range(std::move(in)), capacity(bytes) {
        allocator = entry.Create(storage_, {range.Base(), static_cast<std::size_t>(range.Bytes()), capacity});
    }
    ~Host() { Destroy(); }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    // Failures: as Replay::Create's.
    static Outcome<std::unique_ptr<Host>> Make(const import::TraceFigures& figures, const std::string& name,
                                               std::optional<std::uint64_t> capacity);

    // Tells `sink` what it does, at addresses from kFixedBase on.
    CallSink& Attach(events::EventSink& sink) {
        rebased_.emplace(sink, range.Address(), range.Bytes(), kFixedBase);
        calls_.emplace(entry.inBuffer ? static_cast<events::EventSink&>(*rebased_) : sink);
        entry.Attach(allocator, &*calls_, entry.name);
        return *calls_;
    }
    // Without a word, before the sink goes.
    void Detach() {
        if (!calls_) return;
        calls_->Close();
        entry.Attach(allocator, nullptr, entry.name);
        calls_.reset();
    }

    void Destroy() {
        if (allocator != nullptr) entry.Destroy(std::exchange(allocator, nullptr));
    }

    const alloc::Registration& entry;
    AddressRange range;
    const std::optional<std::uint64_t> capacity;
    Allocator* allocator = nullptr;

private:
    alignas(alloc::kAllocatorStorageAlignment) std::byte storage_[alloc::kAllocatorStorageBytes];
    std::optional<events::RebaseSink> rebased_;
    std::optional<CallSink> calls_;
};

class RegistryReplay final : public Replay {
public:
    RegistryReplay(std::unique_ptr<Host> host, std::unique_ptr<Host> next, std::optional<Fork> fork)
        : host_(std::move(host)), next_(std::move(next)), fork_(std::move(fork)) {}

    ~RegistryReplay() override { GiveBack(); }
    RegistryReplay(const RegistryReplay&) = delete;
    RegistryReplay& operator=(const RegistryReplay&) = delete;

    const char* Title() const override { return host_->entry.title; }
    std::uint64_t ReservedBytes() const override { return host_->range.Bytes(); }

    Outcome<void> Run(import::TraceReader& reader, events::EventSink& sink, const std::atomic<bool>& cancelled,
                      std::atomic<double>* progress) override {
        sink_ = &sink;
        calls_ = &host_->Attach(sink);
        reader.CancelWith(&cancelled);
        // Detached before the sinks go, also when memory runs out on the way, and without a word: the log ends with the
        // heap as it is.
        struct Ending {
            RegistryReplay& me;
            import::TraceReader& reader;
            ~Ending() {
                reader.CancelWith(nullptr);
                me.host_->Detach();
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
        std::uint64_t born = 0;   // the operation that made the block: the order of allocation
    };

    // Memory from the system goes back by hand: an allocator that remembers nothing could not.
    void GiveBack() {
        if (host_->entry.inBuffer) return;
        for (const Slot& slot : forgotten_) (void)host_->allocator->Free(host_->allocator, slot.address);
        slots_.Visit([this](std::int64_t, const Slot& slot) {
            if (slot.live) (void)host_->allocator->Free(host_->allocator, slot.address);
        });
    }

    // ---- the fork ----

    void GoOnUnderOtherRules() {
        calls_->BeginFork();
        const alloc::ObservedForm* const form = next_->entry.observed;
        const std::uint64_t kind = form == nullptr ? 0 : alloc::KindId(form->Kind());
        const bool sameMemory = next_->capacity == host_->capacity && host_->entry.GoOnAs != nullptr;
        std::string text;
        if (sameMemory && kind != 0 && host_->entry.GoOnAs(host_->allocator, kind)) {
            text = fmt::format("forked here: from now on {}, with the heap as it is", next_->entry.title);
            calls_->Remark(text.data(), text.size(), kind);
        } else {
            const auto [placed, refused] = PlaceAfresh();
            text = fmt::format("forked here: {} live blocks placed afresh in {}, in order of allocation", placed,
                               next_ == nullptr ? host_->entry.title : next_->entry.title);
            if (refused != 0) text += fmt::format("; {} had no room", refused);
            calls_->Remark(text.data(), text.size(), 0);
        }
        calls_->EndFork();
        next_.reset();
    }

    // How many blocks have a place, and how many have none.
    std::pair<std::uint64_t, std::uint64_t> PlaceAfresh() {
        std::vector<Slot*> live;
        slots_.Visit([&](std::int64_t id, const Slot& slot) {
            if (slot.live) live.push_back(slots_.Find(id));
        });
        for (Slot& slot : forgotten_) live.push_back(&slot);
        std::sort(live.begin(), live.end(), [](const Slot* a, const Slot* b) { return a->born < b->born; });
        GiveBack();  // the first one's, told as no calls
        host_->Destroy();
        host_ = std::move(next_);
        calls_ = &host_->Attach(*sink_);
        calls_->BeginFork();
        std::uint64_t refused = 0;
        for (Slot* slot : live) {
            const Result<void*> block = host_->allocator->Allocate(host_->allocator, slot->size, kAlignment);
            slot->live = static_cast<bool>(block);
            slot->address = block ? *block : nullptr;
            refused += block ? 0 : 1;
        }
        std::erase_if(forgotten_, [](const Slot& slot) { return !slot.live; });
        return {live.size() - refused, refused};
    }

    // ---- the operations ----

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
            if (!*more) {
                if (next_ != nullptr) {
                    return Fail(Failure{"fork", fmt::format("after operation {}", fork_->after),
                                        fmt::format("less than {}, as many as there are", done)});
                }
                break;
            }
            if (next_ != nullptr && done == fork_->after) GoOnUnderOtherRules();
            operation_ = done;
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
        if (slot.live) forgotten_.push_back(slot);
        const Result<void*> block = host_->allocator->Allocate(host_->allocator, operation.size, kAlignment);
        slot = block ? Slot{*block, operation.size, true, operation_} : Slot{};
    }

    void FreeOf(const Operation& operation) {
        Slot* slot = slots_.Find(operation.id);
        if (slot == nullptr || !slot->live) return;  // its allocation failed
        (void)host_->allocator->Free(host_->allocator, slot->address);
        slot->live = false;
    }

    void FreeAgain(const Operation& operation) {
        const Slot* slot = slots_.Find(operation.id);
        if (slot == nullptr) {
            (void)host_->allocator->Free(host_->allocator, nullptr);  // there is no address to name: InvalidPointer
            return;
        }
        if (slot->address == nullptr) return;  // its allocation failed
        const alloc::AllocatorOptions* options = host_->allocator->options;
        if (options == nullptr || options->Owns == nullptr || options->Owns(host_->allocator, slot->address)) return;
        (void)host_->allocator->Free(host_->allocator, slot->address);
    }

    void ResizeOf(const Operation& operation) {
        Slot* slot = slots_.Find(operation.id);
        if (slot == nullptr || !slot->live) return;
        const Result<void*> block = ResizeBlock(host_->allocator, *calls_, host_->range, host_->entry.inBuffer,
                                                {slot->address, slot->size}, operation.size, kAlignment);
        if (block) *slot = {*block, operation.size, true, operation_};
    }

    std::unique_ptr<Host> host_;   // whose allocator is null between the two of a fork
    std::unique_ptr<Host> next_;   // of a fork that is to come; else null
    std::optional<Fork> fork_;
    events::EventSink* sink_ = nullptr;
    CallSink* calls_ = nullptr;
    std::uint64_t operation_ = 0;
    import::IdMap<Slot> slots_;
    std::vector<Slot> forgotten_;  // live blocks whose id was used again
};

Outcome<std::unique_ptr<Host>> Host::Make(const import::TraceFigures& figures, const std::string& name,
                                          std::optional<std::uint64_t> capacity) {
    const alloc::Registration* entry = alloc::FindRegistration(name);
    if (entry == nullptr) {
        return Fail(Failure{"allocator", fmt::format("there is none named '{}'", name), KnownNames()});
    }
    if (capacity && !entry->inBuffer) {
        return Fail(Failure{"capacity", fmt::format("'{}' has none: it takes memory from the system", entry->name),
                            "no capacity, or another allocator"});
    }
    if (capacity && *capacity == 0) {
        return Fail(Failure{"capacity", "0 bytes hold no heap", "at least 1 byte"});
    }
    const auto needs = [&](std::uint64_t most, const char* what) {
        return Fail(Failure{"", fmt::format("needs {}{} bytes of heap", figures.overflowed ? "more than " : "",
                                            figures.peakLiveBytes),
                            fmt::format("at most {} bytes, {}", most, what)});
    };
    // With a capacity of the user's choice a request that does not fit fails, and that is what is to be seen.
    if (entry->inBuffer && !capacity && figures.peakLiveBytes > kLargestHeap) {
        return needs(kLargestHeap, "the largest heap");
    }
    const std::uint64_t memory = PhysicalMemory();
    const std::uint64_t most = std::min(capacity.value_or(memory), TouchedBytes(figures));
    if (most > memory || (!entry->inBuffer && figures.overflowed)) return needs(memory, "the machine's memory");

    Outcome<AddressRange> range = AddressRange();
    if (entry->inBuffer) {
        range = capacity ? AddressRange::Reserve(*capacity) : ReserveGrowing(figures.peakLiveBytes);
        if (!range) return Fail(range.error());
    }
    return std::make_unique<Host>(*entry, std::move(*range), capacity);
}

}  // namespace

Outcome<std::unique_ptr<Replay>> Replay::Create(const import::TraceFigures& figures, const ReplayOptions& options) {
    auto host = Host::Make(figures, options.allocator, options.capacity);
    if (!host) return Fail(host.error());
    Outcome<std::unique_ptr<Host>> next = std::unique_ptr<Host>();
    if (options.fork) {
        next = Host::Make(figures, options.fork->allocator, options.fork->capacity);
        if (!next) return Fail(Failure{"fork: " + next.error().where, next.error().what, next.error().expected});
    }
    return std::unique_ptr<Replay>(
        std::make_unique<RegistryReplay>(std::move(*host), std::move(*next), options.fork));
}

}  // namespace residue::replay
