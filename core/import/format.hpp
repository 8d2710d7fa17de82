// The formats of traces of ids and sizes, one row each; a new one costs its own file and a row in open_trace.cpp.
#pragma once

#include <memory>
#include <string_view>

#include "import/text_scanner.hpp"
#include "import/trace.hpp"

namespace residue::import {

enum class Verdict : std::uint8_t { No, IfNamedSo, Yes };

struct TraceFormat {
    const char* extension;  // breaks ties: ".rep"
    const char* expected;   // what it begins with, for messages
    // Is it this format, by its first token? `more`: another token follows on its line. An empty token: the text holds
    // nothing but blanks and comments.
    Verdict (*Recognise)(std::string_view first, bool more);
    // `scanner` stands before the first token.
    Outcome<std::unique_ptr<TraceReader>> (*Open)(TextScanner scanner);
};

extern const TraceFormat kRepFormat;     // rep_reader.cpp
extern const TraceFormat kScriptFormat;  // script_reader.cpp

}  // namespace residue::import
