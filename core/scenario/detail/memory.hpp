// The bytes of a run: one reserved range that holds heap, globals with strings, and the stack. Script addresses, the
// ones that are shown, are offsets into it from kHeapBase.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "replay/address_range.hpp"
#include "scenario/run.hpp"

namespace residue::scenario::detail {

inline constexpr std::uint64_t kHeapEnd = kStaticsBase;
inline constexpr std::uint64_t kStaticsEnd = kStackBase;
inline constexpr std::uint64_t kStackEnd = kStackBase + (std::uint64_t{256} << 20);

class ScriptMemory {
public:
    // Failure: no address space.
    static Outcome<ScriptMemory> Reserve();

    const replay::AddressRange& Range() const { return range_; }
    std::byte* Real(std::uint64_t address) const {
        return static_cast<std::byte*>(range_.Base()) + (address - kHeapBase);
    }
    // 0 for what is none of the range.
    std::uint64_t Shown(const void* pointer) const {
        return range_.Contains(pointer) ? reinterpret_cast<std::uintptr_t>(pointer) - range_.Address() + kHeapBase : 0;
    }
    static bool IsMapped(std::uint64_t address, std::uint64_t bytes) {
        return address >= kHeapBase && address < kStackEnd && bytes <= kStackEnd - address;
    }

    // Zeroed bytes that stay for ever; nothing where there is no room.
    std::optional<std::uint64_t> AddStatic(std::uint64_t bytes, std::uint64_t alignment);
    // The address of a text; the same for equal ones.
    std::optional<std::uint64_t> AddString(std::string_view text);

    std::uint64_t StackTop() const { return stackTop_; }
    // Zeroed; nothing where there is no room.
    std::optional<std::uint64_t> Push(std::uint64_t bytes, std::uint64_t alignment);
    void PopTo(std::uint64_t top) { stackTop_ = top; }
    bool IsLiveStatic(std::uint64_t address, std::uint64_t bytes) const {
        return address >= kStaticsBase && address + bytes <= staticsTop_;
    }
    bool IsLiveStack(std::uint64_t address, std::uint64_t bytes) const {
        return address >= kStackBase && address + bytes <= stackTop_;
    }
    std::uint64_t UsedBytes() const { return (staticsTop_ - kStaticsBase) + (stackTop_ - kStackBase); }

private:
    replay::AddressRange range_;
    std::uint64_t staticsTop_ = kStaticsBase;
    std::uint64_t stackTop_ = kStackBase;
    std::unordered_map<std::string, std::uint64_t> strings_;
};

}  // namespace residue::scenario::detail
