// Where values lie, and whether they may be read or written there.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "scenario/detail/interpreter.hpp"

namespace residue::scenario::detail {

// None: the expression is a value on its way, and lies nowhere.
std::optional<Interpreter::Spot> Interpreter::Locate(const Expression& expression) {
    switch (expression.kind) {
        case ExpressionKind::Name: {
            const auto variable = VariableOf(expression);
            if (!variable) return std::nullopt;
            const Slot& slot = SlotOf(*variable);
            if (slot.type == nullptr) {
                Stop(expression.at, fmt::format("`{}` has no value here", expression.name),
                     "a variable that was made before", "a branch of `comptime if` that was left out makes nothing");
            }
            Spot spot;
            spot.type = slot.type;
            spot.address = slot.address;
            spot.direct = true;
            spot.outerBegin = slot.address;
            spot.outerEnd = slot.address + slot.type->size;
            spot.slot = variable;
            return spot;
        }
        case ExpressionKind::Member: return LocateMember(expression);
        case ExpressionKind::Index: return LocateIndex(expression);
        case ExpressionKind::Dereference: {
            const Value pointer = EvaluatePlain(*expression.a);
            if (pointer.type->kind != TypeKind::Pointer) {
                Stop(expression.at, fmt::format("this is {}", pointer.type->name), "a pointer before `^`");
            }
            return SpotOfPointer(pointer, expression);
        }
        default: return std::nullopt;
    }
}

Interpreter::Spot Interpreter::SpotOfPointer(const Value& pointer, const Expression& where) {
    Spot spot;
    spot.type = pointer.type->element;
    spot.address = detail::AddressOf(pointer.bits);
    spot.tag = TagOf(pointer.bits);
    if (!spot.type->HasSize()) Stop(where.at, fmt::format("{} points to nothing that has a size", pointer.type->name));
    return spot;
}

Interpreter::Spot Interpreter::PartOfSpot(const Spot& whole, const Type* type, std::uint64_t offset) const {
    Spot part = whole;
    part.type = type;
    part.address += offset;
    part.slot.reset();
    return part;
}

// The value in a union that lies somewhere; an error there stops the program.
Interpreter::Spot Interpreter::Unwrapped(Spot spot, const Expression& where) {
    if (spot.type->kind != TypeKind::Union) return spot;
    (void)Unwrap(Load(spot, where.at), where.at);
    return PartOfSpot(spot, spot.type->element, spot.type->payload);
}

// As Locate, but goes through a union to its value and through a pointer to what it points to.
std::optional<Interpreter::Spot> Interpreter::LocateThrough(const Expression& expression) {
    auto spot = Locate(expression);
    Value value;
    if (spot) {
        *spot = Unwrapped(*spot, expression);
        if (spot->type->kind != TypeKind::Pointer) return spot;
        if (spot->slot) CheckOwned(*spot->slot, expression);
        value = Load(*spot, expression.at);
    } else {
        const bool mayPoint = expression.kind != ExpressionKind::Range && expression.kind != ExpressionKind::Integer;
        if (!mayPoint || expression.kind != ExpressionKind::Cast) return std::nullopt;
        value = EvaluatePlain(expression);
        if (value.type->kind != TypeKind::Pointer) return std::nullopt;
    }
    return SpotOfPointer(value, expression);
}

std::optional<Interpreter::Spot> Interpreter::LocateMember(const Expression& expression) {
    if (expression.reference.kind == ReferenceKind::Global) {  // of another file
        Expression name = expression;
        name.kind = ExpressionKind::Name;
        return Locate(name);
    }
    if (expression.reference.kind != ReferenceKind::None) return std::nullopt;
    const Expression& base = *expression.a;
    const bool namesType = base.reference.kind == ReferenceKind::Enum || base.reference.kind == ReferenceKind::Library;
    if (namesType) return std::nullopt;
    const auto whole = LocateThrough(base);
    if (!whole) return std::nullopt;
    const Field* field = whole->type->kind == TypeKind::Struct ? whole->type->Find(expression.name) : nullptr;
    if (field == nullptr) StopNoField(whole->type, expression.name, expression.nameAt);
    return PartOfSpot(*whole, field->type, field->offset);
}

std::uint64_t Interpreter::IndexOf(const Expression& index) {
    const Value value = EvaluatePlain(index);
    if (!value.type->IsInteger()) Stop(index.at, fmt::format("an index that is {}", value.type->name), "an integer");
    return value.bits;
}

std::optional<Interpreter::Spot> Interpreter::LocateIndex(const Expression& expression) {
    auto whole = Locate(*expression.a);
    if (!whole) {
        if (expression.a->kind == ExpressionKind::Name || expression.a->kind == ExpressionKind::ArrayLiteral)
            return std::nullopt;
        const Value value = EvaluatePlain(*expression.a);
        if (value.type->kind != TypeKind::Pointer) return std::nullopt;
        whole = SpotOfPointer(value, expression);
        if (whole->type->kind != TypeKind::Array) {
            whole->address += IndexOf(*expression.b) * whole->type->size;
            return whole;
        }
    }
    *whole = Unwrapped(*whole, *expression.a);
    if (whole->type->kind == TypeKind::Pointer) {
        if (whole->slot) CheckOwned(*whole->slot, *expression.a);
        *whole = SpotOfPointer(Load(*whole, expression.at), expression);
        const bool isWhole = whole->type->kind == TypeKind::Array || whole->type->arrayElement != nullptr;
        if (!isWhole) {
            const std::uint64_t index = IndexOf(*expression.b);
            Spot element = *whole;
            element.address = whole->address + index * whole->type->size;
            element.outside = element.address > 0xFFFF'FFFF;
            element.index = static_cast<std::int64_t>(index);
            return element;
        }
    }
    if (whole->type->arrayElement != nullptr) {
        const std::uint64_t index = IndexOf(*expression.b);
        Spot element;
        element.type = whole->type->arrayElement;
        const std::uint64_t buffer = ReadField(*whole, "buffer");
        element.tag = TagOf(buffer);
        element.address = detail::AddressOf(buffer);
        PlaceElement(element, index, ReadField(*whole, "size"));
        return element;
    }
    if (whole->type->kind != TypeKind::Array) return std::nullopt;
    Spot element = PartOfSpot(*whole, whole->type->element, 0);
    PlaceElement(element, IndexOf(*expression.b), whole->type->count);
    return element;
}

// From the place of the first element to that of the one that is asked for. What lies outside stays outside.
void Interpreter::PlaceElement(Spot& element, std::uint64_t index, std::uint64_t count) {
    element.address += index * element.type->size;
    if (element.outside || index < count) return;
    element.outside = true;
    element.index = static_cast<std::int64_t>(index);
    element.count = count;
}

Value Interpreter::Load(const Spot& spot, const Location& at) {
    if (spot.outside) {
        OutsideFailed(spot, false, at);
        return Value::Zero(spot.type);
    }
    if (!spot.direct) (void)MayAccess(spot.address, spot.tag, spot.type->size, false, at);
    Charge(spot.type->size / 64);
    // Through a bad pointer one reads what happens to be there.
    if (!ScriptMemory::IsMapped(spot.address, spot.type->size)) return Value::Zero(spot.type);
    return LoadValue(spot.type, memory_.Real(spot.address));
}

void Interpreter::Store(const Spot& spot, const Value& value, const Location& at) {
    Charge(spot.type->size / 64);
    if (spot.outside) return OutsideFailed(spot, true, at);
    if (spot.direct) {
        if (heaps_->IsLent(spot.address, spot.address + spot.type->size, spot.outerBegin, spot.outerEnd)) {
            return AccessFailed(spot.address, spot.type->size, true, 0, false, at);
        }
    } else if (!MayAccess(spot.address, spot.tag, spot.type->size, true, at)) {
        return;
    }
    StoreValue(value, memory_.Real(spot.address));
}

// Is it all right to read or write there through a pointer? What is not is told, and false.
bool Interpreter::MayAccess(std::uint64_t address, std::uint64_t tag, std::uint64_t bytes, bool write,
                            const Location& at) {
    if (bytes == 0) return ScriptMemory::IsMapped(address, 0);
    const std::uint64_t end = address + bytes;
    const auto fails = [&](Blocks::Number block, bool dangling) {
        AccessFailed(address, bytes, write, block, dangling, at);
        return false;
    };
    if (!ScriptMemory::IsMapped(address, bytes)) return fails(0, true);
    std::uint64_t outerBegin = 0;
    std::uint64_t outerEnd = ~std::uint64_t{0};
    if (tag >= kFrameTag) {
        const auto frame =
            std::find_if(frames_.begin(), frames_.end(), [&](const Frame& each) { return each.serial == tag; });
        if (frame == frames_.end()) return fails(0, true);
        if (!memory_.IsLiveStack(address, bytes)) return fails(0, false);
    } else {
        const BlockRecord* const record =
            tag != 0 && tag <= blocks_.Count() ? &blocks_.At(static_cast<Blocks::Number>(tag)) : nullptr;
        // An allocator of the script keeps its own books in blocks that it got back: in its procedures an address is
        // all that counts, and what lies there below it.
        const auto isAtWork = [&](std::uint32_t heap) { return heaps_->At(heap)->inCallback != 0; };
        if (record != nullptr && !isAtWork(record->heap)) {
            if (!record->live) return fails(static_cast<Blocks::Number>(tag), true);
            if (!record->Holds(address, bytes)) return fails(static_cast<Blocks::Number>(tag), false);
            outerBegin = record->address;
            outerEnd = record->address + record->size;
        } else if (const Blocks::Number number = blocks_.Around(address, bytes, isAtWork); number != 0) {
            outerBegin = blocks_.At(number).address;
            outerEnd = outerBegin + blocks_.At(number).size;
        } else if (!memory_.IsLiveStatic(address, bytes) && !memory_.IsLiveStack(address, bytes)) {
            const Blocks::Number begins = blocks_.Around(address, 1, isAtWork);
            return fails(begins != 0 ? begins : blocks_.LastAt(address), begins == 0);
        }
    }
    // What an allocator keeps its books in is nobody else's to write to.
    if (write && heaps_->IsLent(address, end, outerBegin, outerEnd)) return fails(0, false);
    return true;
}

void Interpreter::AccessFailed(std::uint64_t address, std::uint64_t bytes, bool write, Blocks::Number block,
                               bool dangling, const Location& at) {
    if (looking_) return;
    std::string text;
    if (block != 0) {
        const BlockRecord& record = blocks_.At(block);
        static constexpr const char* kHow[] = {"was given back", "was given out again", "ended with its allocator"};
        text = dangling ? fmt::format(": the block of {} from line {} {} in line {}", Bytes(record.size),
                                      paths_.LineOf(record.bornAt), kHow[static_cast<std::size_t>(record.death)],
                                      paths_.LineOf(record.diedAt))
                        : fmt::format(": the block has {}, from {:#x} on", Bytes(record.size), record.address);
    }
    events::Event failed;
    failed.kind = events::EventKind::AccessFailed;
    failed.address = address;
    failed.size = bytes;
    failed.argument = write ? 2 : 1;
    failed.error =
        static_cast<std::uint8_t>(dangling ? events::AccessError::Dangling : events::AccessError::OutOfBounds);
    TellAccess(failed, block, std::move(text), at);
}

// An index beyond its array: the address that was asked for, whatever may lie there.
void Interpreter::OutsideFailed(const Spot& spot, bool write, const Location& at) {
    if (looking_) return;
    events::Event failed;
    failed.kind = events::EventKind::AccessFailed;
    failed.address = spot.address;
    failed.size = spot.type->size;
    failed.argument = write ? 2 : 1;
    failed.error = static_cast<std::uint8_t>(events::AccessError::OutOfBounds);
    std::string text = fmt::format(": index {}", spot.index);
    if (spot.count != 0)
        text += fmt::format(" of an array of {}", spot.count);
    else if (spot.address <= 0xFFFF'FFFF)
        text += " of an empty array";
    TellAccess(failed, 0, std::move(text), at);
}

void Interpreter::TellAccess(const events::Event& failed, Blocks::Number block, std::string text, const Location& at) {
    events::Event event = failed;
    if (block != 0) event.allocator = heaps_->IdOf(*heaps_->At(blocks_.At(block).heap));
    event.trace = paths_.IdOf(Here());
    events::EmitNow(sink_, event);
    const bool dangling = event.error == static_cast<std::uint8_t>(events::AccessError::Dangling);
    const bool write = event.argument == 2;
    if (expecting_ != 0) errorNames_.emplace_back(dangling ? "Dangling" : "OutOfBounds");
    if (expectingErrors_ != 0) return;
    Warn(at, dangling ? "dangling" : "bounds",
         fmt::format("a {} of {} at {:#x} is {}{}", write ? "write" : "read", Bytes(event.size), event.address,
                     dangling ? "dangling" : "out of bounds", text),
         write ? "it is not carried out" : "");
}

// Of memory that is there; 0 elsewhere.
std::uint64_t Interpreter::ReadWord(std::uint64_t address) const {
    std::uint64_t word = 0;
    if (ScriptMemory::IsMapped(address, sizeof word)) std::memcpy(&word, memory_.Real(address), sizeof word);
    return word;
}

// The pointer that & makes.
std::uint64_t Interpreter::PointerTo(const Spot& spot) const {
    if (!spot.direct) return MakePointer(spot.address, spot.tag);
    std::uint64_t tag = 0;
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
        if (frame->procedure != nullptr && spot.address >= frame->stackBase && spot.address >= kStackBase) {
            tag = frame->serial;
            break;
        }
    }
    return MakePointer(spot.address, tag);
}

std::uint64_t Interpreter::ReadField(const Spot& whole, std::string_view field) {
    const Field* found = whole.type->Find(field);
    return Load(PartOfSpot(whole, found->type, found->offset), Top().at).bits;
}

void Interpreter::WriteField(const Spot& whole, std::string_view field, std::uint64_t bits) {
    const Field* found = whole.type->Find(field);
    Store(PartOfSpot(whole, found->type, found->offset), Value::Of(found->type, bits), Top().at);
}

}  // namespace residue::scenario::detail
