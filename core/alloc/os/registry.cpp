#include "alloc/registry.hpp"

#include <algorithm>
#include <new>

#include "alloc/buddy_allocator.hpp"
#include "alloc/bump_allocator.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/headerless_allocator.hpp"
#include "alloc/pool_allocator.hpp"
#include "alloc/segregated_allocator.hpp"
#include "alloc/tlsf_allocator.hpp"
#include "alloc/os/default_allocator.hpp"
#include "alloc/os/residue_allocator.hpp"
#include "alloc/os/system_allocator.hpp"

namespace residue::alloc {
namespace {

template <class T>
constexpr bool kFitsStorage = sizeof(T) <= kAllocatorStorageBytes && alignof(T) <= kAllocatorStorageAlignment;

std::size_t BytesOf(const MakeOptions& options) {
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(options.capacity.value_or(options.reserved), options.reserved));
}

HeapMemory MemoryOf(const MakeOptions& options) {
    if (options.parent != nullptr) return HeapMemory::From(options.parent, options.regionBytes);
    return options.capacity ? HeapMemory::Buffer(options.base, BytesOf(options))
                            : HeapMemory::Growing(options.base, BytesOf(options));
}

template <class T>
struct Common {
    static_assert(kFitsStorage<T>);
    static void Destroy(Allocator* self) { static_cast<T*>(self)->Destroy(); }
    static void Attach(Allocator* self, events::EventSink* sink, const char* name) {
        static_cast<T*>(self)->AttachSink(sink, name);
    }
    static std::uint64_t Probes(const Allocator* self) { return static_cast<const T*>(self)->Probes(); }
    static void Observe(Allocator* self, DecisionSink* sink) { static_cast<T*>(self)->observer.sink = sink; }
};

template <class T, Placement placement>
struct FixedBufferOf : Common<T> {
    static T Make(const MakeOptions& options) {
        return T::Make(options.base, BytesOf(options), placement, options.capacity ? Growth::Fixed : Growth::Growing);
    }
    static Allocator* Create(void* storage, const MakeOptions& options) { return new (storage) T(Make(options)); }
    static const char* Kind() { return Make({}).options->name; }
    static bool GoOnAs(Allocator* self, std::uint64_t kindId) {
        for (const Placement to : {Placement::FirstFit, Placement::NextFit, Placement::BestFit, Placement::WorstFit}) {
            if (KindId(T::Make(nullptr, 0, to, Growth::Fixed).options->name) != kindId) continue;
            static_cast<T*>(self)->GoOnBy(to);
            return true;
        }
        return false;
    }
};

template <Placement placement>
struct FixedBufferEntry : FixedBufferOf<FixedBufferAllocator, placement> {
    using Observed = FixedBufferOf<ObservedFixedBufferAllocator, placement>;
};

// An allocator that makes itself from any HeapMemory: every teaching allocator.
template <class T>
struct HeapOf : Common<T> {
    static Allocator* Create(void* storage, const MakeOptions& options) {
        return new (storage) T(T::Make(MemoryOf(options)));
    }
    static const char* Kind() { return T::Make(HeapMemory{}).options->name; }
};

template <class Plain, class WithObserver>
struct HeapEntry : HeapOf<Plain> {
    using Observed = HeapOf<WithObserver>;
};

template <class T>
struct PoolOf : HeapOf<T> {
    static Allocator* Create(void* storage, const MakeOptions& options) {
        const std::size_t slot = options.slotBytes == 0 ? kPoolSlotBytes : options.slotBytes;
        return new (storage) T(T::Make(MemoryOf(options), slot));
    }
};

struct PoolEntry : PoolOf<PoolAllocator> {
    using Observed = PoolOf<ObservedPoolAllocator>;
};

template <class Arena>
struct ArenaOf : HeapOf<Arena> {
    static std::uint32_t Count(const Allocator* self) { return static_cast<const Arena*>(self)->Marks(); }
    static std::uintptr_t Address(const Allocator* self, std::uint32_t mark) {
        return static_cast<const Arena*>(self)->MarkAddress(mark);
    }
    static Result<void> Set(Allocator* self) {
        if (const Result<ArenaMark> set = static_cast<Arena*>(self)->Mark(); !set) return Fail(set.error());
        return {};
    }
    static Result<void> Release(Allocator* self, std::uint64_t mark) {
        auto& arena = *static_cast<Arena*>(self);
        if (mark > arena.Marks()) return Fail(MemoryError::InvalidPointer);
        return arena.Release(arena.MarkAt(static_cast<std::uint32_t>(mark)));
    }
    static constexpr MarkOperations kMarks{Count, Address, Set, Release};
};

struct ArenaEntry : ArenaOf<ArenaAllocator> {
    using Observed = ArenaOf<ObservedArenaAllocator>;
};

struct DefaultEntry {
    using Type = DefaultAllocator<Profile::Debug>;  // bad frees must be told, not done, whatever the build
    static_assert(kFitsStorage<Type>);
    static Allocator* Create(void* storage, const MakeOptions&) {
        DefaultAllocatorSettings settings;
        settings.writer = nullptr;  // the log shows what leaked
        return new (storage) Type(settings);
    }
    static void Destroy(Allocator* self) { static_cast<Type*>(self)->~Type(); }
    static void Attach(Allocator* self, events::EventSink* sink, const char* name) {
        static_cast<Type*>(self)->AttachSink(sink, name);
    }
    static std::uint64_t Probes(const Allocator*) { return 0; }
};

struct SystemEntry {
    static_assert(kFitsStorage<SystemAllocator>);
    static Allocator* Create(void* storage, const MakeOptions&) { return new (storage) SystemAllocator(); }
    static void Destroy(Allocator* self) { static_cast<SystemAllocator*>(self)->Destroy(); }
    static void Attach(Allocator* self, events::EventSink* sink, const char* name) {
        static_cast<SystemAllocator*>(self)->AttachSink(sink, name);
    }
    static std::uint64_t Probes(const Allocator*) { return 0; }
};

// A Residue allocator over a first-fit buffer in the given range: its blocks have addresses inside it, and its holes
// are known. The buffer emits all events but the duck.
struct ResidueEntry {
    struct Both {
        explicit Both(const MakeOptions& options)
            : buffer(FixedBufferEntry<Placement::FirstFit>::Make(options)),
              residue({.parent = &buffer, .logParent = InternalAllocator(), .ownsParent = true,
                       .writer = options.quiet ? nullptr : WriteToStandardError}) {}
        FixedBufferAllocator buffer;
        ResidueAllocator residue;
    };
    static_assert(kFitsStorage<Both>);

