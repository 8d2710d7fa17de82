// Mozilla's logalloc: "18545 18546 realloc(0x7f90495120e0,64)=0x7f9049536680", the process and the thread first. Calls
// to an arena have its number as their first argument.
#include "import/call_log.hpp"
#include "import/line_blocks.hpp"
#include "import/scan_numbers.hpp"

namespace residue::import {
namespace {

constexpr std::size_t kMostArguments = 4;
constexpr std::string_view kArena = "moz_arena_";

LineKind Parse(const char* at, const char*, LoggedCall& call) {
    if (!ScanDecimal(at, call.process) || *at != ' ' || !ScanDecimal(++at, call.thread) || *at != ' ') {
        return LineKind::Noise;
    }
    const char* const begin = ++at;
    while (*at != '(' && *at != '\n') ++at;
    if (*at != '(') return LineKind::Noise;
    std::string_view named(begin, static_cast<std::size_t>(at - begin));
    const std::size_t first = named.starts_with(kArena) ? 1 : 0;
    if (first != 0) named.remove_prefix(kArena.size());
    const CallName* name = FindCallName(named);
    if (name == nullptr) return LineKind::Noise;
    // This posix_memalign is told without its first argument, and its result is the pointer.
    static constexpr CallName kPosixMemalign = {"posix_memalign", CallName::Shape::AlignmentSize};
    if (name->shape == CallName::Shape::OutAlignmentSize) name = &kPosixMemalign;
    ++at;
    std::uint64_t arguments[kMostArguments];
    const std::size_t count = ScanArguments(at, arguments, kMostArguments);
    if (count < first || !SetArguments(*name, arguments + first, count - first, call)) return LineKind::Malformed;
    if (*at != ')') return LineKind::Malformed;
    ++at;
    if (call.function == LoggedCall::Function::Free) return LineKind::Call;
    SkipBlanks(at);
    if (*at != '=') return LineKind::Malformed;
    ++at;
    SkipBlanks(at);
    call.hasResult = ScanNumber(at, call.result);
    return call.hasResult ? LineKind::Call : LineKind::Malformed;
}

}  // namespace

const CallDialect kLogallocDialect = {"Mozilla logalloc", "a call such as '18545 18546 malloc(16)=0x7f90495120e0'", 0,
                                      Parse};

}  // namespace residue::import
