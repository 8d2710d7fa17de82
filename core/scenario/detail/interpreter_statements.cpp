#include <fmt/format.h>

#include <algorithm>

#include "scenario/detail/expectations.hpp"
#include "scenario/detail/interpreter.hpp"

namespace residue::scenario::detail {

Interpreter::Flow Interpreter::Execute(const Statement& statement) {
    if (statement.kind == StatementKind::Block) return ExecuteBlock(statement);
    if (statement.kind == StatementKind::Nothing) return Flow::Normal;
    const Deeper deeper(*this, statement.at);
    Step(statement);
    return statement.expects.empty() ? ExecuteKind(statement) : ExecuteExpecting(statement);
}

Interpreter::Flow Interpreter::ExecuteExpecting(const Statement& statement) {
    const Before before = Remember();
    const bool forErrors = std::any_of(statement.expects.begin(), statement.expects.end(),
                                       [](const ExpectClause& clause) { return clause.key == "error"; });
    ++expecting_;
    expectingErrors_ += forErrors ? 1 : 0;
    Flow flow = Flow::Normal;
    try {
        flow = ExecuteKind(statement);
    } catch (const Halt&) {
        --expecting_;
        for (const ExpectClause& clause : statement.expects) {
            if (clause.key != "error") continue;
            CheckClause(clause, before);
            result_.errorExpected |= answered_[clause.index] == 1 && result_.ending == Ending::Error;
        }
        throw;
    }
    --expecting_;
    expectingErrors_ -= forErrors ? 1 : 0;
    Check(statement.expects, before, false);
    return flow;
}

Interpreter::Flow Interpreter::ExecuteKind(const Statement& statement) {
    switch (statement.kind) {
        case StatementKind::Nothing: return Flow::Normal;
        case StatementKind::Block: return ExecuteBlock(statement);
        case StatementKind::Expression: ExecuteExpression(statement); return Flow::Normal;
        case StatementKind::Declare: ExecuteDeclare(statement); return Flow::Normal;
        case StatementKind::Assign: ExecuteAssign(statement); return Flow::Normal;
        case StatementKind::If: {
            const bool isTrue = IsTrue(*statement.value);
            const Statement* branch = isTrue ? statement.body : statement.otherwise;
            return branch == nullptr ? Flow::Normal : ExecuteBody(*branch);
        }
        case StatementKind::For: return ExecuteFor(statement);
        case StatementKind::While: return ExecuteWhile(statement);
        case StatementKind::Match: return ExecuteMatch(statement);
        case StatementKind::Return: {
            const Type* result = Top().result;
            if (statement.value == nullptr) {
                const bool needsValue = result->kind != TypeKind::Void && !(result->kind == TypeKind::Union);
                if (needsValue) Stop(statement.at, "`return` without a value", result->name);
                returned_ = Value::Zero(result);
            } else {
                returned_ = Coerce(EvaluateMoving(*statement.value, result), result, statement.value->at);
            }
            return Flow::Return;
        }
        case StatementKind::Defer: Top().deferred.push_back(statement.body); return Flow::Normal;
        case StatementKind::Break: return Flow::Break;
        case StatementKind::Continue: return Flow::Continue;
    }
    return Flow::Normal;
}

Interpreter::Flow Interpreter::ExecuteBlock(const Statement& statement) {
    const std::size_t deferred = Top().deferred.size();
    Flow flow = Flow::Normal;
    try {
        for (const Statement* each : statement.list) {
            flow = Execute(*each);
            if (flow != Flow::Normal) break;
        }
    } catch (const TryReturn&) {
        RunDeferred(deferred);
        throw;
    }
    if (Top().deferred.size() > deferred && Top().procedure != nullptr) RunDeferred(deferred);
    return flow;
}

// At file level a branch of `comptime if` is the file's own: its defers run at the end.
Interpreter::Flow Interpreter::ExecuteBody(const Statement& body) {
    return body.kind == StatementKind::Block ? ExecuteBlock(body) : Execute(body);
}

void Interpreter::RunDeferred(std::size_t downTo) {
    Value returned = std::move(returned_);
    while (Top().deferred.size() > downTo) {
        const Statement* last = Top().deferred.back();
        Top().deferred.pop_back();
        (void)Execute(*last);
    }
    returned_ = std::move(returned);
}

void Interpreter::ExecuteExpression(const Statement& statement) {
    const Value value = Evaluate(*statement.value);
    if (value.type->kind != TypeKind::Union || !IsError(value) || statement.value->kind == ExpressionKind::Keep) return;
    if (value.type->error == nullptr) return;
    const bool expected = std::any_of(statement.expects.begin(), statement.expects.end(),
                                      [](const ExpectClause& clause) { return clause.key == "error"; });
    const std::string name = ErrorName(value);
    if (!expected) {
        Warn(statement.at, name, fmt::format("the error {}{} is thrown away", name, Because(name)),
             "test it with `if`, hand it on with `try`, or stop with `!`");
    }
}

void Interpreter::ExecuteDeclare(const Statement& statement) {
    const Type* type = statement.type == nullptr ? nullptr : Resolve(statement.type);
    if (type != nullptr && !type->HasSize()) Stop(statement.type->at, fmt::format("no variable can be {}", type->name));
    const Target& target = statement.targets[0];
    if (statement.value == nullptr) {
        const SlotName name = NameOf(target.slot, target.global);
        Declare(name, type);
        Initialise(name, Value::Zero(type));
        return;
    }
    declaring_ = statement.tuple ? std::string() : std::string(target.name);
    Value value = EvaluateMoving(*statement.value, type);
    declaring_.clear();
    if (statement.tuple) return StoreParts(statement, std::move(value));
    value = type != nullptr ? Coerce(std::move(value), type, statement.value->at)
                            : Settled(std::move(value), *statement.value);
    if (!target.declares) return;
    const SlotName name = NameOf(target.slot, target.global);
    Declare(name, value.type);
    Initialise(name, std::move(value));
}

// A tuple's parts, to variables or places.
void Interpreter::StoreParts(const Statement& statement, Value value) {
    value = Plain(std::move(value), statement.value->at);
    const std::size_t count = statement.targets.size();
    if (value.type->kind != TypeKind::Tuple || value.type->fields.size() != count) {
        Stop(statement.value->at, fmt::format("this is {}", value.type->name),
             fmt::format("a tuple of {} parts", count));
    }
    for (std::size_t i = 0; i < count; ++i) {
        const Target& target = statement.targets[i];
        const Field& field = value.type->fields[i];
        Value part = PartOf(value, field.type, field.offset);
        if (target.declares) {
            const SlotName name = NameOf(target.slot, target.global);
            Declare(name, field.type);
            Initialise(name, std::move(part));
        } else if (target.place != nullptr) {
            const auto spot = Locate(*target.place);
            if (!spot) Stop(target.at, "nothing can be stored here", "a variable, a field or an element");
            Store(*spot, Coerce(std::move(part), spot->type, target.at), target.at);
            if (spot->slot) SlotOf(*spot->slot).moved = Moved::No;
        }
    }
}

void Interpreter::ExecuteAssign(const Statement& statement) {
    if (statement.tuple) return StoreParts(statement, EvaluateMoving(*statement.value, nullptr));
    if (statement.compound) return Compound(statement);
    const Target& target = statement.targets[0];
    if (target.place == nullptr) {  // _
        (void)Evaluate(*statement.value);
        return;
    }
    // The type that is asked for is known from the variable already.
    const auto variable = VariableOf(*target.place);
    const Type* want = variable ? SlotOf(*variable).type : nullptr;
    if (want == nullptr) {
        if (const auto before = Locate(*target.place)) want = before->type;
    }
    Value value = EvaluateMoving(*statement.value, want);
    const auto spot = Locate(*target.place);
    if (!spot) Stop(target.at, "nothing can be stored here", "a variable, a field or an element");
    Store(*spot, Coerce(std::move(value), spot->type, statement.value->at), target.at);
    if (spot->slot) SlotOf(*spot->slot).moved = Moved::No;
}

void Interpreter::Compound(const Statement& statement) {
    const Target& target = statement.targets[0];
    const auto spot = target.place == nullptr ? std::nullopt : Locate(*target.place);
    if (!spot) Stop(target.at, "nothing can be stored here", "a variable, a field or an element");
    Value right = EvaluatePlain(*statement.value, spot->type);
    Value result =
        Binary(statement.operation, Plain(Load(*spot, target.at), target.at), std::move(right), statement.at);
    Store(*spot, Coerce(std::move(result), spot->type, statement.value->at), target.at);
}

Interpreter::Flow Interpreter::ExecuteFor(const Statement& statement) {
    const Expression& over = *statement.value;
    if (over.kind == ExpressionKind::Range) {
        Value from = EvaluatePlain(*over.a);
        Value to = EvaluatePlain(*over.b);
        return ForRange(statement, std::move(from), std::move(to), over.truth);
    }
    const auto spot = LocateThrough(over);
    if (spot && (spot->type->kind == TypeKind::Array || spot->type->arrayElement != nullptr))
        return ForElements(statement);
    Value value = EvaluatePlain(over);
    if (value.type->IsInteger())
        return ForRange(statement, Value::Of(types_.Of(TypeKind::UntypedInteger), 0), std::move(value), false);
    bool ends = false;
    Flow flow = Flow::Normal;
    if (value.type == types_.CallTrace()) {
        const auto trace = static_cast<std::uint32_t>(PartOf(value, types_.Scalar(ScalarKind::U32), 0).bits);
        for (std::uint64_t i = 0; i < TraceLength(trace) && !ends; ++i)
            flow = Turn(statement, TraceEntry(trace, i), ends);
    } else if (value.type->kind == TypeKind::Array) {
        const Type* element = value.type->element;
        for (std::uint64_t i = 0; i < value.type->count && !ends; ++i) {
            flow = Turn(statement, PartOf(value, element, i * element->size), ends);
        }
    } else if (value.type->kind == TypeKind::String) {
        const std::string text(TextOf(value));
        for (std::size_t i = 0; i < text.size() && !ends; ++i) {
            flow =
                Turn(statement, Value::Of(types_.Scalar(ScalarKind::Char), static_cast<unsigned char>(text[i])), ends);
        }
    } else {
        Stop(over.at, fmt::format("nothing runs over {}", value.type->name),
             "a range, a number, an array or a DynamicArray");
    }
    return flow;
}

// One turn of a loop; `ends`: it was the last. What is returned is what the loop returns then.
Interpreter::Flow Interpreter::Turn(const Statement& statement, Value element, bool& ends) {
    CountStep();
    const Target& target = statement.targets[0];
    if (target.declares) {
        const SlotName name = NameOf(target.slot, target.global);
        Declare(name, element.type);
        Initialise(name, std::move(element));
    }
    const Flow flow = ExecuteBody(*statement.body);
    ends = flow == Flow::Break || flow == Flow::Return;
    return flow == Flow::Return ? flow : Flow::Normal;
}

Interpreter::Flow Interpreter::ForRange(const Statement& statement, Value from, Value to, bool inclusive) {
    const Location at = statement.value->at;
    if (!from.type->IsInteger() || !to.type->IsInteger()) {
        Stop(at, fmt::format("a range from {} to {}", from.type->name, to.type->name), "integers");
    }
    const Type* type = from.type->kind == TypeKind::Integer ? from.type : to.type;
    if (type->kind == TypeKind::UntypedInteger) type = types_.Scalar(ScalarKind::I32);
    from = Coerce(std::move(from), type, at);
    to = Coerce(std::move(to), type, at);
    const auto below = [&](std::uint64_t a, std::uint64_t b) {
        return type->isSigned ? static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b) : a < b;
    };
    bool ends = false;
    Flow flow = Flow::Normal;
    for (std::uint64_t i = from.bits; !ends && (below(i, to.bits) || (inclusive && i == to.bits)); ++i) {
        flow = Turn(statement, Value::Of(type, i), ends);
        if (i == to.bits) break;  // the largest number there is
    }
    return flow;
}

