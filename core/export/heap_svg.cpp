#include "export/heap_svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "analysis/flame.hpp"
#include "analysis/format.hpp"
#include "export/atomic_file.hpp"
#include "export/text.hpp"

namespace residue::exports {
namespace {

using analysis::FormatAddress;
using analysis::FormatBytesExact;

constexpr std::size_t kMostRows = 64;
constexpr std::uint64_t kLeastRow = 64;            // bytes
constexpr std::uint64_t kNearby = 64 << 10;        // bytes between blocks that are looked at as one stretch
constexpr std::size_t kCells = 256;                // a row
constexpr double kLeft = 150, kWidth = 1024;       // pixels: of addresses, of a row
constexpr double kTop = 64, kRow = 22, kBar = 18;  // to the first row; from row to row; a row's height
constexpr double kPerDigit = 7;                    // about what a character takes

// Text on its background has a contrast of 7:1 and more; shapes, but for the empty ground, 3:1.
constexpr const char* kStyle =
    "text{font:12px system-ui,sans-serif;fill:#14171a}.t{font-size:16px;font-weight:600}.a{font:12px monospace}"
    ".i{fill:#fff;font-size:11px}.l{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:3px}.b{fill:#1f5591;"
    "stroke:#fff;stroke-width:.5}.o{fill:#c2560a;stroke:#fff;stroke-width:.5}"
    ".r{fill:#6b2fa0;stroke:#fff;stroke-width:.5}.h{fill:url(#hole);stroke:#59616b;stroke-width:.5}"
    ".k{fill:#59616b}.n{fill:#eceff3}";

using Stretch = std::pair<std::uint64_t, std::uint64_t>;  // [begin, end)

void Join(std::vector<Stretch>& stretches, std::uint64_t begin, std::uint64_t end, std::uint64_t nearby) {
    if (end <= begin) return;
    if (!stretches.empty() && begin >= stretches.back().first &&
        begin - std::min(begin, stretches.back().second) <= nearby) {
        stretches.back().second = std::max(stretches.back().second, end);
    } else {
        stretches.emplace_back(begin, end);
    }
}

class Picture {
public:
    Picture(const model::HeapModel& heap, const log::LogView& log, const HeapSvgOptions& options, AtomicFile& file,
            const WriteExtras& extras)
        : heap_(heap), log_(log), options_(options), file_(file), extras_(extras) {
        const model::AllocatorState* const state = heap.Find(options.allocator);
        if (state != nullptr && !state->totals.partsTold) hole_ = "header or hole";
    }

    // False: cancelled.
    bool Draw() {
        Count();
        ChooseRows();
        const double height = kTop + kRow * static_cast<double>(slots_) + 70;
        const std::string title = MarkupText(options_.title + ": " + options_.subtitle);
        file_.Write(fmt::format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
            "role=\"img\" aria-labelledby=\"title\">\n<title id=\"title\">{2}</title>\n<style>{3}</style>\n",
            kLeft + kWidth + 20, height, title, kStyle));
        file_.Write(
            "<defs><pattern id=\"hole\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect width=\"6\" "
            "height=\"6\" fill=\"#fff\"/><path d=\"M0 6L6 0\" stroke=\"#8a93a0\"/></pattern></defs>\n"
            "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
        file_.Write(fmt::format("<text class=\"t\" x=\"16\" y=\"26\">{}</text>\n<text x=\"16\" y=\"46\">{}</text>\n",
                                MarkupText(options_.title), MarkupText(options_.subtitle)));
        for (const DrawnRow& row : rows_) {
            if (extras_.cancelled != nullptr && extras_.cancelled->load(std::memory_order_relaxed)) return false;
            DrawRow(row);
        }
        if (rows_.empty()) file_.Write(fmt::format("<text x=\"16\" y=\"{}\">Nothing is live.</text>\n", kTop + 14));
        Legend(height - 40);
        file_.Write("</svg>\n");
        return true;
    }
    std::uint64_t Shapes() const { return shapes_; }

private:
    struct DrawnRow {
        std::uint64_t begin = 0;
        std::size_t slot = 0;       // from the top
        std::uint64_t skipped = 0;  // bytes before it where nothing lies
    };

