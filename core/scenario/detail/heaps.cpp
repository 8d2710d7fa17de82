#include "scenario/detail/heaps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace residue::scenario::detail {
namespace {

constexpr std::uint64_t kWorkPerByteOfAFailure = 64;  // a failed request walks the heap

std::uint64_t SliceBegin(std::size_t slice) {
    return kHeapBase + slice * Heaps::kSlice;
}

class Asking {
public:
    Asking(std::uint32_t& asking, std::uint32_t heap) : asking_(asking), before_(std::exchange(asking, heap)) {}
    ~Asking() { asking_ = before_; }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

private:
    std::uint32_t& asking_;
    std::uint32_t before_;
};

}  // namespace

const alloc::AllocatorOptions Heaps::kOptions{"of a scenario"};

Heaps::Heaps(ScriptMemory& memory, Blocks& blocks, events::EventSink& sink, ScriptCalls& calls)
    : memory_(memory),
      blocks_(blocks),
      sink_(sink),
      rebase_(sink, memory.Range().Address(), memory.Range().Bytes(), kHeapBase),
      calls_(calls),
      slices_((kHeapEnd - kHeapBase) / kSlice) {}

Heaps::~Heaps() {
    for (auto& heap : heaps_) heap->dead = true;
}

Heap* Heaps::Add(HeapKind kind, std::string name) {
    if (heaps_.size() == kMostHeaps) return nullptr;
    Heap* heap = heaps_.emplace_back(std::make_unique<Heap>()).get();
    heap->Allocate = OnAllocate;
    heap->Free = OnFree;
    heap->options = &kOptions;
    heap->owner = this;
    heap->number = Count();
    heap->kind = kind;
    heap->name = std::move(name);
    return heap;
}

std::optional<std::uint64_t> Heaps::TakeSlice() {
    for (std::size_t i = 0; i < slices_.size(); ++i) {
        if (slices_[i]) continue;
        slices_[i] = true;
        return SliceBegin(i);
    }
    return std::nullopt;
}

Heap* Heaps::Create(HeapKind kind, const HeapPlace& place, std::string name) {
    HeapPlace at = place;
    const bool grows = place.parent == 0 && place.bytes == 0;
    if (heaps_.size() == kMostHeaps) return nullptr;
    if (grows) {
        const auto slice = TakeSlice();
        if (!slice) return nullptr;
        at.base = *slice;
        at.bytes = kSlice;
    }
    Heap* heap = Add(kind, std::move(name));
    heap->parent = place.parent != 0 ? place.parent : place.bufferHeap;
    heap->base = at.base;
    heap->bytes = at.bytes;
    heap->growing = grows;
    heap->wasResidue = kind == HeapKind::Residue;
    const auto bytes = static_cast<std::size_t>(at.bytes);
    alloc::HeapMemory memory;
    if (place.parent != 0)
        memory = alloc::HeapMemory::From(At(place.parent), kRegionBytes);
    else if (grows)
        memory = alloc::HeapMemory::Growing(memory_.Real(at.base), bytes);
    else
        memory = alloc::HeapMemory::Buffer(memory_.Real(at.base), bytes);
    if (!grows && place.parent == 0) lent_.push_back({at.base, at.base + at.bytes, heap->number});
    const Asking asking(asking_, heap->number);
    heap->core = MakeCore(kind, memory, at.placement, at.slotBytes);
    const Heap* parent = At(heap->parent);
    heap->core->Attach(&rebase_, heap->name.c_str(), parent == nullptr ? AllocatorId{} : IdOf(*parent));
    return heap;
}

Heap* Heaps::CreateFailing(Heap& inner, std::uint64_t at) {
    Heap* heap = Add(HeapKind::Failing, inner.name + ", failing");
    if (heap == nullptr) return nullptr;
    heap->parent = inner.number;
    heap->failAt = at;
    // Its failures are its own; everything else the inner one does, and tells.
    heap->emitter.Attach(&sink_, heap->name.c_str(), {}, IdOf(inner));
    return heap;
}

