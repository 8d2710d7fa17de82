// The operations that malloc-lab .rep and CS107 .script files share, from the text to Operation, with every oddity
// that real files have as a warning with its line:
//
//     a id size    malloc          f id   free (f -1 in .rep: of NULL)        several on a line are accepted
//     r id size    realloc         w id n touch n bytes (MIT 6.172)           # in a .script: a comment
//
// What is not an operation (unknown letters, numbers that are missing, negative or too large, words) is left out with
// its line; bytes that no text has are a Failure. Memory: one byte an id.
// Thread safety: none.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "import/id_map.hpp"
#include "import/text_scanner.hpp"
#include "import/trace.hpp"
#include "import/warning_list.hpp"

namespace residue::import {

enum class NumberFault : std::uint8_t { None, NotANumber, Negative, TooLarge };

struct ParsedNumber {
    std::uint64_t value = 0;
    NumberFault fault = NumberFault::None;
    bool minusOne = false;  // "-1", which is also Negative
};

// Decimal digits only, with an optional sign.
ParsedNumber ParseNumber(std::string_view text);

class OperationParser {
public:
    enum class Dialect : std::uint8_t { Rep, Script };

    OperationParser(TextScanner scanner, Dialect dialect);

    // The next good operation; false at the end of the text.
    Outcome<bool> Next(Operation& operation);

    TextScanner& Scanner() { return scanner_; }
    const TextScanner& Scanner() const { return scanner_; }
    WarningList& Warnings() { return warnings_; }
    const WarningList& Warnings() const { return warnings_; }

    // What looked like an operation so far, those left out included: what a header's count counts.
    std::uint64_t Seen() const { return seen_; }
    std::uint64_t LastLine() const { return lastLine_; }
    bool SawTouch() const { return sawTouch_; }
    std::optional<std::int64_t> HighestId() const { return highestId_; }

private:
    enum class Life : std::uint8_t { None, Live, Freed };

    Outcome<bool> ParseOperation(char letter, std::uint64_t line, Operation& operation);
    Outcome<bool> LeaveOut(std::uint64_t line, std::string why, std::string_view expected);
    // The token that follows on this line; nothing where the line ends.
    Outcome<bool> NextOnLine(Token& token);
    void Remark(const Operation& operation);
    std::string FaultText(NumberFault fault, const char* which, std::string_view text) const;

    TextScanner scanner_;
    Dialect dialect_;
    WarningList warnings_;
    IdMap<Life> lives_;
    std::optional<std::uint64_t> previousSize_;
    std::optional<std::int64_t> highestId_;
    std::uint64_t seen_ = 0;
    std::uint64_t lastLine_ = 0;
    bool sawTouch_ = false;
};

}  // namespace residue::import
