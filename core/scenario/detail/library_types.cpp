// std.Types: DynamicArray on any allocator, with the growth of alloc/dynamic_array.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "alloc/dynamic_array.hpp"
#include "base/checked.hpp"
#include "scenario/detail/interpreter.hpp"

namespace residue::scenario::detail {

// A pointer to the array, or the array itself.
Interpreter::Spot Interpreter::DynamicArrayOf(const Expression& argument) {
    const auto there = Locate(argument);
    if (there && there->type->arrayElement != nullptr) return *there;
    const Value pointer = EvaluatePlain(argument);
    const bool isArray = pointer.type->kind == TypeKind::Pointer && pointer.type->element->arrayElement != nullptr;
    if (!isArray) Stop(argument.at, fmt::format("this is {}", pointer.type->name), "a DynamicArray, as in &array");
    const Spot spot = SpotOfPointer(pointer, argument);
    const bool lives = MayAccess(spot.address, spot.tag, spot.type->size, true, argument.at);
    if (!lives)
        Stop(argument.at, fmt::format("there is no DynamicArray at {:#x}", spot.address), "an array that lives");
    return spot;
}

Value Interpreter::CallTypes(LibraryId id, const Expression& call, const Type* want) {
    const Type* done = types_.UnionOf(types_.MemoryError(), nullptr);
    switch (id) {
        case LibraryId::CreateDynamicArray: {
            const Type* element = TypeArgument(call, want != nullptr ? want->arrayElement : nullptr);
            if (element == nullptr || !element->HasSize())
                Stop(call.at, "an array of what?", "CreateDynamicArray<u32>(&allocator), for example");
            const AllocatorSpot allocator = AllocatorOf(*call.list[0]);
            Value array = Value::Zero(types_.DynamicArrayOf(element));
            std::memcpy(array.bytes.data() + array.type->Find("allocator")->offset, &allocator.pointer, 8);
            return array;
        }
        case LibraryId::PushToDynamicArray: return Push(call);
        case LibraryId::PopDynamicArray: return Remove(call, true);
        case LibraryId::DynamicArrayRemoveAt: return Remove(call, false);
        case LibraryId::DynamicArrayAt: {
            const Spot array = DynamicArrayOf(*call.list[0]);
            const std::uint64_t index = IndexOf(*call.list[1]);
            const Type* element = array.type->arrayElement;
            const Type* type = types_.UnionOf(types_.MemoryError(), element);
            const std::uint64_t size = ReadField(array, "size");
            if (index >= size)
                return ArrayFailed(
                    type, fmt::format("index {} of a DynamicArray of {}", static_cast<std::int64_t>(index), size));
            return SuccessUnion(type, Load(ElementOf(array, index), call.at));
        }
        case LibraryId::ClearDynamicArray:
            WriteField(DynamicArrayOf(*call.list[0]), "size", 0);
            return Value::Zero(done);
        default: return DestroyArray(call);
    }
}

// What is not there fails with InvalidPointer; `why` says it in the message.
Value Interpreter::ArrayFailed(const Type* type, std::string why) {
    Noted(MemoryError::InvalidPointer);
    why_ = std::move(why);
    return ErrorUnion(type, types_.MemoryError(), static_cast<std::uint64_t>(MemoryError::InvalidPointer) - 1);
}

std::string Interpreter::Because(const std::string& error) const {
    return why_.empty() || error != Name(MemoryError::InvalidPointer) ? "" : " (" + why_ + ")";
}

Interpreter::Spot Interpreter::ElementOf(const Spot& array, std::uint64_t index) {
    Spot spot;
    spot.type = array.type->arrayElement;
    const std::uint64_t buffer = ReadField(array, "buffer");
    spot.tag = TagOf(buffer);
    spot.address = detail::AddressOf(buffer) + index * spot.type->size;
    return spot;
}

// Moves the elements into a buffer of `capacity`. False: `error` says why, and the array is as it was.
bool Interpreter::SetCapacity(const Spot& array, std::uint64_t capacity, const Location& at, Value& error) {
    const Type* element = array.type->arrayElement;
    const AllocatorSpot allocator{ReadField(array, "allocator"), types_.Allocator()};
    const std::uint64_t size = ReadField(array, "size");
    const Value given = AllocateThrough(allocator, element, capacity, at);
    if (IsError(given)) {
        error = given;
        return false;
    }
    const std::uint64_t fresh = PartOf(given, given.type->element, given.type->payload).bits;
    const std::uint64_t old = ReadField(array, "buffer");
    const std::uint64_t bytes = std::min(size, capacity) * element->size;
    const bool hasOld = ReadField(array, "capacity") != 0;
    if (bytes != 0 && hasOld) {
        Charge(bytes / 16);
        ThrowIfHalted();
        const bool readable = MayAccess(detail::AddressOf(old), TagOf(old), bytes, false, at);
        const bool writable = MayAccess(detail::AddressOf(fresh), TagOf(fresh), bytes, true, at);
        if (readable && writable)
            std::memmove(memory_.Real(detail::AddressOf(fresh)), memory_.Real(detail::AddressOf(old)), bytes);
    }
    WriteField(array, "buffer", fresh);
    WriteField(array, "capacity", capacity);
    if (hasOld) {
        freeing_ = element;
        (void)FreeThrough(allocator, old, at);
        freeing_ = nullptr;
    }
    return true;
}

Value Interpreter::Push(const Expression& call) {
    const Spot array = DynamicArrayOf(*call.list[0]);
    const Type* element = array.type->arrayElement;
    std::vector<Value> values;
    for (std::size_t i = 1; i < call.list.size(); ++i) {
        values.push_back(Coerce(EvaluateMoving(*call.list[i], element), element, call.list[i]->at));
    }
    const std::uint64_t size = ReadField(array, "size");
    const std::uint64_t needed = size + values.size();
    std::uint64_t capacity = ReadField(array, "capacity");
    if (needed > capacity) {
        capacity = std::max<std::uint64_t>(capacity, alloc::kSmallestDynamicArray);
        while (capacity < needed) capacity *= 2;
        Value error;
        if (!SetCapacity(array, capacity, call.at, error)) {
            return ErrorUnion(types_.UnionOf(types_.MemoryError(), nullptr), types_.MemoryError(),
                              PartOf(error, error.type->error, error.type->payload).bits);
        }
    }
    for (std::size_t i = 0; i < values.size(); ++i) Store(ElementOf(array, size + i), values[i], call.at);
    WriteField(array, "size", needed);
    return Value::Zero(types_.UnionOf(types_.MemoryError(), nullptr));
}

void Interpreter::Shrink(const Spot& array, const Location& at) {
    const std::uint64_t capacity = ReadField(array, "capacity");
    if (capacity <= alloc::kSmallestDynamicArray || ReadField(array, "size") > capacity / 4) return;
    Value ignored;  // where there is no memory to move to, the larger buffer stays
    (void)SetCapacity(array, capacity / 2, at, ignored);
}

// The last element, which is the result; or one from the middle, behind which all move up.
Value Interpreter::Remove(const Expression& call, bool last) {
    const Spot array = DynamicArrayOf(*call.list[0]);
    const Type* element = array.type->arrayElement;
    const std::uint64_t size = ReadField(array, "size");
    const std::uint64_t index = last ? size - 1 : IndexOf(*call.list[1]);
    const Type* type = types_.UnionOf(types_.MemoryError(), last ? element : nullptr);
    if (size == 0) return ArrayFailed(type, "the DynamicArray is empty");
    if (index >= size)
        return ArrayFailed(type,
                           fmt::format("index {} of a DynamicArray of {}", static_cast<std::int64_t>(index), size));
    const Value removed = Load(ElementOf(array, index), call.at);
    const std::uint64_t behind = (size - index - 1) * element->size;
    const Spot from = ElementOf(array, index + 1);
    const Spot to = ElementOf(array, index);
    Charge(behind / 16);
    ThrowIfHalted();
    const bool movable = behind != 0 && MayAccess(from.address, from.tag, behind, false, call.at) &&
                         MayAccess(to.address, to.tag, behind, true, call.at);
    if (movable) std::memmove(memory_.Real(to.address), memory_.Real(from.address), behind);
    WriteField(array, "size", size - 1);
    Shrink(array, call.at);
    return last ? SuccessUnion(type, removed) : Value::Zero(type);
}

Value Interpreter::DestroyArray(const Expression& call) {
    const Spot array = DynamicArrayOf(*call.list[0]);
    const std::uint64_t buffer = ReadField(array, "buffer");
    const bool hasBuffer = ReadField(array, "capacity") != 0;
    WriteField(array, "size", 0);
    WriteField(array, "capacity", 0);
    if (!hasBuffer) return Value::Zero(types_.UnionOf(types_.MemoryError(), nullptr));
    const AllocatorSpot allocator{ReadField(array, "allocator"), types_.Allocator()};
    WriteField(array, "buffer", 0);
    freeing_ = array.type->arrayElement;
    Value freed = FreeThrough(allocator, buffer, call.at);
    freeing_ = nullptr;
    return freed;
}

}  // namespace residue::scenario::detail
