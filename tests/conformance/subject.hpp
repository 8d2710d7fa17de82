// One allocator of the registry under test: every call goes through a wrapper that validates it (alignment, bounds, no
// overlap, contents kept, errors as METRICS.md says), and after every call its own walk must equal the heap that the
// model makes of its events, and the books must balance.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "alloc/registry.hpp"
#include "alloc/support/walk.hpp"
#include "model/heap_model.hpp"
#include "replay/address_range.hpp"
#include "support/catch.hpp"
#include "support/log_sink.hpp"
#include "support/quiet_errors.hpp"

namespace residue::conformance {

using ::support::LogSink;

// An instance in a range of its own.
struct Instance {
    Instance(const alloc::Registration& registration, std::optional<std::uint64_t> capacity) : entry(registration) {
        auto reserved = replay::AddressRange::Reserve(kReserved);
        REQUIRE(reserved);
        range = std::move(*reserved);
        allocator = entry.Create(storage, {range.Base(), kReserved, capacity});
        entry.Attach(allocator, &sink, entry.name);
    }
    ~Instance() { entry.Destroy(allocator); }
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    static constexpr std::size_t kReserved = std::size_t{1} << 20;
    const alloc::Registration& entry;
    LogSink sink;
    replay::AddressRange range;
    alignas(alloc::kAllocatorStorageAlignment) std::byte storage[alloc::kAllocatorStorageBytes];
    alloc::Allocator* allocator = nullptr;
};

class Subject {
public:
    Subject(const alloc::Registration& entry, std::optional<std::uint64_t> capacity)
        : capacity_(capacity), instance_(entry, capacity) {}
    ~Subject() {
        if (!InBuffer()) {
            for (const auto& [pointer, held] : live_) (void)Me()->Free(Me(), pointer);  // "system" keeps no books
        }
    }

    // ---- the calls, validated ---------------------------------------------------------------------------------------

    // The payload; null where it failed.
    std::byte* Allocate(std::size_t bytes, std::size_t alignment) {
        INFO("allocate " << bytes << " aligned to " << alignment);
        const alloc::Walk before = Walk();
        const auto block = Me()->Allocate(Me(), bytes, alignment);
        if (!block) {
            RequireErrorIsRight(block.error(), bytes, alignment, before);
            RequireSame(before);
        } else {
            Accept(static_cast<std::byte*>(*block), bytes, alignment);
        }
        Check();
        return block ? static_cast<std::byte*>(*block) : nullptr;
    }

    void Free(std::byte* pointer) {
        INFO("free of a live block");
        RequireContents(pointer);
        REQUIRE(Me()->Free(Me(), pointer));
        live_.erase(pointer);
        REQUIRE(Forgot(pointer));
        Check();
    }

    // Resizes a live block; where it ends up.
    std::byte* Resize(std::byte* pointer, std::size_t bytes, std::size_t alignment) {
        if (Options()->Resize == nullptr) return pointer;
        INFO("resize from " << live_.at(pointer).bytes << " to " << bytes << " aligned to " << alignment);
        RequireContents(pointer);
        const alloc::Walk before = Walk();
        const Held held = live_.at(pointer);
        const auto block = Options()->Resize(Me(), pointer, bytes, alignment);
        if (!block) {
            RequireContents(pointer);
            RequireSame(before);
            Check();
            return pointer;
        }
        auto* const moved = static_cast<std::byte*>(*block);
        const std::size_t kept = std::min(held.bytes, std::max<std::size_t>(bytes, 1));
        for (std::size_t i = 0; i < kept; ++i) REQUIRE(moved[i] == held.fill);
        live_.erase(pointer);
        if (moved != pointer) (void)Forgot(pointer);
        Accept(moved, bytes, alignment);
        Check();
        return moved;
    }

    // What must not be freed is not: the right error, and nothing changes.
    void FreeBadly(void* pointer) {
        if (!TellsBadFrees()) return;
        const alloc::Walk before = Walk();
        const auto freed = Me()->Free(Me(), pointer);
        REQUIRE_FALSE(freed);
        const bool wasOurs = given_.count(static_cast<std::byte*>(pointer)) != 0;
        INFO("bad free of " << pointer << (wasOurs ? ", given back before" : ", never given out"));
        REQUIRE(freed.error() == (wasOurs ? MemoryError::DoubleFree : MemoryError::InvalidPointer));
        RequireSame(before);
        Check();
    }

