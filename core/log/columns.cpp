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

std::uint8_t WidthFor(std::uint64_t range, Widths widths) {
    const auto bytes = static_cast<std::uint8_t>((std::bit_width(range) + 7) / 8);
    return widths == Widths::Any || bytes == 0 ? bytes : std::bit_ceil(bytes);
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

// Collects in which bits rows differ from the first one: most fields are the same in all of them, which so is seen
// without looking at each field.
class Difference {
public:
    explicit Difference(const LoggedEvent& first) { std::memcpy(first_, &first, sizeof(first_)); }
    void Take(std::span<const LoggedEvent> rows) {
        for (const LoggedEvent& row : rows) {
            std::uint64_t words[kWords];
            std::memcpy(words, &row, sizeof(words));
            for (std::size_t i = 0; i < kWords; ++i) differ_[i] |= words[i] ^ first_[i];
        }
    }
    // Fields that are not 0 differ.
    LoggedEvent Fields() const {
        LoggedEvent fields;
        std::memcpy(static_cast<void*>(&fields), differ_, sizeof(differ_));
        return fields;
    }

private:
    static_assert(std::has_unique_object_representations_v<LoggedEvent> && sizeof(LoggedEvent) % 8 == 0);
    static constexpr std::size_t kWords = sizeof(LoggedEvent) / 8;
    std::uint64_t first_[kWords];
    std::uint64_t differ_[kWords] = {};
};

// Exactly so many bytes: what lies behind belongs to others.
template <unsigned kWidth, class Get>
void PackColumn(std::span<const LoggedEvent> rows, std::uint64_t min, std::byte* to, Get get) {
    for (const LoggedEvent& row : rows) {
        const std::uint64_t word = static_cast<std::uint64_t>(get(row)) - min;
        std::memcpy(to, &word, kWidth);
        to += kWidth;
    }
}

template <class Get>
void PackColumn(std::span<const LoggedEvent> rows, ColumnShape shape, std::byte* to, Get get) {
    switch (shape.width) {
        case 1: return PackColumn<1>(rows, shape.min, to, get);
        case 2: return PackColumn<2>(rows, shape.min, to, get);
        case 3: return PackColumn<3>(rows, shape.min, to, get);
        case 4: return PackColumn<4>(rows, shape.min, to, get);
        case 5: return PackColumn<5>(rows, shape.min, to, get);
        case 6: return PackColumn<6>(rows, shape.min, to, get);
        case 7: return PackColumn<7>(rows, shape.min, to, get);
        case 8: return PackColumn<8>(rows, shape.min, to, get);
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
        if (shapes[c].width != 0) varying_ |= std::uint32_t{1} << c;
    }
    const auto lowest = [this](ColumnId id) { return columns_[static_cast<std::size_t>(id)].min; };
    LoggedEvent& row = lowest_;
#define RESIDUE_LOG_COLUMN(name, field) \
    field = static_cast<std::remove_cvref_t<decltype(field)>>(lowest(ColumnId::name));
    RESIDUE_LOG_COLUMNS(RESIDUE_LOG_COLUMN)
#undef RESIDUE_LOG_COLUMN
    bytes_ = std::unique_ptr<std::byte[], FreeIfOwned>(new std::byte[size_ + kTail]);
    std::memset(bytes_.get() + size_, 0, kTail);
    // A column without bytes reads at offset + row * 0: within the buffer, and masked away.
}

Columns Columns::Pack(std::span<const LoggedEvent> rows, Widths widths, std::size_t columnCount) {
    std::array<Span, kColumnCount> spans;
    Difference difference(rows[0]);
#define RESIDUE_LOG_COLUMN(name, field)                                      \
    Widen(spans[static_cast<std::size_t>(ColumnId::name)], rows.subspan(0, 1), \
          [](const LoggedEvent& row) { return field; });
    RESIDUE_LOG_COLUMNS(RESIDUE_LOG_COLUMN)
#undef RESIDUE_LOG_COLUMN
    for (std::size_t first = 0; first < rows.size(); first += kBatch) {
        const auto batch = rows.subspan(first, std::min(kBatch, rows.size() - first));
        difference.Take(batch);
        const LoggedEvent differing = difference.Fields();
        const auto widen = [&](ColumnId id, auto get) {
            if (static_cast<std::uint64_t>(get(differing)) != 0) Widen(spans[static_cast<std::size_t>(id)], batch, get);
        };
#define RESIDUE_LOG_COLUMN(name, field) widen(ColumnId::name, [](const LoggedEvent& row) { return field; });
        RESIDUE_LOG_COLUMNS(RESIDUE_LOG_COLUMN)
#undef RESIDUE_LOG_COLUMN
    }
    std::array<ColumnShape, kColumnCount> shapes;
    for (std::size_t c = 0; c < columnCount; ++c) {
        shapes[c] = {spans[c].low, WidthFor(spans[c].high - spans[c].low, widths)};
    }

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

// Most columns of a chunk have no bytes: whether one has any is guessed right from the second row on.
LoggedEvent Columns::At(std::size_t index) const noexcept {
    LoggedEvent row = lowest_;
    const std::uint32_t varying = varying_;
    const auto varies = [varying](ColumnId id) { return (varying >> static_cast<unsigned>(id) & 1) != 0; };
#define RESIDUE_LOG_COLUMN(name, field) \
    if (varies(ColumnId::name))         \
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
