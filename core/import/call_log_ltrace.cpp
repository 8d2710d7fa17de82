// ltrace: "malloc(16) = 0x55badaf8f2a0", with the library before the name or behind it (-l, -x), the time (-t, -tt,
// -ttt, -r), the return address (-i) or the thread (-f) before all, and calls that are torn in two when threads switch:
// "malloc(16 <unfinished ...>" and later "<... malloc resumed> ) = 0x5589a76c1000".
#include "import/call_log.hpp"
#include "import/line_blocks.hpp"
#include "import/scan_numbers.hpp"

namespace residue::import {
namespace {

constexpr std::uint64_t kMicrosecondsPerSecond = 1'000'000;
constexpr std::size_t kMostArguments = 4;

// .123456 behind a second, as microseconds; none: 0.
std::uint64_t ScanFraction(const char*& at) {
    if (*at != '.') return 0;
    ++at;
    std::uint64_t fraction = 0, unit = kMicrosecondsPerSecond;
    for (; IsDigit(*at); ++at) {
        unit /= 10;
        fraction += static_cast<std::uint64_t>(*at - '0') * unit;
    }
    return fraction;
}

// What stands before the call. False: it ends within it.
bool ScanPrefix(const char*& at, LoggedCall& call) {
    for (;;) {
        SkipBlanks(at);
        const char* next = at;
        std::uint64_t number = 0;
        if (ScanWord(next, "[pid ")) {
            SkipBlanks(next);
            if (!ScanDecimal(next, call.thread) || *next != ']') return false;
            ++next;
        } else if (*next == '[') {
            ++next;
            if (!ScanNumber(next, call.caller) || *next != ']') return false;
            ++next;
        } else if (IsDigit(*next)) {
            if (!ScanDecimal(next, number)) return false;
            std::uint64_t minutes = 0, seconds = 0;
            if (*next == ':') {  // the time of day
                if (!ScanDecimal(++next, minutes) || *next != ':' || !ScanDecimal(++next, seconds)) return false;
                const std::uint64_t all = (number % 24 * 60 + minutes % 60) * 60 + seconds % 61;
                call.time = all * kMicrosecondsPerSecond + ScanFraction(next);
            } else if (*next == '.') {
                constexpr std::uint64_t kMostSeconds = std::uint64_t{1} << 40;
                const std::uint64_t fraction = ScanFraction(next);
                call.time = number % kMostSeconds * kMicrosecondsPerSecond + fraction;
            } else {
                call.thread = number;
            }
        } else {
            return true;
        }
        if (!IsBlank(*next)) return false;
        at = next;
    }
}

// The function's name without its library, before "(": "libstdc++.so.6->malloc", "malloc@libc.so.6".
std::string_view ScanName(const char*& at) {
    const char* begin = at;
    for (; *at != '(' && !IsBlank(*at) && *at != '\n' && *at != '"'; ++at) {
        if (at[0] == '-' && at[1] == '>') begin = at + 2;
    }
    std::string_view name(begin, static_cast<std::size_t>(at - begin));
    return name.substr(0, name.find('@'));
}

// "= 0x5589a76c1000" behind the closing parenthesis; "= <void>" has no result.
bool ScanResult(const char*& at, LoggedCall& call) {
    SkipBlanks(at);
    if (*at != '=') return false;
    ++at;
    SkipBlanks(at);
    call.hasResult = ScanNumber(at, call.result);
    return true;
}

LineKind ParseEnd(const char* at, LoggedCall& call) {
    const char* begin = at;
    const std::string_view whole = ScanName(at);
    const CallName* const name = FindCallName(whole.empty() ? std::string_view(begin, 0) : whole);
    SkipBlanks(at);
    if (name == nullptr || !ScanWord(at, "resumed>")) return LineKind::Noise;
    while (*at != '=' && *at != '\n') ++at;
    call.part = LoggedCall::Part::Ends;
    return ScanResult(at, call) ? LineKind::Call : LineKind::Malformed;
}

LineKind Parse(const char* at, const char* end, LoggedCall& call) {
    if (!ScanPrefix(at, call)) return LineKind::Noise;
    if (ScanWord(at, "<... ")) return ParseEnd(at, call);
    const std::string_view named = ScanName(at);
    if (*at != '(') return LineKind::Noise;
    const CallName* const name = FindCallName(named);
    if (name == nullptr) return LineKind::Noise;
    ++at;
    std::uint64_t arguments[kMostArguments];
    const std::size_t count = ScanArguments(at, arguments, kMostArguments);
    if (!SetArguments(*name, arguments, count, call)) return LineKind::Malformed;

    const std::string_view rest(at, static_cast<std::size_t>(end - at));
    if (rest.find("<unfinished ...>") != std::string_view::npos) {
        call.part = LoggedCall::Part::Begins;
        return LineKind::Call;
    }
    if (rest.find("<no return ...>") != std::string_view::npos) return LineKind::Noise;
    const std::size_t closing = rest.find(')');
    if (closing == std::string_view::npos) return LineKind::Malformed;
    at += closing + 1;
    if (!ScanResult(at, call)) return LineKind::Malformed;
    call.unknownPointer = name->shape == CallName::Shape::OutAlignmentSize && call.result == 0;
    return LineKind::Call;
}

}  // namespace

const CallDialect kLtraceDialect = {"ltrace", "a call such as 'malloc(16) = 0x55badaf8f2a0'",
                                    static_cast<double>(kMicrosecondsPerSecond), Parse};

}  // namespace residue::import
