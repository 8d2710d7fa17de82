// Declarations and statements; expressions and types are in resolver_expressions.cpp.
#include "scenario/detail/resolver.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "scenario/detail/scalars.hpp"

namespace residue::scenario::detail {

void Resolver::Resolve() {
    for (const std::uint32_t file : program_.order) DeclareGlobals(file, program_.trees[file].items, false);
    for (const std::uint32_t file : program_.order) ResolveFile(file);
    for (StructDeclaration& declaration : program_.structs) {
        file_ = declaration.at.file;
        ResolveStruct(declaration);
    }
    for (Procedure& procedure : program_.procedures) {
        file_ = procedure.at.file;
        ResolveProcedure(procedure);
    }
    FindMain();
}

void Resolver::FindMain() {
    const auto& names = program_.trees[0].names;
    const auto found = names.find("main");
    if (found != names.end() && found->second.kind == ReferenceKind::Procedure) {
        program_.mainProcedure = found->second.index;
        const Procedure& main = program_.procedures[found->second.index];
        if (!main.parameters.empty()) messages_.Error(main.at, "`main` takes no arguments", "main :: proc()");
        return;
    }
    NearName near("main");
    for (const auto& [name, reference] : names) {
        if (reference.kind == ReferenceKind::Procedure) near.Offer(name);
    }
    messages_.Error({0, 0, 0, 0}, "there is no procedure `main`", "main :: proc() { ... }, where the program begins",
                    near.Hint());
}

// Before anything is resolved: procedures may use variables that are declared further down.
void Resolver::DeclareGlobals(std::uint32_t file, const std::vector<Statement*>& items, bool inBranch) {
    for (Statement* item : items) {
        if (item->kind == StatementKind::Declare || (item->kind == StatementKind::Assign && item->tuple)) {
            for (Target& target : item->targets) DeclareGlobal(file, target, item->constant, inBranch);
        }
        if (item->kind != StatementKind::If || !item->comptime) continue;
        for (Statement* branch : {item->body, item->otherwise}) {
            if (branch == nullptr) continue;
            const std::vector<Statement*> one{branch};
            DeclareGlobals(file, branch->kind == StatementKind::Block ? branch->list : one, true);
        }
    }
}

void Resolver::DeclareGlobal(std::uint32_t file, Target& target, bool constant, bool inBranch) {
    if (target.name.empty() || target.name == "_") return;
    auto& names = program_.trees[file].names;
    const auto known = names.find(target.name);
    target.global = target.declares = true;
    if (known != names.end()) {
        const bool otherBranch = inBranch && known->second.kind == ReferenceKind::Global;
        if (otherBranch) {
            target.slot = known->second.index;
            return;
        }
        messages_.Error(target.at, fmt::format("`{}` is declared twice in this file", Shown(target.name)),
                        "another name");
        return;
    }
    target.slot = static_cast<std::uint32_t>(program_.globals.size());
    names.emplace(target.name, Reference{ReferenceKind::Global, target.slot});
    program_.globals.push_back(target.name);
    program_.globalPlaces.push_back(target.at);
    globalConstant_.push_back(constant);
}

void Resolver::ResolveFile(std::uint32_t file) {
    file_ = file;
    procedure_ = nullptr;
    generics_ = outerGenerics_ = nullptr;
    const Scope scope(*this);
    for (Statement* item : program_.trees[file].items) ResolveStatement(*item);
}

void Resolver::ResolveStruct(StructDeclaration& declaration) {
    generics_ = &declaration.generics;
    if (declaration.base != nullptr) ResolveType(declaration.base);
    for (FieldDeclaration& field : declaration.fields) ResolveType(field.type);
    generics_ = nullptr;
}

void Resolver::ResolveProcedure(Procedure& procedure) {
    procedure_ = &procedure;
    generics_ = &procedure.generics;
    loops_ = 0;
    const Scope scope(*this);
    for (Parameter& parameter : procedure.parameters) {
        ResolveType(parameter.type);
        bool global = false;
        (void)DeclareLocal(parameter.name, parameter.at, false, &global);
    }
    if (procedure.result != nullptr) ResolveType(procedure.result);
    if (procedure.body != nullptr) ResolveBody(procedure.body);
    procedure_ = nullptr;
    generics_ = nullptr;
    ResolveExpects(procedure.expects);
}

std::uint32_t Resolver::DeclareLocal(std::string_view name, const Location& at, bool constant, bool* global) {
    *global = procedure_ == nullptr;
    std::vector<std::string_view>& slots = procedure_ == nullptr ? program_.globals : procedure_->slots;
    const auto slot = static_cast<std::uint32_t>(slots.size());
    slots.push_back(name);
    if (*global) {
        program_.globalPlaces.push_back(at);
        globalConstant_.push_back(constant);
    }
    std::vector<Variable>& same = variables_[name];
    if (!same.empty() && same.back().scope == scope_) {
        messages_
            .Error(at, fmt::format("`{}` is declared here and in line {}", Shown(name), same.back().at.line),
                   "another name, or `=` to store into the one that is there")
            .others.push_back(PlaceOf(program_.files, same.back().at));
    }
    same.push_back({slot, *global, constant, at, scope_});
    declared_.push_back(name);
    return slot;
}

const Resolver::Variable* Resolver::FindVariable(std::string_view name) const {
    const auto found = variables_.find(name);
    return found == variables_.end() || found->second.empty() ? nullptr : &found->second.back();
}

void Resolver::ResolveStatement(Statement& statement) {
    ResolveKind(statement);
    ResolveExpects(statement.expects);
}

void Resolver::ResolveKind(Statement& statement) {
    switch (statement.kind) {
        case StatementKind::Nothing: break;
        case StatementKind::Expression: ResolveValue(statement.value); break;
        case StatementKind::Declare: ResolveDeclare(statement); break;
        case StatementKind::Assign: ResolveAssign(statement); break;
        case StatementKind::If: {
            ResolveValue(statement.value);
            // At file level the branches' declarations are the file's.
            const bool sameScope = statement.comptime && procedure_ == nullptr;
            for (Statement* branch : {statement.body, statement.otherwise}) {
                if (branch == nullptr) continue;
                if (!sameScope) {
                    ResolveBody(branch);
                } else if (branch->kind == StatementKind::Block) {
                    for (Statement* each : branch->list) ResolveStatement(*each);
                } else {
                    ResolveStatement(*branch);
                }
            }
            break;
        }
        case StatementKind::For: {
            ResolveValue(statement.value);
            const Scope scope(*this);
            Target& target = statement.targets[0];
            if (target.name == "_")
                target.declares = false;
            else
                target.slot = DeclareLocal(target.name, target.at, false, &target.global);
            ++loops_;
            ResolveBody(statement.body);
            --loops_;
            break;
        }
        case StatementKind::While:
            ResolveValue(statement.value);
            ++loops_;
            ResolveBody(statement.body);
            --loops_;
            break;
        case StatementKind::Match: ResolveMatch(statement); break;
        case StatementKind::Return:
            if (procedure_ == nullptr)
                messages_.Error(statement.at, "`return` outside of a procedure");
            else if (statement.value != nullptr && procedure_->result == nullptr) {
                messages_.Error(statement.value->at, fmt::format("`{}` returns no value", procedure_->name),
                                "a result type after its parameters, as in proc() -> u32");
            }
            if (statement.value != nullptr) ResolveValue(statement.value);
            break;
        case StatementKind::Defer: ResolveBody(statement.body); break;
        case StatementKind::Block: {
            const Scope scope(*this);
            for (Statement* each : statement.list) ResolveStatement(*each);
            break;
        }
        case StatementKind::Break:
        case StatementKind::Continue:
            if (loops_ == 0) {
                messages_.Error(statement.at,
                                fmt::format("`{}` outside of a loop",
                                            statement.kind == StatementKind::Break ? "break" : "continue"),
                                "a `for` or a `while` around it");
            }
            break;
    }
}

void Resolver::ResolveBody(Statement* body) {
    const Scope scope(*this);
    ResolveStatement(*body);
}

void Resolver::ResolveDeclare(Statement& statement) {
    if (statement.type != nullptr) ResolveType(statement.type);
    if (statement.value != nullptr) ResolveValue(statement.value);
    if (statement.value == nullptr && statement.type != nullptr && statement.type->form == TypeForm::Pointer) {
        messages_.Error(statement.at, fmt::format("the pointer `{}` has no value", Shown(statement.targets[0].name)),
                        "a value: pointers have no zero", "a pointer that may be missing has the type ?^T");
    }
    for (Target& target : statement.targets) {
        const bool known = target.global && procedure_ == nullptr;  // DeclareGlobals has done it
        if (!target.declares || known) continue;
        target.slot = DeclareLocal(target.name, target.at, statement.constant, &target.global);
    }
}

void Resolver::ResolveAssign(Statement& statement) {
    ResolveValue(statement.value);
    for (Target& target : statement.targets) {
        const bool known = target.global && target.declares && procedure_ == nullptr;
        // The document declares with `(a, b) = ...`.
        if (!known && statement.tuple && !target.name.empty() && target.name != "_" && !Find(target.name)) {
            target.declares = true;
            target.slot = DeclareLocal(target.name, target.at, false, &target.global);
            continue;
        }
        if (!known && target.place != nullptr) ResolveTarget(target);
    }
}

void Resolver::ResolveTarget(Target& target) {
    Expression& place = *target.place;
    if (place.kind == ExpressionKind::Name && place.name != "_" && !Find(place.name))
        return Unknown(place.at, place.name, false, "`:=` declares a new variable");
    ResolveValue(&place);
    if (place.kind != ExpressionKind::Name) return;
    const Variable* variable = FindVariable(place.name);
    const bool isLocal = variable != nullptr;
    const bool isGlobal = !isLocal && place.reference.kind == ReferenceKind::Global;
    const bool constant = isLocal ? variable->constant : isGlobal && globalConstant_[place.reference.index];
    if (constant) {
        messages_.Error(place.at, fmt::format("`{}` is a constant", place.name), "a variable, declared with `:=`");
    } else if (!isLocal && !isGlobal && place.reference.kind != ReferenceKind::None) {
        messages_.Error(place.at, fmt::format("`{}` is no variable", place.name), "a variable, declared with `:=`");
    }
}

void Resolver::ResolveMatch(Statement& statement) {
    ResolveValue(statement.value);
    for (MatchArm& arm : statement.arms) {
        const Scope scope(*this);
        if (arm.value != nullptr) ResolveValue(arm.value);
        if (!arm.binding.empty() && arm.binding != "_") {
            arm.slot = DeclareLocal(arm.binding, arm.at, false, &arm.global);
        }
        ResolveStatement(*arm.body);
    }
}

void Resolver::ResolveExpects(std::vector<ExpectClause>& expects) {
    expecting_ = true;
    for (ExpectClause& clause : expects) {
        if (clause.value != nullptr) ResolveValue(clause.value);
        if (clause.of != nullptr) ResolveValue(clause.of);
        if (!clause.caseName.empty()) CheckErrorName(clause);
    }
    expecting_ = false;
}

// An expected error that no enum has would never come.
void Resolver::CheckErrorName(const ExpectClause& clause) {
    NearName near(clause.caseName);
    bool known = false;
    const auto look = [&](const std::vector<std::string_view>& cases) {
        for (const std::string_view each : cases) {
            near.Offer(each);
            known = known || each == clause.caseName;
        }
    };
    look(LibraryCases(LibraryId::MemoryErrorType));
    look(LibraryCases(LibraryId::AccessErrorType));
    for (const EnumDeclaration& declaration : program_.enums) look(declaration.cases);
    if (known) return;
    messages_.Error(clause.at, fmt::format("there is no error `.{}`", Shown(clause.caseName)),
                    "a case of MemoryError, of an enum of the script, .Dangling or .OutOfBounds", near.Hint());
}

}  // namespace residue::scenario::detail
