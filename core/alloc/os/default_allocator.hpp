// The allocator for daily use: the system's memory (or any parent's), with a tracker that knows where every live
// buffer came from, tells a double free from a foreign pointer, and reports what was never given back.
//
//     DefaultAllocator<> allocator = CreateDefaultAllocator();
//     auto ints = Allocate<int>(&allocator, 5);
//     DestroyDefaultAllocator(&allocator);         // "Unfreed buffer @ 0x…: " and its call trace, on stderr
//
// Profiles: Debug and Release have the tracker (call traces of up to 64 and 16 frames); in Distribution it does not
// exist, the callbacks only pass on, and errors are what the parent can tell. Set the build's own with RESIDUE_PROFILE.
//
// DoubleFree is remembered for the last 65,536 frees (settable), after which the answer is InvalidPointer.
// Cost with the tracker: a frame pointer walk, a lock and one or two hash look-ups a call; 32 to 64 bytes a live block.
// Thread-safe where the parent is (the system's is); attach before it is shared. Not movable. OS part.
#pragma once

#include <cstddef>
#include <mutex>
#include <type_traits>

#include "alloc/allocator.hpp"
#include "alloc/emitter.hpp"
#include "alloc/os/os.hpp"
#include "alloc/os/system_allocator.hpp"
#include "alloc/os/tracker.hpp"

#if RESIDUE_OS_SUPPORTED

namespace residue::alloc {

enum class Profile : std::uint8_t { Debug, Release, Distribution };

#if defined(RESIDUE_PROFILE)
inline constexpr Profile kBuildProfile = Profile::RESIDUE_PROFILE;
#elif defined(NDEBUG)
inline constexpr Profile kBuildProfile = Profile::Release;
#else
inline constexpr Profile kBuildProfile = Profile::Debug;
#endif

struct DefaultAllocatorSettings {
    Allocator* parent = nullptr;           // null: InternalAllocator()
    Allocator* books = nullptr;            // of the tracker's memory; null: the parent
    std::size_t rememberedFrees = 65'536;
    ReportWriter writer = WriteToStandardError;  // null: no report
    void* writerContext = nullptr;
};

template <Profile profile = kBuildProfile>
struct DefaultAllocator : Allocator {
    static constexpr bool kTracks = profile != Profile::Distribution;

    explicit DefaultAllocator(const DefaultAllocatorSettings& settings);
    ~DefaultAllocator() { Destroy(); }
    DefaultAllocator(const DefaultAllocator&) = delete;
    DefaultAllocator& operator=(const DefaultAllocator&) = delete;

    void AttachSink(events::EventSink* sink, const char* name, AllocatorId parent = {});
    // Reports what is live and gives it back; safe to call twice. Returns how many there were (0 without a tracker).
    std::size_t Destroy();
    std::size_t LiveCount();  // 0 without a tracker

private:
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> OnFree(Allocator* self, void* pointer);
    static Result<void*> OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment);
    static void OnInspect(const Allocator* self, Inspector& inspector);
    static bool OnOwns(const Allocator* self, const void* pointer);
    static const AllocatorOptions kOptions;

    Result<void*> Take(std::size_t bytes, std::size_t alignment, const void* frame);

    struct Tracking {
        explicit Tracking(const DefaultAllocatorSettings& settings, Allocator* parent)
            : tracker(parent, settings.books != nullptr ? settings.books : parent, settings.rememberedFrees),
              writer(settings.writer),
              writerContext(settings.writerContext) {}
        mutable std::mutex mutex;
        Tracker tracker;
        ReportWriter writer;
        void* writerContext;
    };
    struct NoTracking {
        NoTracking(const DefaultAllocatorSettings&, Allocator*) {}
    };

    Allocator* parent_;
    Emitter emitter_;
    [[no_unique_address]] std::conditional_t<kTracks, Tracking, NoTracking> tracking_;
};

extern template struct DefaultAllocator<Profile::Debug>;
extern template struct DefaultAllocator<Profile::Release>;
extern template struct DefaultAllocator<Profile::Distribution>;

template <Profile profile = kBuildProfile>
DefaultAllocator<profile> CreateDefaultAllocator(const DefaultAllocatorSettings& settings = {}) {
    return DefaultAllocator<profile>(settings);
}

// Returns how many buffers had not been freed.
template <Profile profile>
std::size_t DestroyDefaultAllocator(DefaultAllocator<profile>* allocator) {
    return allocator->Destroy();
}

}  // namespace residue::alloc

#endif
