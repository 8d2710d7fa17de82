// The tree of a program. The parser makes the nodes, the resolver fills in what names stand for (Reference) and the
// slots of variables, and after that nothing changes any more. Nodes belong to ProgramData's pools and point at each
// other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/detail/location.hpp"

namespace residue::scenario::detail {

struct Expression;
struct Statement;
struct TypeExpression;
struct Procedure;

// How deep nodes may lie in each other. It bounds every recursion over the tree.
inline constexpr std::uint32_t kMostDepth = 300;

// What a name stands for.
enum class ReferenceKind : std::uint8_t {
    None,
    Local,      // index: slot of the frame
    Global,     // index: slot of the program's globals
    Procedure,  // index into ProgramData::procedures
    Struct,     // index into ProgramData::structs
    Enum,       // index into ProgramData::enums
    Library,    // index: LibraryId
    Module,     // index: LibraryModule
    File,       // index into ProgramData::files
    Generic,    // index: of the enclosing procedure's or struct's type parameters
    Scalar,     // index: ScalarKind
};

struct Reference {
    ReferenceKind kind = ReferenceKind::None;
    std::uint32_t index = 0;
};

enum class TypeForm : std::uint8_t { Named, Pointer, Array, Tuple, Union, Procedure };

struct TypeExpression {
    TypeForm form = TypeForm::Named;
    Location at;
    std::uint32_t id = 0;  // its index in the pool
    std::uint32_t depth = 1;
    bool generic = false;                    // a type parameter is in it
    bool varies = false;                     // a count that is no number is in it
    std::vector<std::string_view> path;      // Named: the parts between the dots
    std::vector<TypeExpression*> arguments;  // Named: <...>; Tuple, Procedure: the parts
    TypeExpression* element = nullptr;  // Pointer, Array; Union: the value, or null; Procedure: the result, or null
    TypeExpression* error = nullptr;    // Union: the error, or null
    Expression* count = nullptr;        // Array
    Reference reference;                // Named
};

enum class ExpressionKind : std::uint8_t {
    Integer,
    Real,
    String,
    Character,
    Boolean,
    Nothing,
    Name,
    EnumCase,     // .name
    Member,       // a.name
    Index,        // a[b]
    Dereference,  // a^
    Call,         // a<types>(list)
    Macro,        // name!(list), or sizeof!(types[0])
    Negate,
    Not,
    AddressOf,
    Binary,  // a operation b
    And,
    Or,
    Default,  // a ? b
    Keep,     // a?
    Force,    // a!
    Try,
    Unsafe,
    Cast,           // a as type
    StructLiteral,  // type { fields }
    ArrayLiteral,   // [list]
    ArrayFill,      // [a; b]
    Tuple,          // (list)
    Range,          // a..<b; a..=b where `inclusive`
};

enum class Operation : std::uint8_t {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual
};

enum class MacroKind : std::uint8_t { Length, Least, Most, SizeOf, ToString };

struct FieldValue {
    std::string_view name;
    Location at;
    Expression* value = nullptr;
};

struct Expression {
    ExpressionKind kind = ExpressionKind::Nothing;
    Operation operation = Operation::Add;
    MacroKind macro = MacroKind::Length;
    bool truth = false;   // Boolean; Range: inclusive
    bool inside = false;  // it stands between brackets of its own
    std::uint32_t depth = 1;
    Location at;  // of the whole, as far as it is on its first line
    Expression* a = nullptr;
    Expression* b = nullptr;
    std::uint64_t integer = 0;
    double real = 0;
    std::string_view name;
    Location nameAt;
    std::string_view text;  // String: its value, in ProgramData::strings
    TypeExpression* type = nullptr;
    std::vector<TypeExpression*> types;
    std::vector<Expression*> list;
    std::vector<FieldValue> fields;
    Reference reference;  // Name, Member of a module or an enum; EnumCase of a known enum has none
    std::uint32_t id = 0;
};

struct ExpectClause {
    std::uint32_t index = 0;  // into ProgramData::expectations
    Location at;
    std::string_view key;  // "error", "leaks", ...; empty: `value` must be true
    Expression* value = nullptr;
    Expression* of = nullptr;   // the allocator it asks, or null
    std::string_view caseName;  // error = .DoubleFree
};

enum class StatementKind : std::uint8_t {
    Expression,
    Declare,  // targets := value; targets[0] : type = value
    Assign,   // targets = value, or targets[0] operation= value
    If,       // also comptime if
    For,
    While,
    Match,
    Return,
    Defer,
    Block,
    Break,
    Continue,
    Nothing,  // a declaration that is no action (a procedure, a type, an import)
};

struct Target {
    Location at;
    std::string_view name;        // a plain name or "_"; empty: `place`
    Expression* place = nullptr;  // Assign: what is written to; null for "_"
    std::uint32_t slot = 0;       // Declare, or Assign that declares
    bool declares = false;
    bool global = false;
};

struct MatchArm {
    Location at;
    std::string_view caseName;    // .case
    std::string_view binding;     // a name for the value; "_": anything
    Expression* value = nullptr;  // a literal to be equal to
    std::uint32_t slot = 0;
    bool global = false;
    Statement* body = nullptr;
};

struct Statement {
    StatementKind kind = StatementKind::Nothing;
    Operation operation = Operation::Add;
    bool compound = false;   // Assign: with `operation`
    bool comptime = false;   // If
    bool constant = false;   // Declare
    bool tuple = false;      // Declare, Assign: the targets take a tuple apart
    std::uint8_t marks = 0;  // StepMark bits
    std::uint32_t depth = 1;
    Location at;
    std::uint32_t narration = 0;  // 1 + index into ProgramData::narrations
    std::vector<Target> targets;
    TypeExpression* type = nullptr;
    Expression* value = nullptr;  // also the condition, what is run over, matched, returned
    Statement* body = nullptr;    // If, For, While, Defer
    Statement* otherwise = nullptr;
    std::vector<Statement*> list;  // Block
    std::vector<MatchArm> arms;
    std::vector<ExpectClause> expects;
};

struct Parameter {
    std::string_view name;
    Location at;
    TypeExpression* type = nullptr;
};

struct Procedure {
    std::string_view name;
    Location at;
    std::vector<std::string_view> generics;
    std::vector<Parameter> parameters;  // slots 0, 1, ...
    TypeExpression* result = nullptr;   // null: none
    Statement* body = nullptr;
    std::vector<std::string_view> slots;  // names, for messages
    std::vector<ExpectClause> expects;    // of main: at the end of the run
};

struct FieldDeclaration {
    std::string_view name;
    Location at;
    TypeExpression* type = nullptr;
};

struct StructDeclaration {
    std::string_view name;
    Location at;
    std::vector<std::string_view> generics;
    TypeExpression* base = nullptr;
    std::vector<FieldDeclaration> fields;
};

struct EnumDeclaration {
    std::string_view name;
    Location at;
    std::vector<std::string_view> cases;
};

struct Import {
    std::string_view name;
    Location at;
    std::string path;  // as written
    Location pathAt;
};

}  // namespace residue::scenario::detail
