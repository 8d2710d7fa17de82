// CSV of metrics: every row as analysis::Measure has it, and minima and maxima where rows are fewer than positions.
#include "export/csv_writer.hpp"

#include <map>
#include <sstream>
#include <vector>

#include "analysis/formula.hpp"
#include "export/small_log.hpp"
#include "support/golden.hpp"

using namespace residue;
using namespace residue::exports::testing;

namespace {

struct Sheet {
    std::string text;
    std::vector<std::map<std::string, std::string>> rows;
    exports::WriteSummary summary;
};

std::vector<std::string> Fields(const std::string& line) {
    std::vector<std::string> fields;
    std::string field;
    for (const char c : line + ",") {
        if (c == ',')
            fields.push_back(std::move(field)), field.clear();
        else
            field += c;
    }
    return fields;
}

Sheet Written(const log::LogView& view, const exports::CsvOptions& options) {
    Sheet sheet;
    const support::ScratchFolder folder;
    REQUIRE(exports::WriteMetricsCsv(view, folder / "a.csv", options, {nullptr, &sheet.summary, nullptr}));
    sheet.text = support::ReadFile(folder / "a.csv");
    std::istringstream lines(sheet.text);
    std::string line;
    std::getline(lines, line);
    REQUIRE(line.ends_with('\r'));
    line.pop_back();
    const std::vector<std::string> names = Fields(line);
    while (std::getline(lines, line)) {
        REQUIRE(line.ends_with('\r'));
        line.pop_back();
        const std::vector<std::string> fields = Fields(line);
        REQUIRE(fields.size() == names.size());
        sheet.rows.emplace_back();
        for (std::size_t i = 0; i < names.size(); ++i) sheet.rows.back()[names[i]] = fields[i];
    }
    return sheet;
}

}  // namespace

TEST_CASE("CSV: the small log, as approved, a row a position") {
    const SmallLog small;
    const Sheet sheet = Written(small.view, {});
    CHECK(support::Golden("export/golden/small.csv", sheet.text) == "");
    REQUIRE(sheet.rows.size() == 9);
    CHECK(sheet.summary.operations == 9);
    model::HeapModel heap;
    for (std::uint64_t position = 0; position < 9; ++position) {
        heap.Advance(small.view, small.view.RowsAt(Position{position}), 1000);
        const analysis::Metrics metrics = analysis::Measure(heap, AllocatorId{}, 0);
        const auto& row = sheet.rows[position];
        CHECK(row.at("position") == std::to_string(position));
        CHECK(row.at("live_bytes") == std::to_string(metrics.liveBytes));
        CHECK(row.at("live_blocks") == std::to_string(metrics.liveBlocks));
        CHECK(row.at("free") == std::to_string(*metrics.free));
        CHECK(row.at("holes") == std::to_string(*metrics.holes));
    }
    CHECK(sheet.rows[8].at("failed_requests") == "1");
    CHECK(sheet.rows[3].at("failed_requests") == "0");
    CHECK(sheet.rows[8].at("peak_live_bytes") == "150");
    CHECK(sheet.rows[1].at("peak_live_bytes") == "100");
    CHECK(sheet.rows[4].at("size_of_interest") == "9000");
    CHECK(sheet.rows[8].at("seconds") == "0.000009000");
    for (const analysis::MetricInfo& info : analysis::MetricTable()) CHECK(sheet.rows[0].contains(info.key));
}

TEST_CASE("CSV: sampled rows keep the peaks of what lies between them") {
    EventLog log;
    log::Appender appender(log);
    for (int i = 0; i < 1000; ++i) {
        appender.Append(Allocated(0x1000, i == 333 ? 5000 : 64), {});
        appender.Append(Freed(0x1000), {});
    }
    for (const exports::CsvOptions& options : {exports::CsvOptions{.every = 100}, exports::CsvOptions{.rows = 21}}) {
        const Sheet sheet = Written(log.View(), options);
        CHECK(sheet.rows.size() == 21);
        CHECK(sheet.rows[7].at("position") == "700");
        CHECK(sheet.rows[7].at("live_bytes") == "0");
        CHECK(sheet.rows[7].at("live_bytes_min") == "0");
        CHECK(sheet.rows[7].at("live_bytes_max") == "5000");  // after call 667
        CHECK(sheet.rows[8].at("live_bytes_max") == "64");
        CHECK(sheet.rows[0].at("live_bytes_max") == "0");
        // No region is known, so neither is the heap.
        CHECK(sheet.rows[7].at("heap") == "");
        CHECK(sheet.rows[7].at("heap_max") == "");
        CHECK(sheet.rows[7].at("seconds") == "");
    }
    // As many rows as asked for, at most, and the last position is one of them.
    for (const std::uint64_t rows : {2, 3, 7, 1999, 2000, 2001, 9999}) {
        const Sheet sheet = Written(log.View(), {.rows = rows});
        CHECK(sheet.rows.size() <= rows);
        CHECK(sheet.rows.back().at("position") == "2000");
        CHECK(sheet.rows[0].contains("live_bytes_max") == (rows < 2001));
    }
}

TEST_CASE("CSV: an empty log has a header and position 0; cancelling leaves nothing") {
    EventLog log;
    CHECK(Written(log.View(), {}).rows.size() == 1);
    const std::atomic<bool> cancelled{true};
    const SmallLog small;
    CHECK_FALSE(exports::WriteMetricsCsv(small.view, small.folder / "a.csv", {}, {&cancelled, nullptr, nullptr}));
    CHECK_FALSE(std::filesystem::exists(small.folder / "a.csv"));
}
