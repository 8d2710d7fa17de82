#include "cli/convert_formats.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <vector>

#include "analysis/flame.hpp"
#include "cli/profile_data.hpp"
#include "export/chrome_trace_writer.hpp"
#include "export/csv_writer.hpp"
#include "export/folded_writer.hpp"
#include "export/json_lines_writer.hpp"
#include "export/scenario_writer.hpp"
#include "export/sqlite_writer.hpp"
#include "log/native_file.hpp"

namespace residue::cli {
namespace {

Outcome<void> WriteRep(ConvertWork& work) {
    return exports::WriteRep(work.session.View(), work.request.out, work.request.balanced, work.extras);
}

Outcome<void> WriteScript(ConvertWork& work) {
    return exports::WriteScript(work.session.View(), work.request.out, work.request.balanced, work.extras);
}

Outcome<void> WriteNative(ConvertWork& work) {
    work.extras.summary->operations = work.session.View().Rows().value;
    return log::WriteNative(work.session.View(), work.request.out, work.extras.cancelled, work.extras.progress);
}

Outcome<void> WriteJsonLines(ConvertWork& work) {
    return exports::WriteJsonLines(work.session.View(), work.request.out, work.extras);
}

Outcome<void> WriteScenario(ConvertWork& work) {
    return exports::WriteScenario(work.session.View(), work.request.out, work.session.Title(), work.extras);
}

Outcome<void> WriteCsv(ConvertWork& work) {
    exports::CsvOptions options;
    options.every = work.request.every;
    if (work.request.rows != 0) options.rows = work.request.rows;
    return exports::WriteMetricsCsv(work.session.View(), work.request.out, options, work.extras);
}

Outcome<void> WriteChrome(ConvertWork& work) {
    const std::uint64_t points = work.request.rows != 0 ? work.request.rows : 100'000;
    return exports::WriteChromeTrace(work.session.View(), work.request.out, points, work.extras);
}

Outcome<void> WriteFolded(ConvertWork& work) {
    const Outcome<analysis::Profile> profile = ProfileOf(work.session, work.request.profile, work.extras.progress);
    if (!profile) return Fail(profile.error());
    work.hidden = HiddenText(work.request.profile, *profile);
    analysis::FlameBuilder builder(analysis::Direction::TopDown);
    builder.Add(work.session.View(), *profile, work.request.measure);
    return exports::WriteFolded(builder.Finish(), work.request.out, work.extras);
}

Outcome<void> WriteSqlite(ConvertWork& work) {
    return exports::WriteSqlite(work.session.View(), work.request.out, work.extras);
}

constexpr const char* kCannotSay = "left out that the format cannot say";

constexpr Format kFormats[] = {
    {"rep", ".rep", Takes::Balanced, "operations", kCannotSay, WriteRep},
    {"script", ".script", Takes::Balanced, "operations", kCannotSay, WriteScript},
    {"residue", ".residue", Takes::Nothing, "events", kCannotSay, WriteNative},
    {"jsonl", ".jsonl", Takes::Nothing, "events", kCannotSay, WriteJsonLines},
    {"iridis", ".iridis", Takes::Nothing, "operations", kCannotSay, WriteScenario},
    {"csv", ".csv", Takes::Sampling, "rows", "", WriteCsv},
    {"chrome", ".trace.json", Takes::Sampling, "moments", "errors have no mark: too many", WriteChrome},
    {"folded", ".folded", Takes::Profile | Takes::Measure, "stacks", "left out that shrank", WriteFolded},
    {"html", ".html", Takes::Profile, "calls", kCannotSay, WriteHtml},
    {"sqlite", ".sqlite .db", Takes::Nothing, "events", kCannotSay, WriteSqlite},
};

std::vector<std::string> EndingsOf(const Format& format) {
    std::istringstream words(format.endings);
    std::vector<std::string> endings;
    for (std::string word; words >> word;) endings.push_back(word);
    return endings;
}

std::string Listed(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
    }
    return text;
}

}  // namespace

std::span<const Format> Formats() {
    return kFormats;
}

const Format* FormatNamed(const std::string& name) {
    for (const Format& format : kFormats) {
        if (format.name == name) return &format;
    }
    return nullptr;
}

const Format* FormatOf(const std::string& path) {
    const std::string name = std::filesystem::path(path).filename().string();
    for (const Format& format : kFormats) {
        const auto endings = EndingsOf(format);
        const auto ends = [&name](const std::string& ending) { return name.ends_with(ending); };
        if (std::any_of(endings.begin(), endings.end(), ends)) return &format;
    }
    return nullptr;
}

std::string Endings(Takes takes) {
    std::vector<std::string> all;
    for (const Format& format : kFormats) {
        if (takes != Takes::Nothing && !Heeds(format.takes, takes)) continue;
        for (std::string& ending : EndingsOf(format)) all.push_back(std::move(ending));
    }
    return Listed(all);
}

std::string FormatNames() {
    std::vector<std::string> all;
    for (const Format& format : kFormats) all.push_back(format.name);
    return Listed(all);
}

}  // namespace residue::cli
