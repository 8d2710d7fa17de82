// The pages that payloads have ever lain on: what can be said of the size of a heap that does not tell it. A span of
// addresses would not do, as an allocator may have blocks at both ends of the address space.
// Cost: O(log payloads) each; memory: at most 48 bytes a payload, whatever their sizes. Thread safety: none.
#pragma once

#include <cstdint>
#include <map>

namespace residue::lab {

inline constexpr std::uint64_t kPageBytes = 4096;

class PayloadPages {
public:
    // A payload of no bytes has none.
    void Add(std::uint64_t address, std::uint64_t size);
    std::uint64_t Bytes() const { return pages_ * kPageBytes; }

private:
    std::map<std::uint64_t, std::uint64_t> runs_;  // first page -> one past the last, apart from one another
    std::uint64_t pages_ = 0;
};

}  // namespace residue::lab
