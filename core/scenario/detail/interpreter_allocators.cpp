// Allocators as the script sees them: structs of two procedures that know which Heap they are.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/checked.hpp"
#include "scenario/detail/interpreter.hpp"
#include "scenario/detail/signatures.hpp"

namespace residue::scenario::detail {

// &allocator, a pointer to one, or the allocator itself.
Interpreter::AllocatorSpot Interpreter::AllocatorOf(const Expression& argument) {
    const auto spot = Locate(argument);
    if (spot && spot->type->IsAllocator()) return {PointerTo(*spot), spot->type};
    return AllocatorOf(EvaluatePlain(argument), argument.at);
}

Interpreter::AllocatorSpot Interpreter::AllocatorOf(const Value& pointer, const Location& at) {
    const Type* type = pointer.type;
    if (type->kind != TypeKind::Pointer || !type->element->IsAllocator()) {
        Stop(at, fmt::format("this is {}", type->name), "a pointer to an allocator, as in &allocator");
    }
    return {pointer.bits, type->element};
}

// Which heap it is; one of the script's that is new gets one.
Heap& Interpreter::HeapOf(const AllocatorSpot& spot, const Location& at) {
    const std::uint64_t address = detail::AddressOf(spot.pointer);
    const bool there = ScriptMemory::IsMapped(address, spot.type->size) &&
                       MayAccess(address, TagOf(spot.pointer), spot.type->size, false, at);
    if (!there) Stop(at, fmt::format("there is no allocator at {:#x}", address), "a pointer to one that lives");
    const std::uint64_t identity = ReadWord(address + spot.type->identity);
    const std::uint64_t allocate = ReadWord(address + spot.type->allocateField);
    const std::uint64_t free = ReadWord(address + spot.type->freeField);
    Heap* heap = heaps_->At(identity);
    const std::uint64_t core = kFrameTag | static_cast<std::uint64_t>(LibraryId::CoreAllocate);
    if (heap != nullptr && (heap->kind == HeapKind::Script) == (allocate == core)) heap = nullptr;
    if (heap == nullptr) {
        if (allocate == 0 && free == 0)
            Stop(at, "this allocator has no procedures",
                 "Allocator { Allocate = ..., Free = ... }, or Create...Allocator");
        if (allocate == core) Stop(at, "this is no allocator that was created", "the result of Create...Allocator");
        std::string name = NameOfVariableAt(address);
        heap = heaps_->AddScript(name.empty() ? spot.type->name : std::move(name));
        if (heap == nullptr)
            Stop(at, "the program makes too many allocators", fmt::format("at most {}", Heaps::kMostHeaps));
        const std::uint64_t number = heap->number;
        std::memcpy(memory_.Real(address + spot.type->identity), &number, sizeof number);
    }
    heap->context = spot.pointer;
    heap->allocateProcedure = allocate;
    heap->freeProcedure = free;
    heap->contextType = spot.type;
    return *heap;
}

Heap& Interpreter::LiveHeapOf(const AllocatorSpot& spot, const Location& at) {
    Heap& heap = HeapOf(spot, at);
    if (heap.dead) Stop(at, fmt::format("the allocator `{}` {}", heap.name, heap.whyDead), "an allocator that lives");
    return heap;
}

void Interpreter::Noted(MemoryError error) {
    if (expecting_ != 0) errorNames_.emplace_back(Name(error));
}

Value Interpreter::MemoryResult(const Result<void>& result) {
    const Type* type = types_.UnionOf(types_.MemoryError(), nullptr);
    if (result) return Value::Zero(type);
    Noted(result.error());
    return ErrorUnion(type, types_.MemoryError(), static_cast<std::uint64_t>(result.error()) - 1);
}

Value Interpreter::PointerResult(const Result<std::uint64_t>& result, const Type* element) {
    const Type* type = types_.UnionOf(types_.MemoryError(), types_.PointerTo(element));
    if (result) return SuccessUnion(type, Value::Of(type->element, *result));
    Noted(result.error());
    return ErrorUnion(type, types_.MemoryError(), static_cast<std::uint64_t>(result.error()) - 1);
}

Value Interpreter::AllocateThrough(const AllocatorSpot& spot, const Type* type, std::uint64_t count, const Location& at,
                                   std::uint64_t alignment) {
    if (!type->HasSize()) Stop(at, "room for what?", "a type, as in Allocate<u32>(&allocator, 5)");
    Heap& heap = LiveHeapOf(spot, at);
    NeedAlignment(heap, alignment, at);
    const auto bytes = CheckedMultiply(count, type->size);
    // One that overflows still reaches the allocator, so that the failure is an event of its.
    const std::uint64_t asked = bytes ? *bytes : ~std::uint64_t{0};
    AnnounceRequest(heap, asked, alignment, false);
    ++requesting_;
    const Result<std::uint64_t> given = heaps_->Allocate(heap, asked, count, type, alignment);
    --requesting_;
    lastHeap_ = heap.number;
    lastProbes_ = heaps_->ProbesOf(heap);
    ThrowIfHalted();
    CheckMemory();
    return PointerResult(given, type);
}

std::uint64_t Interpreter::AlignmentOf(const Expression& argument) {
    constexpr std::uint64_t kMostAlignment = 4096;
    const std::uint64_t alignment = Coerce(EvaluatePlain(argument), types_.Scalar(ScalarKind::U32), argument.at).bits;
    if (!std::has_single_bit(alignment) || alignment > kMostAlignment)
        Stop(argument.at, fmt::format("an alignment of {}", alignment),
             fmt::format("a power of two, at most {}", kMostAlignment));
    return std::max(alignment, Heaps::kAlignment);
}

// The procedures of an allocator of the script are asked for a count, and for nothing else.
void Interpreter::NeedAlignment(const Heap& heap, std::uint64_t alignment, const Location& at) {
    const Heap* asked = &heap;
    while (asked->kind == HeapKind::Failing) asked = heaps_->At(asked->parent);
    if (asked->kind == HeapKind::Script && alignment > Heaps::kAlignment)
        Stop(at, fmt::format("`{}` is an allocator of the script, and cannot be asked for an alignment", asked->name),
             "one of the library's");
}

// What a request asks of other allocators is its own affair.
void Interpreter::AnnounceRequest(const Heap& heap, std::uint64_t bytes, std::uint64_t alignment, bool resize) {
    if (requesting_ != 0) return;
    const bool predict = std::exchange(predicts_, false);
    if (hooks_.beforeRequest) hooks_.beforeRequest({heaps_->IdOf(heap), bytes, alignment, resize, predict});
}

Value Interpreter::FreeThrough(const AllocatorSpot& spot, std::uint64_t pointer, const Location& at) {
    Heap& heap = LiveHeapOf(spot, at);
    const Result<void> freed = heaps_->Free(heap, pointer);
    lastHeap_ = heap.number;
    ThrowIfHalted();
    return MemoryResult(freed);
}

// allocator.Allocate<T>(allocator, count), allocator.Free(allocator, pointer): through the fields of an allocator.
std::optional<Value> Interpreter::TryAllocatorCall(const Expression& call) {
    const Expression& callee = *call.a;
    if (callee.kind != ExpressionKind::Member) return std::nullopt;
    const bool allocates = callee.name == "Allocate" || callee.name == "Alloc";
    if (!allocates && callee.name != "Free") return std::nullopt;
    const auto spot = LocateThrough(*callee.a);
    if (!spot || !spot->type->IsAllocator()) return std::nullopt;
    // Inside of its own procedures a call is what it says.
    const AllocatorSpot allocator{PointerTo(*spot), spot->type};
    const std::size_t given = call.list.size();
    if (given == 0 || given > 2)
        Stop(call.at, fmt::format("`{}` with {} arguments", callee.name, given), "the allocator and one more");
    const Expression& last = *call.list.back();
    if (allocates) {
        const Type* type = TypeArgument(call, types_.Scalar(ScalarKind::U8));
        const Value count = Coerce(EvaluatePlain(last), types_.Scalar(ScalarKind::U32), last.at);
        return AllocateThrough(allocator, type, count.bits, call.at);
    }
    const Argument argument = EvaluateArgument(last, nullptr);
    const Value pointer = Plain(argument.value, last.at);
    if (pointer.type->kind != TypeKind::Pointer)
        Stop(last.at, fmt::format("this is {}", pointer.type->name), "a pointer");
    callbackGave_ = false;
    freeing_ = pointer.type->element;
    Value result = FreeThrough(allocator, pointer.bits, call.at);
    freeing_ = nullptr;
    if (callbackGave_ && argument.lent) GiveAway(*argument.lent, last.at, Moved::ByCallback);
    return result;
}

// Runs one of the two procedures of an allocator of the script.
Value Interpreter::CallCallback(Heap& heap, std::uint64_t procedure, const Type* type, Value second) {
    const Location at = Top().at;
    if (procedure == 0 || (procedure & kFrameTag) != 0 || procedure > program_.procedures.size()) {
        Stop(at, fmt::format("the allocator `{}` has no procedure for this", heap.name),
             "procedures of the script in its fields");
    }
    const auto index = static_cast<std::uint32_t>(procedure - 1);
    const Procedure& called = program_.procedures[index];
    const bool allocates = procedure == heap.allocateProcedure;
    if (allocates ? !IsAllocate(called) : !IsFree(called))
        Stop(called.at, NoCallback(called, allocates), CallbackExpected(called, allocates));
    std::vector<const Type*> types;
    if (!called.generics.empty()) types.assign(called.generics.size(), type);
    std::vector<Argument> arguments;
    if (called.parameters.size() == 2) {
        Argument context;
        context.value = Value::Of(types_.PointerTo(heap.contextType), heap.context);
        arguments.push_back(std::move(context));
    }
    Argument other;
    other.value = std::move(second);
    other.lent = std::nullopt;
    arguments.push_back(std::move(other));
    const std::size_t which = arguments.size() - 1;
    Value result = Invoke(index, EnvironmentOf(std::move(types)), std::move(arguments), at);
    callbackGave_ = which < gaveAway_.size() && gaveAway_[which];
    return result;
}

MemoryError Interpreter::ErrorOf(const Value& value, MemoryError otherwise) const {
    const std::string name = ErrorName(value);
    for (std::uint8_t error = 1; error <= 5; ++error) {
        if (name == Name(static_cast<MemoryError>(error))) return static_cast<MemoryError>(error);
    }
    return otherwise;
}

Result<std::uint64_t> Interpreter::CallAllocate(Heap& heap, std::uint64_t bytes, std::uint64_t count,
                                                const void* type) {
    try {
        const Type* element = type == nullptr ? types_.Scalar(ScalarKind::U8) : static_cast<const Type*>(type);
        const Type* u32 = types_.Scalar(ScalarKind::U32);
        if (bytes > 0xFFFF'FFFF) return ::residue::Fail(MemoryError::BufferTooLarge);
        Value given = CallCallback(heap, heap.allocateProcedure, element, Value::Of(u32, count));
        const Location at = Top().at;
        if (given.type->kind == TypeKind::Union) {
            if (IsError(given)) return ::residue::Fail(ErrorOf(given, MemoryError::InsufficientMemory));
            given = Unwrap(std::move(given), at);
        }
        if (given.type->kind != TypeKind::Pointer)
            Stop(at, fmt::format("the allocator `{}` gave out {}", heap.name, given.type->name), "a pointer");
        return given.bits;
    } catch (const Halt&) {
        return ::residue::Fail(MemoryError::InsufficientMemory);
    }
}

Result<void> Interpreter::CallFree(Heap& heap, std::uint64_t pointer) {
    try {
        const Type* element = freeing_ != nullptr ? freeing_ : types_.Scalar(ScalarKind::U8);
        const Value freed =
            CallCallback(heap, heap.freeProcedure, element, Value::Of(types_.PointerTo(element), pointer));
        if (freed.type->kind == TypeKind::Union && IsError(freed))
            return ::residue::Fail(ErrorOf(freed, MemoryError::InvalidPointer));
        return {};
    } catch (const Halt&) {
        return ::residue::Fail(MemoryError::InvalidPointer);
    }
}

void Interpreter::OnOverlap(const Heap& heap, Blocks::Number old) {
    if (frames_.empty()) return;
    const BlockRecord& record = blocks_.At(old);
    Warn(Top().at, "overlap",
         fmt::format("the allocator `{}` gave out bytes that are in use: the block of {} at {:#x} from line {}",
                     heap.name, Bytes(record.size), record.address, paths_.LineOf(record.bornAt)));
}

void Interpreter::OnForeign(const Heap& heap, std::uint64_t address) {
    Warn(Top().at, "foreign",
         fmt::format("the allocator `{}` took {:#x} back, where none of its blocks lives", heap.name, address),
         "an allocator that is careful says DoubleFree or InvalidPointer");
}

// Only one that reports at its end leaks; what is left in the others goes with them.
void Interpreter::OnEnded(const Heap& heap, Blocks::Number block) {
    if (heap.kind == HeapKind::Default && !blocks_.At(block).region) leaked_.push_back(block);
}

// The document's report: where each buffer that is left came from.
void Interpreter::Report(Heap& heap) {
    if (options_.profile == Profile::Distribution) return;
    for (const Blocks::Number number : blocks_.LiveOf(heap.number)) {
        const BlockRecord& record = blocks_.At(number);
        if (record.region) continue;
        std::string text = fmt::format("Unfreed buffer @ {:#x}: \n", record.address);
        for (const CallFrame& frame : paths_.FramesOf(program_, record.bornAt)) {
            text += fmt::format("{}:{} in {}\n", frame.line, frame.file, frame.procedure);
        }
        Output(true, text);
    }
}

void Interpreter::NeedOs(const Location& at) {
    if (!options_.osSupported)
        Stop(at, "there is no operating system here to take memory from", "a buffer, or an allocator of your own",
             "OS.IsSupported() says so beforehand");
}

// The value that Create...Allocator gives.
Value Interpreter::AllocatorValue(const Heap& heap) {
    const Type* type = types_.Allocator();
    Value value = Value::Zero(type);
    const std::uint64_t allocate = kFrameTag | static_cast<std::uint64_t>(LibraryId::CoreAllocate);
    const std::uint64_t free = kFrameTag | static_cast<std::uint64_t>(LibraryId::CoreFree);
    const std::uint64_t number = heap.number;
    std::memcpy(value.bytes.data() + type->allocateField, &allocate, 8);
    std::memcpy(value.bytes.data() + type->freeField, &free, 8);
    std::memcpy(value.bytes.data() + type->identity, &number, 8);
    return value;
}

// The bytes that an allocator is to live in: an array's, or a block's.
HeapPlace Interpreter::PlaceOfBuffer(const Expression& argument) {
    HeapPlace place;
    const auto spot = Locate(argument);
    Value pointer;
    if (spot && (spot->type->IsAllocator() || spot->type->kind == TypeKind::Array)) {
        pointer = Value::Of(types_.PointerTo(spot->type), PointerTo(*spot));
    } else {
        pointer = EvaluatePlain(argument);
    }
    if (pointer.type->kind != TypeKind::Pointer)
        Stop(argument.at, fmt::format("this is {}", pointer.type->name), "&buffer, a block, or &parent");
    if (pointer.type->element->IsAllocator()) {
        place.parent = LiveHeapOf({pointer.bits, pointer.type->element}, argument.at).number;
        return place;
    }
    const std::uint64_t address = detail::AddressOf(pointer.bits);
    const std::uint64_t tag = TagOf(pointer.bits);
    std::uint64_t bytes = pointer.type->element->size;
    if (tag != 0 && tag < kFrameTag && tag <= blocks_.Count() &&
        blocks_.At(static_cast<Blocks::Number>(tag)).address == address) {
        const BlockRecord& record = blocks_.At(static_cast<Blocks::Number>(tag));
        bytes = record.size;
        place.bufferHeap = record.heap;
    }
    place.base = address;
    place.bytes = bytes;
    const bool usable = bytes != 0 && heaps_->IsUsable(address, address + bytes, 0) &&
                        MayAccess(address, tag, bytes, true, argument.at);
    if (!usable) Stop(argument.at, "this buffer cannot be used", "bytes that live, and that no other allocator has");
    if (place.bufferHeap != 0) blocks_.At(static_cast<Blocks::Number>(tag)).region = true;
    return place;
}

Value Interpreter::MakeAllocator(HeapKind kind, const Expression& call) {
    HeapPlace place;
    // A growing heap of its own where no buffer is given.
    const bool ownRange =
        call.list.empty() || kind == HeapKind::Default || kind == HeapKind::System || kind == HeapKind::Residue;
    if (ownRange) NeedOs(call.at);
    if (!call.list.empty()) place = PlaceOfBuffer(*call.list[0]);
    if (call.list.size() == 2 && kind == HeapKind::FixedBuffer) {
        const Value policy =
            Coerce(EvaluatePlain(*call.list[1], types_.Placement()), types_.Placement(), call.list[1]->at);
        place.placement = static_cast<alloc::Placement>(policy.bits & 3);
    } else if (call.list.size() == 2) {
        const Value number = Coerce(EvaluatePlain(*call.list[1]), types_.Scalar(ScalarKind::U32), call.list[1]->at);
        if (kind == HeapKind::Pool)
            place.slotBytes = std::clamp<std::uint64_t>(number.bits, 1, 1 << 20);
        else if (place.parent == 0)
            place.bytes = std::min(place.bytes, number.bits);
    }
    if (!ownRange && place.parent == 0 && place.bytes == 0)
        Stop(call.at, "an allocator in a buffer of 0 bytes", "a buffer");
    std::string name = TitleOf(kind, place.placement);
    if (!declaring_.empty() && declaring_ != name) name = fmt::format("{} ({})", declaring_, name);
    if (kind == HeapKind::FixedBuffer && place.parent != 0)
        Stop(call.list[0]->at, "a fixed buffer does not grow", "&buffer");
    const Heap* heap = heaps_->Create(kind, place, std::move(name));
    if (heap == nullptr)
        Stop(call.at, "the program makes too many allocators",
             "at most 16 at a time that take their memory from the system");
    return AllocatorValue(*heap);
}

}  // namespace residue::scenario::detail
