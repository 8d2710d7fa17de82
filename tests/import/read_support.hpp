// Reading whole traces in tests.
#pragma once

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "import/trace.hpp"
#include "support/catch.hpp"

namespace residue::import {

struct ReadAll {
    TraceHeader header;
    std::vector<Operation> operations;
    std::vector<Warning> warnings;
    std::string failure;  // Text() of the failure, of opening or of reading

    // "where: text" of each warning, a line each.
    std::string WarningText() const {
        std::string all;
        for (const Warning& warning : warnings) all += warning.where + ": " + warning.text + "\n";
        return all;
    }
};

inline ReadAll ReadBytes(const std::string& name, std::string_view bytes) {
    ReadAll all;
    auto reader = OpenTraceBytes(name, bytes);
    if (!reader) {
        all.failure = reader.error().Text();
        return all;
    }
    Operation operation;
    for (;;) {
        const auto more = (*reader)->Next(operation);
        if (!more) all.failure = more.error().Text();
        if (!more || !*more) break;
        all.operations.push_back(operation);
    }
    all.header = (*reader)->Header();
    all.warnings = (*reader)->Warnings();
    return all;
}

inline ReadAll ReadRep(std::string_view bytes) { return ReadBytes("t.rep", bytes); }
inline ReadAll ReadScript(std::string_view bytes) { return ReadBytes("t.script", bytes); }

inline TraceFigures FiguresOf(const std::string& name, std::string_view bytes) {
    auto reader = OpenTraceBytes(name, bytes);
    REQUIRE(reader);
    const auto figures = ReadFigures(**reader, nullptr);
    REQUIRE(figures);
    return *figures;
}

inline bool operator==(const Operation& a, const Operation& b) {
    return a.kind == b.kind && a.id == b.id && a.size == b.size && a.line == b.line;
}

}  // namespace residue::import
