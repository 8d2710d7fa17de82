// Says of every name what it stands for, gives variables their slots, and finds what can be found without running:
// unknown names (with the near ones), wrong numbers of arguments, constants that are stored into, `break` without a
// loop.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "scenario/detail/messages.hpp"
#include "scenario/detail/near_name.hpp"
#include "scenario/detail/program_data.hpp"

namespace residue::scenario::detail {

class Resolver {
public:
    Resolver(ProgramData& program, Messages& messages) : program_(program), messages_(messages) {}

    // The whole program: imports are in the files' names already.
    void Resolve();

private:
    struct Variable {
        std::uint32_t slot = 0;
        bool global = false;
        bool constant = false;
        Location at;
        std::size_t scope = 0;
    };
    class Scope;

    void DeclareGlobals(std::uint32_t file, const std::vector<Statement*>& items, bool inBranch);
    void DeclareGlobal(std::uint32_t file, Target& target, bool constant, bool inBranch);
    void ResolveFile(std::uint32_t file);
    void ResolveProcedure(Procedure& procedure);
    void ResolveStruct(StructDeclaration& declaration);
    void FindMain();

    void ResolveStatement(Statement& statement);
    void ResolveKind(Statement& statement);
    void ResolveBody(Statement* body);  // in a scope of its own
    void ResolveDeclare(Statement& statement);
    void ResolveAssign(Statement& statement);
    void ResolveTarget(Target& target);
    void ResolveMatch(Statement& statement);
    void ResolveExpects(std::vector<ExpectClause>& expects);
    void CheckErrorName(const ExpectClause& clause);

    void ResolveValue(Expression* expression);       // must be a value
    void ResolveExpression(Expression* expression);  // may be a module or a type, before a dot
    void ResolveName(Expression& name);
    void ResolveMember(Expression& member);
    void ResolveCall(Expression& call);
    void CheckArguments(const Expression& call);
    void CheckEnumCase(const Expression& member);
    void ResolveType(TypeExpression* type);
    void ResolveNamedType(TypeExpression& type);
    void CheckTypeArguments(const TypeExpression& type);

    std::optional<Reference> Find(std::string_view name) const;
    std::optional<Reference> FindIn(Reference owner, std::string_view name) const;
    void Unknown(const Location& at, std::string_view name, bool type, const char* otherwise = "");
    const char* ModuleWith(std::string_view name) const;
    void UnknownIn(const Location& at, Reference owner, std::string_view name);
    std::uint32_t DeclareLocal(std::string_view name, const Location& at, bool constant, bool* global);
    const Variable* FindVariable(std::string_view name) const;

    ProgramData& program_;
    Messages& messages_;
    std::uint32_t file_ = 0;
    Procedure* procedure_ = nullptr;  // null: at file level
    const std::vector<std::string_view>* generics_ = nullptr;
    const std::vector<std::string_view>* outerGenerics_ = nullptr;
    std::unordered_map<std::string_view, std::vector<Variable>> variables_;
    std::vector<std::string_view> declared_;  // names, in order, for the ends of scopes
    std::size_t scope_ = 0;
    std::uint32_t loops_ = 0;
    bool expecting_ = false;    // what stands in an #[expect(...)] is resolved
    bool usesGeneric_ = false;  // the type just resolved names a type parameter
    std::vector<bool> globalConstant_;
};

class Resolver::Scope {
public:
    explicit Scope(Resolver& resolver) : resolver_(resolver), begin_(resolver.declared_.size()) { ++resolver.scope_; }
    ~Scope() {
        --resolver_.scope_;
        while (resolver_.declared_.size() > begin_) {
            resolver_.variables_[resolver_.declared_.back()].pop_back();
            resolver_.declared_.pop_back();
        }
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

private:
    Resolver& resolver_;
    std::size_t begin_;
};

}  // namespace residue::scenario::detail
