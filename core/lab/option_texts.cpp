#include "lab/option_texts.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <sstream>
#include <utility>

#include "base/parse_size.hpp"

namespace residue::lab {
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

void ReadLimits(const std::string& heap, const std::string& timeout, RunOptions& options,
                std::vector<Failure>& failures) {
    const auto bytes = ParseBytes(heap);
    if (!bytes || *bytes == 0 || *bytes > kLargestHeap) {
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

namespace {

std::optional<std::uint64_t> AlignmentOf(const std::string& text, std::vector<Failure>& failures) {
    if (text.empty()) return std::nullopt;
    const auto alignment = ParseWhole(text);
    constexpr std::uint64_t kMost = 4096;
    const bool fits =
        alignment && *alignment > 0 && *alignment <= kMost && (*alignment & (*alignment - 1)) == 0;
    if (!fits) failures.push_back({"--alignment", "'" + text + "' cannot be", "a power of two, at most 4096"});
    return alignment;
}

RuleSettings RulesOf(const OptionTexts& texts, std::vector<Failure>& failures) {
    constexpr double kFastest = 1e9, kKilo = 1e3;  // the latter: Kops are typed
    const auto read = [&](const std::string& text, const char* option, double most) -> std::optional<double> {
        if (text.empty()) return std::nullopt;
        return Number(text, option, 0, most, failures);
    };
    RuleSettings rules;
    rules.utilWeight = read(texts.utilWeight, "--util-weight", 1);
    rules.minUtil = read(texts.minUtil, "--min-util", 1);
    rules.maxUtil = read(texts.maxUtil, "--max-util", 1);
    rules.minThroughput = read(texts.minThroughput, "--min-throughput", kFastest);
    rules.maxThroughput = read(texts.maxThroughput, "--max-throughput", kFastest);
    if (rules.minThroughput) *rules.minThroughput *= kKilo;
    if (rules.maxThroughput) *rules.maxThroughput *= kKilo;
    return rules;
}

}  // namespace

std::vector<std::string> OptionTexts::Words() const {
    std::vector<std::string> words;
    const std::pair<const char*, const std::string*> texts[] = {
        {"--compiler=", &compiler},          {"--cflags=", &flags},         {"--heap=", &heap},
        {"--timeout=", &timeout},            {"--alignment=", &alignment},  {"--generation=", &generation},
        {"--util-weight=", &utilWeight},     {"--min-util=", &minUtil},     {"--max-util=", &maxUtil},
        {"--min-throughput=", &minThroughput}, {"--max-throughput=", &maxThroughput}};
    for (const auto& [name, text] : texts) {
        if (!text->empty()) words.push_back(name + *text);
    }
    const std::pair<const char*, bool> switches[] = {
        {"--check-all", checkAll}, {"--no-timing", noTiming}, {"--no-landlock", noLandlock}};
    for (const auto& [name, isSet] : switches) {
        if (isSet) words.emplace_back(name);
    }
    return words;
}

ScoreRules RuleSettings::Over(ScoreRules given) const {
    if (utilWeight) given.utilWeight = *utilWeight;
    if (minUtil) given.minUtil = *minUtil;
    if (maxUtil) given.maxUtil = *maxUtil;
    if (minThroughput) given.minThroughput = *minThroughput;
    if (maxThroughput) given.maxThroughput = *maxThroughput;
    return given;
}

LabSettings CheckOptions(const OptionTexts& texts, std::vector<Failure>& failures) {
    LabSettings settings;
    settings.build.compiler = texts.compiler;
    settings.build.needsLandlock = settings.run.needsLandlock = !texts.noLandlock;
    std::istringstream words(texts.flags);
    for (std::string word; words >> word;) settings.build.flags.push_back(word);
    ReadLimits(texts.heap, texts.timeout, settings.run, failures);
    settings.run.alignment = AlignmentOf(texts.alignment, failures);
    settings.run.checkAll = texts.checkAll;
    if (texts.noTiming) settings.run.timedRuns = 0;
    settings.rules = RulesOf(texts, failures);
    const bool isOne = texts.generation.size() == 1 && std::string("ABCM").find(texts.generation) != std::string::npos;
    if (isOne) settings.generation = texts.generation[0];
    if (!isOne && !texts.generation.empty()) {
        failures.push_back({"--generation", "'" + texts.generation + "' is not one", "A, B, C or M"});
    }
    return settings;
}

}  // namespace residue::lab