    static FixedBufferAllocator* Buffer(const Allocator* self) {
        return static_cast<FixedBufferAllocator*>(static_cast<const ResidueAllocator*>(self)->Parent());
    }
    static Allocator* Create(void* storage, const MakeOptions& options) {
        return &(new (storage) Both(options))->residue;
    }
    static void Destroy(Allocator* self) {
        FixedBufferAllocator* buffer = Buffer(self);
        static_cast<ResidueAllocator*>(self)->~ResidueAllocator();
        buffer->Destroy();
    }
    static void Attach(Allocator* self, events::EventSink* sink, const char* name) {
        Buffer(self)->AttachSink(sink, name);
        static_cast<ResidueAllocator*>(self)->AnnounceThrough(Buffer(self)->Events());
    }
    static std::uint64_t Probes(const Allocator* self) { return Buffer(self)->Probes(); }
};

template <class Entry>
constexpr const MarkOperations* MarksOf() {
    if constexpr (requires { &Entry::kMarks; }) {
        return &Entry::kMarks;
    } else {
        return nullptr;
    }
}

template <class Entry>
constexpr auto GoOnAsOf() -> bool (*)(Allocator*, std::uint64_t) {
    if constexpr (requires { &Entry::GoOnAs; }) {
        return &Entry::GoOnAs;
    } else {
        return nullptr;
    }
}

template <class Observed>
constexpr ObservedForm kFormOf{Observed::Kind,    Observed::Create,    Observed::Destroy,   Observed::Attach,
                               Observed::Observe, MarksOf<Observed>(), GoOnAsOf<Observed>()};

template <class Entry>
constexpr Registration Row(const char* name, const char* title, const char* rule, bool inBuffer) {
    Registration row{name,          title,         rule,          inBuffer,         Entry::Create,
                     Entry::Destroy, Entry::Attach, Entry::Probes, MarksOf<Entry>(), nullptr,
                     GoOnAsOf<Entry>()};
    if constexpr (requires { typename Entry::Observed; }) row.observed = &kFormOf<typename Entry::Observed>;
    return row;
}

constexpr Registration kRegistry[] = {
    Row<FixedBufferEntry<Placement::FirstFit>>("first-fit", "fixed buffer, first fit",
        "Takes the lowest hole that is large enough.", true),
    Row<FixedBufferEntry<Placement::NextFit>>("next-fit", "fixed buffer, next fit",
        "Takes the first hole that is large enough from where the last search ended.", true),
    Row<FixedBufferEntry<Placement::BestFit>>("best-fit", "fixed buffer, best fit",
        "Looks at every hole and takes the smallest that is large enough.", true),
    Row<FixedBufferEntry<Placement::WorstFit>>("worst-fit", "fixed buffer, worst fit",
        "Looks at every hole and takes the largest.", true),
    Row<ArenaEntry>("arena", "arena",
        "Moves one address up, and gives nothing back before a reset.", true),
    Row<HeapEntry<StackAllocator, ObservedStackAllocator>>("stack", "stack",
        "Moves one address up, and back down when the topmost block is freed.", true),
    Row<PoolEntry>("pool", "pool of 64 bytes a slot",
        "Has equal slots and takes the one that was freed last.", true),
    Row<HeapEntry<SegregatedAllocator, ObservedSegregatedAllocator>>("segregated-fit", "segregated fit",
        "Keeps holes in lists by size and takes the first that is large enough, from the request's own list on.", true),
    Row<HeapEntry<TlsfAllocator, ObservedTlsfAllocator>>("tlsf", "two-level segregated fit (TLSF)",
        "Finds with two bitmaps a list whose every hole is large enough, and takes its first.", true),
    Row<HeapEntry<HeaderlessAllocator, ObservedHeaderlessAllocator>>("headerless", "headerless good fit",
        "Keeps what it knows of small blocks in two bits beside the heap, takes a hole that fits well, and puts small "
        "objects apart.", true),
    Row<HeapEntry<BuddyAllocator, ObservedBuddyAllocator>>("buddy", "buddy",
        "Halves powers of two until they fit, and joins free halves again.", true),
    Row<DefaultEntry>("default", "default, over the system's memory",
        "Asks the system and remembers where every block came from.", false),
    Row<SystemEntry>("system", "the system's memory (malloc)",
        "Asks malloc and remembers nothing.", false),
    Row<ResidueEntry>("residue", "residue, over a first-fit buffer",
        "Keeps a log of every block and frees them all at the end. Then a duck yells.", true),
};

}  // namespace

std::span<const Registration> Registry() { return kRegistry; }

const Registration* FindRegistration(std::string_view name) {
    for (const Registration& entry : kRegistry) {
        if (name == entry.name) return &entry;
    }
    return nullptr;
}

namespace {

const Registration* FindKind(std::uint64_t kindId) {
    for (const Registration& entry : kRegistry) {
        if (entry.observed != nullptr && KindId(entry.observed->Kind()) == kindId) return &entry;
    }
    return nullptr;
}

}  // namespace

const ObservedForm* FindObservedForm(std::uint64_t kindId) {
    const Registration* const entry = FindKind(kindId);
    return entry == nullptr ? nullptr : entry->observed;
}

const char* RuleOfKind(std::uint64_t kindId) {
    const Registration* const entry = FindKind(kindId);
    return entry == nullptr ? "" : entry->rule;
}

}  // namespace residue::alloc
