// What is wrong with a scenario, and where: errors and warnings of the reader and of a run, told alike.
//
//     for (const Diagnostic& each : parsed.diagnostics) std::fputs(Render(each).c_str(), stderr);
//
//     lesson.iridis:4:10: `ints` was given away in line 3
//         sum := ints^
//                ^^^^
//     hint: use the new owner, or copy the pointer with `unsafe`
//
// Plain data; thread safety: none needed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace residue::scenario {

// Lines and columns count from 1, columns and lengths in bytes, as editors that jump to file:line:column expect.
struct Place {
    std::string file;        // as the loader knows it
    std::uint32_t line = 0;  // 0: of the file as a whole
    std::uint32_t column = 0;
    std::uint32_t length = 0;  // of what the caret underlines; at most to the end of the line
};

enum class Severity : std::uint8_t { Error, Warning };

struct Diagnostic {
    Severity severity = Severity::Error;
    Place place;
    std::string message;        // what is wrong, one sentence without a full stop
    std::string expected;       // what was expected instead; may be empty
    std::string hint;           // what to do about it; may be empty
    std::string source;         // the line of the file, without its end
    std::vector<Place> others;  // further places that the message speaks of: where it was given away, declared before
};

// "file:line:column: message (expected ...)", the line, a caret under it, the hint; ends with a line end. A warning's
// message starts with "warning: ". Bytes of the line that are no printable UTF-8 show as '?', a long one is cut.
std::string Render(const Diagnostic& diagnostic);

// All of them, errors and warnings in the order they have.
std::string Render(const std::vector<Diagnostic>& diagnostics);

}  // namespace residue::scenario
