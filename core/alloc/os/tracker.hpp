// What a DefaultAllocator knows about its buffers: address, size, order and call trace of each live one, and which
// were given back lately. Finding is O(1). All its memory but the call traces comes from the allocator of its books.
// Thread safety: none; the allocator holds its lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "alloc/detail/address_table.hpp"
#include "alloc/dynamic_array.hpp"
#include "alloc/inspect.hpp"
#include "events/trace_table.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::alloc {

// Where a report goes. `context` is the one given beside it.
using ReportWriter = void (*)(void* context, const char* text, std::size_t length);

void WriteToStandardError(void* context, const char* text, std::size_t length);

class Tracker {
public:
    // `parent` gets blocks back.
    Tracker(Allocator* parent, Allocator* books, std::size_t remembered)
        : parent_(parent), table_(books), recent_{books}, remembered_(remembered), traces_(kTraceNodes) {}
    ~Tracker();
    Tracker(const Tracker&) = delete;
    Tracker& operator=(const Tracker&) = delete;

    std::size_t LiveCount() const { return live_; }

    // Room for one more block: called before the parent is asked for it. Errors: those of the books' allocator.
    Result<void> Reserve() { return table_.Reserve(); }
    void Add(void* pointer, std::size_t bytes, const std::uintptr_t* frames, unsigned frameCount);
    // Errors: DoubleFree for an address among the last frees remembered, InvalidPointer for any other.
    Result<TrackedBlock> Locate(const void* pointer) const;
    // From now on that live block is one that was given back.
    void Forget(std::uintptr_t address);
    // The start of the live block nearest to an address; 0: there is none. O(blocks): for failures only.
    std::uintptr_t Nearest(std::uintptr_t address) const;

    void Inspect(Inspector& inspector) const;

    // Says of every live block, in order of allocation, where it came from, as the design document prints it:
    //     Unfreed buffer @ 0x7f12345678a0:
    //     12:src/main.cpp in Load
    // (with a blank after the colon), and gives it back to the parent. A null writer only gives back. Then no block is
    // live and nothing is remembered. Returns how many there were. Names take memory from the C++ heap: where it has
    // none, there is the first line alone.
    std::size_t ReportAndGiveBack(ReportWriter writer, void* context);

    // The range of addresses that all live blocks lie in; 0 bytes: there is none.
    struct Span {
        std::uintptr_t address;
        std::uint64_t bytes;
    };
    Span LiveSpan() const;

    // Forgets everything and gives its own memory back, but no block.
    void Clear();

private:
    struct Free {
        std::uintptr_t address;
        std::uint64_t serial;
    };
    static constexpr std::uint32_t kTraceNodes = 1 << 20;

    TraceId Intern(const std::uintptr_t* frames, unsigned count);
    bool Remember(const Free& free);
    std::string Describe(const TrackedBlock& block, symbols::Symbolizer& symbolizer) const;

    Allocator* parent_;
    AddressTable table_;
    DynamicArray<Free> recent_;  // a ring once it has `remembered_` entries, or could not grow
    std::size_t remembered_;
    std::size_t oldest_ = 0;
    bool wrapped_ = false;
    std::size_t live_ = 0;
    std::uint64_t allocations_ = 0;
    std::uint64_t frees_ = 0;
    events::TraceTable traces_;
    events::TraceMemo* memo_ = nullptr;  // 18 KiB; made with the first trace
};

}  // namespace residue::alloc
