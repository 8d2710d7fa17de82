#include <fmt/format.h>

#include <algorithm>

#include "scenario/detail/expectation_keys.hpp"
#include "scenario/detail/library.hpp"
#include "scenario/detail/resolver.hpp"
#include "scenario/detail/scalars.hpp"

namespace residue::scenario::detail {
namespace {

bool IsType(Reference reference) {
    switch (reference.kind) {
        case ReferenceKind::Struct:
        case ReferenceKind::Enum:
        case ReferenceKind::Generic:
        case ReferenceKind::Scalar: return true;
        case ReferenceKind::Library: return kLibrary[reference.index].kind == LibraryKind::Type;
        default: return false;
    }
}

bool IsModule(Reference reference) {
    return reference.kind == ReferenceKind::Module || reference.kind == ReferenceKind::File;
}

Reference OfLibrary(const LibraryEntry* entry) {
    return {ReferenceKind::Library, static_cast<std::uint32_t>(entry - kLibrary)};
}

}  // namespace

std::optional<Reference> Resolver::Find(std::string_view name) const {
    if (const Variable* variable = FindVariable(name)) {
        return Reference{variable->global ? ReferenceKind::Global : ReferenceKind::Local, variable->slot};
    }
    if (generics_ != nullptr) {
        const auto generic = std::find(generics_->begin(), generics_->end(), name);
        if (generic != generics_->end()) {
            return Reference{ReferenceKind::Generic, static_cast<std::uint32_t>(generic - generics_->begin())};
        }
    }
    const auto& names = program_.trees[file_].names;
    if (const auto found = names.find(name); found != names.end()) return found->second;
    if (const auto scalar = FindScalar(name))
        return Reference{ReferenceKind::Scalar, static_cast<std::uint32_t>(*scalar)};
    if (const LibraryEntry* entry = FindVisible(name)) return OfLibrary(entry);
    if (const LibraryModule* module = FindModule(name)) {
        return Reference{ReferenceKind::Module, static_cast<std::uint32_t>(*module)};
    }
    return std::nullopt;
}

std::optional<Reference> Resolver::FindIn(Reference owner, std::string_view name) const {
    if (owner.kind == ReferenceKind::Module) {
        const LibraryEntry* entry = FindInModule(static_cast<LibraryModule>(owner.index), name);
        return entry == nullptr ? std::nullopt : std::optional(OfLibrary(entry));
    }
    const auto& names = program_.trees[owner.index].names;
    const auto found = names.find(name);
    return found == names.end() ? std::nullopt : std::optional(found->second);
}

// The module in front of a name that is only visible through it; null: there is none.
const char* Resolver::ModuleWith(std::string_view name) const {
    const char* module = nullptr;
    VisitLibrary([&](const LibraryEntry& entry) {
        if (entry.name == name && module == nullptr) module = NameOf(entry.module) + 4;  // behind "std."
    });
    return module;
}

void Resolver::Unknown(const Location& at, std::string_view name, bool type, const char* otherwise) {
    if (messages_.IsFull() || program_.doubtful.contains(name)) return;
    NearName near(name);
    for (const auto& [known, variables] : variables_) {
        if (!variables.empty() && !type) near.Offer(known);
    }
    for (const auto& [known, reference] : program_.trees[file_].names) {
        if (!type || IsType(reference)) near.Offer(known);
    }
    // What the script itself declares is meant sooner than what the library has.
    const bool own = !near.Best().empty();
    VisitLibrary([&](const LibraryEntry& entry) {
        if (own) return;
        const bool visible = entry.module == LibraryModule::Memory || entry.kind == LibraryKind::Type;
        if (visible && (!type || entry.kind == LibraryKind::Type)) near.Offer(entry.name);
    });
    if (!own) VisitScalars([&](std::string_view known) { near.Offer(known); });
    std::string hint = near.Hint();
    if (const char* module = ModuleWith(name)) hint = fmt::format("did you mean `{}.{}`?", module, Shown(name));
    if (expecting_ && FindExpectationKey(name) != nullptr)
        hint = fmt::format("`{} = ...` expects it of the statement: one `=`", name);
    if (*otherwise != 0) hint += (hint.empty() ? "" : " ") + std::string(otherwise);
    messages_.Error(at, fmt::format("{} `{}` is not known here", type ? "the type" : "the name", Shown(name)), "",
                    std::move(hint));
}

void Resolver::UnknownIn(const Location& at, Reference owner, std::string_view name) {
    if (messages_.IsFull()) return;
    NearName near(name);
    std::string where;
    if (owner.kind == ReferenceKind::Module) {
        const auto module = static_cast<LibraryModule>(owner.index);
        where = NameOf(module);
        VisitLibrary([&](const LibraryEntry& entry) {
            if (entry.module == module) near.Offer(entry.name);
        });
    } else {
        where = program_.files[owner.index].name;
        for (const auto& [known, reference] : program_.trees[owner.index].names) near.Offer(known);
    }
    messages_.Error(at, fmt::format("{} has no `{}`", where, Shown(name)), "", near.Hint());
}

void Resolver::ResolveValue(Expression* expression) {
    ResolveExpression(expression);
    if (expression->kind != ExpressionKind::Name && expression->kind != ExpressionKind::Member) return;
    const Reference reference = expression->reference;
    if (IsType(reference)) {
        messages_.Error(expression->at, fmt::format("`{}` is a type", Shown(expression->name)), "a value",
                        reference.kind == ReferenceKind::Scalar
                            ? fmt::format("`as` makes a value one: value as {}", expression->name)
                            : "");
    } else if (IsModule(reference)) {
        messages_.Error(expression->at, fmt::format("`{}` is a module", Shown(expression->name)),
                        fmt::format("one of its names, as in {}.Name", Shown(expression->name)));
    }
}

void Resolver::ResolveExpression(Expression* expression) {
    switch (expression->kind) {
        case ExpressionKind::Name: return ResolveName(*expression);
        case ExpressionKind::Member: return ResolveMember(*expression);
        case ExpressionKind::Call: return ResolveCall(*expression);
        case ExpressionKind::Try:
            if (procedure_ == nullptr || procedure_->result == nullptr || procedure_->result->form != TypeForm::Union) {
                messages_.Error(expression->at,
                                fmt::format("`try` hands an error on, but {} returns none",
                                            procedure_ == nullptr ? "a file" : fmt::format("`{}`", procedure_->name)),
                                "`!`, which stops the program, or a result type such as MemoryError?");
            }
            break;
        case ExpressionKind::Range: break;
        default: break;
    }
    if (expression->a != nullptr) ResolveValue(expression->a);
    if (expression->b != nullptr) ResolveValue(expression->b);
    if (expression->type != nullptr) ResolveType(expression->type);
    for (TypeExpression* type : expression->types) ResolveType(type);
    for (Expression* part : expression->list) ResolveValue(part);
    for (FieldValue& field : expression->fields) ResolveValue(field.value);
}

void Resolver::ResolveName(Expression& name) {
    if (name.name == "_") {
        messages_.Error(name.at, "`_` has no value", "the name of a variable");
        return;
    }
    const auto found = Find(name.name);
    if (found)
        name.reference = *found;
    else
        Unknown(name.at, name.name, false);
}

void Resolver::ResolveMember(Expression& member) {
    ResolveExpression(member.a);
    const bool named = member.a->kind == ExpressionKind::Name || member.a->kind == ExpressionKind::Member;
    if (!named) return;
    if (IsModule(member.a->reference)) {
        const auto found = FindIn(member.a->reference, member.name);
        if (found)
            member.reference = *found;
        else
            UnknownIn(member.nameAt, member.a->reference, member.name);
    } else if (IsType(member.a->reference)) {
        CheckEnumCase(member);
    }
}

void Resolver::CheckEnumCase(const Expression& member) {
    const Reference owner = member.a->reference;
    std::vector<std::string_view> cases;
    if (owner.kind == ReferenceKind::Enum) cases = program_.enums[owner.index].cases;
    if (owner.kind == ReferenceKind::Library) cases = LibraryCases(kLibrary[owner.index].id);
    if (cases.empty()) {
        messages_.Error(member.at, fmt::format("`{}` is a type that has no cases", Shown(member.a->name)),
                        "an enum before the dot");
        return;
    }
    if (std::find(cases.begin(), cases.end(), member.name) != cases.end()) return;
    NearName near(member.name);
    for (const std::string_view each : cases) near.Offer(each);
    messages_.Error(member.nameAt, fmt::format("`{}` has no case `{}`", member.a->name, Shown(member.name)), "",
                    near.Hint());
}

void Resolver::ResolveCall(Expression& call) {
    ResolveValue(call.a);
    for (TypeExpression* type : call.types) ResolveType(type);
    for (Expression* argument : call.list) ResolveValue(argument);
    CheckArguments(call);
}

void Resolver::CheckArguments(const Expression& call) {
    if (call.a->kind != ExpressionKind::Name && call.a->kind != ExpressionKind::Member) return;
    const Reference callee = call.a->reference;
    const std::size_t given = call.list.size();
    if (callee.kind == ReferenceKind::Procedure) {
        const Procedure& procedure = program_.procedures[callee.index];
        const std::size_t takes = procedure.parameters.size();
        // The document leaves the context argument out.
        const bool mayLeaveOut = takes > 0 && procedure.parameters[0].type->form == TypeForm::Pointer;
        if (given != takes && !(mayLeaveOut && given + 1 == takes)) {
            messages_
                .Error(call.at, fmt::format("`{}` takes {} argument{}, here are {}", procedure.name, takes,
                                            takes == 1 ? "" : "s", given))
                .others.push_back(PlaceOf(program_.files, procedure.at));
        }
        if (call.types.size() > procedure.generics.size()) {
            messages_.Error(call.at, fmt::format("`{}` takes {} type argument{}, here are {}", procedure.name,
                                                 procedure.generics.size(), procedure.generics.size() == 1 ? "" : "s",
                                                 call.types.size()));
        }
    } else if (callee.kind == ReferenceKind::Library) {
        const LibraryEntry& entry = kLibrary[callee.index];
        if (entry.kind != LibraryKind::Procedure) {
            messages_.Error(call.at, fmt::format("`{}` is no procedure", entry.name));
        } else if (given < entry.least || given > entry.most) {
            messages_.Error(call.at, fmt::format("`{}` with {} argument{}", entry.name, given, given == 1 ? "" : "s"),
                            entry.use);
        }
    }
}

void Resolver::ResolveType(TypeExpression* type) {
    if (type->form == TypeForm::Named) ResolveNamedType(*type);
    for (TypeExpression* argument : type->arguments) {
        ResolveType(argument);
        type->generic |= argument->generic;
        type->varies |= argument->varies;
    }
    for (TypeExpression* part : {type->element, type->error}) {
        if (part == nullptr) continue;
        ResolveType(part);
        type->generic |= part->generic;
        type->varies |= part->varies;
    }
    if (type->count == nullptr) return;
    ResolveValue(type->count);
    type->varies |= type->count->kind != ExpressionKind::Integer;
}

void Resolver::ResolveNamedType(TypeExpression& type) {
    auto found = Find(type.path[0]);
    if (!found) return Unknown(type.at, type.path[0], true);
    for (std::size_t i = 1; i < type.path.size(); ++i) {
        if (!IsModule(*found)) {
            messages_.Error(type.at, fmt::format("`{}` is no module", Shown(type.path[i - 1])),
                            "a module before the dot");
            return;
        }
        const Reference owner = *found;
        found = FindIn(owner, type.path[i]);
        if (!found) return UnknownIn(type.at, owner, type.path[i]);
    }
    if (!IsType(*found)) {
        messages_.Error(type.at, fmt::format("`{}` is no type", Shown(type.path.back())),
                        "a type, as in u32 or a struct's name");
        return;
    }
    type.reference = *found;
    type.generic = found->kind == ReferenceKind::Generic;
    CheckTypeArguments(type);
}

void Resolver::CheckTypeArguments(const TypeExpression& type) {
    std::size_t most = 0;
    if (type.reference.kind == ReferenceKind::Struct) most = program_.structs[type.reference.index].generics.size();
    if (type.reference.kind == ReferenceKind::Library) {
        const LibraryId id = kLibrary[type.reference.index].id;
        most = id == LibraryId::DynamicArrayType || id == LibraryId::AllocatorType ? 1 : 0;
    }
    if (type.arguments.size() <= most) return;
    messages_.Error(type.at, fmt::format("`{}` takes {} type argument{}, here are {}", Shown(type.path.back()), most,
                                         most == 1 ? "" : "s", type.arguments.size()));
}

}  // namespace residue::scenario::detail
