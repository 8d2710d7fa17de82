#include "log/columns.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

namespace residue::log {
static_assert(std::endian::native == std::endian::little, "a row is read as the low bytes of one word");

namespace {

// Rows that are packed column by column while they are in the first-level cache.
constexpr std::size_t kBatch = 128;

std::uint8_t WidthFor(std::uint64_t range) {
    if (range == 0) return 0;
    if (range <= 0xFF) return 1;
    if (range <= 0xFFFF) return 2;
    return range <= 0xFFFFFFFF ? 4 : 8;
}

constexpr std::uint64_t MaskFor(std::uint8_t width) {
    return width == 0 ? 0 : ~std::uint64_t{0} >> (64 - 8 * width);
}

struct Span {
    std::uint64_t low = ~std::uint64_t{0};
    std::uint64_t high = 0;
};

template <class Get>
void Widen(Span& span, std::span<const LoggedEvent> rows, Get get) {
    Span local = span;  // in registers
    for (const LoggedEvent& row : rows) {
        const auto value = static_cast<std::uint64_t>(get(row));
        local.low = std::min(local.low, value);
        local.high = std::max(local.high, value);
    }
    span = local;
}

template <class Word, class Get>
void PackColumn(std::span<const LoggedEvent> rows, std::uint64_t min, std::byte* to, Get get) {
    for (const LoggedEvent& row : rows) {
        const Word word = static_cast<Word>(static_cast<std::uint64_t>(get(row)) - min);
        std::memcpy(to, &word, sizeof(word));
        to += sizeof(word);
    }
}

template <class Get>
void PackColumn(std::span<const LoggedEvent> rows, ColumnShape shape, std::byte* to, Get get) {
    switch (shape.width) {
        case 1: return PackColumn<std::uint8_t>(rows, shape.min, to, get);
        case 2: return PackColumn<std::uint16_t>(rows, shape.min, to, get);
        case 4: return PackColumn<std::uint32_t>(rows, shape.min, to, get);
        case 8: return PackColumn<std::uint64_t>(rows, shape.min, to, get);
        default: return;
    }
}

}  // namespace

void Columns::SetShapes(std::size_t rows, std::span<const ColumnShape> shapes) {
    rows_ = rows;
    size_ = 0;
    for (std::size_t c = 0; c < shapes.size(); ++c) {
        columns_[c] = {shapes[c].min, MaskFor(shapes[c].width), size_, shapes[c].width};
        size_ += shapes[c].width * rows;
    }
    bytes_ = std::unique_ptr<std::byte[], FreeIfOwned>(new std::byte[size_ + kTail]);
    std::memset(bytes_.get() + size_, 0, kTail);
    // A column without bytes reads at offset + row * 0: within the buffer, and masked away.
}

Columns Columns::Pack(std::span<const LoggedEvent> rows, std::size_t columnCount) {
    std::array<Span, kColumnCount> spans;
    for (std::size_t first = 0; first < rows.size(); first += kBatch) {
        const auto batch = rows.subspan(first, std::min(kBatch, rows.size() - first));
#define RESIDUE_LOG_COLUMN(name, field) \
    Widen(spans[static_cast<std::size_t>(ColumnId::name)], batch, [](const LoggedEvent& row) { return field; });
        RESIDUE_LOG_COLUMNS(RESIDUE_LOG_COLUMN)
#undef RESIDUE_LOG_COLUMN
    }
    std::array<ColumnShape, kColumnCount> shapes;
    for (std::size_t c = 0; c < columnCount; ++c) shapes[c] = {spans[c].low, WidthFor(spans[c].high - spans[c].low)};

    Columns packed;
    packed.SetShapes(rows.size(), {shapes.data(), columnCount});
    for (std::size_t first = 0; first < rows.size(); first += kBatch) {
        const auto batch = rows.subspan(first, std::min(kBatch, rows.size() - first));
        const auto packBatch = [&](ColumnId id, auto get) {
            const auto c = static_cast<std::size_t>(id);
            if (c >= columnCount) return;
            PackColumn(batch, shapes[c], packed.bytes_.get() + packed.columns_[c].offset + first * shapes[c].width,
                       get);
        };
#define RESIDUE_LOG_COLUMN(name, field) packBatch(ColumnId::name, [](const LoggedEvent& row) { return field; });
        RESIDUE_LOG_COLUMNS(RESIDUE_LOG_COLUMN)
#undef RESIDUE_LOG_COLUMN
    }
    return packed;
}

Columns Columns::FromBytes(std::size_t rows, std::span<const ColumnShape> shapes, std::span<const std::byte> bytes) {
    Columns columns;
    columns.SetShapes(rows, shapes);
    if (!bytes.empty()) std::memcpy(columns.bytes_.get(), bytes.data(), std::min(columns.size_, bytes.size()));
    return columns;
}

LoggedEvent Columns::At(std::size_t index) const noexcept {
    LoggedEvent row;
#define RESIDUE_LOG_COLUMN(name, field) \
    field = static_cast<std::remove_cvref_t<decltype(field)>>(Get(ColumnId::name, index));
    RESIDUE_LOG_COLUMNS(RESIDUE_LOG_COLUMN)
#undef RESIDUE_LOG_COLUMN
    return row;
}

void Columns::MoveTo(std::byte* memory) {
    std::memcpy(memory, bytes_.get(), BytesNeeded());
    bytes_ = std::unique_ptr<std::byte[], FreeIfOwned>(memory, FreeIfOwned{.owned = false});
}

}  // namespace residue::log
