// Why something outside the memory library did not work: what happened, where, and what was expected instead.
// Printed as "where: what (expected ...)".
#pragma once

#include <string>

#include "base/result.hpp"

namespace residue {

struct Failure {
    std::string where;     // "file.rep:12", "file.residue: byte 4096", "--capacity"
    std::string what;      // "unknown operation 'q'"
    std::string expected;  // "a, r, f or w"; may be empty

    std::string Text() const {
        std::string text = where.empty() ? what : where + ": " + what;
        if (!expected.empty()) text += " (expected " + expected + ")";
        return text;
    }
};

template <class T>
using Outcome = Result<T, Failure>;

// What becomes of std::bad_alloc where a thread of ours begins: the one failure that travels as an exception until
// there, and leaves what it passes destroyed. Needs no memory itself.
inline Failure OutOfMemory() { return {"", "out of memory", ""}; }

// An oddity that was read anyway.
struct Warning {
    std::string where;
    std::string text;
};

}  // namespace residue
