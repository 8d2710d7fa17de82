#include "gui/views/heap_dense.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "gui/views/changed_ranges.hpp"

namespace residue::gui {

namespace {

constexpr std::chrono::microseconds kBudget{500};  // a frame, for exact rows
constexpr std::int64_t kCoarser = 64;
constexpr float kLeast = 0.22f;  // opacity of a cell with a single byte in use

}  // namespace

void HeapDense::Forget() {
    rows_.clear();
    shape_ = {};
    inTexture_.clear();
}

// Every kept row that [begin, end) touches; rows_ is ordered by address.
void HeapDense::SoilRange(const HeapFrame& frame, std::uint64_t begin, std::uint64_t end) {
    auto row = rows_.lower_bound(frame.layout.RowBegin(begin));
    for (; row != rows_.end() && row->first < end; ++row) row->second.exact = row->second.coarse = false;
}

void HeapDense::TakeStep(const HeapFrame& frame) {
    const Row from = std::exchange(applied_, frame.heap.Applied());
    const bool told = VisitChanges(frame.log, from, applied_,
                                   [&](std::uint64_t begin, std::uint64_t end) { SoilRange(frame, begin, end); });
    if (told) return;
    for (auto& [begin, row] : rows_) row.exact = row.coarse = false;
}

void HeapDense::MakeCoarse(const HeapFrame& frame, std::uint64_t begin, RowCells& row) const {
    std::vector<HeapCell> coarse;
    ComputeRow(frame.heap, frame.allocator, frame.layout, begin, shape_.cellWidth * kCoarser, coarse);
    const std::int64_t width = frame.layout.Shape().width;
    const std::size_t count = static_cast<std::size_t>((width + shape_.cellWidth - 1) / shape_.cellWidth);
    row.cells.resize(count);
    for (std::size_t i = 0; i < count; ++i) row.cells[i] = coarse[i / static_cast<std::size_t>(kCoarser)];
}

void HeapDense::Paint(const HeapFrame& frame, const Emphasis& emphasis, RowCells& row) const {
    row.pixels.resize(row.cells.size());
    row.sites.clear();
    const bool byAllocator = look_.mode == ColourMode::Allocator;
    const bool named = byAllocator || look_.mode == ColourMode::Site;  // in the legend
    const bool narrows = emphasis.Narrows();
    BlockId last{};
    ImU32 colour = 0;
    std::uint32_t site = 0;
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
        const HeapCell& cell = row.cells[i];
        if (cell.occupied == 0 || !cell.sample || cell.bytes == 0) {
            row.pixels[i] = 0;
            continue;
        }
        if (cell.sample != last) {  // neighbours often share a block
            last = cell.sample;
            colour = frame.colour.Of(last);
            if (narrows || named) {  // births lie anywhere in the log: they are read where they matter
                const events::Event birth = frame.log.Birth(last).event;
                site = byAllocator ? birth.allocator.value : birth.trace.value;
                if (!emphasis.Keeps(frame.log, last, birth.trace)) colour = Mix(frame.theme().window, colour, 0.3f);
            }
        }
        if (named) row.sites[site] += cell.occupied;
        const float share = static_cast<float>(static_cast<double>(cell.occupied) / static_cast<double>(cell.bytes));
        row.pixels[i] = Mix(frame.theme().window, colour, kLeast + (1 - kLeast) * share);
    }
    row.painted = true;
}

