#include "capture/detail/row_machine.hpp"

namespace residue::capture::detail {
namespace {

// DW_CFA_*: the first three have an operand in their lower six bits.
enum Instruction : std::uint8_t {
    kAdvance = 0x40,
    kOffset = 0x80,
    kRestore = 0xc0,
    kNop = 0x00,
    kSetLocation = 0x01,
    kAdvance1 = 0x02,
    kAdvance2 = 0x03,
    kAdvance4 = 0x04,
    kOffsetExtended = 0x05,
    kRestoreExtended = 0x06,
    kUndefined = 0x07,
    kSameValue = 0x08,
    kRegister = 0x09,
    kRememberState = 0x0a,
    kRestoreState = 0x0b,
    kDefCfa = 0x0c,
    kDefCfaRegister = 0x0d,
    kDefCfaOffset = 0x0e,
    kDefCfaExpression = 0x0f,
    kExpression = 0x10,
    kOffsetExtendedSigned = 0x11,
    kDefCfaSigned = 0x12,
    kDefCfaOffsetSigned = 0x13,
    kValOffset = 0x14,
    kValOffsetSigned = 0x15,
    kValExpression = 0x16,
    kArgumentsSize = 0x2e,
    kNegativeOffsetExtended = 0x2f,
};

// Products of numbers that anybody may have written: they may wrap, and are looked at afterwards.
std::int64_t Times(std::uint64_t a, std::int64_t b) noexcept {
    return static_cast<std::int64_t>(a * static_cast<std::uint64_t>(b));
}
std::int64_t Times(std::int64_t a, std::int64_t b) noexcept { return Times(static_cast<std::uint64_t>(a), b); }

TableReader ReadBlock(TableReader& reader) noexcept {
    const std::uint64_t bytes = reader.Uleb();
    TableReader block = reader;
    block.Limit(bytes);
    reader.Skip(bytes);
    return block;
}

bool ReadEqual(TableReader& reader, const std::uint8_t* expected, unsigned count) noexcept {
    for (unsigned i = 0; i < count; ++i) {
        if (reader.Read<std::uint8_t>() != expected[i]) return false;
    }
    return reader.Ok();
}

// DW_OP_*
constexpr std::uint8_t kDeref = 0x06;
constexpr std::uint8_t kLiteral0 = 0x30;
constexpr std::uint8_t kFrameRegister = 0x76;  // breg6: its value and a signed number
constexpr std::uint8_t kStackRegister = 0x77;

// After "rsp + 8": + (((rip & 15) >= n) << 3)
CfaRule ReadPlt(TableReader& expression) noexcept {
    constexpr std::uint8_t kBefore[] = {0x80, 0x00, 0x3f, 0x1a};
    constexpr std::uint8_t kAfter[] = {0x2a, 0x33, 0x24, 0x22};
    if (!ReadEqual(expression, kBefore, sizeof kBefore)) return {};
    const unsigned number = expression.Read<std::uint8_t>() - unsigned{kLiteral0};
    if (number > 0xf || !ReadEqual(expression, kAfter, sizeof kAfter) || !expression.AtEnd()) return {};
    return {CfaRule::Kind::Plt, number, 8};
}

// The expressions that there are in practice: what linkers write for the stubs of the procedure linkage table, what gcc
// writes for a function that aligns its stack, and what the C library writes for the return from a signal handler.
CfaRule ReadCfa(TableReader expression) noexcept {
    const auto operation = expression.Read<std::uint8_t>();
    const std::int64_t offset = expression.Sleb();
    if (operation == kStackRegister && offset == 8) return ReadPlt(expression);
    if (expression.Read<std::uint8_t>() != kDeref || !expression.Ok() || !expression.AtEnd()) return {};
    if (operation == kStackRegister && offset == 160) return {CfaRule::Kind::SignalContext, 0, 0};
    if (operation == kFrameRegister) return {CfaRule::Kind::ThroughFrame, 0, offset};
    return {};
}

RegisterRule::Kind ReadPlace(TableReader expression) noexcept {
    const bool atFrame =
        expression.Read<std::uint8_t>() == kFrameRegister && expression.Sleb() == 0 && expression.Ok();
    return atFrame && expression.AtEnd() ? RegisterRule::Kind::AtFrame : RegisterRule::Kind::Other;
}

}  // namespace

bool RowMachine::Run(TableReader reader) noexcept {
    // Past `pc` the instructions speak of other rows.
    while (!reader.AtEnd() && location_ <= pc_) {
        if (!Step(reader)) return false;
    }
    return reader.Ok();
}

bool RowMachine::Step(TableReader& reader) noexcept {
    const auto instruction = reader.Read<std::uint8_t>();
    const std::uint8_t operand = instruction & 0x3f;
    switch (instruction & 0xc0) {
        case kAdvance: return Advance(operand);
        case kOffset: Set(operand, RegisterRule::Kind::AtCfa, Times(reader.Uleb(), common_.dataAlign)); return true;
        case kRestore: Restore(operand); return true;
        default: break;
    }
    switch (instruction) {
        case kNop: return true;
        case kAdvance1: return Advance(reader.Read<std::uint8_t>());
        case kAdvance2: return Advance(reader.Read<std::uint16_t>());
        case kAdvance4: return Advance(reader.Read<std::uint32_t>());
        case kSetLocation: {
            const std::uintptr_t location = reader.Address(common_.addresses, 0);
            if (location < location_) return false;
            location_ = location;
            return true;
        }
        case kRememberState: return Remember();
        case kRestoreState: return Recall();
        case kArgumentsSize: (void)reader.Uleb(); return true;
        default: return StepCfa(reader, instruction) || StepRegister(reader, instruction);
    }
}

// False, and nothing read: it is none of these.
bool RowMachine::StepCfa(TableReader& reader, std::uint8_t instruction) noexcept {
    CfaRule& cfa = present_.cfa;
    switch (instruction) {
        case kDefCfa:
        case kDefCfaSigned:
            cfa.kind = CfaRule::Kind::Register;
            cfa.number = reader.Uleb();
            break;
        case kDefCfaRegister:
            cfa.kind = CfaRule::Kind::Register;
            cfa.number = reader.Uleb();
            return true;
        case kDefCfaExpression: cfa = ReadCfa(ReadBlock(reader)); return true;
        case kDefCfaOffset:
        case kDefCfaOffsetSigned:
            if (cfa.kind != CfaRule::Kind::Register) cfa.kind = CfaRule::Kind::Other;
            break;
        default: return false;
    }
    const bool factored = instruction == kDefCfaSigned || instruction == kDefCfaOffsetSigned;
    cfa.offset = factored ? Times(reader.Sleb(), common_.dataAlign) : static_cast<std::int64_t>(reader.Uleb());
    return true;
}

bool RowMachine::StepRegister(TableReader& reader, std::uint8_t instruction) noexcept {
    using Kind = RegisterRule::Kind;
    const std::uint64_t number = reader.Uleb();
    switch (instruction) {
        case kOffsetExtended: Set(number, Kind::AtCfa, Times(reader.Uleb(), common_.dataAlign)); return true;
        case kOffsetExtendedSigned: Set(number, Kind::AtCfa, Times(reader.Sleb(), common_.dataAlign)); return true;
        case kNegativeOffsetExtended:
            Set(number, Kind::AtCfa, Times(0 - reader.Uleb(), common_.dataAlign));
            return true;
        case kValOffset: Set(number, Kind::IsCfa, Times(reader.Uleb(), common_.dataAlign)); return true;
        case kValOffsetSigned: Set(number, Kind::IsCfa, Times(reader.Sleb(), common_.dataAlign)); return true;
        case kRestoreExtended: Restore(number); return true;
        case kUndefined: Set(number, Kind::Undefined); return true;
        case kSameValue: Set(number, Kind::Unspecified); return true;
        case kRegister: Set(number, Kind::Other); (void)reader.Uleb(); return true;
        case kExpression: Set(number, ReadPlace(ReadBlock(reader))); return true;
        case kValExpression: Set(number, Kind::Other); (void)ReadBlock(reader); return true;
        default: return false;
    }
}

bool RowMachine::Advance(std::uint64_t units) noexcept {
    std::uintptr_t bytes = 0;
    return !__builtin_mul_overflow(units, common_.codeAlign, &bytes) &&
           !__builtin_add_overflow(location_, bytes, &location_);
}

bool RowMachine::Remember() noexcept {
    if (depth_ == kRemembered) return false;
    remembered_[depth_++] = present_;
    return true;
}

bool RowMachine::Recall() noexcept {
    if (depth_ == 0) return false;
    present_ = remembered_[--depth_];
    return true;
}

void RowMachine::Set(std::uint64_t number, RegisterRule::Kind kind, std::int64_t offset) noexcept {
    if (RegisterRule* const rule = present_.Of(number)) *rule = {kind, offset};
}

void RowMachine::Restore(std::uint64_t number) noexcept {
    if (const RegisterRule* const was = initial_.Of(number)) *present_.Of(number) = *was;
}

}  // namespace residue::capture::detail
