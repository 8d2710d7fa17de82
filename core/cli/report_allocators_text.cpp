// Of the text report: the allocators of a log that has several.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/format.hpp"
#include "cli/report_allocators.hpp"
#include "cli/report_page.hpp"

namespace residue::cli {
namespace {

using analysis::FormatBytes;
using analysis::FormatCount;

constexpr std::size_t kShown = 24;
constexpr std::size_t kNameCells = 24;

// Not in the middle of a character.
std::string Cut(std::string text) {
    if (text.size() <= kNameCells) return text;
    std::size_t end = kNameCells - 1;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    return text + "…";
}

std::string Notes(const ReportAllocator& allocator) {
    std::string notes;
    const auto add = [&notes](std::string text) { notes += (notes.empty() ? "" : ", ") + text; };
    if (!allocator.parent.empty()) add("in " + Cut(Harmless(allocator.parent)));
    if (allocator.made > 1) add(fmt::format("made {} times", FormatCount(allocator.made)));
    if (allocator.failed != 0) add(fmt::format("{} failed", FormatCount(allocator.failed)));
    if (allocator.badFrees != 0) add(fmt::format("{} bad frees", FormatCount(allocator.badFrees)));
    return notes;
}

}  // namespace

void TellAllocators(const std::vector<ReportAllocator>& allocators, Page& page) {
    if (allocators.empty()) return;
    page.Section("Allocators");
    page.Line(page.Dim(fmt::format("  {:<24}  {:>12}  {:>12}  {:>12}  {:>12}", "", "allocations", "frees", "most alive",
                                   "at the end")));
    for (std::size_t i = 0; i < std::min(allocators.size(), kShown); ++i) {
        const ReportAllocator& allocator = allocators[i];
        const std::string notes = Notes(allocator);
        page.Line(fmt::format("  {:<24}  {:>12}  {:>12}  {:>12}  {:>12}{}", Cut(Harmless(allocator.name)),
                              FormatCount(allocator.allocations), FormatCount(allocator.frees),
                              FormatBytes(allocator.peakBytes), FormatBytes(allocator.liveBytes),
                              notes.empty() ? "" : "  " + page.Dim(notes)));
    }
    if (allocators.size() > kShown) {
        page.Line(page.Dim(fmt::format("  and {} more (--json has all)", FormatCount(allocators.size() - kShown))));
    }
}

}  // namespace residue::cli
