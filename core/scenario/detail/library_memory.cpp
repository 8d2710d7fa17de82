// std.Memory, std.IO, std.Runtime and std.OS.
#include <fmt/format.h>

#include <cstring>

#include "alloc/duck.hpp"
#include "base/checked.hpp"
#include "scenario/detail/interpreter.hpp"

namespace residue::scenario::detail {

Value Interpreter::CallLibrary(LibraryId id, const Expression& call, const Type* want) {
    const Value none = Value::Of(types_.Of(TypeKind::Void), 0);
    switch (id) {
        case LibraryId::CreateDynamicArray:
        case LibraryId::PushToDynamicArray:
        case LibraryId::PopDynamicArray:
        case LibraryId::DynamicArrayAt:
        case LibraryId::DynamicArrayRemoveAt:
        case LibraryId::ClearDynamicArray:
        case LibraryId::DestroyDynamicArray: return CallTypes(id, call, want);
        case LibraryId::Print: return PrintCall(call, false, false), none;
        case LibraryId::PrintLine: return PrintCall(call, false, true), none;
        case LibraryId::Error: return PrintCall(call, true, false), none;
        case LibraryId::ErrorLine: return PrintCall(call, true, true), none;
        case LibraryId::GetStackTrace: {
            const CallPaths::Node here = Here();
            auto [known, isNew] = traceIds_.try_emplace(here, static_cast<std::uint32_t>(traces_.size() + 1));
            if (isNew) traces_.push_back(here);
            Value value = Value::Zero(types_.CallTrace());
            std::memcpy(value.bytes.data(), &known->second, sizeof known->second);
            return value;
        }
        case LibraryId::IsSupported: return Boolean(options_.osSupported);
        default: return CallMemory(id, call, want);
    }
}

Value Interpreter::CallMemory(LibraryId id, const Expression& call, const Type* want) {
    const Type* u32 = types_.Scalar(ScalarKind::U32);
    const auto number = [&](std::size_t argument) {
        return Coerce(EvaluatePlain(*call.list[argument]), u32, call.list[argument]->at).bits;
    };
    switch (id) {
        case LibraryId::Allocate:
        case LibraryId::CoreAllocate: {
            if (call.list.size() < 2)
                Stop(call.at, "an allocator's procedure without its allocator", "the allocator and a count");
            const AllocatorSpot spot = AllocatorOf(*call.list[0]);
            const bool asked = want != nullptr && want->kind == TypeKind::Pointer && want->element->HasSize();
            const Type* type = TypeArgument(call, asked ? want->element : types_.Of(TypeKind::Unknown));
            const std::uint64_t count = number(1);
            const std::uint64_t alignment = call.list.size() < 3 ? Heaps::kAlignment : AlignmentOf(*call.list[2]);
            return AllocateThrough(spot, type, count, call.at, alignment);
        }
        case LibraryId::Free: return FreeCall(call, true);
        case LibraryId::UnsafeFree:
        case LibraryId::CoreFree: return FreeCall(call, false);
        case LibraryId::Resize: return ResizeCall(call);
        case LibraryId::Reset: return MemoryResult(heaps_->Reset(LiveHeapOf(AllocatorOf(*call.list[0]), call.at)));
        case LibraryId::Mark: {
            const auto mark = heaps_->Mark(LiveHeapOf(AllocatorOf(*call.list[0]), call.at));
            const Type* type = types_.UnionOf(types_.MemoryError(), u32);
            if (mark) return SuccessUnion(type, Value::Of(u32, *mark));
            Noted(mark.error());
            return ErrorUnion(type, types_.MemoryError(), static_cast<std::uint64_t>(mark.error()) - 1);
        }
        case LibraryId::Release: {
            Heap& heap = LiveHeapOf(AllocatorOf(*call.list[0]), call.at);
            return MemoryResult(heaps_->Release(heap, number(1)));
        }
        case LibraryId::Copy: return CopyCall(call);
        case LibraryId::GetGlobalAllocator: return GlobalAllocatorPointer(call.at);
        case LibraryId::CreateFixedBuffer: return MakeAllocator(HeapKind::FixedBuffer, call);
        case LibraryId::CreateArena: return MakeAllocator(HeapKind::Arena, call);
        case LibraryId::CreateStack: return MakeAllocator(HeapKind::Stack, call);
        case LibraryId::CreatePool: return MakeAllocator(HeapKind::Pool, call);
        case LibraryId::CreateBuddy: return MakeAllocator(HeapKind::Buddy, call);
        case LibraryId::CreateSegregated: return MakeAllocator(HeapKind::Segregated, call);
        case LibraryId::CreateTlsf: return MakeAllocator(HeapKind::Tlsf, call);
        case LibraryId::CreateHeaderless: return MakeAllocator(HeapKind::Headerless, call);
        case LibraryId::CreateDefault: return MakeAllocator(HeapKind::Default, call);
        case LibraryId::CreateResidue: return MakeAllocator(HeapKind::Residue, call);
        case LibraryId::CreateSystem: return MakeAllocator(HeapKind::System, call);
        case LibraryId::CreateFailing: {
            Heap& inner = LiveHeapOf(AllocatorOf(*call.list[0]), call.at);
            const Heap* heap = heaps_->CreateFailing(inner, number(1));
            if (heap == nullptr)
                Stop(call.at, "the program makes too many allocators", fmt::format("at most {}", Heaps::kMostHeaps));
            return AllocatorValue(*heap);
        }
        case LibraryId::DestroyAllocator: return DestroyCall(call);
        case LibraryId::OsAllocate: {
            const Type* type = TypeArgument(call, types_.Of(TypeKind::Unknown));
            const std::uint64_t count = number(0);
            return AllocateThrough(AllocatorOf(SystemPointer(call.at), call.at), type, count, call.at);
        }
        case LibraryId::OsFree: {
            const Value pointer = EvaluatePlain(*call.list[0]);
            if (pointer.type->kind != TypeKind::Pointer)
                Stop(call.list[0]->at, fmt::format("this is {}", pointer.type->name), "a pointer");
            return FreeThrough(AllocatorOf(SystemPointer(call.at), call.at), pointer.bits, call.at);
        }
        default: Stop(call.at, "this cannot be called");
    }
}

const Type* Interpreter::TypeArgument(const Expression& call, const Type* otherwise) {
    if (call.types.empty()) return otherwise;
    const Type* type = Resolve(call.types[0]);
    if (HoldsIncomplete(type)) Stop(call.at, fmt::format("{} is not known as a whole here", type->name));
    return type;
}

Value Interpreter::FreeCall(const Expression& call, bool takes) {
    if (call.list.size() != 2)
        Stop(call.at, "an allocator's procedure without its allocator", "the allocator and a pointer");
    const AllocatorSpot spot = AllocatorOf(*call.list[0]);
    const Expression& last = *call.list[1];
    const Argument argument = EvaluateArgument(last, nullptr);
    const Value pointer = Plain(argument.value, last.at);
    if (pointer.type->kind != TypeKind::Pointer)
        Stop(last.at, fmt::format("this is {}", pointer.type->name), "a pointer to free");
    freeing_ = pointer.type->element;
    Value result = FreeThrough(spot, pointer.bits, call.at);
    freeing_ = nullptr;
    // On success only, as the document has it.
    if (takes && argument.lent && !IsError(result)) GiveAway(*argument.lent, last.at, Moved::Freed);
    return result;
}

Value Interpreter::ResizeCall(const Expression& call) {
    const AllocatorSpot spot = AllocatorOf(*call.list[0]);
    const Argument argument = EvaluateArgument(*call.list[1], nullptr);
    const Value pointer = Plain(argument.value, call.list[1]->at);
    if (pointer.type->kind != TypeKind::Pointer || !pointer.type->element->HasSize())
        Stop(call.list[1]->at, fmt::format("this is {}", pointer.type->name), "a pointer");
    const Type* element = pointer.type->element;
    const std::uint64_t count =
        Coerce(EvaluatePlain(*call.list[2]), types_.Scalar(ScalarKind::U32), call.list[2]->at).bits;
    Heap& heap = LiveHeapOf(spot, call.at);
    if (!heaps_->CanResize(heap))
        Stop(call.at, fmt::format("the allocator `{}` cannot resize", heap.name), "Allocate, Copy and Free");
    const auto bytes = CheckedMultiply(count, element->size);
    const std::uint64_t asked = bytes ? *bytes : ~std::uint64_t{0};
    AnnounceRequest(heap, asked, Heaps::kAlignment, true);
    const auto moved = heaps_->Resize(heap, pointer.bits, asked);
    lastHeap_ = heap.number;
    ThrowIfHalted();
    CheckMemory();
    if (moved && argument.lent) GiveAway(*argument.lent, call.list[1]->at, Moved::Freed);
    return PointerResult(moved, element);
}

Value Interpreter::CopyCall(const Expression& call) {
    Value from = EvaluatePlain(*call.list[0]);
    Value to = EvaluatePlain(*call.list[1]);
    for (const Value* each : {&from, &to}) {
        const bool isPointer = each->type->kind == TypeKind::Pointer && each->type->element->HasSize();
        if (!isPointer) Stop(call.at, fmt::format("this is {}", each->type->name), "two pointers and a count");
    }
    const std::uint64_t count =
        Coerce(EvaluatePlain(*call.list[2]), types_.Scalar(ScalarKind::U32), call.list[2]->at).bits;
    const Type* element = to.type->element->kind == TypeKind::Array ? to.type->element->element : to.type->element;
    const std::uint64_t bytes = count * element->size;
    const std::uint64_t source = detail::AddressOf(from.bits);
    const std::uint64_t target = detail::AddressOf(to.bits);
    const bool readable = MayAccess(source, TagOf(from.bits), bytes, false, call.at);
    const bool writable = MayAccess(target, TagOf(to.bits), bytes, true, call.at);
    Charge(bytes / 16);
    ThrowIfHalted();
    if (readable && writable && bytes != 0) std::memmove(memory_.Real(target), memory_.Real(source), bytes);
    return Value::Of(types_.Of(TypeKind::Void), 0);
}

Value Interpreter::DestroyCall(const Expression& call) {
    Heap& heap = LiveHeapOf(AllocatorOf(*call.list[0]), call.at);
    if (heap.kind == HeapKind::Script)
        Stop(call.at, fmt::format("`{}` is an allocator of the script", heap.name),
             "a procedure of its own that ends it");
    if (heap.kind == HeapKind::Default) Report(heap);
    const bool duck = heap.wasResidue;
    heaps_->Destroy(heap, fmt::format("was destroyed in line {}", call.at.line));
    ThrowIfHalted();
    if (duck) {
        Output(true, alloc::kDuck);
        result_.duck = true;
    }
    return Value::Of(types_.Of(TypeKind::Void), 0);
}

// The library's own allocators are made when somebody first asks for one, and live in globals of their own.
Value Interpreter::OwnAllocator(HeapKind kind, const char* name, std::uint64_t& address, std::uint32_t& number,
                                const Location& at) {
    NeedOs(at);
    const Type* type = types_.Allocator();
    if (address == 0) {
        const Heap* heap = heaps_->Create(kind, {}, name);
        const auto place = memory_.AddStatic(type->size, type->alignment);
        if (heap == nullptr || !place) Stop(at, "there is no room for the allocator");
        address = *place;
        number = heap->number;
        StoreValue(AllocatorValue(*heap), memory_.Real(address));
    }
    return Value::Of(types_.PointerTo(type), address);
}

Value Interpreter::GlobalAllocatorPointer(const Location& at) {
    return OwnAllocator(HeapKind::Default, "GlobalAllocator", globalAllocator_, globalHeap_, at);
}

Value Interpreter::SystemPointer(const Location& at) {
    return OwnAllocator(HeapKind::System, "system", systemAllocator_, systemHeap_, at);
}

Value Interpreter::LibraryValue(LibraryId id, const Location& at) {
    if (id == LibraryId::ProfileValue) return Value::Of(types_.Profile(), static_cast<std::uint64_t>(options_.profile));
    const Value pointer = GlobalAllocatorPointer(at);
    return LoadValue(types_.Allocator(), memory_.Real(detail::AddressOf(pointer.bits)));
}

std::uint64_t Interpreter::TraceLength(std::uint32_t trace) const {
    if (trace == 0 || trace > traces_.size()) return 0;
    return paths_.FramesOf(program_, traces_[trace - 1]).size();
}

Value Interpreter::TraceEntry(std::uint32_t trace, std::uint64_t index) {
    const auto frames = paths_.FramesOf(program_, traces_[trace - 1]);
    const Type* type = types_.TraceEntry();
    Value entry = Value::Zero(type);
    StoreValue(StringValue(frames[index].procedure), entry.bytes.data() + type->Find("name")->offset);
    StoreValue(StringValue(frames[index].file), entry.bytes.data() + type->Find("file")->offset);
    StoreValue(Unsigned(frames[index].line), entry.bytes.data() + type->Find("line")->offset);
    return entry;
}

// A value to be shown. A result that was kept, with `?` here or in a variable, shows its error's name; any other one is
// used as its value, and an error stops the program.
Value Interpreter::EvaluateShown(const Expression& expression) {
    Value value = Evaluate(expression);
    const bool kept = expression.kind == ExpressionKind::Keep || expression.kind == ExpressionKind::Name ||
                      expression.kind == ExpressionKind::Member || expression.kind == ExpressionKind::Index ||
                      expression.kind == ExpressionKind::Dereference;
    if (value.type->kind == TypeKind::Union && IsError(value) && !kept) return Unwrap(std::move(value), expression.at);
    return value;
}

void Interpreter::PrintCall(const Expression& call, bool isError, bool line) {
    std::string text;
    if (!call.list.empty()) {
        std::vector<Value> values;
        for (std::size_t i = 1; i < call.list.size(); ++i) values.push_back(EvaluateShown(*call.list[i]));
        const Value first = EvaluateShown(*call.list[0]);
        if (first.type->kind == TypeKind::String)
            text = Formatted(TextOf(first), values, call.at);
        else if (values.empty())
            Append(text, first, 0);
        else
            Stop(call.list[0]->at, fmt::format("this is {}", first.type->name), "a string with a {} for each value");
    }
    if (line) text += '\n';
    Charge(text.size() / 4);
    Output(isError, text);
}

}  // namespace residue::scenario::detail
