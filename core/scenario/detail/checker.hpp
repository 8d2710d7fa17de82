// Finds values of an evidently wrong type without running: in arguments, assignments, declarations, results, fields,
// conditions and arithmetic, also where no run would ever get. It says nothing where it does not know: of type
// parameters, of what a procedure value gives, of counts that are computed. So what it finds would stop a run there
// (Interpreter::Coerce and its like), in the same words; what it does not find, a run does.
//
// Runs after the resolver, on a program without errors. Cost: one walk over the tree.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scenario/detail/messages.hpp"
#include "scenario/detail/program_data.hpp"
#include "scenario/detail/types.hpp"

namespace residue::scenario::detail {

class Checker {
public:
    Checker(const ProgramData& program, Messages& messages)
        : program_(program), messages_(messages), globals_(program.globals.size()) {}

    void Check();

private:
    // Null in place of a type: not known.
    struct Variable {
        const Type* type = nullptr;
        bool known = false;  // somebody has said a type, or that it is not known
    };

    // checker.cpp: statements.
    void CheckProcedure(const Procedure& procedure);
    void CheckStatement(const Statement& statement);
    void CheckDeclare(const Statement& statement);
    void CheckAssign(const Statement& statement);
    void CheckReturn(const Statement& statement);
    void CheckCondition(const Expression& condition);
    void SetVariable(const Target& target, const Type* type);
    const Type* Settled(const Type* type, const Expression& from);
    const Type* Plain(const Type* type) const;  // of a union its value

    // checker_expressions.cpp: the type that a value will have; what is wrong inside of it is told.
    const Type* TypeOf(const Expression& expression, const Type* want = nullptr);
    const Type* PlainOf(const Expression& expression, const Type* want = nullptr) {
        return Plain(TypeOf(expression, want));
    }
    const Type* NameType(const Expression& name) const;
    const Type* MemberType(const Expression& member);
    const Type* IndexType(const Expression& index);
    const Type* BinaryType(const Expression& binary, const Type* want);
    const Type* Computed(const Location& at, Operation operation, const Type* left, const Type* right);
    const Type* NegateType(const Expression& negate, const Type* want);
    const Type* StructType(const Expression& literal);
    const Type* ArrayType(const Expression& literal, const Type* want);
    const Type* TupleType(const Expression& literal, const Type* want);
    const Type* MacroType(const Expression& macro);
    void CheckComparison(const Expression& comparison, const Type* left, const Type* right);
    void Visit(const Expression& expression);  // its parts, where nothing more is known of it

    // checker_calls.cpp
    const Type* CallType(const Expression& call, const Type* want);
    const Type* ScriptCallType(const Procedure& procedure, const Expression& call);
    const Type* LibraryCallType(LibraryId id, const Expression& call, const Type* want);
    const Type* AllocateType(const Expression& call, std::size_t count, const Type* want);
    const Type* PushType(const Expression& call);
    void CheckAllocator(const Expression& argument);
    void CheckCount(const Expression& argument);
    const Type* CheckPointer(const Expression& argument, const char* expected);
    const Type* CheckDynamicArray(const Expression& argument);
    void CheckCallbacks(const Expression& literal, const Type* type);

    // checker_types.cpp
    const Type* Resolve(const TypeExpression* type);
    const Type* ResolveNamed(const TypeExpression& type);
    const Type* ResolveStruct(std::uint32_t index);
    bool Fits(const Type* from, const Type* to) const;
    bool PointersFit(const Type* from, const Type* to) const;
    // Tells it where `value`, of type `from`, cannot become a `to`.
    void Require(const Expression& value, const Type* from, const Type* to);
    bool RequireLiteral(const Expression& value, const Type* to);  // false: it was told
    const Type* Known(const Type* type) const;                     // null for a type that nobody knows

    void NoField(const Location& at, const Type* type, std::string_view name);
    Diagnostic& Wrong(const Location& at, const Type* is, std::string expected);

    const ProgramData& program_;
    Messages& messages_;
    TypeTable types_;
    const Procedure* procedure_ = nullptr;  // null: at file level
    const Type* result_ = nullptr;          // of the procedure; null: not known
    std::vector<Variable> locals_;          // by slot
    std::vector<Variable> globals_;
    std::uint32_t structs_ = 0;  // inside of each other
};

}  // namespace residue::scenario::detail