Heap* Heaps::AddScript(std::string name) {
    return Add(HeapKind::Script, std::move(name));
}

AllocatorId Heaps::IdOf(const Heap& heap) const {
    if (heap.kind == HeapKind::Failing) return heap.parent == 0 ? AllocatorId{} : IdOf(*heaps_[heap.parent - 1]);
    return heap.core ? heap.core->Id() : heap.emitter.Id();
}

std::uint64_t Heaps::GrownBytes() const {
    std::uint64_t bytes = 0;
    for (const auto& heap : heaps_) {
        if (heap->growing && !heap->dead) bytes += heap->core->HeapBytes();
    }
    return bytes;
}

bool Heaps::IsLent(std::uint64_t begin, std::uint64_t end, std::uint64_t outerBegin, std::uint64_t outerEnd) const {
    for (const Lent& lent : lent_) {
        if (lent.begin < end && lent.end > begin && lent.begin >= outerBegin && lent.end <= outerEnd) return true;
    }
    return false;
}

Blocks::Number Heaps::Book(Heap& heap, std::uint64_t address, std::uint64_t bytes) {
    BlockRecord record;
    record.address = address;
    record.size = bytes;
    record.heap = heap.number;
    record.bornAt = calls_.Here();
    return blocks_.Add(record);
}

Result<std::uint64_t> Heaps::Allocate(Heap& heap, std::uint64_t bytes, std::uint64_t count, const void* type,
                                      std::uint64_t alignment) {
    if (heap.kind == HeapKind::Script) return AllocateScript(heap, bytes, count, type);
    if (heap.kind == HeapKind::Failing) {
        if (++heap.requests != heap.failAt) return Allocate(*At(heap.parent), bytes, count, type, alignment);
        heap.emitter.AllocateFailed({bytes, alignment, 0, 0}, MemoryError::InsufficientMemory);
        return ::residue::Fail(MemoryError::InsufficientMemory);
    }
    return AllocateCore(heap, bytes, alignment);
}

Result<std::uint64_t> Heaps::AllocateCore(Heap& heap, std::uint64_t bytes, std::uint64_t alignment) {
    const Asking asking(asking_, heap.number);
    alloc::Allocator* core = heap.core->Get();
    const Result<void*> block =
        core->Allocate(core, static_cast<std::size_t>(bytes), static_cast<std::size_t>(alignment));
    calls_.Charge(heap.core->Probes());
    if (!block) {
        calls_.Charge((heap.growing ? heap.core->HeapBytes() : heap.bytes) / kWorkPerByteOfAFailure);
        return ::residue::Fail(block.error());
    }
    const std::uint64_t address = memory_.Shown(*block);
    return MakePointer(address, Book(heap, address, bytes));
}

bool Heaps::IsUsable(std::uint64_t begin, std::uint64_t end, std::uint32_t except) {
    if (end <= begin || !ScriptMemory::IsMapped(begin, end - begin)) return false;
    const Blocks::Number around =
        blocks_.Around(begin, end - begin, [&](std::uint32_t heap) { return heap == except; });
    if (around != 0) {
        const BlockRecord& record = blocks_.At(around);
        return !IsLent(begin, end, record.address, record.address + record.size);
    }
    const ScriptCalls::Range variable = calls_.VariableAround(begin);
    return variable.bytes != 0 && end <= variable.begin + variable.bytes && !IsLent(begin, end, 0, ~std::uint64_t{0});
}

