// Runs the instructions of an unwinding table's entry up to the row that holds for one place (DWARF 5, 6.4.2), for the
// three registers that are followed: the stack pointer, the frame pointer and the return address. Any bytes will do.
// Freestanding; x86-64.
#pragma once

#include <cstdint>

#include "capture/detail/table_reader.hpp"

namespace residue::capture::detail {

// DWARF's numbers of the registers.
inline constexpr std::uint64_t kFramePointer = 6;
inline constexpr std::uint64_t kStackPointer = 7;
inline constexpr std::uint64_t kReturnAddress = 16;

// Where a register of the caller is.
struct RegisterRule {
    enum class Kind : std::uint8_t {
        Unspecified,  // nothing was said, or that it is unchanged
        AtCfa,        // at CFA + offset
        IsCfa,        // it is CFA + offset itself
        AtFrame,      // where the frame pointer points
        Undefined,
        Other,
    };
    Kind kind = Kind::Unspecified;
    std::int64_t offset = 0;
};

struct CfaRule {
    enum class Kind : std::uint8_t {
        Other,
        Register,       // register `number` + offset
        Plt,            // rsp + 8, and from byte `number` of the 16 of a stub on a word more
        ThroughFrame,   // the word at rbp + offset
        SignalContext,  // the word at rsp + 160: the rsp of a ucontext
    };
    Kind kind = Kind::Other;
    std::uint64_t number = 0;
    std::int64_t offset = 0;
};

struct Rules {
    CfaRule cfa;
    RegisterRule frame;
    RegisterRule stack;
    RegisterRule returns;

    RegisterRule* Of(std::uint64_t number) noexcept {  // null: a register that is not followed
        switch (number) {
            case kFramePointer: return &frame;
            case kStackPointer: return &stack;
            case kReturnAddress: return &returns;
            default: return nullptr;
        }
    }
};

// What the instructions need to know of the entry that is common to many functions (CIE).
struct CommonEntry {
    std::uint64_t codeAlign = 0;
    std::int64_t dataAlign = 0;
    std::uint8_t addresses = 0;  // how they are encoded
    bool augmented = false;      // its entries have a length of augmentation data
    bool signalFrame = false;
    std::uintptr_t instructions = 0;
    std::uintptr_t instructionBytes = 0;
};

class RowMachine {
public:
    // `begin`: of the function; `pc` lies in it.
    RowMachine(const CommonEntry& common, std::uintptr_t begin, std::uintptr_t pc) noexcept
        : common_(common), location_(begin), pc_(pc) {}

    // False: an instruction that is not known, or damage. `reader` is limited to the instructions.
    bool Run(TableReader reader) noexcept;
    // What came so far was common to all functions: "restore" goes back to it.
    void EndCommon() noexcept { initial_ = present_; }
    const Rules& Row() const noexcept { return present_; }

private:
    bool Step(TableReader& reader) noexcept;
    bool StepRegister(TableReader& reader, std::uint8_t instruction) noexcept;
    bool StepCfa(TableReader& reader, std::uint8_t instruction) noexcept;
    bool Advance(std::uint64_t units) noexcept;
    bool Remember() noexcept;
    bool Recall() noexcept;
    void Set(std::uint64_t number, RegisterRule::Kind kind, std::int64_t offset = 0) noexcept;
    void Restore(std::uint64_t number) noexcept;

    static constexpr unsigned kRemembered = 16;

    const CommonEntry& common_;
    std::uintptr_t location_;
    std::uintptr_t pc_;
    Rules present_;
    Rules initial_;
    unsigned depth_ = 0;
    Rules remembered_[kRemembered];
};

}  // namespace residue::capture::detail
