// Every allocator that can take its memory from another one, behind one face: what the tests of failing parents and of
// composition run over. Adding one is a line in OnParent().
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "alloc/bump_allocator.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/os/default_allocator.hpp"
#include "alloc/os/locked_allocator.hpp"
#include "alloc/os/residue_allocator.hpp"
#include "alloc/os/tracking_allocator.hpp"
#include "alloc/buddy_allocator.hpp"
#include "alloc/headerless_allocator.hpp"
#include "alloc/pool_allocator.hpp"
#include "alloc/segregated_allocator.hpp"
#include "alloc/tlsf_allocator.hpp"

namespace residue::alloc {

// An allocator over a parent. Gives everything back at its end.
class Layer {
public:
    virtual ~Layer() = default;
    virtual Allocator* Get() = 0;
    virtual void Attach(events::EventSink* sink, const char* name, AllocatorId parent) = 0;
    virtual void Destroy() = 0;
};

struct LayerKind {
    const char* name;
    std::unique_ptr<Layer> (*Make)(Allocator* parent);
    bool regions;        // it asks for regions and gives them out in pieces; else a block is a block of the parent's
    std::size_t atLeast;  // bytes that its first request to the parent has
};

// Small, so that a short run needs several.
inline constexpr std::size_t kLayerRegionBytes = 1024;
inline constexpr std::size_t kLayerBufferBytes = 8192;

template <class T>
class HeapLayer final : public Layer {
public:
    explicit HeapLayer(Allocator* parent) : heap_(T::Make(HeapMemory::From(parent, kLayerRegionBytes))) {}
    ~HeapLayer() override { heap_.Destroy(); }
    Allocator* Get() override { return &heap_; }
    void Attach(events::EventSink* sink, const char* name, AllocatorId parent) override {
        heap_.AttachSink(sink, name, parent);
    }
    void Destroy() override { heap_.Destroy(); }

private:
    T heap_;
};

// In one block of the parent's. Where there is none, every request fails.
template <Placement placement>
class BufferLayer final : public Layer {
public:
    explicit BufferLayer(Allocator* parent) : parent_(parent) {
        const auto buffer = alloc::Allocate<std::byte>(parent, kLayerBufferBytes);
        if (buffer) buffer_ = *buffer;
        heap_.emplace(CreateFixedBufferAllocator(buffer_, buffer_ == nullptr ? 0 : kLayerBufferBytes, placement));
    }
    ~BufferLayer() override { Destroy(); }
    Allocator* Get() override { return &*heap_; }
    void Attach(events::EventSink* sink, const char* name, AllocatorId parent) override {
        heap_->AttachSink(sink, name, parent);
    }
    void Destroy() override {
        heap_->Destroy();
        if (buffer_ != nullptr) (void)alloc::Free(parent_, buffer_);
    }

private:
    Allocator* parent_;
    std::byte* buffer_ = nullptr;
    std::optional<FixedBufferAllocator> heap_;
};

inline DefaultAllocatorSettings QuietOn(Allocator* parent) {
    DefaultAllocatorSettings settings;
    settings.parent = parent;
    settings.writer = nullptr;
    return settings;
}

template <Profile profile>
class DefaultLayer final : public Layer {
public:
    explicit DefaultLayer(Allocator* parent) : heap_(QuietOn(parent)) {}
    Allocator* Get() override { return &heap_; }
    void Attach(events::EventSink* sink, const char* name, AllocatorId parent) override {
        heap_.AttachSink(sink, name, parent);
    }
    void Destroy() override { heap_.Destroy(); }

private:
    DefaultAllocator<profile> heap_;
};

// A tracker whose books come from the parent as well, so that their failures are among those of the parent.
class TrackingLayer final : public Layer {
public:
    explicit TrackingLayer(Allocator* parent) : heap_(CreateTrackingAllocator(parent, Books(parent))) {}
    Allocator* Get() override { return &heap_; }
    void Attach(events::EventSink* sink, const char* name, AllocatorId parent) override {
        heap_.AttachSink(sink, name, parent);
    }
    void Destroy() override { DestroyTrackingAllocator(&heap_); }

private:
    static DefaultAllocatorSettings Books(Allocator* parent) {
        DefaultAllocatorSettings settings = QuietOn(parent);
        settings.books = parent;
        return settings;
    }
    TrackingAllocator heap_;
};

class ResidueLayer final : public Layer {
public:
    explicit ResidueLayer(Allocator* parent) : heap_({.parent = parent, .writer = nullptr}) {}
    Allocator* Get() override { return &heap_; }
    void Attach(events::EventSink* sink, const char* name, AllocatorId parent) override {
        heap_.AttachSink(sink, name, parent);
    }
    void Destroy() override { heap_.Destroy(); }

private:
    ResidueAllocator heap_;
};

class LockedLayer final : public Layer {
public:
    explicit LockedLayer(Allocator* parent) : inner_(QuietOn(parent)), heap_(&inner_) {}
    Allocator* Get() override { return &heap_; }
    void Attach(events::EventSink* sink, const char* name, AllocatorId parent) override {
        inner_.AttachSink(sink, name, parent);
    }
    void Destroy() override { inner_.Destroy(); }

private:
    DefaultAllocator<Profile::Debug> inner_;
    LockedAllocator heap_;
};

template <class T>
std::unique_ptr<Layer> MakeLayer(Allocator* parent) {
    return std::make_unique<T>(parent);
}

inline std::span<const LayerKind> OnParent() {
    static constexpr LayerKind kKinds[] = {
        {"arena", MakeLayer<HeapLayer<ArenaAllocator>>, true, kLayerRegionBytes},
        {"stack", MakeLayer<HeapLayer<StackAllocator>>, true, kLayerRegionBytes},
        {"pool", MakeLayer<HeapLayer<PoolAllocator>>, true, kLayerRegionBytes},
        {"buddy", MakeLayer<HeapLayer<BuddyAllocator>>, true, kLayerRegionBytes},
        {"segregated-fit", MakeLayer<HeapLayer<SegregatedAllocator>>, true, kLayerRegionBytes},
        {"tlsf", MakeLayer<HeapLayer<TlsfAllocator>>, true, kLayerRegionBytes},
        {"headerless", MakeLayer<HeapLayer<HeaderlessAllocator>>, true, kLayerRegionBytes},
        {"fixed buffer, first fit", MakeLayer<BufferLayer<Placement::FirstFit>>, true, kLayerBufferBytes},
        {"fixed buffer, best fit", MakeLayer<BufferLayer<Placement::BestFit>>, true, kLayerBufferBytes},
        {"default, debug", MakeLayer<DefaultLayer<Profile::Debug>>, false, 1},
        {"default, release", MakeLayer<DefaultLayer<Profile::Release>>, false, 1},
        {"default, distribution", MakeLayer<DefaultLayer<Profile::Distribution>>, false, 1},
        {"tracking", MakeLayer<TrackingLayer>, false, 1},
        {"residue", MakeLayer<ResidueLayer>, false, 1},
        {"locked default", MakeLayer<LockedLayer>, false, 1},
    };
    return kKinds;
}

}  // namespace residue::alloc
