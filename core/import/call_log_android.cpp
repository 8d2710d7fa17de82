// Android's malloc debug, as memory_replay reads it: "300: realloc 0x96b90920 0x93605280 150", the thread, the
// function, the pointer that came out of it (of free: that went in), its arguments, and perhaps when it began and
// ended, in ns.
#include "import/call_log.hpp"
#include "import/line_blocks.hpp"
#include "import/scan_numbers.hpp"

namespace residue::import {
namespace {

struct Operation {
    std::string_view name;
    CallName call;  // its arguments, behind the pointer
    std::size_t arguments;
};

constexpr Operation kOperations[] = {
    {"malloc", {"malloc", CallName::Shape::Size}, 1},
    {"free", {"free", CallName::Shape::Old}, 0},
    {"calloc", {"calloc", CallName::Shape::CountSize}, 2},
    {"realloc", {"realloc", CallName::Shape::OldSize}, 2},
    {"memalign", {"memalign", CallName::Shape::AlignmentSize}, 2},
};

bool ScanNext(const char*& at, std::uint64_t& number) {
    SkipBlanks(at);
    return ScanNumber(at, number);
}

LineKind Parse(const char* at, const char*, LoggedCall& call) {
    if (!ScanDecimal(at, call.thread) || !ScanWord(at, ": ")) return LineKind::Noise;
    const char* const begin = at;
    while (!IsBlank(*at) && *at != '\n') ++at;
    const std::string_view named(begin, static_cast<std::size_t>(at - begin));
    const Operation* operation = nullptr;
    for (const Operation& known : kOperations) {
        if (known.name == named) operation = &known;
    }
    if (operation == nullptr) return LineKind::Noise;
    std::uint64_t pointer = 0, arguments[2] = {};
    if (!ScanNext(at, pointer)) return LineKind::Malformed;
    for (std::size_t i = 0; i < operation->arguments; ++i) {
        if (!ScanNext(at, arguments[i])) return LineKind::Malformed;
    }
    if (operation->arguments == 0) arguments[0] = pointer;
    if (!SetArguments(operation->call, arguments, 2, call)) return LineKind::Malformed;
    call.result = pointer;
    call.hasResult = call.function != LoggedCall::Function::Free;
    std::uint64_t start = 0, end = 0;
    if (ScanNext(at, start) && ScanNext(at, end)) {
        // Memory goes back when a call begins, and is there when one ends.
        call.time = call.function == LoggedCall::Function::Free ? start : end;
    }
    return LineKind::Call;
}

}  // namespace

const CallDialect kMemoryReplayDialect = {"Android memory_replay", "a call such as '300: malloc 0x96b90920 16'", 1e9,
                                          Parse};

}  // namespace residue::import
