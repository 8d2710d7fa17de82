// One range of address space for the heap of a replay or of the sandbox: reserved at once, memory only where touched,
// reading as zero. Aligned to 64 KiB, so that addresses keep their low bits when they are shown from a fixed base.
//
//     Outcome<AddressRange> range = AddressRange::Reserve(32ULL << 30);
//     events::RebaseSink shown(sink, range->Address(), range->Bytes(), kFixedBase);
//
// Cost: one mapping, no memory. Thread safety: as a pointer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "log/failure.hpp"

namespace residue::replay {

inline constexpr std::uint64_t kRangeAlignment = 64 << 10;

// Where every heap seems to lie, so that a run shows the same addresses as the run before, and small ones.
inline constexpr std::uint64_t kFixedBase = 0x10000;

class AddressRange {
public:
    AddressRange() = default;
    ~AddressRange();
    AddressRange(AddressRange&& other) noexcept;
    AddressRange& operator=(AddressRange&& other) noexcept;

    // `bytes` is rounded up to pages. Failure: the system has no room for it.
    static Outcome<AddressRange> Reserve(std::uint64_t bytes);

    void* Base() const { return base_; }
    std::uintptr_t Address() const { return reinterpret_cast<std::uintptr_t>(base_); }
    std::uint64_t Bytes() const { return bytes_; }
    bool Contains(const void* pointer) const { return reinterpret_cast<std::uintptr_t>(pointer) - Address() < bytes_; }

    // Gives back the memory of the whole pages inside [begin, begin + bytes): they read as zero again.
    void Forget(void* begin, std::uint64_t bytes) const;

private:
    void* base_ = nullptr;
    std::uint64_t bytes_ = 0;
};

}  // namespace residue::replay