Result<std::uint64_t> Heaps::AllocateScript(Heap& heap, std::uint64_t bytes, std::uint64_t count, const void* type) {
    ++heap.inCallback;
    const Result<std::uint64_t> given = calls_.CallAllocate(heap, bytes, count, type);
    --heap.inCallback;
    if (calls_.Halted()) return ::residue::Fail(MemoryError::InsufficientMemory);
    const bool wild = given && !ScriptMemory::IsMapped(scenario::detail::AddressOf(*given), bytes);
    if (!given || wild) {
        Announce(heap, 0, 0);
        const MemoryError error = given ? MemoryError::InvalidPointer : given.error();
        heap.emitter.AllocateFailed({bytes, 8, 0, 0}, error);
        return ::residue::Fail(error);
    }
    const std::uint64_t address = scenario::detail::AddressOf(*given);
    Announce(heap, *given, bytes);
    for (const Blocks::Number old : blocks_.LiveIn(address, address + std::max<std::uint64_t>(bytes, 1))) {
        if (blocks_.At(old).heap != heap.number) continue;
        calls_.OnOverlap(heap, old);
        blocks_.End(old, calls_.Here(), Death::GivenAgain);
    }
    if (heap.regions) {
        const Blocks::Number below = blocks_.Find(heap.parent, address);
        if (below != 0) {
            blocks_.At(below).region = true;
            heap.emitter.RegionGrown(address, std::max<std::uint64_t>(blocks_.At(below).size, 1));
        }
    }
    const Blocks::Number number = Book(heap, address, bytes);
    alloc::Block block;
    block.address = address;
    block.size = bytes;
    heap.emitter.Allocated(block, 8);
    return MakePointer(address, number);
}

// Once it is known what it gives out: then also what it stands on.
void Heaps::Announce(Heap& heap, std::uint64_t firstPointer, std::uint64_t bytes) {
    if (heap.announced) return;
    heap.announced = true;
    alloc::Emitter::Created created;
    const std::uint64_t address = scenario::detail::AddressOf(firstPointer);
    if (firstPointer != 0) {
        Blocks::Number below = static_cast<Blocks::Number>(TagOf(firstPointer));
        if (below == 0 || below >= kFrameTag || below > blocks_.Count() || !blocks_.At(below).Holds(address, bytes)) {
            below = blocks_.Around(address, bytes, [&](std::uint32_t other) { return other == heap.number; });
        }
        if (below != 0) {
            const BlockRecord& record = blocks_.At(below);
            heap.parent = record.heap;
            heap.regions = record.address == address;
            if (!heap.regions) {
                blocks_.At(below).region = true;
                created.base = record.address;
                created.bytes = record.size;
            }
        } else if (const auto variable = calls_.VariableAround(address); variable.bytes != 0) {
            created.base = variable.begin;
            created.bytes = variable.bytes;
        }
    }
    heap.base = created.base;
    heap.bytes = created.bytes;
    const Heap* parent = At(heap.parent);
    heap.emitter.Attach(&sink_, heap.name.c_str(), created, parent == nullptr ? AllocatorId{} : IdOf(*parent));
}

Result<void> Heaps::Free(Heap& heap, std::uint64_t pointer) {
    if (heap.kind == HeapKind::Failing) return Free(*At(heap.parent), pointer);
    const std::uint64_t address = scenario::detail::AddressOf(pointer);
    const Blocks::Number number = blocks_.Find(heap.number, address);
    if (number != 0) {
        const BlockRecord record = blocks_.At(number);
        if (record.size != 0) DestroyOver(record.address, record.address + record.size, "has lost its memory");
    }
    if (heap.kind == HeapKind::Script) return FreeScript(heap, pointer);
    const Asking asking(asking_, heap.number);
    alloc::Allocator* core = heap.core->Get();
    void* const real = ScriptMemory::IsMapped(address, 1)
                           ? static_cast<void*>(memory_.Real(address))
                           : reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
    const Result<void> freed = core->Free(core, real);
    calls_.Charge(8);
    if (freed && number != 0) blocks_.End(number, calls_.Here());
    return freed;
}

