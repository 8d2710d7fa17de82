// Any bytes as unwinding tables: nothing outside them is read, and the search for a row ends.
#include <algorithm>
#include <cstring>
#include <memory>

#include "capture/detail/row_machine.hpp"
#include "capture/detail/unwind_row.hpp"
#include "capture/unwind_table.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using namespace residue::capture::detail;

// What the walk believes of a row.
void RequireUsable(const UnwindRow& row) {
    using Kind = UnwindRow::Kind;
    residue::fuzz::Require(row.cfaOffset % 8 == 0 && row.frameAt % 8 == 0 && row.frameAt <= 0);
    residue::fuzz::Require(row.kind != Kind::ByStack || row.cfaOffset > 0);
    residue::fuzz::Require(row.kind != Kind::ThroughFrame || row.cfaOffset < 0);
}

void AskTables(const std::uint8_t* data, std::size_t size) {
    UnwindTables tables;
    tables.header = reinterpret_cast<std::uintptr_t>(data);
    tables.bytes = {tables.header, tables.header + size};
    // The beginnings of the first functions that it lists, and some bytes on.
    for (std::size_t line = 0; line < 8 && 12 + line * 8 + 4 <= size; ++line) {
        std::int32_t begin = 0;
        std::memcpy(&begin, data + 12 + line * 8, sizeof begin);
        for (const int more : {0, 1, 4, 0x20, 0x1000}) {
            const std::int64_t place = std::int64_t{begin} + more;
            RequireUsable(FindRow(tables, tables.header + static_cast<std::uintptr_t>(place)));
        }
    }
    for (const std::uintptr_t place : {std::uintptr_t{0}, tables.header, ~std::uintptr_t{0}}) {
        RequireUsable(FindRow(tables, place));
    }
}

// The instructions alone: a damaged table is seldom one whose entries are found.
void RunInstructions(const std::uint8_t* data, std::size_t size) {
    const auto at = reinterpret_cast<std::uintptr_t>(data);
    CommonEntry common;
    common.codeAlign = size % 3;
    common.dataAlign = -8;
    common.addresses = 0x1b;
    RowMachine machine(common, 0x10000, 0x10000 + size % 64);
    const TableBytes bytes{at, at + size};
    TableReader first(bytes, at);
    first.Limit(size / 4);
    if (!machine.Run(first)) return;
    machine.EndCommon();
    (void)machine.Run(TableReader(bytes, at + size / 4));
}

}  // namespace

namespace residue::fuzz {

std::vector<std::string> Seeds() {
    using namespace residue::capture::testing;
    const auto text = [](const Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); };
    const Bytes frame = {0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x70, 0x0a, 0x0c, 7, 8, 0xc6, 0x41, 0x0b};
    const Bytes plt = {0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
    const Bytes aligned = {0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0};
    const Bytes others = {0x2e, 48, 0x05, 6, 3, 0x11, 6, 2, 0x2f, 6, 2,  0x16,
                          6,    2,  0x76, 0, 0x14, 7, 0, 0x09, 3, 12, 0x07, 16};
    const CommonPart usual;
    const CommonPart personal{"zPLR", {0x9b, 1, 2, 3, 4, 0x1b, 0x1b}, usual.instructions, 1};
    const CommonPart signal{"zRS", {0x1b}, {0x0f, 4, 0x77, 0xa0, 0x01, 0x06}, 1};
    return {
        text(MakeTable({{0x10000, 0x100, frame}, {0x10100, 0x2000, plt}, {0x20000, 0x40, aligned}})),
        text(MakeTable({{0x1000, 0x100, others}, {0x1100, 0x100, {}}}, personal)),
        text(MakeTable({{0x1000, 0x10, {}}}, signal)),
        text(frame) + text(plt) + text(aligned) + text(others),
    };
}

}  // namespace residue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[size]);  // of exactly this size, for the sanitizer
    std::copy(data, data + size, copy.get());
    AskTables(copy.get(), size);
    RunInstructions(copy.get(), size);
    return 0;
}
