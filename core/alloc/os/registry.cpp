#include "alloc/registry.hpp"

#include <algorithm>
#include <new>

#include "alloc/buddy_allocator.hpp"
#include "alloc/bump_allocator.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/pool_allocator.hpp"
#include "alloc/os/default_allocator.hpp"
#include "alloc/os/residue_allocator.hpp"
#include "alloc/os/system_allocator.hpp"

namespace residue::alloc {
namespace {

template <class T>
constexpr bool kFitsStorage = sizeof(T) <= kAllocatorStorageBytes && alignof(T) <= kAllocatorStorageAlignment;

FixedBufferAllocator MakeFixedBuffer(const MakeOptions& options, Placement placement) {
    if (!options.capacity) return CreateGrowingAllocator(options.base, options.reserved, placement);
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(*options.capacity, options.reserved));
    return CreateFixedBufferAllocator(options.base, bytes, placement);
}

template <Placement placement>
struct FixedBufferEntry {
    static_assert(kFitsStorage<FixedBufferAllocator>);
    static Allocator* Create(void* storage, const MakeOptions& options) {
        return new (storage) FixedBufferAllocator(MakeFixedBuffer(options, placement));
    }
    static void Destroy(Allocator* self) { static_cast<FixedBufferAllocator*>(self)->Destroy(); }
    static void Attach(Allocator* self, events::EventSink* sink, const char* name) {
        static_cast<FixedBufferAllocator*>(self)->AttachSink(sink, name);
    }
    static std::uint64_t Probes(const Allocator* self) {
        return static_cast<const FixedBufferAllocator*>(self)->Probes();
    }
};

// An allocator that makes itself from any HeapMemory: every teaching allocator.
template <class T>
struct HeapEntry {
    static_assert(kFitsStorage<T>);
    static Allocator* Create(void* storage, const MakeOptions& options) {
        const auto bytes = static_cast<std::size_t>(
            std::min<std::uint64_t>(options.capacity.value_or(options.reserved), options.reserved));
        const HeapMemory memory = options.capacity ? HeapMemory::Buffer(options.base, bytes)
                                                   : HeapMemory::Growing(options.base, bytes);
        return new (storage) T(T::Make(memory));
    }
    static void Destroy(Allocator* self) { static_cast<T*>(self)->Destroy(); }
    static void Attach(Allocator* self, events::EventSink* sink, const char* name) {
        static_cast<T*>(self)->AttachSink(sink, name);
    }
    static std::uint64_t Probes(const Allocator* self) { return static_cast<const T*>(self)->Probes(); }
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
            : buffer(MakeFixedBuffer(options, Placement::FirstFit)),
              residue({.parent = &buffer, .logParent = InternalAllocator(), .ownsParent = true}) {}
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
constexpr Registration Row(const char* name, const char* title, const char* rule, bool inBuffer) {
    return {name, title, rule, inBuffer, Entry::Create, Entry::Destroy, Entry::Attach, Entry::Probes};
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
    Row<HeapEntry<ArenaAllocator>>("arena", "arena",
        "Moves one address up, and gives nothing back before a reset.", true),
    Row<HeapEntry<StackAllocator>>("stack", "stack",
        "Moves one address up, and back down when the topmost block is freed.", true),
    Row<HeapEntry<PoolAllocator>>("pool", "pool of 64 bytes a slot",
        "Has equal slots and takes the one that was freed last.", true),
    Row<HeapEntry<BuddyAllocator>>("buddy", "buddy",
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

}  // namespace residue::alloc
