#include "import/operation_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace residue::import {
namespace {

constexpr std::string_view kFormOfAll = "'a id size', 'r id size', 'f id' or 'w id size'";

constexpr std::string_view FormOf(char letter) {
    switch (letter) {
        case 'a': return "'a id size'";
        case 'r': return "'r id size'";
        case 'w': return "'w id size'";
        default: return "'f id'";
    }
}

constexpr OperationKind KindOf(char letter) {
    switch (letter) {
        case 'a': return OperationKind::Allocate;
        case 'r': return OperationKind::Resize;
        case 'w': return OperationKind::Touch;
        default: return OperationKind::Free;
    }
}

constexpr bool IsOperationLetter(char c) { return c == 'a' || c == 'r' || c == 'f' || c == 'w'; }
constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

ParsedNumber ParseNumber(std::string_view text) {
    ParsedNumber number;
    const bool negative = !text.empty() && text.front() == '-';
    if (negative || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
    if (text.empty()) return {0, NumberFault::NotANumber};
    bool tooLarge = false;
    for (const char c : text) {
        if (c < '0' || c > '9') return {0, NumberFault::NotANumber};
        const auto digit = static_cast<std::uint64_t>(c - '0');
        std::uint64_t next = 0;
        if (__builtin_mul_overflow(number.value, std::uint64_t{10}, &next) ||
            __builtin_add_overflow(next, digit, &next)) {
            tooLarge = true;
        }
        number.value = next;
    }
    if (negative && number.value != 0) {
        number.minusOne = !tooLarge && number.value == 1;
        number.fault = NumberFault::Negative;
    } else if (tooLarge) {
        number.fault = NumberFault::TooLarge;
    }
    return number;
}

OperationParser::OperationParser(TextScanner scanner, Dialect dialect)
    : scanner_(std::move(scanner)), dialect_(dialect), warnings_(scanner_.Name()) {}

Outcome<bool> OperationParser::NextOnLine(Token& token) {
    const Outcome<bool> more = scanner_.MoreOnLine();
    if (!more || !*more) return more;
    return scanner_.Next(token);
}

// Says why and goes on with the next line. True: the caller goes on too.
Outcome<bool> OperationParser::LeaveOut(std::uint64_t line, std::string why, std::string_view expected) {
    warnings_.Add(line, [&] {
        return expected.empty() ? fmt::format("{}: line left out", why)
                                : fmt::format("{}, expected {}: line left out", why, expected);
    });
    const Outcome<void> skipped = scanner_.SkipLine();
    if (!skipped) return Fail(skipped.error());
    return true;
}

std::string OperationParser::FaultText(NumberFault fault, const char* which, std::string_view text) const {
    const char* what = fault == NumberFault::Negative  ? "is negative"
                       : fault == NumberFault::TooLarge ? "is too large"
                                                        : "is not a number";
    return fmt::format("the {} '{}' {}", which, Shown(text), what);
}

Outcome<bool> OperationParser::Next(Operation& operation) {
    Token token;
    for (;;) {
        const Outcome<bool> more = scanner_.Next(token);
        if (!more || !*more) return more;
        const std::string_view text = token.text;
        const std::uint64_t line = token.line;
        if (text.size() == 1 && IsOperationLetter(text.front())) {
            ++seen_;
            lastLine_ = line;
            const Outcome<bool> good = ParseOperation(text.front(), line, operation);
            if (!good) return good;
            if (!*good) continue;
            Remark(operation);
            return true;
        }
        if (text.front() == '#') {
            if (dialect_ == Dialect::Rep) {
                warnings_.Add(line, [] { return "a comment, which only .script files have: line left out"; });
            }
            const Outcome<void> skipped = scanner_.SkipLine();
            if (!skipped) return Fail(skipped.error());
            continue;
        }
        if (LooksBinary(text)) {
            return Fail(Failure{scanner_.Where(line), "binary data", std::string(kFormOfAll)});
        }
        if (ParseNumber(text).fault != NumberFault::NotANumber) {
            // Some courses put a thread id before or behind each operation.
            warnings_.Add(line, [&] {
                return fmt::format("the number '{}' belongs to no operation, expected {}: it is left out", Shown(text),
                                   kFormOfAll);
            });
            continue;
        }
        if (text.size() == 1 && IsLetter(text.front())) {
            ++seen_;
            lastLine_ = line;
        }
        const Outcome<bool> left =
            LeaveOut(line, fmt::format("unknown operation '{}'", Shown(text)), kFormOfAll);
        if (!left) return left;
    }
}

// False: the operation was left out.
Outcome<bool> OperationParser::ParseOperation(char letter, std::uint64_t line, Operation& operation) {
    const auto leaveOut = [&](std::string why) -> Outcome<bool> {
        const Outcome<bool> left = LeaveOut(line, fmt::format("'{}': {}", letter, why), FormOf(letter));
        if (!left) return left;
        return false;
    };
    Token token;
    const Outcome<bool> hasId = NextOnLine(token);
    if (!hasId) return hasId;
    if (!*hasId) {
        warnings_.Add(line, [&] {
            return fmt::format("'{}': the id is missing, expected {}: line left out", letter, FormOf(letter));
        });
        return false;
    }
    operation.kind = KindOf(letter);
    operation.line = line;
    operation.size = 0;
    const ParsedNumber id = ParseNumber(token.text);
    if (LooksBinary(token.text)) return Fail(Failure{scanner_.Where(line), "binary data", std::string(FormOf(letter))});
    if (id.minusOne && letter == 'f' && dialect_ == Dialect::Rep) {
        operation.id = -1;
        return true;
    }
    if (id.fault != NumberFault::None) return leaveOut(FaultText(id.fault, "id", token.text));
    if (id.value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return leaveOut(FaultText(NumberFault::TooLarge, "id", token.text));
    }
    operation.id = static_cast<std::int64_t>(id.value);
    if (letter == 'f') return true;

    const Outcome<bool> hasMore = NextOnLine(token);
    if (!hasMore) return hasMore;
    const bool hasSize = *hasMore && !(token.text.size() == 1 && IsLetter(token.text.front()));
    if (hasSize) {
        const ParsedNumber size = ParseNumber(token.text);
        if (size.fault != NumberFault::None) return leaveOut(FaultText(size.fault, "size", token.text));
        operation.size = size.value;
    } else {
        if (*hasMore) scanner_.Unread(token);  // the next operation begins on the same line
        // Drivers read with scanf, which leaves the size of the operation before in place; so do we.
        if (dialect_ == Dialect::Script || letter == 'w' || !previousSize_) {
            warnings_.Add(line, [&] {
                return fmt::format("'{} {}': the size is missing, expected {}: left out", letter, operation.id,
                                   FormOf(letter));
            });
            return false;
        }
        operation.size = *previousSize_;
        warnings_.Add(line, [&] {
            return fmt::format("'{} {}': the size is missing; it is {}, that of the operation before, as the drivers "
                               "read it", letter, operation.id, operation.size);
        });
    }
    if (letter != 'w') previousSize_ = operation.size;
    return true;
}

// What is odd about an operation that is well formed, and the lives of ids that tell it.
void OperationParser::Remark(const Operation& operation) {
    sawTouch_ = sawTouch_ || operation.kind == OperationKind::Touch;
    if (operation.id < 0) return;
    highestId_ = std::max(highestId_.value_or(0), operation.id);
    const bool isRep = dialect_ == Dialect::Rep;  // CS107 takes an id that is not live as NULL, without a remark
    Life& life = lives_.At(operation.id);
    const Life before = life;
    switch (operation.kind) {
        case OperationKind::Allocate:
            life = Life::Live;
            if (before == Life::Live) {
                warnings_.Add(operation.line, [&] {
                    return fmt::format("'a {0}': id {0} is still live; its older block is forgotten and leaks",
                                       operation.id);
                });
            }
            if (isRep && operation.size == 0) {
                warnings_.Add(operation.line, [&] {
                    return fmt::format("'a {} 0': a request of 0 bytes, which every malloc-lab driver fails",
                                       operation.id);
                });
            }
            break;
        case OperationKind::Free:
            if (before == Life::Live) life = Life::Freed;
            if (isRep && before != Life::Live) {
                warnings_.Add(operation.line, [&] {
                    return before == Life::Freed
                               ? fmt::format("'f {0}': double free, id {0} was freed before", operation.id)
                               : fmt::format("'f {0}': id {0} was never allocated", operation.id);
                });
            }
            break;
        case OperationKind::Resize:
            if (operation.size != 0) {
                life = Life::Live;
            } else if (before == Life::Live) {
                life = Life::Freed;
            }
            if (isRep && before == Life::Freed) {
                warnings_.Add(operation.line, [&] {
                    return fmt::format("'r {0} {1}': id {0} was freed before; taken as realloc(NULL, {1})",
                                       operation.id, operation.size);
                });
            }
            break;
        case OperationKind::Touch:
            if (before != Life::Live) {
                warnings_.Add(operation.line, [&] {
                    return fmt::format("'w {0} {1}': id {0} is not live; nothing is touched", operation.id,
                                       operation.size);
                });
            }
            break;
    }
}

}  // namespace residue::import