Result<void> Heaps::FreeScript(Heap& heap, std::uint64_t pointer) {
    const std::uint64_t address = scenario::detail::AddressOf(pointer);
    ++heap.inCallback;
    const Result<void> freed = calls_.CallFree(heap, address);
    --heap.inCallback;
    if (calls_.Halted()) return ::residue::Fail(MemoryError::InvalidPointer);
    Announce(heap, 0, 0);
    const Blocks::Number number = blocks_.Find(heap.number, address);
    if (!freed) {
        heap.emitter.FreeFailed(freed.error(), static_cast<std::uintptr_t>(address), 0);
        return freed;
    }
    const std::uint64_t bytes = number == 0 ? 0 : blocks_.At(number).size;
    if (number != 0)
        blocks_.End(number, calls_.Here());
    else
        calls_.OnForeign(heap, address);
    heap.emitter.Freed(static_cast<std::uintptr_t>(address));
    if (number != 0 && heap.regions)
        heap.emitter.RegionShrunk(static_cast<std::uintptr_t>(address), std::max<std::uint64_t>(bytes, 1));
    return freed;
}

bool Heaps::CanResize(const Heap& heap) const {
    if (!heap.core) return false;
    const alloc::Allocator* core = heap.core->Get();
    return core->options != nullptr && core->options->Resize != nullptr;
}

Result<std::uint64_t> Heaps::Resize(Heap& heap, std::uint64_t pointer, std::uint64_t bytes) {
    const Asking asking(asking_, heap.number);
    const std::uint64_t address = scenario::detail::AddressOf(pointer);
    const Blocks::Number number = blocks_.Find(heap.number, address);
    if (number != 0) {
        const BlockRecord record = blocks_.At(number);
        DestroyOver(record.address, record.address + record.size, "has lost its memory");
    }
    alloc::Allocator* core = heap.core->Get();
    void* const real = ScriptMemory::IsMapped(address, 1)
                           ? static_cast<void*>(memory_.Real(address))
                           : reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
    const Result<void*> moved = core->options->Resize(core, real, static_cast<std::size_t>(bytes), 8);
    calls_.Charge(heap.core->Probes() + bytes / 64);
    if (!moved) return ::residue::Fail(moved.error());
    if (number != 0) blocks_.End(number, calls_.Here());
    const std::uint64_t fresh = memory_.Shown(*moved);
    return MakePointer(fresh, Book(heap, fresh, bytes));
}

Result<void> Heaps::Reset(Heap& heap) {
    for (const Blocks::Number number : blocks_.LiveOf(heap.number)) {
        const BlockRecord record = blocks_.At(number);
        DestroyOver(record.address, record.address + record.size, "has lost its memory");
    }
    const Asking asking(asking_, heap.number);
    alloc::Allocator* core = heap.core ? heap.core->Get() : nullptr;
    if (core == nullptr || core->options == nullptr || core->options->Reset == nullptr) {
        return ::residue::Fail(MemoryError::InvalidPointer);
    }
    const Result<void> done = core->options->Reset(core);
    if (!done) return done;
    for (const Blocks::Number number : blocks_.LiveOf(heap.number)) blocks_.End(number, calls_.Here());
    return done;
}

Result<std::uint64_t> Heaps::Mark(Heap& heap) {
    const auto mark = heap.core ? heap.core->Mark() : std::nullopt;
    if (!mark) return ::residue::Fail(MemoryError::InsufficientMemory);
    return *mark;
}

Result<void> Heaps::Release(Heap& heap, std::uint64_t mark) {
    // Whatever stands on blocks that may go, goes first: it could not be asked afterwards.
    for (const Blocks::Number number : blocks_.LiveOf(heap.number)) {
        const BlockRecord record = blocks_.At(number);
        if (IsLent(record.address, record.address + record.size, record.address, record.address + record.size)) {
            DestroyOver(record.address, record.address + record.size, "has lost its memory");
        }
    }
    const Asking asking(asking_, heap.number);
    if (!heap.core || !heap.core->Release(mark)) return ::residue::Fail(MemoryError::InvalidPointer);
    SyncAfterBulk(heap);
    return {};
}

