#include "memory/failing_new.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include "support/catch.hpp"

namespace {

std::atomic<bool> armed{false};
std::atomic<std::uint64_t> requests{0};
std::atomic<std::uint64_t> failures{0};
std::atomic<std::uint64_t> failAt{0};
std::atomic<bool> fromThenOn{false};
std::atomic<std::int64_t> blocksOut{0};

void* Take(std::size_t bytes, std::size_t alignment) noexcept {
    if (armed.load(std::memory_order_relaxed)) {
        const std::uint64_t number = requests.fetch_add(1) + 1;
        if (number == failAt.load() || (fromThenOn.load() && number > failAt.load())) {
            failures.fetch_add(1);
            return nullptr;
        }
    }
    if (bytes == 0) bytes = 1;
    void* const block = alignment <= alignof(std::max_align_t)
                            ? std::malloc(bytes)
                            : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (block != nullptr) blocksOut.fetch_add(1, std::memory_order_relaxed);
    return block;
}

void* TakeOrThrow(std::size_t bytes, std::size_t alignment) {
    void* const block = Take(bytes, alignment);
    if (block == nullptr) throw std::bad_alloc();
    return block;
}

void Give(void* block) noexcept {
    if (block == nullptr) return;
    blocksOut.fetch_sub(1, std::memory_order_relaxed);
    std::free(block);
}

constexpr std::size_t kPlain = alignof(std::max_align_t);

}  // namespace

void* operator new(std::size_t bytes) { return TakeOrThrow(bytes, kPlain); }
void* operator new[](std::size_t bytes) { return TakeOrThrow(bytes, kPlain); }
void* operator new(std::size_t bytes, std::align_val_t to) { return TakeOrThrow(bytes, std::size_t(to)); }
void* operator new[](std::size_t bytes, std::align_val_t to) { return TakeOrThrow(bytes, std::size_t(to)); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return Take(bytes, kPlain); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return Take(bytes, kPlain); }
void* operator new(std::size_t bytes, std::align_val_t to, const std::nothrow_t&) noexcept {
    return Take(bytes, std::size_t(to));
}
void* operator new[](std::size_t bytes, std::align_val_t to, const std::nothrow_t&) noexcept {
    return Take(bytes, std::size_t(to));
}
void operator delete(void* block) noexcept { Give(block); }
void operator delete[](void* block) noexcept { Give(block); }
void operator delete(void* block, std::size_t) noexcept { Give(block); }
void operator delete[](void* block, std::size_t) noexcept { Give(block); }
void operator delete(void* block, std::align_val_t) noexcept { Give(block); }
void operator delete[](void* block, std::align_val_t) noexcept { Give(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { Give(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { Give(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { Give(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { Give(block); }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept { Give(block); }
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept { Give(block); }

namespace memory_tests {

FailingNew::FailingNew(std::uint64_t at, Failing mode) {
    requests = 0;
    failures = 0;
    failAt = at;
    fromThenOn = mode == Failing::FromThenOn;
}
FailingNew::~FailingNew() { Disarm(); }
void FailingNew::Arm() { armed = true; }
void FailingNew::Disarm() { armed = false; }
std::uint64_t FailingNew::Failures() const { return failures.load(); }

std::int64_t BlocksOut() { return blocksOut.load(); }

namespace {

struct Ended {
    std::optional<std::uint64_t> result;
    std::uint64_t failed = 0;
    std::int64_t lost = 0;
};

Ended RunOnce(const Run& run, std::uint64_t at, Failing mode) {
    Ended ended;
    const std::int64_t before = BlocksOut();
    {
        FailingNew heap(at, mode);
        try {
            ended.result = run(heap);
        } catch (const std::bad_alloc&) {
        }
        heap.Disarm();
        ended.failed = heap.Failures();
    }
    ended.lost = BlocksOut() - before;
    return ended;
}

}  // namespace

std::uint64_t UntilNoneFails(const Run& run, std::uint64_t step) {
    (void)RunOnce(run, 0, Failing::Once);  // what is made once in a program is made here
    const Ended plain = RunOnce(run, 0, Failing::Once);
    REQUIRE(plain.result);
    REQUIRE(plain.lost == 0);
    std::uint64_t most = 0;
    for (const Failing mode : {Failing::Once, Failing::FromThenOn}) {
        std::uint64_t at = 1;
        for (;; at += step) {
            const Ended ended = RunOnce(run, at, mode);
            INFO("allocation " << at << " failed" << (mode == Failing::Once ? "" : ", and all after it"));
            REQUIRE(ended.lost == 0);
            if (ended.result) REQUIRE(*ended.result == *plain.result);
            if (ended.failed == 0) break;
        }
        const Ended after = RunOnce(run, 0, Failing::Once);
        REQUIRE(after.result);
        REQUIRE(*after.result == *plain.result);
        most = std::max(most, at - 1);
    }
    return most;
}

}  // namespace memory_tests
