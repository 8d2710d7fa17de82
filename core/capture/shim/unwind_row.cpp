#include "capture/detail/unwind_row.hpp"

#include "capture/detail/row_machine.hpp"

namespace residue::capture::detail {
namespace {

// The reader of an entry's content, limited to it. One of 4 GiB and more (0xffffffff) does not occur, 0 ends the table.
TableReader OpenEntry(const UnwindTables& tables, std::uintptr_t at) noexcept {
    TableReader reader(tables.bytes, at);
    const auto length = reader.Read<std::uint32_t>();
    const bool none = length == 0xffffffffu || length == 0;
    reader.Limit(none ? ~std::uintptr_t{0} : length);
    return reader;
}

// The letters after 'z', each with its data; false for one that is not known.
bool ReadAugmentation(TableReader letters, TableReader& data, CommonEntry& common) noexcept {
    while (const auto letter = letters.Read<std::uint8_t>()) {
        switch (letter) {
            case 'R': common.addresses = data.Read<std::uint8_t>(); break;
            case 'L': (void)data.Read<std::uint8_t>(); break;
            case 'P':
                if (const auto how = data.Read<std::uint8_t>(); how != encoding::kOmitted) (void)data.Form(how);
                break;
            case 'S': common.signalFrame = true; break;
            default: return false;
        }
    }
    return letters.Ok() && data.Ok();
}

bool ReadCommon(const UnwindTables& tables, std::uintptr_t at, CommonEntry& common) noexcept {
    TableReader reader = OpenEntry(tables, at);
    if (reader.Read<std::uint32_t>() != 0) return false;  // the entry of a function
    const auto version = reader.Read<std::uint8_t>();
    if (version != 1 && version != 3) return false;
    TableReader letters = reader;
    while (reader.Read<std::uint8_t>() != 0) {
    }
    common.codeAlign = reader.Uleb();
    common.dataAlign = reader.Sleb();
    if ((version == 1 ? reader.Read<std::uint8_t>() : reader.Uleb()) != kReturnAddress) return false;
    TableReader first = letters;
    common.augmented = first.Read<std::uint8_t>() == 'z';
    if (common.augmented) {
        TableReader data = reader;
        const std::uint64_t bytes = data.Uleb();
        reader = data;
        data.Limit(bytes);
        reader.Skip(bytes);
        if (!ReadAugmentation(first, data, common)) return false;
    } else if (letters.Read<std::uint8_t>() != 0) {
        return false;
    }
    common.instructions = reader.At();
    common.instructionBytes = reader.Left();
    return reader.Ok();
}

// The address of the entry of the function that `pc` may be in; 0: none.
std::uintptr_t FindEntry(const UnwindTables& tables, std::uintptr_t pc) noexcept {
    constexpr std::uint8_t kSigned4 = 0x0b;
    constexpr std::uintptr_t kLine = 8;  // a function's address and that of its entry, from the header, 4 bytes each
    TableReader reader(tables.bytes, tables.header);
    const bool known = reader.Read<std::uint8_t>() == 1;
    const auto framesHow = reader.Read<std::uint8_t>();
    const auto countHow = reader.Read<std::uint8_t>();
    if (!known || reader.Read<std::uint8_t>() != (encoding::kFromHeader | kSigned4)) return 0;
    (void)reader.Form(framesHow);
    const std::uintptr_t lines = reader.Form(countHow);
    const std::uintptr_t table = reader.At();
    if (!reader.Ok() || lines > reader.Left() / kLine) return 0;

    const auto word = [&](std::uintptr_t at) {
        const std::int64_t offset = TableReader(tables.bytes, at).Read<std::int32_t>();
        return tables.header + static_cast<std::uintptr_t>(offset);
    };
    std::uintptr_t low = 0;  // the lines below it begin at `pc` or before, those from `high` on after it
    for (std::uintptr_t high = lines; low < high;) {
        const std::uintptr_t middle = low + (high - low) / 2;
        if (word(table + middle * kLine) <= pc) low = middle + 1;
        else high = middle;
    }
    return low == 0 ? 0 : word(table + (low - 1) * kLine + 4);
}

// Whole words, and no more than any stack has.
bool IsOffset(std::int64_t offset) noexcept {
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    return offset % 8 == 0 && offset > -kMost && offset < kMost;
}

void PutFrame(const RegisterRule& frame, UnwindRow& row) noexcept {
    if (frame.kind == RegisterRule::Kind::Unspecified) return;
    const bool saved = frame.kind == RegisterRule::Kind::AtCfa && frame.offset < 0 && IsOffset(frame.offset);
    if (saved) row.frameAt = frame.offset;
    else row.losesFrame = true;
}

UnwindRow Row(const Rules& rules, bool signalFrame, std::uintptr_t pc) noexcept {
    using Kind = UnwindRow::Kind;
    UnwindRow row;
    row.kind = Kind::Cannot;
    if (signalFrame) {
        if (rules.cfa.kind == CfaRule::Kind::SignalContext) row.kind = Kind::Signal;
        return row;
    }
    if (rules.returns.kind == RegisterRule::Kind::Undefined) {
        row.kind = Kind::End;
        return row;
    }
    const bool plainReturn = rules.returns.kind == RegisterRule::Kind::AtCfa && rules.returns.offset == -8;
    const bool plainStack = rules.stack.kind == RegisterRule::Kind::Unspecified ||
                            (rules.stack.kind == RegisterRule::Kind::IsCfa && rules.stack.offset == 0);
    if (!plainReturn || !plainStack || !IsOffset(rules.cfa.offset)) return row;

    row.cfaOffset = rules.cfa.offset;
    switch (rules.cfa.kind) {
        case CfaRule::Kind::Register:
            if (rules.cfa.number == kStackPointer && rules.cfa.offset > 0) row.kind = Kind::ByStack;
            if (rules.cfa.number == kFramePointer) row.kind = Kind::ByFrame;
            break;
        case CfaRule::Kind::Plt:
            row.kind = Kind::ByStack;
            if ((pc & 15) >= rules.cfa.number) row.cfaOffset += 8;
            break;
        case CfaRule::Kind::ThroughFrame:
            if (rules.cfa.offset < 0 && rules.frame.kind == RegisterRule::Kind::AtFrame) row.kind = Kind::ThroughFrame;
            return row;
        default: break;
    }
    PutFrame(rules.frame, row);
    return row;
}

UnwindRow Cannot() noexcept {
    UnwindRow row;
    row.kind = UnwindRow::Kind::Cannot;
    return row;
}

}  // namespace

UnwindRow FindRow(const UnwindTables& tables, std::uintptr_t pc) noexcept {
    const std::uintptr_t entry = FindEntry(tables, pc);
    if (entry == 0) return {};
    TableReader reader = OpenEntry(tables, entry);
    const std::uintptr_t here = reader.At();
    const auto distance = reader.Read<std::uint32_t>();
    CommonEntry common;
    if (!reader.Ok() || distance == 0 || !ReadCommon(tables, here - distance, common)) return Cannot();
    const std::uintptr_t begin = reader.Address(common.addresses, tables.header);
    const std::uintptr_t bytes = reader.Form(common.addresses);
    if (common.augmented) reader.Skip(reader.Uleb());
    if (!reader.Ok()) return Cannot();
    if (pc < begin || pc - begin >= bytes) return {};  // between two functions

    RowMachine machine(common, begin, pc);
    TableReader first(tables.bytes, common.instructions);
    first.Limit(common.instructionBytes);
    if (!machine.Run(first)) return Cannot();
    machine.EndCommon();
    if (!machine.Run(reader)) return Cannot();
    return Row(machine.Row(), common.signalFrame, pc);
}

}  // namespace residue::capture::detail
