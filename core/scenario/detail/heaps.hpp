// The allocators of a run: core/alloc's own on real bytes, and those that the script wrote, which are watched from
// outside. All are reached through a Heap, itself an Allocator, so that any can stand on any other; it keeps the books
// (Blocks) that tell whose bytes are whose. Events come from core's allocators themselves, for the script's from here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alloc/allocator.hpp"
#include "alloc/emitter.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/heap_memory.hpp"
#include "alloc/inspect.hpp"
#include "events/rebase_sink.hpp"
#include "scenario/detail/blocks.hpp"
#include "scenario/detail/call_paths.hpp"
#include "scenario/detail/memory.hpp"
#include "scenario/detail/value.hpp"

namespace residue::scenario::detail {

enum class HeapKind : std::uint8_t {
    FixedBuffer,
    Arena,
    Stack,
    Pool,
    Buddy,
    Segregated,
    Tlsf,
    Headerless,
    Default,
    Residue,
    System,
    Failing,
    Script
};

// One of core/alloc's, whichever it is.
class CoreAllocator {
public:
    virtual ~CoreAllocator() = default;
    virtual alloc::Allocator* Get() = 0;
    virtual void Attach(events::EventSink* sink, const char* name, AllocatorId parent) = 0;
    virtual AllocatorId Id() const = 0;  // as far as it is attached
    virtual void Destroy() = 0;
    virtual std::uint64_t Probes() const = 0;
    virtual std::uint64_t HeapBytes() const { return 0; }                 // of one that grows
    virtual std::optional<std::uint64_t> Mark() { return std::nullopt; }  // arenas
    virtual bool Release(std::uint64_t) { return false; }
};

// Null: the address space is used up.
std::unique_ptr<CoreAllocator> MakeCore(HeapKind kind, const alloc::HeapMemory& memory, alloc::Placement placement,
                                        std::uint64_t slotBytes);
const char* TitleOf(HeapKind kind, alloc::Placement placement);

class Heaps;

struct Heap : alloc::Allocator {
    Heaps* owner = nullptr;
    std::uint32_t number = 0;  // from 1
    HeapKind kind = HeapKind::Script;
    std::string name;
    std::unique_ptr<CoreAllocator> core;  // null: the script's
    std::uint32_t parent = 0;             // the heap it stands on; 0: none, or not known
    std::uint64_t base = 0;               // of the buffer or range it has for itself; 0: none
    std::uint64_t bytes = 0;              // of it
    bool growing = false;                 // it has a slice of the heap for itself
    bool dead = false;
    std::string whyDead;                // "was destroyed in line 12"
    std::uint64_t context = 0;          // Script: the pointer that the last call was given
    const Type* contextType = nullptr;  // what it points to
    std::uint64_t allocateProcedure = 0;
    std::uint64_t freeProcedure = 0;
    std::uint32_t inCallback = 0;  // Script: calls of its procedures that are going on
    alloc::Emitter emitter;        // Script
    bool announced = false;        // Script
    bool regions = false;          // Script: its blocks are its parent's blocks
    std::uint64_t failAt = 0;      // Failing
    std::uint64_t requests = 0;
    bool wasResidue = false;
};

// Procedures of the script, called by an allocator.
class ScriptCalls {
public:
    virtual Result<std::uint64_t> CallAllocate(Heap& heap, std::uint64_t bytes, std::uint64_t count,
                                               const void* type) = 0;
    virtual Result<void> CallFree(Heap& heap, std::uint64_t pointer) = 0;
    virtual std::uint32_t Here() = 0;                                     // the present call path
    virtual void OnOverlap(const Heap& heap, Blocks::Number old) = 0;     // it gave out bytes that live
    virtual void OnForeign(const Heap& heap, std::uint64_t address) = 0;  // it took back what it had not given out
    virtual void OnEnded(const Heap& heap, Blocks::Number block) = 0;     // an allocator ended with this block alive
    virtual void Charge(std::uint64_t work) = 0;
    struct Range {
        std::uint64_t begin = 0;
        std::uint64_t bytes = 0;  // 0: there is none
    };
    virtual Range VariableAround(std::uint64_t address) = 0;
    virtual bool Halted() const = 0;

protected:
    ~ScriptCalls() = default;
};

// Where an allocator has its memory from.
struct HeapPlace {
    std::uint32_t parent = 0;  // a heap; 0: a buffer, or a slice of its own
    std::uint64_t base = 0;
    std::uint64_t bytes = 0;       // 0: a slice
    std::uint32_t bufferHeap = 0;  // whose block the buffer is; 0: a variable
    alloc::Placement placement = alloc::Placement::FirstFit;
    std::uint64_t slotBytes = 64;
};

class Heaps {
public:
    static constexpr std::uint64_t kSlice = std::uint64_t{64} << 20;
    static constexpr std::size_t kMostHeaps = 4096;
    static constexpr std::uint64_t kAlignment = 8;     // of what nobody has asked more for
    static constexpr std::size_t kRegionBytes = 4096;  // what is asked of a parent at once: small, for a lesson

