// Calls of the script's procedures.
#include <fmt/format.h>

#include <algorithm>

#include "scenario/detail/interpreter.hpp"

namespace residue::scenario::detail {
namespace {

constexpr std::size_t kMostCalls = 1000;

}  // namespace

Value Interpreter::EvaluateCall(const Expression& expression, const Type* want) {
    const Expression& callee = *expression.a;
    if (callee.kind == ExpressionKind::Name || callee.kind == ExpressionKind::Member) {
        if (callee.reference.kind == ReferenceKind::Procedure) return CallScript(callee.reference.index, expression);
        if (callee.reference.kind == ReferenceKind::Library)
            return CallLibrary(kLibrary[callee.reference.index].id, expression, want);
    }
    if (auto allocated = TryAllocatorCall(expression)) return std::move(*allocated);
    return CallValue(EvaluatePlain(callee), expression, want);
}

Value Interpreter::CallValue(const Value& procedure, const Expression& call, const Type* want) {
    if (procedure.type->kind != TypeKind::Procedure)
        Stop(call.a->at, fmt::format("{} cannot be called", procedure.type->name), "a procedure");
    if (procedure.bits == 0) Stop(call.a->at, "there is no procedure here", "a field that was given one");
    if ((procedure.bits & kFrameTag) != 0) {
        const std::uint64_t id = procedure.bits & ~kFrameTag;
        if (id > static_cast<std::uint64_t>(LibraryId::CoreFree)) Stop(call.a->at, "this is no procedure any more");
        const LibraryEntry& entry = EntryOf(static_cast<LibraryId>(id));
        const bool right =
            call.list.size() >= entry.least && call.list.size() <= entry.most && entry.kind == LibraryKind::Procedure;
        if (!right) Stop(call.at, fmt::format("`{}` with {} arguments", entry.name, call.list.size()), entry.use);
        return CallLibrary(entry.id, call, want);
    }
    if (procedure.bits > program_.procedures.size()) Stop(call.a->at, "this is no procedure any more");
    return CallScript(static_cast<std::uint32_t>(procedure.bits - 1), call);
}

Interpreter::Argument Interpreter::EvaluateArgument(const Expression& expression, const Type* want) {
    Argument argument;
    argument.lent = VariableOf(expression);
    if (argument.lent && SlotOf(*argument.lent).type != nullptr) {
        const Type* type = SlotOf(*argument.lent).type;
        // The array itself where a pointer to it is wanted: the document passes it so.
        const bool toArray = want != nullptr && want->kind == TypeKind::Pointer && want->element == type &&
                             type->arrayElement != nullptr;
        if (toArray) {
            argument.value = Value::Of(want, PointerTo(*Locate(expression)));
            argument.lent.reset();
            return argument;
        }
        if (type->kind != TypeKind::Pointer) argument.lent.reset();
    }
    argument.value = Evaluate(expression, want);
    return argument;
}

Value Interpreter::CallScript(std::uint32_t index, const Expression& call) {
    const Procedure& procedure = program_.procedures[index];
    const std::size_t takes = procedure.parameters.size();
    std::vector<Argument> arguments;
    arguments.reserve(takes);
    if (auto context = LeftOutContext(procedure, call.list.size())) arguments.push_back(std::move(*context));
    if (arguments.size() + call.list.size() != takes) {
        Stop(call.at, fmt::format("`{}` takes {} arguments, here are {}", procedure.name, takes, call.list.size()));
    }
    if (call.types.size() > procedure.generics.size()) {
        Stop(call.at, fmt::format("`{}` takes {} type arguments, here are {}", procedure.name,
                                  procedure.generics.size(), call.types.size()));
    }
    std::vector<const Type*> types;
    if (!procedure.generics.empty()) {
        types.assign(procedure.generics.size(), types_.Of(TypeKind::Unknown));
        for (std::size_t i = 0; i < call.types.size(); ++i) types[i] = Resolve(call.types[i]);
    }
    const std::size_t first = arguments.size();
    for (std::size_t i = first; i < takes; ++i) {
        const TypeExpression* pattern = procedure.parameters[i].type;
        // What is asked for is known where it does not hang on what comes.
        const Type* want = nullptr;
        if (!pattern->generic && !pattern->varies) want = Resolve(pattern);
        arguments.push_back(EvaluateArgument(*call.list[i - first], want));
        (void)Infer(*pattern, arguments.back().value.type, types);
    }
    return Invoke(index, EnvironmentOf(std::move(types)), std::move(arguments), call.at);
}

// The document leaves the context of an allocator's procedures out, where they call each other.
std::optional<Interpreter::Argument> Interpreter::LeftOutContext(const Procedure& procedure, std::size_t given) {
    if (given + 1 != procedure.parameters.size() || procedure.parameters[0].type->form != TypeForm::Pointer)
        return std::nullopt;
    Argument context;
    for (auto frame = frames_.rbegin(); frame != frames_.rend() && context.value.type == nullptr; ++frame)
        context.value = frame->context;
    if (context.value.type == nullptr) context.value = Value::Of(types_.PointerTo(types_.Allocator()), 0);
    return context;
}

void Interpreter::PushFrame(std::uint32_t index, const Environment* environment, const Location& at) {
    const Procedure& procedure = program_.procedures[index];
    if (frames_.size() >= kMostCalls) {
        Stop(at, fmt::format("`{}` is called {} deep", procedure.name, kMostCalls), "a recursion that ends");
    }
    Frame frame;
    frame.procedure = &procedure;
    frame.code = index;
    frame.file = procedure.at.file;
    frame.line = procedure.at.line;
    frame.at = procedure.at;
    frame.environment = environment;
    frame.slots = slots_.size();
    frame.serial = static_cast<std::uint32_t>(kFrameTag | (nextFrame_++ & 0x7FFF'FFFF));
    frame.caller = Here();
    frame.result = types_.Of(TypeKind::Void);
    const auto base = memory_.Push(0, 16);
    frame.stackBase = base ? *base : memory_.StackTop();
    slots_.resize(slots_.size() + procedure.slots.size());
    frames_.push_back(std::move(frame));
}

void Interpreter::PopFrame() {
    const Frame& frame = Top();
    // What main leaves stays, as the heap is left: the last position shows it.
    const bool isMain = frame.code == program_.mainProcedure && frames_.size() == 1;
    if (!isMain) {
        heaps_->DestroyOver(frame.stackBase, memory_.StackTop(),
                            fmt::format("has lost its memory: `{}` returned", frame.procedure->name));
        memory_.PopTo(frame.stackBase);
        slots_.resize(frame.slots);
    }
    frames_.pop_back();
    ThrowIfHalted();
}

Value Interpreter::Invoke(std::uint32_t index, const Environment* environment, std::vector<Argument> arguments,
                          const Location& at) {
    const Procedure& procedure = program_.procedures[index];
    PushFrame(index, environment, at);
    const std::size_t depth = frames_.size();
    const std::uint32_t structs = inStruct_;
    if (procedure.result != nullptr) {
        const Type* result = Resolve(procedure.result);
        Top().result = result;
    }
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const Type* type = Resolve(procedure.parameters[i].type);
        if (!type->HasSize()) {
            Stop(at, fmt::format("the type of `{}` is not known", procedure.parameters[i].name),
                 "type arguments, as in f<u32>(...)");
        }
        Value value = Coerce(std::move(arguments[i].value), type, at);
        if (i == 0 && type->kind == TypeKind::Pointer && type->element->IsAllocator()) Top().context = value;
        const SlotName name = NameOf(static_cast<std::uint32_t>(i), false);
        Declare(name, type);
        Initialise(name, std::move(value));
    }
    returned_ = Value{};
    try {
        if (procedure.body != nullptr) (void)ExecuteBody(*procedure.body);
    } catch (const TryReturn&) {
        frames_.resize(depth);
        inStruct_ = structs;
    }
    RunDeferred(0);
    Value result = std::move(returned_);
    returned_ = Value{};
    const Type* type = Top().result;
    if (result.type == nullptr) {
        const bool mayEnd = type->kind == TypeKind::Void || type->kind == TypeKind::Union;
        const bool noValue = type->kind == TypeKind::Union && type->element != nullptr;
        if (!mayEnd || noValue) {
            Stop(procedure.at, fmt::format("`{}` ended without a `return`", procedure.name),
                 fmt::format("a value of {}", type->name));
        }
        result = type->kind == TypeKind::Void ? Value::Of(type, 0) : Value::Zero(type);
    }
    std::vector<std::pair<SlotName, Slot>> given;
    gaveAway_.assign(arguments.size(), false);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const Slot& slot = SlotOf(NameOf(static_cast<std::uint32_t>(i), false));
        gaveAway_[i] = slot.moved != Moved::No;
        if (slot.moved != Moved::No && arguments[i].lent) given.emplace_back(*arguments[i].lent, slot);
    }
    PopFrame();
    // What the procedure gave away is the caller's no more.
    for (const auto& [name, slot] : given) GiveAway(name, slot.movedAt, slot.moved);
    return result;
}

}  // namespace residue::scenario::detail