// An array or a DynamicArray in memory: each element as it is when its turn comes.
Interpreter::Flow Interpreter::ForElements(const Statement& statement) {
    const Expression& over = *statement.value;
    const auto whole = LocateThrough(over);
    const bool isDynamic = whole->type->arrayElement != nullptr;
    const std::uint64_t count = isDynamic ? ReadField(*whole, "size") : whole->type->count;
    const Type* element = isDynamic ? whole->type->arrayElement : whole->type->element;
    bool ends = false;
    Flow flow = Flow::Normal;
    for (std::uint64_t i = 0; i < count && !ends; ++i) {
        Spot spot;
        if (isDynamic) {
            spot.type = element;
            const std::uint64_t buffer = ReadField(*whole, "buffer");
            spot.tag = TagOf(buffer);
            spot.address = detail::AddressOf(buffer) + i * element->size;
        } else {
            spot = PartOfSpot(*whole, element, i * element->size);
        }
        flow = Turn(statement, Load(spot, over.at), ends);
    }
    return flow;
}

Interpreter::Flow Interpreter::ExecuteWhile(const Statement& statement) {
    while (IsTrue(*statement.value)) {
        CountStep();
        const Flow flow = ExecuteBody(*statement.body);
        if (flow == Flow::Return) return flow;
        if (flow == Flow::Break) break;
        Top().line = statement.at.line;
        Top().at = statement.at;
    }
    return Flow::Normal;
}