    Heaps(ScriptMemory& memory, Blocks& blocks, events::EventSink& sink, ScriptCalls& calls);
    ~Heaps();
    Heaps(const Heaps&) = delete;
    Heaps& operator=(const Heaps&) = delete;

    const Heap* At(std::uint64_t number) const {
        return number == 0 || number > heaps_.size() ? nullptr : heaps_[number - 1].get();
    }
    Heap* At(std::uint64_t number) {
        return number == 0 || number > heaps_.size() ? nullptr : heaps_[number - 1].get();
    }
    std::uint32_t Count() const { return static_cast<std::uint32_t>(heaps_.size()); }

    // Null: too many, or no slice is left.
    Heap* Create(HeapKind kind, const HeapPlace& place, std::string name);
    Heap* CreateFailing(Heap& inner, std::uint64_t at);
    Heap* AddScript(std::string name);
    // Its live blocks end; what stands on it ends first. `why` completes "`arena` ...".
    void Destroy(Heap& heap, const std::string& why);
    // Allocators whose memory is in [begin, end) have lost it.
    void DestroyOver(std::uint64_t begin, std::uint64_t end, const std::string& why);

    // What the script asks for. Pointers carry their block's tag.
    Result<std::uint64_t> Allocate(Heap& heap, std::uint64_t bytes, std::uint64_t count, const void* type,
                                   std::uint64_t alignment = kAlignment);
    Result<void> Free(Heap& heap, std::uint64_t pointer);
    Result<std::uint64_t> Resize(Heap& heap, std::uint64_t pointer, std::uint64_t bytes);
    bool CanResize(const Heap& heap) const;
    Result<void> Reset(Heap& heap);
    Result<std::uint64_t> Mark(Heap& heap);
    Result<void> Release(Heap& heap, std::uint64_t mark);

    // Is any byte of the range in the hands of an allocator that lives inside of [outerBegin, outerEnd)?
    bool IsLent(std::uint64_t begin, std::uint64_t end, std::uint64_t outerBegin, std::uint64_t outerEnd) const;
    std::uint64_t GrownBytes() const;  // of all that grow
    std::uint64_t ProbesOf(const Heap& heap) const { return heap.core ? heap.core->Probes() : 0; }
    AllocatorId IdOf(const Heap& heap) const;

    // Could an allocator keep its books there without harm? Whole inside of one live block of another heap than
    // `except`, or of one variable, and nobody else's yet.
    bool IsUsable(std::uint64_t begin, std::uint64_t end, std::uint32_t except);

private:
    struct Lent {
        std::uint64_t begin;
        std::uint64_t end;
        std::uint32_t heap;
    };

    static Result<void*> OnAllocate(alloc::Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> OnFree(alloc::Allocator* self, void* pointer);
    static const alloc::AllocatorOptions kOptions;

    Heap* Add(HeapKind kind, std::string name);
    std::optional<std::uint64_t> TakeSlice();
    void EndBlocks(Heap& heap, const std::vector<Blocks::Number>& blocks);
    void SyncAfterBulk(Heap& heap);
    Result<std::uint64_t> AllocateCore(Heap& heap, std::uint64_t bytes, std::uint64_t alignment);
    Result<std::uint64_t> AllocateScript(Heap& heap, std::uint64_t bytes, std::uint64_t count, const void* type);
    Result<void> FreeScript(Heap& heap, std::uint64_t pointer);
    void Announce(Heap& heap, std::uint64_t firstPointer, std::uint64_t bytes);
    Blocks::Number Book(Heap& heap, std::uint64_t address, std::uint64_t bytes);

    ScriptMemory& memory_;
    Blocks& blocks_;
    events::EventSink& sink_;
    events::RebaseSink rebase_;
    ScriptCalls& calls_;
    std::vector<std::unique_ptr<Heap>> heaps_;
    std::vector<Lent> lent_;
    std::vector<bool> slices_;
    std::uint32_t asking_ = 0;  // the heap whose allocator is at work: who gets what a parent gives
};

}  // namespace residue::scenario::detail