    // What there is: regions where they are known, else blocks; and whether each can be a shape.
    void Count() {
        std::size_t count = 0;
        for (const model::Region& region : heap_.Regions(options_.allocator)) {
            Join(stretches_, region.begin, region.end + region.bookkeeping, 0);
        }
        heap_.VisitHoles(options_.allocator, 0, ~std::uint64_t{0},
                         [&](const model::Hole&) { return ++count <= kMostShapes; });
        const bool known = !stretches_.empty();
        heap_.VisitBlocks(options_.allocator, 0, ~std::uint64_t{0}, [&](const model::Block& block) {
            if (!known) Join(stretches_, block.begin, std::max(block.end, block.begin + 1), kNearby);
            return ++count <= kMostShapes || !known;
        });
        cells_ = count > kMostShapes;
    }

    std::size_t RowsOf(std::uint64_t bytes) const {
        std::size_t count = 0;
        std::uint64_t next = 0;  // the first row that is not counted yet
        for (const auto& [begin, end] : stretches_) {
            const std::uint64_t first = std::max(begin / bytes, next), last = (end - 1) / bytes;
            if (last < first) continue;
            if (last - first >= kMostRows) return kMostRows + 1;
            count += static_cast<std::size_t>(last - first + 1);
            next = last + 1;
        }
        return count;
    }

    void ChooseRows() {
        bytes_ = kLeastRow;
        while (bytes_ < (std::uint64_t{1} << 62) && RowsOf(bytes_) > kMostRows) bytes_ *= 2;
        std::uint64_t next = 0;
        for (const auto& [begin, end] : stretches_) {
            for (std::uint64_t row = std::max(begin / bytes_, next); row <= (end - 1) / bytes_; ++row) {
                const std::uint64_t skipped = rows_.empty() ? 0 : (row - next) * bytes_;
                if (skipped > 0) ++slots_;
                rows_.push_back({row * bytes_, slots_++, skipped});
                next = row + 1;
            }
        }
    }

    double X(const DrawnRow& row, std::uint64_t address) const {
        return kLeft + kWidth * static_cast<double>(address - row.begin) / static_cast<double>(bytes_);
    }
    static double Y(std::size_t slot) { return kTop + kRow * static_cast<double>(slot); }

    // A shape from `begin` to `end`, cut to its row; its label stands in the row where it begins.
    void Rectangle(const DrawnRow& row, const char* style, std::uint64_t begin, std::uint64_t end,
                   const std::string& title, const std::string& label) {
        const bool beginsHere = begin >= row.begin;
        begin = std::max(begin, row.begin);
        end = std::min(end, row.begin + bytes_);
        if (begin >= end) return;
        ++shapes_;
        const double x = X(row, begin), width = X(row, end) - x;
        file_.Write(fmt::format("<rect class=\"{}\" x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\">", style, x,
                                Y(row.slot), std::max(width, 0.1), kBar));
        file_.Write(title.empty() ? "</rect>\n" : fmt::format("<title>{}</title></rect>\n", MarkupText(title)));
        if (!beginsHere || label.empty() || kPerDigit * static_cast<double>(label.size()) > width - 4) return;
        file_.Write(fmt::format("<text class=\"{}\" x=\"{:.2f}\" y=\"{}\">{}</text>\n", *style == 'h' ? "l" : "i",
                                x + 3, Y(row.slot) + 13, label));
    }

    void DrawRow(const DrawnRow& row) {
        if (row.skipped > 0) {
            file_.Write(fmt::format("<text x=\"{}\" y=\"{}\">… {} without anything</text>\n", kLeft,
                                    Y(row.slot - 1) + 13, analysis::FormatBytes(row.skipped)));
        }
        file_.Write(
            fmt::format("<text class=\"a\" x=\"16\" y=\"{}\">{}</text>\n", Y(row.slot) + 13, FormatAddress(row.begin)));
        const std::uint64_t end = row.begin + bytes_;
        Rectangle(row, "n", row.begin, end, "", "");
        heap_.VisitRegions(options_.allocator, row.begin, end, [&](const model::Region& region) {
            Rectangle(row, "k", region.end, region.end + region.bookkeeping, "bookkeeping", "");
            if (cells_) Rectangle(row, "h", region.begin, region.end, "", "");
            return true;
        });
        if (cells_)
            DrawCells(row);
        else
            DrawShapes(row);
    }

