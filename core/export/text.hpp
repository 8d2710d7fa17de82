// Text from outside (names of functions, files, programs) as the formats that are written want it. Bytes that are no
// UTF-8, and control characters where a format has none, become U+FFFD. Thread-safe. Cost: one small string.
#pragma once

#include <string>
#include <string_view>

namespace residue::exports {

bool IsUtf8(std::string_view text);

std::string JsonText(std::string_view text);    // "in quotation marks"
std::string MarkupText(std::string_view text);  // for HTML and XML, between tags and in attributes
// For a terminal: line ends and tabs stay, what could be a command to it does not.
std::string TerminalText(std::string_view text);

}  // namespace residue::exports
