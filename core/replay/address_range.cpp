#include "replay/address_range.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/checked.hpp"

namespace residue::replay {
namespace {

constexpr std::uint64_t kPage = 4096;

}  // namespace

AddressRange::~AddressRange() {
    if (base_ != nullptr) ::munmap(base_, bytes_);
}

AddressRange::AddressRange(AddressRange&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

AddressRange& AddressRange::operator=(AddressRange&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

Outcome<AddressRange> AddressRange::Reserve(std::uint64_t bytes) {
    const auto noRoom = [bytes](const char* why) {
        return Fail(Failure{"", "cannot reserve " + std::to_string(bytes) + " bytes of address space: " + why, ""});
    };
    const auto rounded = CheckedAlignUp(bytes == 0 ? 1 : bytes, kPage);
    const auto mapped = rounded ? CheckedAdd(*rounded, kRangeAlignment) : std::nullopt;
    if (!mapped) return noRoom("more than there is");
    void* start = ::mmap(nullptr, *mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return noRoom(std::strerror(errno));

    // What lies before and behind the aligned part goes back.
    const auto first = reinterpret_cast<std::uintptr_t>(start);
    const std::uint64_t before = (kRangeAlignment - first % kRangeAlignment) % kRangeAlignment;
    const std::uint64_t behind = *mapped - before - *rounded;
    if (before != 0) ::munmap(start, before);
    AddressRange range;
    range.base_ = reinterpret_cast<void*>(first + before);
    range.bytes_ = *rounded;
    if (behind != 0) ::munmap(reinterpret_cast<void*>(first + before + *rounded), behind);
    // A heap touches a few bytes here and there; with huge pages each of them would cost 2 MiB. Both are only hints.
    (void)::madvise(range.base_, range.bytes_, MADV_NOHUGEPAGE);
    (void)::madvise(range.base_, range.bytes_, MADV_DONTDUMP);
    return range;
}

void AddressRange::Forget(void* begin, std::uint64_t bytes) const {
    const auto from = CheckedAlignUp(reinterpret_cast<std::uintptr_t>(begin), kPage);
    const std::uint64_t to = AlignDown(reinterpret_cast<std::uintptr_t>(begin) + bytes, kPage);
    if (from && *from < to) (void)::madvise(reinterpret_cast<void*>(*from), to - *from, MADV_DONTNEED);
}

}  // namespace residue::replay