    void Reset() {
        if (Options()->Reset == nullptr) return;
        INFO("reset");
        REQUIRE(Options()->Reset(Me()));
        for (const auto& [pointer, held] : live_) given_.insert(pointer);
        live_.clear();
        Check();
        REQUIRE(Walk().blocks.empty());
        REQUIRE(Walk().dead.empty());
    }

    // ---- what it is -------------------------------------------------------------------------------------------------

    std::vector<std::byte*> Live() const {
        std::vector<std::byte*> all;
        for (const auto& [pointer, held] : live_) all.push_back(pointer);
        return all;
    }
    const std::set<std::byte*>& GivenBack() const { return given_; }
    bool InBuffer() const { return instance_.entry.inBuffer; }
    bool TellsBadFrees() const { return instance_.entry.name != std::string_view("system"); }
    std::byte* Base() const { return static_cast<std::byte*>(instance_.range.Base()); }
    std::uint64_t Failures() const { return failures_; }

private:
    struct Held {
        std::size_t bytes = 0;
        std::byte fill{};
    };

    alloc::Allocator* Me() { return instance_.allocator; }
    const alloc::AllocatorOptions* Options() const { return instance_.allocator->options; }
    bool Walks() const { return Options() != nullptr && Options()->Inspect != nullptr; }
    alloc::Walk Walk() const { return Walks() ? alloc::WalkOf(*instance_.allocator) : alloc::Walk{}; }

    bool Forgot(std::byte* pointer) {
        given_.insert(pointer);
        return Options()->Owns == nullptr || !Options()->Owns(Me(), pointer);
    }

    void Accept(std::byte* block, std::size_t bytes, std::size_t alignment) {
        bytes = std::max<std::size_t>(bytes, 1);
        const auto address = reinterpret_cast<std::uintptr_t>(block);
        REQUIRE(address % std::max<std::size_t>(alignment, 1) == 0);
        if (InBuffer()) {
            REQUIRE(block >= Base());
            REQUIRE(block + bytes <= Base() + capacity_.value_or(Instance::kReserved));
        }
        const auto above = live_.lower_bound(block);
        if (above != live_.end()) REQUIRE(block + bytes <= above->first);
        if (above != live_.begin()) REQUIRE(std::prev(above)->first + std::prev(above)->second.bytes <= block);
        const auto fill = static_cast<std::byte>(++serial_ % 251 + 1);
        std::memset(block, static_cast<int>(fill), bytes);
        live_[block] = {bytes, fill};
        given_.erase(block);
        if (Options()->Owns != nullptr) REQUIRE(Options()->Owns(Me(), block));
    }

    void RequireContents(std::byte* pointer) {
        const Held& held = live_.at(pointer);
        for (std::size_t i = 0; i < held.bytes; ++i) {
            if (pointer[i] != held.fill) FAIL("byte " << i << " of " << held.bytes << " was written to");
        }
    }

    // Why it failed (METRICS.md): what a fresh instance says of the same request, and what was free.
    void RequireErrorIsRight(MemoryError error, std::size_t bytes, std::size_t alignment, const alloc::Walk& before) {
        ++failures_;
        Instance fresh(instance_.entry, capacity_);
        const auto there = fresh.allocator->Allocate(fresh.allocator, bytes, alignment);
        INFO("it said " << Name(error));
        if (!there) {
            REQUIRE(error == there.error());
            REQUIRE(error == (InBuffer() ? MemoryError::BufferTooLarge : error));
            return;
        }
        REQUIRE(error != MemoryError::BufferTooLarge);
        if (!InBuffer() || alignment > 8) return;  // padding depends on where it would lie
        std::uint64_t need = 0;
        const log::LogView view = fresh.sink.View();
        for (Row row{}; row < view.Rows(); ++row) {
            const auto event = view.At(row).event;
            if (event.kind == events::EventKind::Allocated) need = event.SetAside() - event.padding - event.slack;
        }
        INFO("it needs " << need << ", free are " << before.FreeBytes() << ", at most " << before.LargestHole());
        const bool enough = before.FreeBytes() >= need;
        REQUIRE(error == (enough ? MemoryError::Fragmentation : MemoryError::InsufficientMemory));
    }

