// Statements; values are in checker_expressions.cpp and checker_calls.cpp, types in checker_types.cpp.
#include "scenario/detail/checker.hpp"

#include <fmt/format.h>

#include "scenario/detail/value.hpp"

namespace residue::scenario::detail {

void Checker::Check() {
    for (const std::uint32_t file : program_.order) {
        for (const Statement* item : program_.trees[file].items) CheckStatement(*item);
    }
    for (const Procedure& procedure : program_.procedures) CheckProcedure(procedure);
}

void Checker::CheckProcedure(const Procedure& procedure) {
    procedure_ = &procedure;
    locals_.assign(procedure.slots.size(), {});
    result_ = procedure.result == nullptr ? types_.Of(TypeKind::Void) : Resolve(procedure.result);
    for (std::size_t i = 0; i < procedure.parameters.size() && i < locals_.size(); ++i) {
        locals_[i] = {Resolve(procedure.parameters[i].type), true};
    }
    if (procedure.body != nullptr) CheckStatement(*procedure.body);
    procedure_ = nullptr;
}

void Checker::CheckStatement(const Statement& statement) {
    switch (statement.kind) {
        case StatementKind::Nothing:
        case StatementKind::Break:
        case StatementKind::Continue: break;
        case StatementKind::Expression: (void)TypeOf(*statement.value); break;
        case StatementKind::Declare: CheckDeclare(statement); break;
        case StatementKind::Assign: CheckAssign(statement); break;
        case StatementKind::If:
        case StatementKind::While: CheckCondition(*statement.value); break;
        case StatementKind::For:
        case StatementKind::Match: Visit(*statement.value); break;
        case StatementKind::Return: CheckReturn(statement); break;
        case StatementKind::Defer:
        case StatementKind::Block: break;
    }
    for (const Statement* part :
         {static_cast<const Statement*>(statement.body), static_cast<const Statement*>(statement.otherwise)}) {
        if (part != nullptr) CheckStatement(*part);
    }
    for (const Statement* each : statement.list) CheckStatement(*each);
    for (const MatchArm& arm : statement.arms) CheckStatement(*arm.body);
}

const Type* Checker::Plain(const Type* type) const {
    if (type == nullptr || type->kind != TypeKind::Union) return type;
    return type->element == nullptr ? types_.Of(TypeKind::Void) : type->element;
}

// As Interpreter::Settled: what a variable becomes whose type is not written.
const Type* Checker::Settled(const Type* type, const Expression& from) {
    if (from.kind != ExpressionKind::Keep) type = Plain(type);
    if (type == nullptr) return nullptr;
    switch (type->kind) {
        case TypeKind::UntypedInteger: {
            const bool isSmall = from.kind != ExpressionKind::Integer || from.integer <= 0x7FFF'FFFF;
            // What is computed from literals may be larger than it looks.
            return isSmall && (from.kind == ExpressionKind::Integer || from.kind == ExpressionKind::Negate)
                       ? types_.Scalar(ScalarKind::I32)
                       : nullptr;
        }
        case TypeKind::UntypedReal: return types_.Scalar(ScalarKind::F64);
        case TypeKind::Shorthand:
            messages_.Error(from.at, fmt::format("of which enum is `.{}`?", from.name),
                            "the enum before the dot, or a type after the variable's name");
            return nullptr;
        case TypeKind::Nothing:
            messages_.Error(from.at, "nothing of which type?",
                            "a type after the variable's name, as in next : ?^Node = nothing");
            return nullptr;
        case TypeKind::Void: messages_.Error(from.at, "this gives no value", "a value"); return nullptr;
        default: return type;
    }
}

void Checker::SetVariable(const Target& target, const Type* type) {
    std::vector<Variable>& variables = target.global ? globals_ : locals_;
    if (target.slot >= variables.size()) return;
    Variable& variable = variables[target.slot];
    // The branches of a `comptime if` may make it of two types.
    if (variable.known && variable.type != type) type = nullptr;
    variable = {type, true};
}

void Checker::CheckDeclare(const Statement& statement) {
    const Type* type = statement.type == nullptr ? nullptr : Resolve(statement.type);
    const Type* value = statement.value == nullptr ? nullptr : TypeOf(*statement.value, type);
    if (statement.tuple) {
        value = Plain(value);
        const bool fits =
            value != nullptr && value->kind == TypeKind::Tuple && value->fields.size() == statement.targets.size();
        for (std::size_t i = 0; i < statement.targets.size(); ++i) {
            const Target& target = statement.targets[i];
            if (target.declares) SetVariable(target, fits ? Known(value->fields[i].type) : nullptr);
        }
        return;
    }
    if (statement.type != nullptr) {
        if (statement.value != nullptr) Require(*statement.value, value, type);
    } else if (statement.value != nullptr) {
        type = Settled(value, *statement.value);
    }
    if (statement.targets[0].declares) SetVariable(statement.targets[0], type);
}

void Checker::CheckAssign(const Statement& statement) {
    if (statement.tuple) {
        Visit(*statement.value);
        for (const Target& target : statement.targets) {
            if (target.declares) SetVariable(target, nullptr);
        }
        return;
    }
    const Target& target = statement.targets[0];
    const Type* place = target.place == nullptr ? nullptr : TypeOf(*target.place);
    const Type* value = TypeOf(*statement.value, place);
    if (!statement.compound) return Require(*statement.value, value, place);
    (void)Computed(statement.at, statement.operation, Known(Plain(place)), Known(Plain(value)));
}

void Checker::CheckReturn(const Statement& statement) {
    if (procedure_ == nullptr) return;
    if (statement.value != nullptr) {
        const Type* value = TypeOf(*statement.value, result_);
        if (procedure_->result != nullptr) Require(*statement.value, value, result_);
        return;
    }
    const bool needsValue = result_ != nullptr && result_->kind != TypeKind::Void && result_->kind != TypeKind::Union;
    if (needsValue) messages_.Error(statement.at, "`return` without a value", result_->name);
}

void Checker::CheckCondition(const Expression& condition) {
    const Type* type = TypeOf(condition);
    if (type == nullptr || type->kind == TypeKind::Bool || type->kind == TypeKind::Union) return;
    Wrong(condition.at, type, "true or false: a bool, or a result to test");
}

Diagnostic& Checker::Wrong(const Location& at, const Type* is, std::string expected) {
    return messages_.Error(at, fmt::format("this is {}", is->name), std::move(expected));
}

}  // namespace residue::scenario::detail
