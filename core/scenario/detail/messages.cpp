#include "scenario/detail/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace residue::scenario::detail {

Diagnostic& Messages::Error(const Location& at, std::string message, std::string expected, std::string hint) {
    return Add(Severity::Error, at, std::move(message), std::move(expected), std::move(hint));
}

Diagnostic& Messages::Warn(const Location& at, std::string message, std::string expected, std::string hint) {
    return Add(Severity::Warning, at, std::move(message), std::move(expected), std::move(hint));
}

Diagnostic& Messages::Add(Severity severity, const Location& at, std::string message, std::string expected,
                          std::string hint) {
    if (severity == Severity::Error) ++errors_;
    const bool consequence = !all_.empty() && fileOf_.back() == at.file && all_.back().place.line == at.line &&
                             all_.back().place.column == at.column && severity == Severity::Error;
    if (consequence) return leftOut_ = {};
    if (all_.size() == kMostDiagnostics) {
        ++more_;
        return leftOut_ = {};
    }
    fileOf_.push_back(at.file);
    return all_.emplace_back(Diagnostic{severity,
                                        PlaceOf(files_, at),
                                        std::move(message),
                                        std::move(expected),
                                        std::move(hint),
                                        LineOf(files_, at),
                                        {}});
}

std::vector<Diagnostic> Messages::Take() {
    std::vector<std::size_t> order(all_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const auto key = [&](std::size_t i) {
            return std::tuple(fileOf_[i], all_[i].place.line, all_[i].place.column);
        };
        return key(a) < key(b);
    });
    std::vector<Diagnostic> sorted;
    sorted.reserve(all_.size() + 1);
    for (const std::size_t i : order) sorted.push_back(std::move(all_[i]));
    if (more_ != 0) {
        Diagnostic more;
        more.place.file = files_.empty() ? "" : files_[0].name;
        more.message = fmt::format("{} more errors are not shown", more_);
        sorted.push_back(std::move(more));
    }
    all_.clear();
    fileOf_.clear();
    return sorted;
}

Place PlaceOf(const std::vector<SourceFile>& files, const Location& at) {
    return {at.file < files.size() ? files[at.file].name : "", at.line, at.column, at.length};
}

std::string LineOf(const std::vector<SourceFile>& files, const Location& at) {
    if (at.file >= files.size() || at.line == 0) return {};
    const std::string& text = files[at.file].text;
    std::size_t begin = 0;
    for (std::uint32_t line = 1; line < at.line; ++line) {
        const std::size_t end = text.find('\n', begin);
        if (end == std::string::npos) return {};
        begin = end + 1;
    }
    std::string line = text.substr(begin, text.find('\n', begin) - begin);
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

std::string Shown(std::string_view text) {
    constexpr std::size_t kMost = 40;
    std::string shown;
    for (const char c : text.substr(0, kMost)) {
        const auto byte = static_cast<unsigned char>(c);
        shown += byte < 0x20 || byte == 0x7F ? '?' : c;
    }
    // Not in the middle of a character.
    while (text.size() > kMost && !shown.empty() && (static_cast<unsigned char>(text[shown.size()]) & 0xC0) == 0x80) {
        shown.pop_back();
    }
    if (text.size() > kMost) shown += "…";
    return shown;
}

}  // namespace residue::scenario::detail
