#include "export/csv_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "analysis/formula.hpp"
#include "export/atomic_file.hpp"
#include "export/position_walk.hpp"

namespace residue::exports {
namespace {

using analysis::MetricInfo;
using analysis::MetricUnit;

// Of one moment, but too costly to look at in each: they depend on a size, so on every hole.
bool HasSize(const MetricInfo& info) {
    static constexpr std::string_view kKeys[] = {"unusable_free_index", "fragmentation_index", "size_of_interest"};
    return std::find(std::begin(kKeys), std::end(kKeys), info.key) != std::end(kKeys);
}

struct Column {
    const MetricInfo* info = nullptr;
    bool ranges = false;  // has its lowest and highest beside it
    std::optional<double> least, most;

    void Take(double value) {
        least = least ? std::min(*least, value) : value;
        most = most ? std::max(*most, value) : value;
    }
};

class Table {
public:
    Table(AtomicFile& file, bool sampled) : file_(file) {
        for (const MetricInfo& info : analysis::MetricTable()) {
            columns_.push_back({&info, sampled && !info.ofRun && !HasSize(info), {}, {}});
        }
        std::string header = "position,seconds";
        for (const Column& column : columns_) {
            header += fmt::format(",{}", column.info->key);
            if (column.ranges) header += fmt::format(",{0}_min,{0}_max", column.info->key);
        }
        file_.Write(header + "\r\n");
    }

    void Look(const PositionWalk& walk) {
        const analysis::Metrics metrics = analysis::Measure(walk.Heap(), AllocatorId{}, 0);
        static const analysis::RunMetrics kNone;
        for (Column& column : columns_) {
            if (!column.ranges) continue;
            if (const auto value = analysis::MetricValue(*column.info, metrics, kNone)) column.Take(*value);
        }
    }

    void Row(const log::LogView& log, const PositionWalk& walk) {
        const analysis::RunMetrics run = walk.Run();
        const std::uint64_t size = analysis::SizeOfInterest(log, walk.Rows(), run);
        const analysis::Metrics metrics = analysis::Measure(walk.Heap(), AllocatorId{}, size);
        line_.clear();
        fmt::format_to(std::back_inserter(line_), "{},", walk.At().value);
        if (const auto seconds = walk.Seconds()) fmt::format_to(std::back_inserter(line_), "{:.9f}", *seconds);
        for (Column& column : columns_) {
            Field(*column.info, analysis::MetricValue(*column.info, metrics, run));
            if (!column.ranges) continue;
            Field(*column.info, column.least);
            Field(*column.info, column.most);
            column.least = column.most = std::nullopt;
        }
        line_ += "\r\n";
        file_.Write(line_);
    }

private:
    void Field(const MetricInfo& info, const std::optional<double>& value) {
        line_ += ',';
        if (!value) return;
        if (info.unit == MetricUnit::Fraction)
            fmt::format_to(std::back_inserter(line_), "{:.6f}", *value);
        else
            fmt::format_to(std::back_inserter(line_), "{}", static_cast<std::uint64_t>(*value));
    }

    AtomicFile& file_;
    std::vector<Column> columns_;
    std::string line_;
};

}  // namespace

Outcome<void> WriteMetricsCsv(const log::LogView& log, const std::string& path, const CsvOptions& options,
                              const WriteExtras& extras) {
    Outcome<AtomicFile> file = AtomicFile::Create(path);
    if (!file) return Fail(file.error());
    const std::uint64_t positions = log.Positions().value;
    // Position 0 has a row, and the last one.
    const std::uint64_t gaps = std::max<std::uint64_t>(options.rows, 2) - 1;
    const std::uint64_t fitting = std::max<std::uint64_t>((positions + gaps - 1) / gaps, 1);
    const std::uint64_t every = options.every != 0 ? options.every : fitting;

    Table table(*file, every > 1);
    PositionWalk walk(log, extras);
    std::uint64_t rows = 0;
    while (!file->Failed() && walk.Next()) {
        if (every > 1) table.Look(walk);
        if (walk.At().value % every != 0 && walk.At() != log.Positions()) continue;
        table.Row(log, walk);
        ++rows;
    }
    if (walk.Cancelled()) return Fail(Failure{"", "cancelled", ""});
    const Outcome<void> done = file->Commit();
    if (done && extras.summary != nullptr) *extras.summary = {.operations = rows};
    return done;
}

}  // namespace residue::exports
