// Makes the allocators of core/alloc for a script.
#include <type_traits>

#include "alloc/buddy_allocator.hpp"
#include "alloc/bump_allocator.hpp"
#include "alloc/headerless_allocator.hpp"
#include "alloc/os/residue_allocator.hpp"
#include "alloc/pool_allocator.hpp"
#include "alloc/segregated_allocator.hpp"
#include "alloc/tlsf_allocator.hpp"
#include "scenario/detail/heaps.hpp"

namespace residue::scenario::detail {
namespace {

// Remembers the id that an allocator gets when it is attached.
class IdKeeper final : public events::EventSink {
public:
    void Follow(events::EventSink* next) { next_ = next; }
    AllocatorId Id() const { return id_; }

    std::uint64_t Begin() noexcept override { return next_->Begin(); }
    void Emit(const events::Event* records, std::size_t count, std::uint64_t stamp) noexcept override {
        next_->Emit(records, count, stamp);
    }
    TraceId Capture(unsigned skip) noexcept override { return next_->Capture(skip); }
    AllocatorId NextAllocatorId() noexcept override { return id_ = next_->NextAllocatorId(); }

private:
    events::EventSink* next_ = nullptr;
    AllocatorId id_{};
};

template <class T>
class CoreOf final : public CoreAllocator {
public:
    template <class Make>
    explicit CoreOf(const Make& make) : allocator_(make()) {}

    alloc::Allocator* Get() override { return &allocator_; }
    void Attach(events::EventSink* sink, const char* name, AllocatorId parent) override {
        keeper_.Follow(sink);
        allocator_.AttachSink(&keeper_, name, parent);
    }
    AllocatorId Id() const override { return keeper_.Id(); }
    void Destroy() override { allocator_.Destroy(); }
    std::uint64_t Probes() const override { return allocator_.Probes(); }
    std::uint64_t HeapBytes() const override {
        if constexpr (requires { allocator_.HeapBytes(); })
            return allocator_.HeapBytes();
        else
            return 0;
    }
    std::optional<std::uint64_t> Mark() override {
        if constexpr (std::is_same_v<T, alloc::ArenaAllocator>) {
            const auto mark = allocator_.Mark();
            if (mark) return mark->depth;
        }
        return std::nullopt;
    }
    bool Release(std::uint64_t mark) override {
        if constexpr (std::is_same_v<T, alloc::ArenaAllocator>) {
            if (mark == 0 || mark > allocator_.Marks()) return false;
            return allocator_.Release(allocator_.MarkAt(static_cast<std::uint32_t>(mark))).has_value();
        } else {
            (void)mark;
            return false;
        }
    }

private:
    IdKeeper keeper_;
    T allocator_;
};

// Over a first-fit buffer of its own, which tells all events but the duck.
class CoreResidue final : public CoreAllocator {
public:
    explicit CoreResidue(const alloc::HeapMemory& memory)
        : buffer_(
              alloc::FixedBufferAllocator::Make(memory.base, memory.bytes, alloc::Placement::FirstFit, memory.growth)),
          residue_({.parent = &buffer_,
                    .logParent = alloc::InternalAllocator(),
                    .ownsParent = true,
                    .writer = nullptr,
                    .writerContext = nullptr}) {}

    alloc::Allocator* Get() override { return &residue_; }
    void Attach(events::EventSink* sink, const char* name, AllocatorId parent) override {
        keeper_.Follow(sink);
        buffer_.AttachSink(&keeper_, name, parent);
        residue_.AnnounceThrough(buffer_.Events());
    }
    AllocatorId Id() const override { return keeper_.Id(); }
    void Destroy() override {
        residue_.Destroy();
        buffer_.Destroy();
    }
    std::uint64_t Probes() const override { return buffer_.Probes(); }
    std::uint64_t HeapBytes() const override { return buffer_.HeapBytes(); }

private:
    IdKeeper keeper_;
    alloc::FixedBufferAllocator buffer_;
    alloc::ResidueAllocator residue_;
};

// Built in place: an allocator may know its own address.
template <class Make>
std::unique_ptr<CoreAllocator> Made(const Make& make) {
    return std::make_unique<CoreOf<decltype(make())>>(make);
}

}  // namespace

std::unique_ptr<CoreAllocator> MakeCore(HeapKind kind, const alloc::HeapMemory& memory, alloc::Placement placement,
                                        std::uint64_t slotBytes) {
    switch (kind) {
        case HeapKind::FixedBuffer:
        case HeapKind::Default:
        case HeapKind::System:
            return Made(
                [&] { return alloc::FixedBufferAllocator::Make(memory.base, memory.bytes, placement, memory.growth); });
        case HeapKind::Arena: return Made([&] { return alloc::ArenaAllocator::Make(memory); });
        case HeapKind::Stack: return Made([&] { return alloc::StackAllocator::Make(memory); });
        case HeapKind::Pool:
            return Made([&] { return alloc::PoolAllocator::Make(memory, static_cast<std::size_t>(slotBytes)); });
        case HeapKind::Buddy: return Made([&] { return alloc::BuddyAllocator::Make(memory); });
        case HeapKind::Segregated: return Made([&] { return alloc::SegregatedAllocator::Make(memory); });
        case HeapKind::Tlsf: return Made([&] { return alloc::TlsfAllocator::Make(memory); });
        case HeapKind::Headerless: return Made([&] { return alloc::HeaderlessAllocator::Make(memory); });
        case HeapKind::Residue: return std::make_unique<CoreResidue>(memory);
        case HeapKind::Failing:
        case HeapKind::Script: break;
    }
    return nullptr;
}

const char* TitleOf(HeapKind kind, alloc::Placement placement) {
    switch (kind) {
        case HeapKind::FixedBuffer:
            switch (placement) {
                case alloc::Placement::FirstFit: return "fixed buffer, first fit";
                case alloc::Placement::NextFit: return "fixed buffer, next fit";
                case alloc::Placement::BestFit: return "fixed buffer, best fit";
                case alloc::Placement::WorstFit: return "fixed buffer, worst fit";
            }
            return "fixed buffer";
        case HeapKind::Arena: return "arena";
        case HeapKind::Stack: return "stack";
        case HeapKind::Pool: return "pool";
        case HeapKind::Buddy: return "buddy";
        case HeapKind::Segregated: return "segregated fit";
        case HeapKind::Tlsf: return "two-level segregated fit";
        case HeapKind::Headerless: return "headerless good fit";
        case HeapKind::Default: return "default";
        case HeapKind::Residue: return "residue";
        case HeapKind::System: return "system";
        case HeapKind::Failing: return "failing";
        case HeapKind::Script: return "of the script";
    }
    return "";
}

}  // namespace residue::scenario::detail