bool HeapDense::Draw(HeapFrame& frame, const Emphasis& emphasis) {
    const HeapLayout::Geometry& geometry = frame.layout.Shape();
    const std::int64_t cellWidth = std::max<std::int64_t>(1, static_cast<std::int64_t>(frame.context.scale + 0.5f));
    const Shape shape{frame.context.session, frame.allocator, geometry, cellWidth};
    if (!(shape == shape_) || frame.heap.Applied().value > frame.log.Rows().value) {
        rows_.clear();
        inTexture_.clear();
        shape_ = shape;
        applied_ = frame.heap.Applied();
    }
    TakeStep(frame);
    const ColourMode mode = *frame.context.colour;
    Look look{mode, frame.theme().dark, emphasis.traces, emphasis.traceSet,
              emphasis.filter != nullptr ? emphasis.filter->FilterState() : 0,
              mode == ColourMode::Age ? frame.now : Position{}};
    if (!(look == look_)) {
        look_ = look;
        for (auto& [begin, row] : rows_) row.painted = false;
    }
    // Rows that went out of sight are dropped.
    std::set<std::uint64_t> visible;
    for (const HeapLayout::Line& row : frame.rows) visible.insert(row.begin);
    std::erase_if(rows_, [&](const auto& entry) { return !visible.contains(entry.first); });

    bool settled = true;
    using Clock = std::chrono::steady_clock;
    const Clock::time_point until = Clock::now() + kBudget;
    std::size_t made = 0;  // rows
    std::vector<std::uint64_t> order;
    for (const HeapLayout::Line& line : frame.rows) {
        RowCells& row = rows_[line.begin];
        // Where nothing moves, as in a picture, all is exact at once; in the window at least a row a frame.
        const bool may = !frame.context.animate || made == 0 || Clock::now() < until;
        if (!row.exact && may) {
            row.crowded =
                ComputeRow(frame.heap, frame.allocator, frame.layout, line.begin, cellWidth, row.cells).crowded;
            row.exact = true;
            row.painted = false;
        } else if (!row.exact && !row.coarse) {
            MakeCoarse(frame, line.begin, row);
            row.coarse = true;
            row.painted = false;
        }
        if (!row.painted && (may || row.pixels.size() != row.cells.size() || !row.exact)) {
            Paint(frame, emphasis, row);
            row.changed = true;
            ++made;
        }
        settled = settled && row.exact && row.painted;
        frame.crowded = frame.crowded || row.crowded;
        order.push_back(line.begin);
    }

    const std::size_t columns = static_cast<std::size_t>((geometry.width + cellWidth - 1) / cellWidth);
    if (!texture_) texture_ = frame.context.textures->Make();
    // A few lines more than needed, so that scrolling does not make a new texture.
    const int height = static_cast<int>((order.size() + 15) / 16 * 16);
    if (height == 0) return settled;
    if (texture_->Width() != static_cast<int>(columns) || texture_->Height() != height) {
        texture_->Resize(static_cast<int>(columns), height);
        inTexture_.clear();
    }
    pixels_.resize(columns * static_cast<std::size_t>(height));
    std::size_t firstChanged = order.size(), lastChanged = 0;
    const bool allNew = inTexture_ != order;
    for (std::size_t i = 0; i < order.size(); ++i) {
        RowCells& row = rows_[order[i]];
        for (const auto& [site, bytes] : row.sites) frame.siteBytes[site] += bytes;
        if (std::exchange(row.changed, false) || allNew) {
            std::copy(row.pixels.begin(), row.pixels.end(), pixels_.begin() + static_cast<std::ptrdiff_t>(i * columns));
            firstChanged = std::min(firstChanged, i);
            lastChanged = i;
        }
    }
    if (firstChanged < order.size()) {
        texture_->Upload(0, static_cast<int>(firstChanged), static_cast<int>(columns),
                         static_cast<int>(lastChanged - firstChanged + 1), pixels_.data() + firstChanged * columns);
        inTexture_ = order;
    }
    const float u =
        static_cast<float>(geometry.width) / static_cast<float>(static_cast<std::int64_t>(columns) * cellWidth);
    for (std::size_t i = 0; i < frame.rows.size(); ++i) {
        const float y = frame.RowY(frame.rows[i]);
        const float v = static_cast<float>(i) / static_cast<float>(height);
        frame.draw->AddImage(
            texture_->Id(), {frame.area.min.x, y},
            {frame.area.min.x + static_cast<float>(geometry.width), y + static_cast<float>(frame.shape.bar)}, {0, v},
            {u, v + 1 / static_cast<float>(height)});
    }
    return settled;
}

HeapDense::Cell HeapDense::CellAt(const HeapFrame& frame, std::uint64_t address) const {
    const auto row = rows_.find(frame.layout.RowBegin(address));
    if (row == rows_.end() || !row->second.exact) return {};
    const std::int64_t x = frame.layout.Pixels(address, address).first;
    const std::size_t index = static_cast<std::size_t>(x / shape_.cellWidth);
    if (index >= row->second.cells.size()) return {};
    const HeapCell& cell = row->second.cells[index];
    const std::uint64_t begin =
        frame.layout.FirstInColumn(address, static_cast<std::int64_t>(index) * shape_.cellWidth);
    return {&cell, begin, begin + cell.bytes - 1};
}

}  // namespace residue::gui
