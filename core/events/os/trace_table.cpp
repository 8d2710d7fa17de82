#include "events/trace_table.hpp"

#include <cstddef>
#include <cstring>
#include <utility>

#include "events/os/pages.hpp"

namespace residue::events {
namespace {

constexpr std::uint32_t kMostNodes = 1u << 28;

// By words and inline: the stacks are short, and a call of memcmp costs as much as the compare.
bool Equal(const TraceMemo::Stack& stack, const std::uintptr_t* frames, unsigned count) noexcept {
    if (stack.count != count) return false;
    std::uintptr_t difference = 0;
    for (unsigned i = 0; i < count; ++i) difference |= stack.frames[i] ^ frames[i];
    return difference == 0;
}

// Two sums, so that each multiplication does not wait for the one before.
std::uint64_t HashOf(const std::uintptr_t* frames, unsigned count) noexcept {
    std::uint64_t even = count;
    std::uint64_t odd = 0;
    unsigned i = 0;
    for (; i + 2 <= count; i += 2) {
        even = (even ^ frames[i]) * 0x9E3779B97F4A7C15ull;
        odd = (odd ^ frames[i + 1]) * 0xC2B2AE3D27D4EB4Full;
    }
    if (i < count) even = (even ^ frames[i]) * 0x9E3779B97F4A7C15ull;
    return detail::Mix(even ^ (odd >> 32) ^ (odd << 32));
}

std::uint64_t SlotsFor(std::uint32_t capacity) noexcept {
    std::uint64_t slots = 16;
    while (slots < 2ull * capacity) slots *= 2;
    return slots;
}

}  // namespace

std::uint64_t TraceTable::BytesFor(std::uint32_t capacity) noexcept {
    return 2 * ((capacity + 1ull) * sizeof(std::uint64_t) + SlotsFor(capacity) * sizeof(std::uint32_t));
}

void TraceTable::Use(std::uint32_t capacity, void* zeroed) noexcept {
    // Zeroed pages are arrays of atomics that hold 0; touching them here would make all of them resident.
    static_assert(sizeof(std::atomic<std::uint64_t>) == 8 && std::atomic<std::uint64_t>::is_always_lock_free);
    static_assert(sizeof(std::atomic<std::uint32_t>) == 4 && std::atomic<std::uint32_t>::is_always_lock_free);
    auto* const words = static_cast<std::atomic<std::uint64_t>*>(zeroed);
    auto* const indices = reinterpret_cast<std::atomic<std::uint32_t>*>(words + 2 * (capacity + 1ull));
    table_.Use(words, indices, capacity, static_cast<std::uint32_t>(SlotsFor(capacity)));
}

TraceTable::TraceTable(std::uint32_t capacity) noexcept {
    capacity = capacity < kMostNodes ? capacity : kMostNodes;
    pageBytes_ = BytesFor(capacity);
    pages_ = os::ReservePages(pageBytes_);
    if (pages_ != nullptr) Use(capacity, pages_);
}

TraceTable::TraceTable(std::uint32_t capacity, void* zeroed) noexcept { Use(capacity, zeroed); }

TraceTable::~TraceTable() { os::ReleasePages(pages_, pageBytes_); }

TraceId TraceTable::Refuse() noexcept {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return {};
}

TraceId TraceTable::Intern(const std::uintptr_t* innermostFirst, unsigned count) noexcept {
    if (count == 0 || Capacity() == 0) return {};
    if (count > kMaxTraceDepth) count = kMaxTraceDepth;
    std::uint32_t id = 0;
    for (unsigned i = count; i-- > 0;) {
        id = innermostFirst[i] == 0 ? 0 : table_.Child(id, innermostFirst[i]);
        if (id == 0) return Refuse();
    }
    return TraceId{id};
}

TraceId TraceTable::Intern(const std::uintptr_t* innermostFirst, unsigned count, TraceMemo& memo) noexcept {
    if (count == 0 || Capacity() == 0) return {};
    if (count > kMaxTraceDepth) count = kMaxTraceDepth;
    // Whole stacks are compared, not up to their first equal frame: an equal frame does not mean equal callers.
    if (Equal(*memo.last, innermostFirst, count)) return memo.last->id;
    const std::uint64_t hash = HashOf(innermostFirst, count);
    TraceMemo::Stack& stack = memo.stacks[hash % TraceMemo::kStacks];
    memo.last = &stack;
    if (stack.hash == hash && Equal(stack, innermostFirst, count)) return stack.id;

    const TraceId id = InternNew(innermostFirst, count, memo);
    if (!id) return Refuse();
    stack.hash = hash;
    stack.id = id;
    stack.count = count;
    std::memcpy(stack.frames, innermostFirst, count * sizeof(std::uintptr_t));
    memo.path = &stack;
    return id;
}

// Of a stack that is new to the memo. The frames in common with the last such stack, from the outermost one on, have
// known ids.
TraceId TraceTable::InternNew(const std::uintptr_t* innermostFirst, unsigned count, TraceMemo& memo) noexcept {
    const unsigned fresh = count - KeepShared(innermostFirst, count, memo);
    std::uint32_t id = fresh == count ? 0 : memo.ids[fresh].value;
    for (unsigned i = fresh; i-- > 0;) {
        id = innermostFirst[i] == 0 ? 0 : table_.Child(id, innermostFirst[i]);
        if (id == 0) return {};
        memo.ids[i] = TraceId{id};
    }
    return TraceId{id};
}

// How many of the outermost frames are those of the memo's path; their ids move to their new place, the end of the
// array. The path is no more.
unsigned TraceTable::KeepShared(const std::uintptr_t* innermostFirst, unsigned count, TraceMemo& memo) noexcept {
    const TraceMemo::Stack* const path = std::exchange(memo.path, nullptr);
    if (path == nullptr) return 0;
    unsigned shared = 0;
    while (shared < count && shared < path->count &&
           innermostFirst[count - 1 - shared] == path->frames[path->count - 1 - shared]) {
        ++shared;
    }
    if (count != path->count) {
        std::memmove(memo.ids + (count - shared), memo.ids + (path->count - shared), shared * sizeof(TraceId));
    }
    return shared;
}

TraceTable::Node TraceTable::At(TraceId id) const noexcept {
    if (id.value == 0 || id.value > Count()) return {};
    const auto node = table_.At(id.value);
    return {TraceId{node.parent}, node.frame};
}

}  // namespace residue::events