Interpreter::Flow Interpreter::ExecuteMatch(const Statement& statement) {
    const Value value = Evaluate(*statement.value);
    for (const MatchArm& arm : statement.arms) {
        Value bound;
        if (!Matches(arm, value, bound)) continue;
        if (!arm.binding.empty() && arm.binding != "_") {
            const SlotName name = NameOf(arm.slot, arm.global);
            Declare(name, bound.type);
            Initialise(name, std::move(bound));
        }
        return ExecuteBody(*arm.body);
    }
    return Flow::Normal;
}

bool Interpreter::Matches(const MatchArm& arm, const Value& value, Value& bound) {
    const bool isUnion = value.type->kind == TypeKind::Union;
    const bool isError = isUnion && IsError(value);
    if (arm.binding == "_") return true;
    if (!arm.binding.empty()) {  // a name for the value: not for an error
        if (isError) return false;
        bound = Coerce(isUnion ? Unwrap(value, arm.at) : value, isUnion ? value.type->element : nullptr, arm.at);
        if (!bound.type->HasSize()) Stop(arm.at, "there is no value to give a name", "_");
        return true;
    }
    Value subject = value;
    if (!arm.caseName.empty() && isUnion) {
        if (!isError || value.type->error == nullptr) return false;
        subject = PartOf(value, value.type->error, value.type->payload);
    } else if (isError) {
        return false;
    } else {
        subject = Plain(value, arm.at);
    }
    if (!arm.caseName.empty()) {
        if (subject.type->kind != TypeKind::Enum) {
            Stop(arm.at, fmt::format("`.{}` is a case, what is matched is {}", arm.caseName, subject.type->name),
                 "an enum");
        }
        return subject.bits == EnumValue(subject.type, arm.caseName, arm.at).bits;
    }
    Value other = EvaluatePlain(*arm.value, subject.type);
    return Compare(Operation::Equal, std::move(subject), std::move(other), arm.at).bits != 0;
}

}  // namespace residue::scenario::detail
