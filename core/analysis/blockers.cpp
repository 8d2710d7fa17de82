#include "analysis/blockers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "analysis/format.hpp"

namespace residue::analysis {

namespace {

using events::Event;
using events::EventKind;
using model::Block;

constexpr std::uint64_t kEndOfMemory = std::numeric_limits<std::uint64_t>::max();

// Would a hole hold `need` bytes whose payload, `header` bytes in, is aligned?
bool Fits(std::uint64_t begin, std::uint64_t end, std::uint64_t need, std::uint64_t alignment, std::uint64_t header) {
    const auto payload = CheckedAdd(begin, header);
    const auto aligned = payload ? CheckedAlignUp(*payload, alignment) : std::nullopt;
    if (!aligned) return false;
    const auto last = CheckedAdd(*aligned - header, need);
    return last && *last <= end;
}

struct Window {
    std::size_t first = 0, last = 0;  // blocks [first, last] of a region
    std::uint64_t bytes = 0;
    std::uint64_t begin = 0, end = 0;
};

// Slides a window over the blocks of one region: for each first block the fewest that open enough. The hole starts
// further right with each first block, so the window's other end never goes back.
std::optional<Window> BestWindow(const std::vector<Block>& blocks, const model::Region& region, std::uint64_t need,
                                 std::uint64_t alignment, std::uint64_t header) {
    std::optional<Window> best;
    std::size_t last = 0;       // one past the window's last block
    std::uint64_t bytes = 0;
    for (std::size_t first = 0; first < blocks.size(); ++first) {
        const std::uint64_t begin = first == 0 ? region.begin : std::max(region.begin, blocks[first - 1].end);
        const auto end = [&] { return last < blocks.size() ? std::min(region.end, blocks[last].begin) : region.end; };
        while (last <= first || !Fits(begin, end(), need, alignment, header)) {
            if (last == blocks.size()) return best;
            bytes += blocks[last].end - blocks[last].begin;
            ++last;
        }
        const std::size_t count = last - first;
        if (!best || std::tuple(bytes, count) < std::tuple(best->bytes, best->last - best->first + 1)) {
            best = Window{first, last - 1, bytes, begin, end()};
        }
        bytes -= blocks[first].end - blocks[first].begin;
    }
    return best;
}

}  // namespace

std::optional<Blockers> FindBlockers(const model::HeapModel& heap, AllocatorId allocator, std::uint64_t need,
                                     std::uint64_t alignment, std::uint64_t header) {
    if (!IsPowerOfTwo(alignment)) alignment = 1;
    std::optional<Blockers> best;
    for (const model::Region& region : heap.Regions(allocator)) {
        if (region.begin >= region.end || !Fits(region.begin, region.end, need, alignment, header)) continue;
        bool enough = false;
        heap.VisitHoles(allocator, region.begin, region.end, [&](const model::Hole& hole) {
            enough = Fits(hole.begin, hole.end, need, alignment, header);
            return !enough;
        });
        if (enough) return std::nullopt;  // nothing is in the way
        std::vector<Block> blocks;
        heap.VisitBlocks(allocator, region.begin, region.end, [&](const Block& block) {
            if (block.begin != block.end) blocks.push_back(block);
            return true;
        });
        const auto window = BestWindow(blocks, region, need, alignment, header);
        if (!window) continue;
        const std::size_t count = window->last - window->first + 1;
        // Regions come in address order, so the first of equals is the lowest.
        if (best && std::tuple(best->bytes, best->blocks.size()) <= std::tuple(window->bytes, count)) continue;
        best = Blockers{{blocks.begin() + static_cast<std::ptrdiff_t>(window->first),
                         blocks.begin() + static_cast<std::ptrdiff_t>(window->last + 1)},
                        window->bytes, window->begin, window->end};
    }
    return best;
}

namespace {

// What a request costs beyond its payload, as far as the allocator's live blocks tell.
struct Overhead {
    std::uint64_t header = 0;
    std::uint64_t granule = 1;
};

Overhead LearnOverhead(const log::LogView& log, const model::HeapModel& heap, const Event& request) {
    // A few blocks tell it: the header is the same for all, the sizes set aside are multiples of the granule.
    constexpr int kEnough = 64;
    int seen = 0;
    std::uint64_t sizes = 0;
    Overhead overhead;
    heap.VisitBlocks(request.allocator, 0, kEndOfMemory, [&](const Block& block) {
        const Event birth = log.Birth(block.id).event;
        overhead.header = seen == 0 ? birth.header : std::min<std::uint64_t>(overhead.header, birth.header);
        sizes |= birth.SetAside();
        return ++seen < kEnough;
    });
    const std::uint64_t alignment = std::uint64_t{1} << std::min<unsigned>(request.alignmentLog2, 12);
    if (seen > 0) overhead.granule = std::min(alignment, sizes & (~sizes + 1));
    if (overhead.granule == 0) overhead.granule = 1;
    return overhead;
}

std::string InTheWay(const Blockers& blockers) {
    const auto& blocks = blockers.blocks;
    std::uint64_t payload = 0;
    for (const Block& block : blocks) payload += block.size;
    const std::string first = FormatCount(blocks.front().id.value), last = FormatCount(blocks.back().id.value);
    const std::string size = FormatBytes(payload);
    if (blocks.size() == 1) return fmt::format("Block #{} ({}) is in the way.", first, size);
    if (blocks.size() == 2) return fmt::format("Blocks #{} and #{} ({}) are in the way.", first, last, size);
    return fmt::format("{} blocks, #{} to #{} ({}), are in the way.", FormatCount(blocks.size()), first, last, size);
}

std::string Sentence(const FailureReport& report, const model::HeapModel& heap) {
    const std::string size = FormatBytes(report.size), free = FormatBytes(report.free);
    const bool fragmented = report.error == MemoryError::Fragmentation;
    // What goes with the bytes asked for is told only where they alone would not tell why.
    const std::uint64_t there = fragmented ? report.largestHole : report.free;
    const bool needMatters = report.need > report.size && report.size <= there;
    const std::string need =
        needMatters ? fmt::format(" ({} with header and rounding)", FormatBytes(report.need)) : std::string();
    switch (report.error) {
        case MemoryError::InsufficientMemory:
            if (!report.freeKnown) return fmt::format("{} asked, but not had; how much was free is not known.", size);
            return fmt::format("{} asked{}, but only {} free.", size, need, free);
        case MemoryError::Fragmentation: {
            const bool misaligned = report.largestHole >= report.need && report.alignment > 1;
            const std::string why =
                misaligned ? fmt::format("no hole is large enough once aligned to {}", FormatCount(report.alignment))
                           : fmt::format("the largest hole is {}", FormatBytes(report.largestHole));
            return fmt::format("{} asked{}, {} free, but {}.{}{}", size, need, free, why, report.blockers ? " " : "",
                               report.blockers ? InTheWay(*report.blockers) : std::string());
        }
        case MemoryError::BufferTooLarge: {
            const model::AllocatorState* state = heap.Find(report.allocator);
            const std::uint64_t capacity = state ? std::max(state->capacity, state->totals.heap) : 0;
            return fmt::format("{} asked, more than this allocator could ever give{}.", size,
                               capacity > 0 ? fmt::format(" (it has {})", FormatBytes(capacity)) : std::string());
        }
        case MemoryError::DoubleFree:
        case MemoryError::InvalidPointer: break;  // no answers to a request; a hostile file may still say so
    }
    return fmt::format("{} asked: {}.", size, Name(report.error));
}

}  // namespace

std::optional<FailureReport> ExplainFailure(const log::LogView& log, const model::HeapModel& heap, Row row) {
    if (row >= log.Rows()) return std::nullopt;
    const Event event = log.At(row).event;
    const bool request = event.kind == EventKind::AllocateFailed || event.kind == EventKind::ResizeEnds;
    if (!request || !event.Failed()) return std::nullopt;

    FailureReport report;
    report.row = row;
    report.error = event.Error();
    report.allocator = event.allocator;
    report.size = event.size;
    report.alignment = std::uint64_t{1} << std::min<unsigned>(event.alignmentLog2, 63);
    const Overhead overhead = LearnOverhead(log, heap, event);
    const std::uint64_t gross = SaturatingAdd(event.size, overhead.header);
    report.need = CheckedAlignUp(gross, overhead.granule).value_or(kEndOfMemory);
    report.free = event.FreeBytes();
    report.largestHole = event.LargestHole();
    // An allocator that is out of memory knows what it has; a recording of a foreign one may not say.
    report.freeKnown = report.free != 0 || report.largestHole != 0;
    if (const model::AllocatorState* state = heap.Find(event.allocator); state && state->totals.heapKnown) {
        report.freeKnown = true;
        report.free = state->totals.free;
        report.largestHole = state->totals.largestHole;
    }
    if (report.error == MemoryError::Fragmentation) {
        report.blockers = FindBlockers(heap, event.allocator, report.need, report.alignment, overhead.header);
        if (!report.blockers && report.largestHole >= report.need && report.largestHole < kEndOfMemory) {
            // The allocator refused a hole that looked large enough: it needs more than the other blocks tell.
            report.need = report.largestHole + 1;
            report.blockers = FindBlockers(heap, event.allocator, report.need, report.alignment, overhead.header);
        }
    }
    report.sentence = Sentence(report, heap);
    return report;
}

}  // namespace residue::analysis
