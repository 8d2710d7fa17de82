#include "cli/trace_arguments.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "base/parse_size.hpp"
#include "lab/layout.hpp"

namespace residue::cli {
namespace {

bool LooksLikeTrace(const std::filesystem::path& path) {
    std::filesystem::path name = path.filename();
    if (name.extension() == ".gz" || name.extension() == ".zst") name = name.stem();
    return name.extension() == ".rep" || name.extension() == ".script";
}

}  // namespace

std::optional<double> Number(const std::string& text, const char* option, double least, double most,
                             std::vector<Failure>& failures) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool fits = error == std::errc() && end == text.data() + text.size() && value >= least && value <= most;
    if (fits) return value;
    std::ostringstream expected;
    expected << "a number from " << least << " to " << most;
    failures.push_back({option, "'" + text + "' is not one", expected.str()});
    return std::nullopt;
}

void ReadLimits(const std::string& heap, const std::string& timeout, lab::RunOptions& options,
                std::vector<Failure>& failures) {
    const auto bytes = ParseBytes(heap);
    if (!bytes || *bytes == 0 || *bytes > lab::kLargestHeap) {
        failures.push_back({"--heap", "'" + heap + "' cannot be", "a size from 1 to 3G"});
    } else {
        options.heapBytes = *bytes;
    }
    constexpr double kShortest = 0.01, kLongest = 3600;
    if (const auto seconds = Number(timeout, "--timeout", kShortest, kLongest, failures)) {
        options.timeout = std::chrono::milliseconds(std::llround(*seconds * 1000));
    }
}

std::vector<std::string> ExpandTraces(const std::vector<std::string>& given, std::vector<Failure>& failures) {
    namespace fs = std::filesystem;
    std::vector<std::string> files;
    for (const std::string& path : given) {
        std::error_code error;
        if (!fs::is_directory(path, error)) {
            files.push_back(path);
            continue;
        }
        std::vector<std::string> found;
        for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
            if (LooksLikeTrace(at->path())) found.push_back(at->path().string());
        }
        if (error) failures.push_back({path, error.message(), "a folder that can be read"});
        if (!error && found.empty()) failures.push_back({path, "has no trace in it", ".rep or .script files"});
        std::sort(found.begin(), found.end());
        files.insert(files.end(), found.begin(), found.end());
    }
    if (given.empty()) failures.push_back({"TRACES", "are missing", "malloc-lab .rep or CS107 .script files"});
    return files;
}

void TellWarnings(const std::vector<Warning>& warnings) {
    constexpr std::size_t kMost = 5;
    for (std::size_t i = 0; i < std::min(warnings.size(), kMost); ++i) {
        std::fprintf(stderr, "residue: %s: %s\n", warnings[i].where.c_str(), warnings[i].text.c_str());
    }
    if (warnings.size() > kMost) std::fprintf(stderr, "residue: ... and %zu more\n", warnings.size() - kMost);
}

}  // namespace residue::cli