    void DrawShapes(const DrawnRow& row) {
        const std::uint64_t end = row.begin + bytes_;
        heap_.VisitHoles(options_.allocator, row.begin, end, [&](const model::Hole& hole) {
            const std::string size = FormatBytesExact(hole.Bytes());
            Rectangle(row, "h", hole.begin, hole.end,
                      fmt::format("{} at {}: {}", hole_, FormatAddress(hole.begin), size),
                      size);
            return true;
        });
        heap_.VisitBlocks(options_.allocator, row.begin, end, [&](const model::Block& block) {
            const std::string size = FormatBytesExact(block.size);
            std::string title = fmt::format("{} {} at {}: {}", block.region ? "a child's region, block" : "block",
                                            block.id.value, FormatAddress(block.address), size);
            if (block.end - block.begin > block.size) {
                title += fmt::format(", {} set aside", FormatBytesExact(block.end - block.begin));
            }
            if (block.trace) title += " · " + analysis::FlameBuilder::NameOf(log_.TopFrame(block.trace));
            Rectangle(row, "o", block.begin, block.address, title, "");
            Rectangle(row, block.region ? "r" : "b", block.address, block.address + block.size, title, size);
            Rectangle(row, "o", block.address + block.size, block.end, title, "");
            return true;
        });
    }

    // Neighbours that look the same are one shape.
    void DrawCells(const DrawnRow& row) {
        std::vector<std::uint64_t> used(kCells);
        const std::uint64_t bytesPerCell = std::max<std::uint64_t>(bytes_ / kCells, 1);
        used.resize(static_cast<std::size_t>(bytes_ / bytesPerCell));
        heap_.AddOccupancy(options_.allocator, row.begin, bytesPerCell, used);
        const auto tenths = [&](std::size_t i) {
            const double share = static_cast<double>(used[i]) / static_cast<double>(bytesPerCell);
            return used[i] == 0 ? 0 : std::clamp(static_cast<int>(share * 10 + 0.5), 1, 10);
        };
        for (std::size_t i = 0; i < used.size();) {
            std::size_t last = i;
            while (last < used.size() && tenths(last) == tenths(i)) ++last;
            if (tenths(i) > 0) {
                const double x = X(row, row.begin + i * bytesPerCell),
                             width = X(row, row.begin + last * bytesPerCell) - x;
                file_.Write(
                    fmt::format("<rect x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\" fill=\"#1f5591\" "
                                "fill-opacity=\"{:.1f}\"/>\n",
                                x, Y(row.slot), width, kBar, tenths(i) / 10.0));
                ++shapes_;
            }
            i = last;
        }
    }

    void Legend(double y) {
        double x = 16;
        const auto entry = [&](const char* style, const std::string& text) {
            file_.Write(fmt::format(
                "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"16\" height=\"16\"/><text x=\"{}\" y=\"{}\">{}"
                "</text>\n",
                style, x, y, x + 22, y + 13, text));
            x += 22 + kPerDigit * static_cast<double>(text.size()) + 16;
        };
        entry("b", cells_ ? "in use: the darker, the more of it" : "payload of a block");
        if (!cells_) entry("o", "header, padding, rounding");
        if (!cells_) entry("r", "a child's region");
        entry("h", hole_);
        entry("k", "bookkeeping");
        entry("n", "not its memory, or not known");
        file_.Write(fmt::format("<text x=\"16\" y=\"{}\">A row is {}.</text>\n", y + 32, FormatBytesExact(bytes_)));
    }

    const model::HeapModel& heap_;
    const log::LogView& log_;
    const HeapSvgOptions& options_;
    AtomicFile& file_;
    const WriteExtras& extras_;
    std::vector<Stretch> stretches_;
    std::vector<DrawnRow> rows_;
    std::size_t slots_ = 0;
    std::uint64_t bytes_ = kLeastRow;  // a row
    std::uint64_t shapes_ = 0;
    const char* hole_ = "hole";  // what lies between blocks
    bool cells_ = false;
};

}  // namespace

Outcome<void> WriteHeapSvg(const model::HeapModel& heap, const log::LogView& log, const HeapSvgOptions& options,
                           const std::string& path, const WriteExtras& extras) {
    Outcome<AtomicFile> file = AtomicFile::Create(path);
    if (!file) return Fail(file.error());
    Picture picture(heap, log, options, *file, extras);
    if (!picture.Draw()) return Fail(Failure{"", "cancelled", ""});
    const Outcome<void> done = file->Commit();
    if (done && extras.summary != nullptr) *extras.summary = {.operations = picture.Shapes()};
    return done;
}

}  // namespace residue::exports
