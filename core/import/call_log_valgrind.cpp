// valgrind --trace-malloc=yes: "--15883-- malloc(16) = 0x4A4C040". A call that is made of others has them in its line,
// "realloc(0x0,16)malloc(16) = 0x4A4CCB0": the outer one counts. The result may be in a line of its
// own, "--15883--  = 0".
#include "import/call_log.hpp"
#include "import/line_blocks.hpp"
#include "import/scan_numbers.hpp"

namespace residue::import {
namespace {

constexpr std::size_t kMostArguments = 4;

std::string_view ScanName(const char*& at) {
    const char* const begin = at;
    while (*at != '(' && !IsBlank(*at) && *at != '\n') ++at;
    return {begin, static_cast<std::size_t>(at - begin)};
}

LineKind Parse(const char* at, const char* end, LoggedCall& call) {
    if (!ScanWord(at, "--") || !ScanDecimal(at, call.process) || !ScanWord(at, "-- ")) return LineKind::Noise;
    const char* next = at;
    SkipBlanks(next);
    if (*next == '=') {
        ++next;
        SkipBlanks(next);
        call.hasResult = ScanNumber(next, call.result);
        call.part = LoggedCall::Part::Ends;
        return call.hasResult ? LineKind::Call : LineKind::Noise;
    }
    const std::string_view named = ScanName(at);
    const CallName* const name = *at == '(' ? FindCallName(named) : nullptr;
    if (name == nullptr) return LineKind::Noise;
    ++at;
    std::uint64_t arguments[kMostArguments];
    const std::size_t count = ScanArguments(at, arguments, kMostArguments);
    if (!SetArguments(*name, arguments, count, call)) return LineKind::Malformed;
    if (call.function == LoggedCall::Function::Free) return LineKind::Call;

    const std::string_view rest(at, static_cast<std::size_t>(end - at));
    const std::size_t equals = rest.rfind('=');
    if (equals == std::string_view::npos) {
        call.part = LoggedCall::Part::Begins;
        return LineKind::Call;
    }
    at += equals + 1;
    SkipBlanks(at);
    call.hasResult = ScanNumber(at, call.result);
    return call.hasResult ? LineKind::Call : LineKind::Malformed;
}

}  // namespace

const CallDialect kValgrindDialect = {"valgrind --trace-malloc", "a call such as '--15883-- malloc(16) = 0x4A4C040'", 0,
                                      Parse};

}  // namespace residue::import
