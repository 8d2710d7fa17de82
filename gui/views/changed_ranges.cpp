#include "gui/views/changed_ranges.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace residue::gui {

namespace {
constexpr std::uint64_t kMostRows = 512;  // and blocks freed together
}

bool VisitChanges(const log::LogView& log, Row from, Row to,
                  const std::function<void(std::uint64_t begin, std::uint64_t end)>& visit) {
    const std::uint64_t low = std::min(from, to).value, high = std::max(from, to).value;
    if (high - low > kMostRows || high > log.Rows().value) return false;
    const auto visitBlock = [&](BlockId block) {
        if (!block) return;
        const events::Event birth = log.Birth(block).event;
        visit(birth.Begin(), std::max(birth.End(), SaturatingAdd(birth.Begin(), 1)));
    };
    for (std::uint64_t r = low; r < high; ++r) {
        const log::LoggedEvent event = log.At(Row{r});
        const auto together = log.DiedTogether(Row{r});
        if (together.size() > kMostRows) return false;
        using events::EventKind;
        const EventKind kind = event.event.kind;
        if (kind == EventKind::AllocatorDestroyed) return false;  // all of its heap, wherever it lay
        if (kind == EventKind::AllocatorCreated || kind == EventKind::RegionGrown || kind == EventKind::RegionShrunk) {
            visit(event.event.address, SaturatingAdd(event.event.address, event.event.size));
        }
        for (const BlockId block : together) visitBlock(block);
        visitBlock(event.block);
        visitBlock(event.oldBlock);
    }
    return true;
}

}  // namespace residue::gui