// Which of its blocks are left is the allocator's own affair.
void Heaps::SyncAfterBulk(Heap& heap) {
    const alloc::Allocator* core = heap.core->Get();
    if (core->options == nullptr || core->options->Owns == nullptr) return;
    for (const Blocks::Number number : blocks_.LiveOf(heap.number)) {
        if (!core->options->Owns(core, memory_.Real(blocks_.At(number).address))) blocks_.End(number, calls_.Here());
    }
}

void Heaps::Destroy(Heap& heap, const std::string& why) {
    if (heap.dead) return;
    heap.dead = true;  // at once: what is destroyed below must not come back here
    heap.whyDead = why;
    for (const Blocks::Number number : blocks_.LiveOf(heap.number)) {
        const BlockRecord record = blocks_.At(number);
        DestroyOver(record.address, record.address + record.size, "has lost its memory");
    }
    for (const auto& other : heaps_) {
        if (other->parent == heap.number && !other->dead && (other->core || other->kind == HeapKind::Failing)) {
            Destroy(*other, "has lost its parent");
        }
    }
    {
        const Asking asking(asking_, heap.number);
        if (heap.core)
            heap.core->Destroy();
        else
            heap.emitter.Destroyed();
    }
    for (const Blocks::Number number : blocks_.LiveOf(heap.number)) {
        calls_.OnEnded(heap, number);
        blocks_.End(number, calls_.Here(), Death::WithAllocator);
    }
    std::erase_if(lent_, [&](const Lent& lent) { return lent.heap == heap.number; });
    if (heap.growing) {
        memory_.Range().Forget(memory_.Real(heap.base), heap.bytes);
        slices_[(heap.base - kHeapBase) / kSlice] = false;
    }
}

void Heaps::DestroyOver(std::uint64_t begin, std::uint64_t end, const std::string& why) {
    if (lent_.empty()) return;
    for (bool found = true; found;) {
        found = false;
        for (const Lent& lent : lent_) {
            if (lent.begin >= end || lent.end <= begin) continue;
            // A region inside of which the range lies is not lost: its allocator gets its own block back.
            if (lent.begin < begin || lent.end > end) continue;
            Heap* heap = At(lent.heap);
            if (heap == nullptr || heap->dead) continue;
            Destroy(*heap, why);
            found = true;
            break;
        }
    }
}

Result<void*> Heaps::OnAllocate(alloc::Allocator* self, std::size_t bytes, std::size_t alignment) {
    Heap& heap = *static_cast<Heap*>(self);
    Heaps& heaps = *heap.owner;
    if (heap.dead || heaps.calls_.Halted()) return ::residue::Fail(MemoryError::InsufficientMemory);
    const std::uint32_t child = heaps.asking_;
    Result<std::uint64_t> given = ::residue::Fail(MemoryError::InsufficientMemory);
    if (heap.kind == HeapKind::Script || heap.kind == HeapKind::Failing)
        given = heaps.Allocate(heap, bytes, bytes, nullptr, alignment);
    else
        given = heaps.AllocateCore(heap, bytes, alignment);
    if (!given) return ::residue::Fail(given.error());
    const std::uint64_t address = scenario::detail::AddressOf(*given);
    const std::uint32_t own = heap.kind == HeapKind::Script ? heap.number : 0;
    if (!heaps.IsUsable(address, address + bytes, own)) return ::residue::Fail(MemoryError::InvalidPointer);
    heaps.blocks_.At(static_cast<Blocks::Number>(TagOf(*given))).region = true;
    heaps.lent_.push_back({address, address + bytes, child});
    return static_cast<void*>(heaps.memory_.Real(address));
}

Result<void> Heaps::OnFree(alloc::Allocator* self, void* pointer) {
    Heap& heap = *static_cast<Heap*>(self);
    Heaps& heaps = *heap.owner;
    const std::uint64_t address = heaps.memory_.Shown(pointer);
    std::erase_if(heaps.lent_, [&](const Lent& lent) { return lent.begin == address && lent.heap == heaps.asking_; });
    if (heap.dead || heaps.calls_.Halted()) return {};
    return heaps.Free(heap, address);
}

}  // namespace residue::scenario::detail
