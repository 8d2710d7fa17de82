// The heads of free lists, one a size class, and which of them are not empty: a bit a list, and a bit a row of lists.
// The next list with a hole is found with two searches for a set bit, whatever the number of lists: O(1).
//
//     rows     0 1 0 0 1          a bit a row
//     columns  0000 0100 0000 0000 1001
//     heads    .... .a.. .... .... b..c          a, b, c: links to the first hole
//
// `Classes` says how many: kRows (at most 32) of kColumns (16 or 64). Thread safety: none. Freestanding.
#pragma once

#include <cstdint>
#include <type_traits>

namespace residue::alloc {

template <class Classes>
struct BinTable {
    static constexpr std::uint32_t kBins = Classes::kRows * Classes::kColumns;
    static constexpr std::uint32_t kEmpty = 0xFFFF'FFFF;  // a head, and a link that ends a list
    using Row = std::conditional_t<(Classes::kColumns > 16), std::uint64_t, std::uint16_t>;
    static_assert(Classes::kRows <= 32 && Classes::kColumns == sizeof(Row) * 8);

    std::uint32_t rows = 0;
    Row columns[Classes::kRows] = {};
    std::uint32_t heads[kBins];

    BinTable() {
        for (std::uint32_t& head : heads) head = kEmpty;
    }

    bool RowHas(std::uint32_t row) const { return (rows >> row & 1) != 0; }
    bool Has(std::uint32_t bin) const {
        return (columns[bin / Classes::kColumns] >> (bin % Classes::kColumns) & 1) != 0;
    }

    void Set(std::uint32_t bin, std::uint32_t head) {
        const std::uint32_t row = bin / Classes::kColumns;
        const std::uint64_t bit = std::uint64_t{1} << (bin % Classes::kColumns);
        heads[bin] = head;
        columns[row] = static_cast<Row>(head == kEmpty ? columns[row] & ~bit : columns[row] | bit);
        const std::uint32_t rowBit = std::uint32_t{1} << row;
        rows = columns[row] == 0 ? rows & ~rowBit : rows | rowBit;
    }

    // The first list from `bin` on that is not empty; kBins: there is none.
    std::uint32_t FirstFrom(std::uint32_t bin) const {
        if (bin >= kBins) return kBins;
        std::uint32_t row = bin / Classes::kColumns;
        std::uint64_t set = columns[row] & (~std::uint64_t{0} << (bin % Classes::kColumns));
        if (set == 0) {
            const std::uint64_t above = rows & (~std::uint64_t{1} << row);
            if (above == 0) return kBins;
            row = static_cast<std::uint32_t>(__builtin_ctzll(above));
            set = columns[row];
        }
        return row * Classes::kColumns + static_cast<std::uint32_t>(__builtin_ctzll(set));
    }

    // The last list that is not empty; kBins: there is none.
    std::uint32_t Last() const {
        if (rows == 0) return kBins;
        const std::uint32_t row = 31 - static_cast<std::uint32_t>(__builtin_clz(rows));
        return row * Classes::kColumns + 63 - static_cast<std::uint32_t>(__builtin_clzll(columns[row]));
    }
};

}  // namespace residue::alloc
