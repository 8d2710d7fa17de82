#include "cli/report_checks.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>

#include "analysis/format.hpp"
#include "base/parse_size.hpp"
#include "cli/arguments.hpp"

namespace residue::cli {

namespace {

// One after the other, each behind the one before: '*' is what separates them.
std::vector<std::string_view> PiecesOf(std::string_view pattern) {
    std::vector<std::string_view> pieces;
    while (true) {
        const auto star = pattern.find('*');
        pieces.push_back(pattern.substr(0, star));
        if (star == std::string_view::npos) return pieces;
        pattern.remove_prefix(star + 1);
    }
}

constexpr std::uintmax_t kMostSuppressions = 1 << 20;  // bytes

}  // namespace

bool MatchesSuppression(std::string_view pattern, std::string_view text) {
    const bool atBegin = pattern.starts_with('^');
    if (atBegin) pattern.remove_prefix(1);
    const bool atEnd = pattern.ends_with('$');
    if (atEnd) pattern.remove_suffix(1);
    const std::vector<std::string_view> pieces = PiecesOf(pattern);
    std::size_t from = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const std::string_view piece = pieces[i];
        if (i == 0 && atBegin) {
            if (!text.starts_with(piece)) return false;
            from = piece.size();
            if (pieces.size() == 1) return !atEnd || from == text.size();
            continue;
        }
        if (i + 1 == pieces.size() && atEnd) return text.size() - from >= piece.size() && text.ends_with(piece);
        const auto found = text.find(piece, from);
        if (found == std::string_view::npos) return false;
        from = found + piece.size();
    }
    return true;
}

std::vector<std::string> ReadSuppressions(const std::string& path, std::vector<Failure>& failures) {
    std::vector<std::string> patterns;
    CheckReadable(path, "--suppressions", failures);
    std::ifstream file(path, std::ios::binary);
    std::string line;
    std::uintmax_t bytes = 0;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
        const std::string where = path + ":" + std::to_string(number);
        if ((bytes += line.size() + 1) > kMostSuppressions) {
            failures.push_back({where, "the file is too long", "at most 1 MiB"});
            break;
        }
        const auto begin = line.find_first_not_of(" \t\r");
        if (begin == std::string::npos || line[begin] == '#') continue;
        const std::string text = line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
        if (!text.starts_with("leak:") || text.size() == 5) {
            failures.push_back({where, "'" + text + "' is no suppression", "leak:PATTERN, or # and a comment"});
            continue;
        }
        patterns.push_back(text.substr(5));
    }
    return patterns;
}

void ReportChecks::AddTo(CLI::App& app) {
    app.add_flag("--fail-on-leak", failOnLeak, "exit code 1 where something was never freed");
    app.add_option("--max-peak", mostPeak, "exit code 1 where more was alive at once")->type_name("BYTES");
    app.add_option("--suppressions", suppressionFile, "leaks that are known: lines leak:PATTERN, as LeakSanitizer's")
        ->type_name("FILE");
}

void ReportChecks::Check(std::vector<Failure>& failures) {
    if (!mostPeak.empty()) {
        peak_ = ParseBytes(mostPeak);
        if (!peak_) {
            failures.push_back({"--max-peak", "'" + mostPeak + "' is no number of bytes", "64M, 1.5 GiB, 4096"});
        }
    }
    if (!suppressionFile.empty()) patterns_ = ReadSuppressions(suppressionFile, failures);
}

void ReportChecks::Suppress(Report& report) const {
    if (patterns_.empty()) return;
    const auto known = [&](const ReportLeak& leak) {
        return std::any_of(leak.trace.begin(), leak.trace.end(), [&](const std::string& frame) {
            return std::any_of(patterns_.begin(), patterns_.end(),
                               [&](const std::string& pattern) { return MatchesSuppression(pattern, frame); });
        });
    };
    for (const ReportLeak& leak : report.leaks) {
        if (!known(leak)) continue;
        report.suppressedBytes += leak.bytes;
        report.suppressedBlocks += leak.blocks;
    }
    std::erase_if(report.leaks, known);
}

std::vector<std::string> ReportChecks::Broken(const Report& report) const {
    std::vector<std::string> broken;
    if (failOnLeak && !report.leaks.empty()) {
        std::uint64_t bytes = 0, blocks = 0;
        for (const ReportLeak& leak : report.leaks) bytes += leak.bytes, blocks += leak.blocks;
        broken.push_back(analysis::FormatBytesExact(bytes) + " in " + analysis::FormatCount(blocks) +
                         (blocks == 1 ? " block" : " blocks") + " were never freed (--fail-on-leak)");
    }
    if (peak_ && report.figures.peakLiveBytes > *peak_) {
        broken.push_back("at most " + analysis::FormatBytesExact(report.figures.peakLiveBytes) +
                         " were alive at once, more than " + analysis::FormatBytesExact(*peak_) + " (--max-peak)");
    }
    return broken;
}

}  // namespace residue::cli
