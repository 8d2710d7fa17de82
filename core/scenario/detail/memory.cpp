#include "scenario/detail/memory.hpp"

#include <cstring>

#include "base/checked.hpp"

namespace residue::scenario::detail {

Outcome<ScriptMemory> ScriptMemory::Reserve() {
    Outcome<replay::AddressRange> range = replay::AddressRange::Reserve(kStackEnd - kHeapBase);
    if (!range) return Fail(range.error());
    ScriptMemory memory;
    memory.range_ = std::move(*range);
    return memory;
}

std::optional<std::uint64_t> ScriptMemory::AddStatic(std::uint64_t bytes, std::uint64_t alignment) {
    const std::uint64_t begin = *CheckedAlignUp(staticsTop_, alignment);
    if (bytes > kStaticsEnd - begin) return std::nullopt;
    staticsTop_ = begin + bytes;
    return begin;
}

std::optional<std::uint64_t> ScriptMemory::AddString(std::string_view text) {
    const auto known = strings_.find(std::string(text));
    if (known != strings_.end()) return known->second;
    const auto address = AddStatic(text.size(), 1);
    if (!address) return std::nullopt;
    if (!text.empty()) std::memcpy(Real(*address), text.data(), text.size());
    strings_.emplace(text, *address);
    return address;
}

std::optional<std::uint64_t> ScriptMemory::Push(std::uint64_t bytes, std::uint64_t alignment) {
    const std::uint64_t begin = *CheckedAlignUp(stackTop_, alignment);
    if (begin > kStackEnd || bytes > kStackEnd - begin) return std::nullopt;
    stackTop_ = begin + bytes;
    if (bytes != 0) std::memset(Real(begin), 0, bytes);
    return begin;
}

}  // namespace residue::scenario::detail
