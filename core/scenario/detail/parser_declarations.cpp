#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "scenario/detail/expectation_keys.hpp"
#include "scenario/detail/near_name.hpp"
#include "scenario/detail/parser.hpp"
#include "scenario/run.hpp"

namespace residue::scenario::detail {
namespace {

constexpr std::string_view kAttributes[] = {"private", "export", "predict", "break", "expect"};

}  // namespace

// The narration block at the top of the first file: a title and what the lesson is about.
void Parser::FindIntroduction() {
    if (lexed_.narrations.empty() || lexed_.narrations[0].at.line > lexed_.tokens[0].at.line) return;
    narrationOf_[0] = ~0u;  // it is no statement's
    if (file_ != 0) return;
    const std::string& text = lexed_.narrations[0].text;
    const std::size_t end = text.find('\n');
    program_.title = text.substr(0, end);
    if (end != std::string::npos)
        program_.introduction = text.substr(
            text.find_first_not_of('\n', end) == std::string::npos ? text.size() : text.find_first_not_of('\n', end));
}

Parser::Attributes Parser::ParseAttributes() {
    Attributes attributes;
    if (Peek().narration > 0) attributes.narration = Peek().narration;
    while (At("#[")) {
        Take();
        const Bracket inside(*this, false);
        do ParseAttribute(attributes);
        while (TakeIf(","));
        if (!Expect("]", "the attribute")) {
            while (!AtEnd() && !At("]") && !Peek().newLine) Take();
            TakeIf("]");
        }
        if (Peek().narration > 0) attributes.narration = Peek().narration;
    }
    return attributes;
}

void Parser::ParseAttribute(Attributes& attributes) {
    const Token& first = Take();
    const std::string_view name = first.text;
    if (name == "predict") {
        attributes.marks |= static_cast<std::uint8_t>(StepMark::Predict);
    } else if (name == "break") {
        attributes.marks |= static_cast<std::uint8_t>(StepMark::Break);
    } else if (name == "expect") {
        ParseExpects(attributes);
    } else if (name != "private" && name != "export") {
        NearName near(name);
        for (const std::string_view known : kAttributes) near.Offer(known);
        if (!gaveUp_) {
            messages_.Error(first.at, fmt::format("there is no attribute `{}`", Shown(name)),
                            "private, export, predict, break or expect", near.Hint());
        }
        if (TakeIf("(")) SkipTo(")");
        return;
    }
    if (!At("(")) return;
    // Only `expect` has read its own.
    const Token& open = Take();
    SkipTo(")");
    messages_.Error(Since(open), fmt::format("`{}` takes nothing between brackets", name),
                    fmt::format("just #[{}]", name),
                    name == "predict" ? "#[expect(...)] says where a block must lie" : "");
}

void Parser::ParseExpects(Attributes& attributes) {
    if (!Expect("(", "`expect`")) return;
    const Bracket inside(*this, false);
    const std::size_t begin = attributes.expects.size();
    if (At(")") && !gaveUp_) {
        messages_.Error(Peek().at, "nothing is expected here",
                        "error = .DoubleFree, leaks = 0, or p != q, for example");
    }
    Expression* of = nullptr;
    while (!At(")") && !AtEnd()) {
        const Token& first = Peek();
        ExpectClause clause;
        if (first.kind == TokenKind::Name && (Peek(1).Is("=") || Peek(1).Is(",") || Peek(1).Is(")"))) {
            const bool hasValue = Peek(1).Is("=");
            const ExpectationKey* key = FindExpectationKey(first.text);
            if (key != nullptr || hasValue) {
                Take();
                if (hasValue) Take();
                if (key == nullptr) {
                    NearName near(first.text);
                    for (const ExpectationKey& known : kExpectationKeys) near.Offer(known.name);
                    messages_.Error(first.at,
                                    fmt::format("nothing of the name `{}` can be expected", Shown(first.text)),
                                    ExpectationKeyList(), near.Hint());
                }
                clause.key = first.text;
                if (hasValue) clause.value = ParseExpression();
                if (hasValue && clause.value == nullptr) break;
                if (key != nullptr && key->takesValue != hasValue) {
                    messages_.Error(
                        first.at, fmt::format("`{}` {} value", key->name, hasValue ? "takes no" : "needs a"),
                        hasValue ? fmt::format("just `{}`", key->name) : fmt::format("{} = ...", key->name));
                }
                if (key != nullptr && key->name == "error" && clause.value != nullptr) {
                    if (clause.value->kind == ExpressionKind::EnumCase)
                        clause.caseName = clause.value->name;
                    else
                        messages_.Error(clause.value->at, "an expected error is the name of one",
                                        ".DoubleFree, for example");
                    clause.value = nullptr;
                }
            }
        }
        if (clause.key.empty()) clause.value = ParseExpression();
        if (clause.key.empty() && clause.value == nullptr) break;
        clause.at = Since(first);
        if (clause.key == "of")
            of = clause.value;
        else
            attributes.expects.push_back(clause);
        if (!TakeIf(",")) break;
    }
    for (std::size_t i = begin; i < attributes.expects.size(); ++i) attributes.expects[i].of = of;
    if (!Expect(")", "what is expected")) SkipLine();
}

// Before the statement is read, so that outer ones come before those inside of them.
void Parser::Reserve(Attributes& attributes) {
    const Place place = PlaceOf(program_.files, Peek().at);
    if (attributes.marks & static_cast<std::uint8_t>(StepMark::Predict)) program_.predicts.push_back(place);
    if (attributes.marks & static_cast<std::uint8_t>(StepMark::Break)) program_.breaks.push_back(place);
    if (attributes.narration != 0) {
        std::uint32_t& known = narrationOf_[attributes.narration - 1];
        if (known == 0) {
            program_.narrations.push_back({place, lexed_.narrations[attributes.narration - 1].text});
            known = attributes.narrationIndex = static_cast<std::uint32_t>(program_.narrations.size());
            attributes.marks |= static_cast<std::uint8_t>(StepMark::Narration);
        }
    }
    for (ExpectClause& clause : attributes.expects) {
        clause.index = static_cast<std::uint32_t>(program_.expectations.size());
        const std::string& text = program_.files[file_].text;
        std::size_t begin = 0;
        for (std::uint32_t line = 1; line < clause.at.line; ++line) begin = text.find('\n', begin) + 1;
        program_.expectations.push_back(
            {PlaceOf(program_.files, clause.at), place, text.substr(begin + clause.at.column - 1, clause.at.length)});
    }
}

void Parser::Apply(const Attributes& attributes, Statement* statement) {
    statement->marks |= attributes.marks;
    statement->narration = attributes.narrationIndex;
    statement->expects = attributes.expects;
}

Statement* Parser::ParseFileItem() {
    const Token& first = Peek();
    ++nesting_;
    const Attributes attributes = ParseAttributes();
    Statement* item = nullptr;
    const bool isVariable = Peek().kind == TokenKind::Name && (Peek(1).Is(":=") || Peek(1).Is(":"));
    if (AtDeclaration() || isVariable || At("defer") || At("comptime") || At("(")) {
        item = ParsePlainStatement(attributes);
        if (item != nullptr && item->kind == StatementKind::Expression) {
            messages_.Error(item->at, "a statement outside of a procedure",
                            "declarations, variables, `defer` and `comptime if`");
            item = nullptr;
        }
    } else if (!AtEnd()) {
        if (!gaveUp_) {
            messages_.Error(Peek().at, fmt::format("{} outside of a procedure", Described(Peek())),
                            "a declaration, as in Name :: proc() { ... }");
        }
        Take();
        SkipLine();
        if (At("}")) Take();
    } else if (&Peek() != &first) {
        messages_.Error(first.at, "this attribute belongs to nothing", "a declaration or a statement after it");
    }
    --nesting_;
    return item;
}

bool Parser::AtDeclaration() const {
    if (Peek().kind != TokenKind::Name) return false;
    if (Peek(1).Is("::")) return true;
    if (!Peek(1).Is("<")) return false;
    std::size_t ahead = 2;
    while (Peek(ahead).kind == TokenKind::Name) {
        ++ahead;
        if (!Peek(ahead).Is(",")) break;
        ++ahead;
    }
    return Peek(ahead).Is(">") && Peek(ahead + 1).Is("::");
}

std::vector<std::string_view> Parser::ParseGenerics() {
    std::vector<std::string_view> names;
    if (!TakeIf("<")) return names;
    while (Peek().kind == TokenKind::Name) {
        names.push_back(Take().text);
        if (!TakeIf(",")) break;
    }
    Expect(">", "the type parameters");
    return names;
}

void Parser::Declare(const Token& name, Reference reference) {
    const auto [known, isNew] = tree_.names.try_emplace(name.text, reference);
    if (isNew) return;
    messages_.Error(name.at, fmt::format("`{}` is declared twice in this file", Shown(name.text)), "another name");
}

Statement* Parser::ParseDeclaration(const Attributes& attributes) {
    const Token& name = Take();
    std::vector<std::string_view> generics = ParseGenerics();
    Take();  // ::
    Statement* nothing = New(StatementKind::Nothing, name);
    if (At("proc") || At("struct") || At("enum")) {
        if (At("proc"))
            ParseProcedure(name, std::move(generics), attributes);
        else if (At("struct"))
            ParseStruct(name, std::move(generics));
        else
            ParseEnum(name);
        return nothing;
    }
    if (!generics.empty()) {
        messages_.Error(name.at, "only procedures and structs have type parameters", "proc or struct after `::`");
        return nullptr;
    }
    if (Peek().text == "import" && Peek(1).Is("!")) {
        ParseImport(name);
        return nothing;
    }
    Statement* statement = New(StatementKind::Declare, name);
    statement->constant = true;
    statement->value = ParseStored();
    if (statement->value == nullptr) return nullptr;
    Target target;
    target.at = name.at;
    target.name = name.text;
    target.declares = true;
    statement->targets.push_back(target);
    statement->depth = statement->value->depth + 1;
    statement->at = Since(name);
    EndStatement();
    return statement;
}

// name : T, name : T = value, name : T : value.
Statement* Parser::ParseTyped(const Token& name, const Attributes&) {
    Take();
    Statement* statement = New(StatementKind::Declare, name);
    Target target;
    target.at = name.at;
    target.name = name.text;
    target.declares = true;
    statement->targets.push_back(target);
    statement->type = ParseType();
    if (statement->type == nullptr) return nullptr;
    if (At("=") || At(":")) {
        statement->constant = Take().text == ":";
        statement->value = ParseStored();
        if (statement->value == nullptr) return nullptr;
        statement->depth = statement->value->depth + 1;
    }
    statement->at = Since(name);
    EndStatement();
    return statement;
}

void Parser::ParseImport(const Token& name) {
    Take(), Take();
    Import import;
    import.name = name.text;
    import.at = name.at;
    if (Expect("(", "`import!`")) {
        const Bracket inside(*this, false);
        import.pathAt = Peek().at;
        if (Peek().kind == TokenKind::String)
            import.path = Take().value;
        else
            Unexpected("a module or a path between quotes");
        Expect(")", "the path");
        if (!import.path.empty()) tree_.imports.push_back(import);
    }
    EndStatement();
}

void Parser::ParseProcedure(const Token& name, std::vector<std::string_view> generics, const Attributes& attributes) {
    Procedure& procedure = program_.procedures.emplace_back();
    const Reference reference{ReferenceKind::Procedure, static_cast<std::uint32_t>(program_.procedures.size() - 1)};
    procedure.name = name.text;
    procedure.at = name.at;
    procedure.generics = std::move(generics);
    Declare(name, reference);
    Take();
    if (!Expect("(", "`proc`")) return SkipLine();
    {
        const Bracket inside(*this, false);
        while (!At(")") && !AtEnd()) {
            Parameter parameter;
            parameter.at = Peek().at;
            parameter.name = TakeName("a parameter, as in count: u32");
            if (parameter.name.empty() || !Expect(":", "the parameter's name")) break;
            parameter.type = ParseType();
            if (parameter.type == nullptr) break;
            procedure.parameters.push_back(parameter);
            if (!TakeIf(",")) break;
        }
        if (!Expect(")", "the parameters")) SkipTo(")");
    }
    if (TakeIf("->")) procedure.result = ParseType();
    if (At("{")) {
        procedure.body = ParseBlock();
    } else if (!gaveUp_) {
        messages_.Error(Peek().at, fmt::format("{} after the head of a procedure", Described(Peek())), "its body: `{`");
        SkipLine();
    }
    if (!attributes.expects.empty() && name.text != "main") {
        messages_.Error(attributes.expects[0].at, "what a procedure leaves behind cannot be expected",
                        "#[expect(...)] before a statement, or before `main`: then it is looked at when all is done");
    } else if (!attributes.expects.empty()) {
        procedure.expects = attributes.expects;
    }
}

void Parser::ParseStruct(const Token& name, std::vector<std::string_view> generics) {
    StructDeclaration& declaration = program_.structs.emplace_back();
    Declare(name, {ReferenceKind::Struct, static_cast<std::uint32_t>(program_.structs.size() - 1)});
    declaration.name = name.text;
    declaration.at = name.at;
    declaration.generics = std::move(generics);
    Take();
    if (TakeIf("using")) declaration.base = ParsePlainType();
    if (!Expect("{", "the head of a struct")) return SkipLine();
    const Bracket inside(*this, true);
    ParseStructFields(declaration);
    if (!Expect("}", "the fields")) SkipTo("}");
}

void Parser::ParseStructFields(StructDeclaration& declaration) {
    while (!At("}") && !AtEnd()) {
        const std::size_t before = at_;
        FieldDeclaration field;
        field.at = Peek().at;
        field.name = TakeName("a field, as in size : u32");
        if (!field.name.empty()) {
            (void)ParseGenerics();  // a procedure's; which types it takes is its own affair
            if (Expect(":", "the field's name")) field.type = ParseType();
        }
        const bool twice = std::any_of(declaration.fields.begin(), declaration.fields.end(),
                                       [&](const FieldDeclaration& other) { return other.name == field.name; });
        if (twice && !field.name.empty()) {
            messages_.Error(field.at, fmt::format("`{}` has two fields `{}`", declaration.name, field.name),
                            "other names");
        } else if (field.type != nullptr) {
            declaration.fields.push_back(field);
        }
        if (!TakeIf(",") && !At("}") && !Peek().newLine) {
            Unexpected("a comma or the end of the line");
            SkipLine();
        }
        if (at_ == before) Take();
    }
}

void Parser::ParseEnum(const Token& name) {
    EnumDeclaration& declaration = program_.enums.emplace_back();
    Declare(name, {ReferenceKind::Enum, static_cast<std::uint32_t>(program_.enums.size() - 1)});
    declaration.name = name.text;
    declaration.at = name.at;
    Take();
    if (!Expect("{", "`enum`")) return SkipLine();
    const Bracket inside(*this, true);
    while (!At("}") && !AtEnd()) {
        const Token& first = Peek();
        const std::string_view each = TakeName("a case's name, or `}`");
        if (each.empty()) break;
        if (std::find(declaration.cases.begin(), declaration.cases.end(), each) != declaration.cases.end()) {
            messages_.Error(first.at, fmt::format("`{}` has two cases `{}`", declaration.name, Shown(each)),
                            "another name");
        } else {
            declaration.cases.push_back(each);
        }
        if (!TakeIf(",") && !At("}") && !Peek().newLine) break;
    }
    if (!Expect("}", "the cases")) SkipTo("}");
    if (declaration.cases.empty()) messages_.Error(name.at, "an enum without a case", "at least one");
}

}  // namespace residue::scenario::detail
