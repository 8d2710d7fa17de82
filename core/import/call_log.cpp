#include "import/call_log.hpp"

#include <limits>

#include "base/checked.hpp"
#include "import/scan_numbers.hpp"

namespace residue::import {
namespace {

using Shape = CallName::Shape;

constexpr CallName kNames[] = {
    {"malloc", Shape::Size},
    {"free", Shape::Old},
    {"calloc", Shape::CountSize},
    {"realloc", Shape::OldSize},
    {"reallocarray", Shape::OldCountSize},
    {"memalign", Shape::AlignmentSize},
    {"aligned_alloc", Shape::AlignmentSize},
    {"posix_memalign", Shape::OutAlignmentSize},
    {"valloc", Shape::Size},
    {"pvalloc", Shape::Size},
    {"cfree", Shape::Old},
};
constexpr CallName kNew = {"operator new", Shape::Size};
constexpr CallName kAlignedNew = {"operator new, aligned", Shape::SizeAlignment};
constexpr CallName kDelete = {"operator delete", Shape::Old};

constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool StartsWithAny(std::string_view name, std::string_view a, std::string_view b) {
    return name.starts_with(a) || name.starts_with(b);
}

// A product that has no room is no size of a block that there is; it can only have failed.
std::uint64_t Product(std::uint64_t a, std::uint64_t b) {
    return CheckedMultiply(a, b).value_or(std::numeric_limits<std::uint64_t>::max());
}

}  // namespace

const CallName* FindCallName(std::string_view name) {
    if (name.starts_with("_Z")) {
        if (StartsWithAny(name, "_Znw", "_Zna")) {
            return name.find("align_val_t") != std::string_view::npos ? &kAlignedNew : &kNew;
        }
        return StartsWithAny(name, "_ZdlPv", "_ZdaPv") ? &kDelete : nullptr;
    }
    for (const CallName& known : kNames) {
        if (known.name == name) return &known;
    }
    return nullptr;
}

bool SetArguments(const CallName& name, const std::uint64_t* arguments, std::size_t count, LoggedCall& call) {
    using Function = LoggedCall::Function;
    const auto needs = [&](std::size_t least, Function function) {
        call.function = function;
        return count >= least;
    };
    switch (name.shape) {
        case Shape::Size:
            if (!needs(1, Function::Allocate)) return false;
            call.size = arguments[0];
            return true;
        case Shape::CountSize:
            if (!needs(2, Function::Allocate)) return false;
            call.size = Product(arguments[0], arguments[1]);
            return true;
        case Shape::AlignmentSize:
            if (!needs(2, Function::Allocate)) return false;
            call.alignment = arguments[0];
            call.size = arguments[1];
            return true;
        case Shape::SizeAlignment:
            if (!needs(2, Function::Allocate)) return false;
            call.size = arguments[0];
            call.alignment = arguments[1];
            return true;
        case Shape::OutAlignmentSize:
            if (!needs(3, Function::Allocate)) return false;
            call.alignment = arguments[1];
            call.size = arguments[2];
            return true;
        case Shape::OldSize:
            if (!needs(2, Function::Resize)) return false;
            call.old = arguments[0];
            call.size = arguments[1];
            return true;
        case Shape::OldCountSize:
            if (!needs(3, Function::Resize)) return false;
            call.old = arguments[0];
            call.size = Product(arguments[1], arguments[2]);
            return true;
        case Shape::Old:
            if (!needs(1, Function::Free)) return false;
            call.old = arguments[0];
            return true;
    }
    return false;
}

std::size_t ScanArguments(const char*& at, std::uint64_t* arguments, std::size_t most) {
    std::size_t count = 0;
    while (count < most) {
        const char* next = at;
        SkipBlanks(next);
        // "al 256", "size 1024"; NULL and nil are numbers.
        if (!ScanNumber(next, arguments[count])) {
            while (IsLetter(*next)) ++next;
            SkipBlanks(next);
            if (!ScanNumber(next, arguments[count])) break;
        }
        ++count;
        at = next;
        SkipBlanks(next);
        if (*next != ',') break;
        at = next + 1;
    }
    return count;
}

}  // namespace residue::import
