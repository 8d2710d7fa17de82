// Events as columns: each field of up to 65,536 rows as min + a fixed width of 0 to 8 bytes a row, so that any row is
// read in O(1) and a field that is the same in all rows costs nothing. The sealed chunks of the log are this, and, with
// widths of 0, 1, 2, 4 or 8 bytes alone, the event chunks of the native file.
//
// Immutable once made; any thread reads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "log/event_log.hpp"

namespace residue::log {

// X(identifier, expression of the field in a LoggedEvent `row`). The order is that of the native file: append only.
#define RESIDUE_LOG_COLUMNS(X)                 \
    X(Stamp, row.event.stamp)                  \
    X(Address, row.event.address)              \
    X(Size, row.event.size)                    \
    X(Argument, row.event.argument)            \
    X(Rounding, row.event.rounding)            \
    X(Padding, row.event.padding)              \
    X(Slack, row.event.slack)                  \
    X(Trace, row.event.trace.value)            \
    X(Thread, row.event.thread.value)          \
    X(Header, row.event.header)                \
    X(Allocator, row.event.allocator.value)    \
    X(Kind, row.event.kind)                    \
    X(Error, row.event.error)                  \
    X(Alignment, row.event.alignmentLog2)      \
    X(Flags, row.event.flags)                  \
    X(Block, row.block.value)                  \
    X(OldBlock, row.oldBlock.value)

enum class ColumnId : std::uint8_t {
#define RESIDUE_LOG_COLUMN(name, field) name,
    RESIDUE_LOG_COLUMNS(RESIDUE_LOG_COLUMN)
#undef RESIDUE_LOG_COLUMN
};
inline constexpr std::size_t kColumnCount = 0
#define RESIDUE_LOG_COLUMN(name, field) +1
    RESIDUE_LOG_COLUMNS(RESIDUE_LOG_COLUMN)
#undef RESIDUE_LOG_COLUMN
    ;
// Lowest value and bytes a row.
struct ColumnShape {
    std::uint64_t min = 0;
    std::uint8_t width = 0;  // 0..8
};

enum class Widths { Any, PowersOfTwo };  // 0 to 8 bytes; 0, 1, 2, 4 or 8

// Of the native file.
constexpr bool IsColumnWidth(std::uint8_t width) noexcept {
    return width == 0 || width == 1 || width == 2 || width == 4 || width == 8;
}

struct FreeIfOwned {
    bool owned = true;
    void operator()(std::byte* bytes) const {
        if (owned) delete[] bytes;
    }
};

class Columns {
public:
    // Columns [0, shapes.size()) of `rows` rows (1..65,536).
    Columns() = default;
    static Columns Pack(std::span<const LoggedEvent> rows, Widths widths, std::size_t columnCount = kColumnCount);
    // From a file: `shapes` has valid widths; `bytes` is the columns one after the other, sum(width) * rows bytes.
    static Columns FromBytes(std::size_t rows, std::span<const ColumnShape> shapes, std::span<const std::byte> bytes);

    std::size_t Rows() const noexcept { return rows_; }
    // Fields without a column are 0. row < Rows()
    LoggedEvent At(std::size_t row) const noexcept;
    std::uint64_t Get(ColumnId column, std::size_t row) const noexcept {
        return Read(columns_[static_cast<std::size_t>(column)], row);
    }

    ColumnShape Shape(std::size_t column) const noexcept { return {columns_[column].min, columns_[column].width}; }
    std::span<const std::byte> Bytes() const noexcept { return {bytes_.get(), size_}; }  // all columns
    std::size_t ResidentBytes() const noexcept { return bytes_.get_deleter().owned ? size_ + kTail : 0; }
    // They lie elsewhere from here on, in memory that outlives this. Before anybody else reads them.
    std::size_t BytesNeeded() const noexcept { return size_ + kTail; }
    void MoveTo(std::byte* memory);

private:
    static constexpr std::size_t kTail = 8;  // so that eight bytes can be read wherever a row starts

    struct Column {
        std::uint64_t min = 0;
        std::uint64_t mask = 0;    // of the low `width` bytes: one read of eight bytes serves every width
        std::size_t offset = 0;
        std::uint8_t width = 0;
    };

    std::uint64_t Read(const Column& column, std::size_t row) const noexcept {
        std::uint64_t word = 0;
        __builtin_memcpy(&word, bytes_.get() + column.offset + row * column.width, sizeof(word));
        return column.min + (word & column.mask);
    }
    void SetShapes(std::size_t rows, std::span<const ColumnShape> shapes);

    std::array<Column, kColumnCount> columns_{};
    std::uint32_t varying_ = 0;  // bit c: column c has bytes
    LoggedEvent lowest_;         // the lowest of each column: of those without bytes all there is
    std::unique_ptr<std::byte[], FreeIfOwned> bytes_;
    std::size_t size_ = 0;
    std::size_t rows_ = 0;
};

}  // namespace residue::log
