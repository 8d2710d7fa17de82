#include "scenario/detail/near_name.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace residue::scenario::detail {
namespace {

char Lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Source: Levenshtein's distance, by rows; a change of case costs nothing.
std::size_t Distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (Lower(a[i]) == Lower(b[j]) ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

}  // namespace

void NearName::Offer(std::string_view candidate) {
    if (written_.size() > 64 || candidate.size() > 64 || candidate == written_) return;
    // `DefaultAllocate` for `DefaultAlloc`: the beginning of the other one counts as near too.
    const std::size_t shorter = std::min(written_.size(), candidate.size());
    const bool prefix = shorter >= 4 && written_.substr(0, shorter) == candidate.substr(0, shorter);
    const std::size_t distance = Distance(written_, candidate);
    const std::size_t near = written_.size() <= 2 ? 0 : std::max<std::size_t>(1, written_.size() / 3);
    if (!(distance <= near || (prefix && distance <= shorter / 2)) || distance >= bestDistance_) return;
    best_ = candidate;
    bestDistance_ = distance;
}

std::string NearName::Hint() const {
    return best_.empty() ? "" : "did you mean `" + std::string(best_) + "`?";
}

}  // namespace residue::scenario::detail
