#include <fmt/format.h>

#include <algorithm>

#include "scenario/detail/parser.hpp"

namespace residue::scenario::detail {

Statement* Parser::New(StatementKind kind, const Token& first) {
    Statement& statement = program_.statements.emplace_back();
    statement.kind = kind;
    statement.at = first.at;
    return &statement;
}

Statement* Parser::ParseStatement() {
    ++nesting_;
    const Attributes attributes = ParseAttributes();
    Statement* statement = TooDeep(nesting_, Peek().at) ? nullptr : ParsePlainStatement(attributes);
    --nesting_;
    return statement;
}

Statement* Parser::ParsePlainStatement(Attributes attributes) {
    const Token& first = Peek();
    Reserve(attributes);
    begin_ = at_;
    Statement* statement = nullptr;
    if (AtDeclaration()) {
        statement = ParseDeclaration(attributes);
    } else if (first.kind == TokenKind::Name && Peek(1).Is(":")) {
        statement = ParseTyped(Take(), attributes);
    } else if (At("{")) {
        statement = ParseBlock();
    } else if (At("if")) {
        statement = ParseIf(false);
    } else if (At("comptime")) {
        Take();
        if (At("if"))
            statement = ParseIf(true);
        else
            Unexpected("`if` after `comptime`");
    } else if (At("for")) {
        statement = ParseFor();
    } else if (At("while")) {
        statement = ParseWhile();
    } else if (At("match")) {
        statement = ParseMatch();
    } else if (At("return")) {
        statement = ParseReturn();
    } else if (At("defer")) {
        Take();
        Statement* body = ParseStatement();
        if (body != nullptr) {
            statement = New(StatementKind::Defer, first);
            statement->body = body;
            statement->depth = body->depth + 1;
            statement->at = Since(first);
        }
    } else if (At("break") || At("continue")) {
        statement = New(At("break") ? StatementKind::Break : StatementKind::Continue, first);
        Take();
        EndStatement();
    } else {
        statement = ParseSimple();
    }
    if (statement == nullptr) {
        SkipLine();
        return nullptr;
    }
    Apply(attributes, statement);
    if (statement->kind == StatementKind::Block && !attributes.expects.empty()) {
        messages_.Error(statement->at, "nothing can be expected of a block", "#[expect(...)] before a statement in it");
    }
    if (statement->kind != StatementKind::Block && statement->kind != StatementKind::Nothing) {
        tree_.statementLines.push_back(statement->at.line);
    }
    return statement;
}

// Statements end at a line end.
void Parser::EndStatement() {
    if (StatementEnds() && !At(",") && !At(")") && !At("]") && !(At(";") && !Peek(1).Is("do"))) return;
    if (!gaveUp_ && At(";")) {
        messages_.Error(Peek().at, "`;` stands here", "the end of the line", "`;` is only used in `; do`");
    } else {
        Unexpected("the end of the line");
    }
    SkipLine();
}

Statement* Parser::ParseBlock() {
    const Token& first = Peek();
    Statement* block = New(StatementKind::Block, first);
    if (!Expect("{", "this")) return nullptr;
    const Bracket inside(*this, true);
    while (!At("}") && !AtEnd()) {
        const std::size_t before = at_;
        if (Statement* statement = ParseStatement()) {
            block->depth = std::max(block->depth, statement->depth + 1);
            if (TooDeep(block->depth, block->at)) return nullptr;
            block->list.push_back(statement);
        }
        if (at_ == before) Take();
    }
    if (!At("}")) {
        TellUnclosed(first);
        return block;
    }
    Suspect(first);
    Take();
    return block;
}

Statement* Parser::ParseBody(const char* of) {
    if (At("{")) return ParseBlock();
    if (At(";")) {
        Take();
        if (!Expect("do", "`;`")) return nullptr;
        return ParseStatement();
    }
    if (!gaveUp_) {
        messages_.Error(Peek().at, fmt::format("{} after {}", Described(Peek()), of), "`{`, or `; do` and a statement");
    }
    return nullptr;
}

Statement* Parser::ParseIf(bool comptime) {
    const Token& first = Take();
    Statement* statement = New(StatementKind::If, first);
    statement->comptime = comptime;
    statement->value = ParseCondition();
    statement->at = Since(first);
    if (statement->value == nullptr) return nullptr;
    statement->body = ParseBody("the condition");
    if (statement->body == nullptr) return nullptr;
    if (At("else")) {
        Take();
        ++nesting_;
        const bool tooDeep = TooDeep(nesting_, Peek().at);
        if (!tooDeep) statement->otherwise = At("if") ? ParseIf(comptime) : ParseBody("`else`");
        --nesting_;
        if (statement->otherwise == nullptr) return nullptr;
        if (statement->otherwise->kind == StatementKind::If)
            tree_.statementLines.push_back(statement->otherwise->at.line);
    }
    for (const Statement* part : {statement->body, statement->otherwise}) {
        if (part != nullptr) statement->depth = std::max(statement->depth, part->depth + 1);
    }
    return TooDeep(statement->depth, statement->at) ? nullptr : statement;
}

Statement* Parser::ParseFor() {
    const Token& first = Take();
    Statement* statement = New(StatementKind::For, first);
    Target& target = statement->targets.emplace_back();
    target.at = Peek().at;
    target.name = TakeName("a name for the element, as in `for i in 0..<10`");
    target.declares = true;
    if (target.name.empty() || !Expect("in", "the name")) return nullptr;
    statement->value = ParseCondition();
    statement->at = Since(first);
    if (statement->value == nullptr) return nullptr;
    statement->body = ParseBody("what is run over");
    if (statement->body == nullptr) return nullptr;
    statement->depth = statement->body->depth + 1;
    return statement;
}

Statement* Parser::ParseWhile() {
    const Token& first = Take();
    Statement* statement = New(StatementKind::While, first);
    statement->value = ParseCondition();
    statement->at = Since(first);
    if (statement->value == nullptr) return nullptr;
    statement->body = ParseBody("the condition");
    if (statement->body == nullptr) return nullptr;
    statement->depth = statement->body->depth + 1;
    return statement;
}

Statement* Parser::ParseMatch() {
    const Token& first = Take();
    Statement* statement = New(StatementKind::Match, first);
    statement->value = ParseCondition();
    statement->at = Since(first);
    const Token& open = Peek();
    if (statement->value == nullptr || !Expect("{", "what is matched")) return nullptr;
    const Bracket inside(*this, true);
    while (!At("}") && !AtEnd()) {
        const std::size_t before = at_;
        MatchArm arm = ParseArm();
        if (arm.body == nullptr)
            SkipLine();
        else
            statement->depth = std::max(statement->depth, arm.body->depth + 1);
        if (arm.body != nullptr) statement->arms.push_back(arm);
        TakeIf(",");
        if (at_ == before) Take();
    }
    Suspect(open);
    if (!TakeIf("}")) {
        TellUnclosed(open);
        return nullptr;
    }
    return TooDeep(statement->depth, statement->at) ? nullptr : statement;
}

MatchArm Parser::ParseArm() {
    MatchArm arm;
    const Token& first = Peek();
    begin_ = at_;
    if (At(".") && Peek(1).kind == TokenKind::Name) {
        Take();
        arm.caseName = Take().text;
    } else if (first.kind == TokenKind::Name && Peek(1).Is("=>")) {
        arm.binding = Take().text;
    } else {
        arm.value = ParseCondition();
        if (arm.value == nullptr) return arm;
    }
    arm.at = Since(first);
    if (Expect("=>", "the pattern")) arm.body = At("{") ? ParseBlock() : ParseStatement();
    return arm;
}

Statement* Parser::ParseReturn() {
    const Token& first = Take();
    Statement* statement = New(StatementKind::Return, first);
    if (!StatementEnds()) {
        statement->value = ParseExpression();
        if (statement->value == nullptr) return nullptr;
    }
    statement->at = Since(first);
    EndStatement();
    return statement;
}

Statement* Parser::ParseSimple() {
    const Token& first = Peek();
    Expression* expression = ParseExpression();
    if (expression == nullptr) return nullptr;
    if (At(":=")) return FinishDeclare(expression, first);
    if (At("=") || At("+=") || At("-=") || At("*=") || At("/=") || At("%=")) return FinishAssign(expression, first);
    Statement* statement = New(StatementKind::Expression, first);
    statement->value = expression;
    statement->depth = expression->depth + 1;
    statement->at = Since(first);
    EndStatement();
    return statement;
}

// What is stored begins on the line of the sign.
Expression* Parser::ParseStored() {
    if (brackets_ != 0 || !Peek().newLine) return ParseExpression();
    Unexpected("a value");
    return nullptr;
}

// What stands on the left of := or =.
bool Parser::TargetsOf(Expression* expression, Statement* statement, bool declare) {
    const bool isTuple = expression->kind == ExpressionKind::Tuple;
    statement->tuple = isTuple;
    const std::vector<Expression*> parts = isTuple ? expression->list : std::vector<Expression*>{expression};
    for (Expression* part : parts) {
        Target target;
        target.at = part->at;
        if (part->kind == ExpressionKind::Name) target.name = part->name;
        if (target.name != "_" && !declare) target.place = part;
        const bool isPlace = part->kind == ExpressionKind::Name || part->kind == ExpressionKind::Member ||
                             part->kind == ExpressionKind::Index || part->kind == ExpressionKind::Dereference;
        if (declare ? target.name.empty() : !isPlace) {
            messages_.Error(
                part->at, declare ? "a new variable is a plain name" : "nothing can be stored here",
                declare ? "a name before `:=`" : "a variable, a field, an element, or what a pointer points to");
            return false;
        }
        target.declares = declare && target.name != "_";
        statement->targets.push_back(target);
    }
    return true;
}

Statement* Parser::FinishDeclare(Expression* targets, const Token& first) {
    Take();
    Statement* statement = New(StatementKind::Declare, first);
    const bool good = TargetsOf(targets, statement, true);
    statement->value = ParseStored();
    if (statement->value == nullptr || !good) return nullptr;
    statement->depth = statement->value->depth + 1;
    statement->at = Since(first);
    EndStatement();
    return statement;
}

Statement* Parser::FinishAssign(Expression* targets, const Token& first) {
    const std::string_view sign = Take().text;
    Statement* statement = New(StatementKind::Assign, first);
    statement->compound = sign != "=";
    static constexpr std::pair<char, Operation> kOperations[] = {{'+', Operation::Add},
                                                                 {'-', Operation::Subtract},
                                                                 {'*', Operation::Multiply},
                                                                 {'/', Operation::Divide},
                                                                 {'%', Operation::Remainder}};
    for (const auto& [character, operation] : kOperations) {
        if (sign[0] == character) statement->operation = operation;
    }
    const bool good = TargetsOf(targets, statement, false);
    statement->value = ParseStored();
    if (statement->value == nullptr || !good) return nullptr;
    statement->depth = std::max(statement->value->depth, targets->depth) + 1;
    statement->at = Since(first);
    EndStatement();
    return statement;
}

}  // namespace residue::scenario::detail
