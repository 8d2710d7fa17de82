#include "base/parse_size.hpp"

#include "base/checked.hpp"

namespace residue {

namespace {

char Lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view Trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

int DigitOf(char c, int base) {
    c = Lower(c);
    const int digit = c >= '0' && c <= '9' ? c - '0' : (c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99);
    return digit < base ? digit : -1;
}

// 0 for bytes, 1 for K, ...; -1: no unit.
int PowerOf(std::string_view unit) {
    if (unit.empty()) return 0;
    const char first = Lower(unit.front());
    if (first == 'b') return unit.size() == 1 ? 0 : -1;
    constexpr std::string_view kUnits = "kmgt";
    std::size_t at = 0;
    while (at < kUnits.size() && kUnits[at] != first) ++at;
    if (at == kUnits.size()) return -1;
    unit.remove_prefix(1);
    const bool whole = unit.empty() || (unit.size() == 1 && Lower(unit[0]) == 'b') ||
                       (unit.size() == 2 && Lower(unit[0]) == 'i' && Lower(unit[1]) == 'b');
    return whole ? static_cast<int>(at) + 1 : -1;
}

}  // namespace

std::optional<std::uint64_t> ParseWhole(std::string_view text) {
    text = Trimmed(text);
    int base = 10;
    if (text.size() > 2 && text[0] == '0' && Lower(text[1]) == 'x') base = 16, text.remove_prefix(2);
    std::uint64_t value = 0;
    bool any = false;
    for (const char c : text) {
        if (any && (c == ',' || c == '\'' || c == ' ' || c == '_')) continue;
        const int digit = DigitOf(c, base);
        if (digit < 0) return std::nullopt;
        const auto raised = CheckedMultiply(value, static_cast<std::uint64_t>(base));
        const auto sum = raised ? CheckedAdd(*raised, static_cast<std::uint64_t>(digit)) : std::nullopt;
        if (!sum) return std::nullopt;
        value = *sum;
        any = true;
    }
    return any ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> ParseBytes(std::string_view text) {
    text = Trimmed(text);
    if (text.size() > 2 && text[0] == '0' && Lower(text[1]) == 'x') return ParseWhole(text);
    std::size_t end = 0;
    while (end < text.size() && (DigitOf(text[end], 10) >= 0 || text[end] == ',' || text[end] == '\'')) ++end;
    const auto whole = ParseWhole({text.data(), end});
    if (!whole) return std::nullopt;
    std::string_view rest(text.data() + end, text.size() - end);
    std::uint64_t fraction = 0, places = 1;  // of the fraction: fraction / places
    if (!rest.empty() && rest.front() == '.') {
        rest.remove_prefix(1);
        while (!rest.empty() && DigitOf(rest.front(), 10) >= 0) {
            if (places < 1000000) {
                fraction = fraction * 10 + static_cast<std::uint64_t>(DigitOf(rest.front(), 10));
                places *= 10;
            }
            rest.remove_prefix(1);
        }
    }
    const int power = PowerOf(Trimmed(rest));
    if (power < 0) return std::nullopt;
    const std::uint64_t unit = std::uint64_t{1} << (10 * power);
    const auto bytes = CheckedMultiply(*whole, unit);
    // unit <= 2^40 and fraction < 10^6: the product fits.
    return bytes ? CheckedAdd(*bytes, fraction * unit / places) : std::nullopt;
}

}  // namespace residue
