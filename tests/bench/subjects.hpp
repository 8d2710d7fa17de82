// The allocators that benchmarks compare, behind one interface: those of the registry, in their buffers, and the peers.
//
//     bench::Range range;
//     bench::Ours memory(entry, range.Zeroed(bytes), bytes);
//     for (const bench::Subject& subject : bench::Subjects(peers)) ...
//
// Requests of ours are for addresses of kAlignment. No thread safety.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alloc/inspect.hpp"
#include "alloc/registry.hpp"
#include "bench/peers.hpp"
#include "support/quiet_errors.hpp"

namespace residue::bench {

inline constexpr std::size_t kAlignment = 8;
inline constexpr std::size_t kMostBytes = std::size_t{256} << 20;  // of a buffer

// Memory for buffers: one range, in memory and zeroed before each use, so that neither system calls nor page faults are
// measured.
class Range {
public:
    Range() {
        void* const got =
            mmap(nullptr, kMostBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (got == MAP_FAILED) std::abort();
        base_ = got;
    }
    void* Zeroed(std::size_t bytes) {
        std::memset(base_, 0, bytes);
        return base_;
    }
    void* Fresh() {
        madvise(base_, kMostBytes, MADV_DONTNEED);
        return base_;
    }

private:
    void* base_ = nullptr;
};

// One of the registry's, alive as long as this is. No capacity: it grows.
class Ours {
public:
    Ours(const alloc::Registration& entry, void* base, std::optional<std::uint64_t> capacity)
        : entry_(entry), allocator_(entry.Create(storage_, {base, kMostBytes, capacity})) {}
    ~Ours() {
        std::optional<support::QuietErrors> quiet;
        if (std::string_view(entry_.name) == "residue") quiet.emplace();  // its duck yells
        entry_.Destroy(allocator_);
    }
    Ours(const Ours&) = delete;
    Ours& operator=(const Ours&) = delete;

    void* Allocate(std::size_t bytes) { return allocator_->Allocate(allocator_, bytes, kAlignment).value_or(nullptr); }
    bool Free(void* block) { return allocator_->Free(allocator_, block).has_value(); }
    void* Resize(void* block, std::size_t before, std::size_t bytes) {
        if (allocator_->options != nullptr && allocator_->options->Resize != nullptr) {
            return allocator_->options->Resize(allocator_, block, bytes, kAlignment).value_or(nullptr);
        }
        void* const moved = Allocate(bytes);
        if (moved == nullptr) return nullptr;
        std::memcpy(moved, block, std::min(before, bytes));
        return Free(block) ? moved : nullptr;
    }
    std::uint64_t Probes() const { return entry_.Probes(allocator_); }
    double RegionBytes() const {  // NaN: it does not say
        struct Sum final : alloc::Inspector {
            double bytes = 0;
            void OnRegion(const alloc::Region& region) override { bytes += static_cast<double>(region.bytes); }
        } sum;
        const alloc::AllocatorOptions* const options = allocator_->options;
        if (options != nullptr && options->Inspect != nullptr) options->Inspect(allocator_, sum);
        return sum.bytes > 0 ? sum.bytes : std::numeric_limits<double>::quiet_NaN();
    }

private:
    alignas(alloc::kAllocatorStorageAlignment) std::byte storage_[alloc::kAllocatorStorageBytes];
    const alloc::Registration& entry_;
    alloc::Allocator* allocator_;
};

struct Subject {
    std::string name;
    const alloc::Registration* entry = nullptr;  // ours
    const Peer* peer = nullptr;                  // or theirs
};

// Theirs first, then all of the registry. `peers` must outlive it.
inline std::vector<Subject> Subjects(const std::vector<Peer>& peers) {
    std::vector<Subject> subjects;
    for (const Peer& peer : peers) subjects.push_back({peer.name, nullptr, &peer});
    for (const alloc::Registration& entry : alloc::Registry()) subjects.push_back({entry.name, &entry, nullptr});
    return subjects;
}

}  // namespace residue::bench
