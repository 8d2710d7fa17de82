#include <algorithm>
#include <limits>

#include "base/checked.hpp"
#include "import/trace.hpp"

namespace residue::import {
namespace {

void AddBytes(std::uint64_t& sum, std::uint64_t bytes, TraceFigures& figures) {
    figures.overflowed = figures.overflowed || !CheckedAdd(sum, bytes);
    sum = SaturatingAdd(sum, bytes);
}

}  // namespace

void Count(const Operation& operation, Meaning meaning, std::uint64_t oldSize, TraceFigures& figures) {
    ++figures.operations;
    const bool born = meaning == Meaning::Allocate || meaning == Meaning::ResizeAllocate;
    const bool died = meaning == Meaning::Free || meaning == Meaning::ResizeFree;
    const bool resized = meaning == Meaning::Resize;
    figures.allocations += born ? 1 : 0;
    figures.frees += died ? 1 : 0;
    figures.resizes += resized ? 1 : 0;
    figures.badFrees += meaning == Meaning::FreeUnknown ? 1 : 0;
    if (born) ++figures.liveBlocks;
    if (died) --figures.liveBlocks;
    // A sum that overflowed is at its maximum and says nothing any more; it must not come back down and seem exact.
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    if ((died || resized) && figures.liveBytes != kMost) figures.liveBytes -= std::min(oldSize, figures.liveBytes);
    if (born || resized) {
        AddBytes(figures.liveBytes, operation.size, figures);
        AddBytes(figures.totalBytes, operation.size, figures);
        figures.largestRequest = std::max(figures.largestRequest, operation.size);
    }
    if (figures.liveBytes > figures.peakLiveBytes) {
        figures.peakLiveBytes = figures.liveBytes;
        figures.peakPosition = figures.operations;
    }
}

Outcome<TraceFigures> ReadFigures(TraceReader& reader, const std::atomic<bool>* cancelled) {
    // The flag may not outlive this call, so the reader forgets it again.
    struct Cancellable {
        TraceReader& reader;
        ~Cancellable() { reader.CancelWith(nullptr); }
    };
    reader.CancelWith(cancelled);
    const Cancellable cancellable{reader};
    TraceFigures figures;
    IdTable ids(reader.Header().unknownIdIsNull);
    Operation operation;
    for (;;) {
        if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) {
            return Fail(Failure{"", "cancelled", ""});
        }
        const Outcome<bool> more = reader.Next(operation);
        if (!more) return Fail(more.error());
        if (!*more) return figures;
        std::uint64_t oldSize = 0;
        const Meaning meaning = ids.Apply(operation, oldSize);
        Count(operation, meaning, oldSize, figures);
    }
}

}  // namespace residue::import
