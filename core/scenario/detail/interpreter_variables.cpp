// Variables: their slots, their bytes, and who owns the pointers in them.
#include <fmt/format.h>

#include <algorithm>

#include "scenario/detail/interpreter.hpp"

namespace residue::scenario::detail {

Interpreter::SlotName Interpreter::NameOf(std::uint32_t slot, bool global) const {
    return {global, global ? slot : static_cast<std::uint32_t>(frames_.back().slots) + slot};
}

std::string_view Interpreter::WrittenName(SlotName name) const {
    if (name.global) return program_.globals[name.index];
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
        if (frame->procedure == nullptr || name.index < frame->slots) continue;
        const std::size_t slot = name.index - frame->slots;
        return slot < frame->procedure->slots.size() ? frame->procedure->slots[slot] : "?";
    }
    return "?";
}

// Gives the variable its bytes. In a loop they are the same ones every time.
void Interpreter::Declare(SlotName name, const Type* type) {
    Slot& slot = SlotOf(name);
    slot.moved = Moved::No;
    if (slot.type != nullptr && slot.type->size == type->size && slot.type->alignment >= type->alignment &&
        slot.address != 0) {
        slot.type = type;
        heaps_->DestroyOver(slot.address, slot.address + type->size, "has lost its memory: its buffer was made anew");
        ThrowIfHalted();
        return;
    }
    const auto address =
        name.global ? memory_.AddStatic(type->size, type->alignment) : memory_.Push(type->size, type->alignment);
    if (!address) {
        End(Ending::MemoryBudget, fmt::format("there is no room for a variable of {} bytes", type->size),
            "smaller variables");
    }
    slot.type = type;
    slot.address = *address;
    CheckMemory();
}

void Interpreter::Initialise(SlotName name, Value value) {
    const Slot& slot = SlotOf(name);
    Charge(slot.type->size / 64);
    StoreValue(value, memory_.Real(slot.address));
}

// The variable that an expression is the plain name of.
std::optional<Interpreter::SlotName> Interpreter::VariableOf(const Expression& expression) const {
    if (expression.kind != ExpressionKind::Name) return std::nullopt;
    if (expression.reference.kind == ReferenceKind::Local) return NameOf(expression.reference.index, false);
    if (expression.reference.kind == ReferenceKind::Global) return NameOf(expression.reference.index, true);
    return std::nullopt;
}

void Interpreter::CheckOwned(SlotName name, const Expression& use) {
    const Slot& slot = SlotOf(name);
    if (slot.moved == Moved::No) return;
    const bool freed = slot.moved == Moved::Freed;
    StopAlso(use.at, slot.movedAt,
             fmt::format("`{}` was {} in line {}, and is used in line {}", WrittenName(name),
                         freed ? "freed" : "given away", slot.movedAt.line, use.at.line),
             freed ? "Memory.UnsafeFree leaves the pointer, if this is meant to go wrong"
                   : "use the new owner, or copy the pointer with `unsafe` before it goes");
}

void Interpreter::GiveAway(SlotName name, const Location& at, Moved how) {
    Slot& slot = SlotOf(name);
    if (slot.type == nullptr || slot.type->kind != TypeKind::Pointer) return;
    slot.moved = how;
    slot.movedAt = at;
}

// A value on its way into another owner: a plain variable gives its pointer away.
Value Interpreter::EvaluateMoving(const Expression& expression, const Type* want) {
    const auto variable = VariableOf(expression);
    if (!variable) return Evaluate(expression, want);
    const Slot& slot = SlotOf(*variable);
    if (slot.type == nullptr || slot.type->kind != TypeKind::Pointer) return Evaluate(expression, want);
    // What an allocator's own procedure has taken already can be taken once more: the document does so.
    if (slot.moved == Moved::ByCallback) return LoadValue(slot.type, memory_.Real(slot.address));
    Value value = Evaluate(expression, want);
    GiveAway(*variable, expression.at, Moved::GivenAway);
    return value;
}

ScriptCalls::Range Interpreter::VariableAround(std::uint64_t address) {
    const auto around = [&](const std::vector<Slot>& slots) -> Range {
        for (const Slot& slot : slots) {
            if (slot.type != nullptr && address >= slot.address && address - slot.address < slot.type->size) {
                return {slot.address, slot.type->size};
            }
        }
        return {};
    };
    const Range local = around(slots_);
    return local.bytes != 0 ? local : around(globals_);
}

std::string Interpreter::NameOfVariableAt(std::uint64_t address) const {
    const auto search = [&](const std::vector<Slot>& slots, bool global) -> std::string {
        for (std::size_t i = 0; i < slots.size(); ++i) {
            const Slot& slot = slots[i];
            if (slot.type == nullptr || address < slot.address ||
                address - slot.address >= std::max<std::uint64_t>(slot.type->size, 1))
                continue;
            return std::string(WrittenName({global, static_cast<std::uint32_t>(i)}));
        }
        return {};
    };
    const std::string local = search(slots_, false);
    return local.empty() ? search(globals_, true) : local;
}

}  // namespace residue::scenario::detail
