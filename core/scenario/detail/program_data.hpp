// All that a Program is: its files, the pools of its nodes, and the tables that references point into.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "scenario/detail/ast.hpp"
#include "scenario/detail/lexer.hpp"
#include "scenario/program.hpp"

namespace residue::scenario::detail {

struct FileTree {
    std::vector<Statement*> items;  // in order; Nothing for pure declarations
    std::vector<Import> imports;
    std::unordered_map<std::string_view, Reference> names;
    std::vector<std::uint32_t> statementLines;
};

struct ProgramData {
    std::vector<SourceFile> files;     // reserved at once: tokens point into their texts
    std::vector<FileTree> trees;       // by file
    std::vector<std::uint32_t> order;  // files in the order in which their globals are made: imports first

    std::deque<Expression> expressions;
    std::deque<Statement> statements;
    std::deque<TypeExpression> types;
    std::deque<std::string> strings;
    std::deque<Procedure> procedures;
    std::deque<StructDeclaration> structs;
    std::deque<EnumDeclaration> enums;
    std::vector<std::string_view> globals;  // names of the slots
    std::vector<Location> globalPlaces;
    std::uint32_t mainProcedure = 0;                // index
    std::unordered_set<std::string_view> doubtful;  // names that broken lines may have declared

    std::string title;
    bool titled = false;  // by its introduction
    std::string introduction;
    std::vector<Narration> narrations;
    std::vector<Place> predicts;
    std::vector<Place> breaks;
    std::vector<Expectation> expectations;
};

}  // namespace residue::scenario::detail
