#include "capture/mappings.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string>

namespace residue::capture {

namespace {

// The next word of a line, and what is behind it.
std::string_view Word(std::string_view& line) {
    const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    const std::string_view word = line.substr(begin, end - begin);
    line.remove_prefix(end);
    return word;
}

bool Hexadecimal(std::string_view text, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::vector<Mapping> ParseMaps(std::string_view text) {
    std::vector<Mapping> mappings;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::string_view range = Word(line), access = Word(line);
        Word(line);  // offset
        Word(line);  // device
        const std::string_view inode = Word(line), name = Word(line);
        const std::size_t dash = range.find('-');
        if (dash == std::string_view::npos || access.size() != 4 || !access.starts_with("rw") || access[3] != 'p') {
            continue;
        }
        if (inode != "0" || (!name.empty() && name != "[heap]" && !name.starts_with("[anon:"))) continue;
        Mapping mapping;
        mapping.isBreak = name == "[heap]";
        if (!Hexadecimal(range.substr(0, dash), mapping.begin) || !Hexadecimal(range.substr(dash + 1), mapping.end)) {
            continue;
        }
        if (mapping.begin >= mapping.end || (!mappings.empty() && mapping.begin < mappings.back().end)) continue;
        const bool goesOn = !mappings.empty() && mapping.begin == mappings.back().end &&
                            mapping.isBreak == mappings.back().isBreak;
        if (goesOn) mappings.back().end = mapping.end;
        else mappings.push_back(mapping);
    }
    return mappings;
}

std::vector<Mapping> MappingsOf(pid_t process) {
    const int file = ::open(("/proc/" + std::to_string(process) + "/maps").c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return {};
    std::string text;
    constexpr std::size_t kStep = 1 << 16;
    while (text.size() < kMostMaps) {
        const std::size_t before = text.size();
        text.resize(before + kStep);
        const ssize_t got = ::read(file, text.data() + before, kStep);
        text.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
    }
    ::close(file);
    return ParseMaps(text);
}

std::vector<Mapping> Without(const std::vector<Mapping>& to, const std::vector<Mapping>& from) {
    std::vector<Mapping> left;
    std::size_t at = 0;
    for (Mapping mapping : to) {
        while (at < from.size() && from[at].end <= mapping.begin) ++at;
        for (std::size_t cut = at; cut < from.size() && from[cut].begin < mapping.end; ++cut) {
            if (from[cut].begin > mapping.begin) left.push_back({mapping.begin, from[cut].begin});
            mapping.begin = std::min(from[cut].end, mapping.end);
        }
        if (mapping.begin < mapping.end) left.push_back(mapping);
    }
    return left;
}

}  // namespace residue::capture