    static auto Tuple(const alloc::LiveBlock& b) {
        return std::tuple(b.address, b.size, b.header, b.padding, b.rounding, b.slack);
    }
    void RequireSame(const alloc::Walk& before) {
        const alloc::Walk now = Walk();
        REQUIRE(now.blocks.size() == before.blocks.size());
        for (std::size_t i = 0; i < now.blocks.size(); ++i) REQUIRE(Tuple(now.blocks[i]) == Tuple(before.blocks[i]));
        REQUIRE(now.FreeBytes() == before.FreeBytes());
        REQUIRE(now.LargestHole() == before.LargestHole());
        REQUIRE(now.nodes.size() == before.nodes.size());
    }

    // The walk, the model of the events, and what we hold are the same heap.
    void Check() {
        const log::LogView view = instance_.sink.View();
        while (model_.Applied() < view.Rows()) model_.Apply(view);
        REQUIRE(instance_.sink.WasLegal());
        const model::AllocatorState* state = nullptr;
        for (const auto& each : model_.Allocators()) {
            if (each.alive) state = &each;
        }
        REQUIRE(state != nullptr);
        const model::Totals& totals = state->totals;
        REQUIRE(totals.blocks == live_.size());
        if (!Walks()) return;
        const alloc::Walk walk = Walk();
        for (const std::string& broken : walk.broken) FAIL("invariant: " << broken);
        RequireBlocks(walk, *state);
        if (!InBuffer()) return;
        RequireHoles(walk, *state);
        REQUIRE(totals.heap == totals.SetAside() + totals.free + totals.dead + totals.bookkeeping);
        REQUIRE(totals.heap == walk.HeapBytes());
    }

    void RequireBlocks(const alloc::Walk& walk, const model::AllocatorState& state) {
        std::vector<std::tuple<std::uintptr_t, std::size_t, std::uint64_t, std::uint64_t>> theirs, ours;
        for (const alloc::LiveBlock& b : walk.blocks) {
            const std::uintptr_t begin = b.address - b.header - b.padding;
            theirs.emplace_back(b.address, b.size, begin, begin + alloc::Walk::SetAside(b));
        }
        model_.VisitBlocks(state.id, 0, ~std::uint64_t{0}, [&](const model::Block& b) {
            ours.emplace_back(b.address, b.size, b.begin, b.end);
            return true;
        });
        REQUIRE(theirs == ours);
        auto held = live_.begin();
        for (const alloc::LiveBlock& b : walk.blocks) {
            REQUIRE(reinterpret_cast<std::uintptr_t>(held->first) == b.address);
            REQUIRE(held->second.bytes == b.size);
            ++held;
        }
    }

    void RequireHoles(const alloc::Walk& walk, const model::AllocatorState& state) {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> theirs, ours;
        for (const alloc::Hole& hole : walk.holes) theirs.emplace_back(hole.address, hole.address + hole.bytes);
        model_.VisitHoles(state.id, 0, ~std::uint64_t{0}, [&](const model::Hole& hole) {
            ours.emplace_back(hole.begin, hole.end);
            return true;
        });
        REQUIRE(theirs == ours);
        theirs.clear(), ours.clear();
        for (const alloc::DeadRun& run : walk.dead) theirs.emplace_back(run.address, run.address + run.bytes);
        model_.VisitDead(state.id, 0, ~std::uint64_t{0}, [&](const model::Block& block) {
            ours.emplace_back(block.begin, block.end);
            return true;
        });
        REQUIRE(theirs == ours);
    }

    std::optional<std::uint64_t> capacity_;
    support::QuietErrors quiet_;  // the duck's
    Instance instance_;
    model::HeapModel model_;
    std::map<std::byte*, Held> live_;
    std::set<std::byte*> given_;  // given back, and not given out since
    std::uint64_t serial_ = 0;
    std::uint64_t failures_ = 0;
};

}  // namespace residue::conformance
