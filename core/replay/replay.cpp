#include "replay/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "alloc/emitter.hpp"
#include "alloc/registry.hpp"
#include "base/checked.hpp"
#include "import/id_map.hpp"
#include "replay/host.hpp"
#include "replay/resize.hpp"

namespace residue::replay {
namespace {

using alloc::Allocator;
using import::Meaning;
using import::Operation;

constexpr std::size_t kAlignment = 8;
constexpr std::uint64_t kProgressEvery = 1024;

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
