#include "lab/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

namespace residue::lab {
namespace {

std::string Span(std::uint64_t address, std::uint64_t size) {
    return fmt::format("({}:{})", Hex(address), Hex(address + size - 1));
}

class Judging {
public:
    Judging(const LabTrace& trace, const Rules& rules) : trace_(trace), rules_(rules), blocks_(trace.slots) {}

    std::optional<Fault> Look(std::uint64_t index, const Record& record) {
        const Op& op = trace_.ops[index];
        if (op.slot >= blocks_.size()) return std::nullopt;
        Block& block = blocks_[op.slot];
        switch (op.kind) {
            case OpKind::Malloc:
            case OpKind::ReallocNull: return Place(index, record, block);
            case OpKind::Realloc: Take(block); return Place(index, record, block);
            case OpKind::Free:
            case OpKind::ReallocFree: Take(block); return std::nullopt;
            case OpKind::FreeNull:
            case OpKind::Touch:
            case OpKind::Nothing: return std::nullopt;
        }
        return std::nullopt;
    }

private:
    struct Block {
        std::uint64_t address = 0, size = 0;
    };

    void Take(Block& block) {
        if (block.size > 0) live_.erase(block.address);
        block = {};
    }

    std::optional<Fault> Place(std::uint64_t index, const Record& record, Block& block) {
        const Op& op = trace_.ops[index];
        const auto fault = [&](std::string text) { return Fault{index, std::move(text), record.address}; };
        block = {};
        if (record.address == 0) {
            if (op.mayBeNull != 0) return std::nullopt;
            return fault(op.kind == OpKind::Malloc ? "mm_malloc failed." : "mm_realloc failed.");
        }
        if (record.address % rules_.alignment != 0) {
            return fault(
                fmt::format("Payload address ({}) not aligned to {} bytes", Hex(record.address), rules_.alignment));
        }
        const std::uint64_t end = std::min(record.heapEnd, kHeapBase + rules_.heapBytes);
        const bool inside = record.address >= kHeapBase && record.address <= end && op.size <= end - record.address;
        if (!inside) {
            return fault(fmt::format("Payload {} lies outside heap {}",
                                     Span(record.address, std::max<std::uint64_t>(op.size, 1)),
                                     Span(kHeapBase, std::max<std::uint64_t>(end, kHeapBase) - kHeapBase)));
        }
        if (op.size == 0) return std::nullopt;
        auto after = live_.lower_bound(record.address);
        auto hit = live_.end();
        if (after != live_.end() && after->first < record.address + op.size) hit = after;
        if (after != live_.begin()) {
            const auto before = std::prev(after);
            if (before->first + before->second > record.address) hit = before;
        }
        if (hit != live_.end() && !trace_.header.ignoreRanges) {
            return fault(fmt::format("Payload {} overlaps another payload {}", Span(record.address, op.size),
                                     Span(hit->first, hit->second)));
        }
        block = {record.address, op.size};
        live_[record.address] = op.size;
        return std::nullopt;
    }

    const LabTrace& trace_;
    const Rules& rules_;
    std::vector<Block> blocks_;                    // by slot
    std::map<std::uint64_t, std::uint64_t> live_;  // address -> size; forgotten blocks included
};

}  // namespace

std::string Hex(std::uint64_t address) {
    return fmt::format("0x{:x}", address);
}

std::optional<Fault> Judge(const LabTrace& trace, std::span<const Record> records, const Rules& rules) {
    Judging judging(trace, rules);
    const std::size_t count = std::min<std::size_t>(records.size(), trace.ops.size());
    for (std::size_t i = 0; i < count; ++i) {
        if (auto fault = judging.Look(i, records[i])) return fault;
    }
    return std::nullopt;
}

std::uint64_t HighWater(std::span<const Record> records) {
    std::uint64_t highest = kHeapBase;
    for (const Record& record : records) highest = std::max(highest, record.heapEnd);
    return highest - kHeapBase;
}

}  // namespace residue::lab
