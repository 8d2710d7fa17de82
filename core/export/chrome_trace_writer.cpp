#include "export/chrome_trace_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "analysis/metrics.hpp"
#include "analysis/run_counter.hpp"
#include "events/event_names.hpp"
#include "export/atomic_file.hpp"
#include "export/position_walk.hpp"
#include "export/text.hpp"

namespace residue::exports {
namespace {

constexpr std::uint64_t kPeaks = 4;  // moments kept of a stretch

// What is written of one position.
struct Moment {
    Position position{};
    double microseconds = 0;
    std::uint64_t live = 0, blocks = 0;
    bool heapKnown = false, partsTold = true;
    std::uint64_t heap = 0, free = 0, dead = 0;
    double fragmentation = 0;

    explicit Moment(const PositionWalk& walk) : position(walk.At()) {
        const model::Totals& sum = walk.Sum();
        const std::optional<double> seconds = walk.Seconds();
        microseconds = seconds ? *seconds * 1e6 : static_cast<double>(position.value);
        live = sum.payload;
        blocks = sum.blocks;
        heapKnown = sum.heapKnown;
        partsTold = sum.partsTold;
        heap = sum.heap;
        free = sum.free;
        dead = sum.dead;
        if (partsTold) fragmentation = analysis::ExternalFragmentation(sum.largestHole, sum.free);
    }
    // What is neither payload nor free: headers, padding, rounding, slack, bookkeeping.
    std::uint64_t Overhead() const {
        const std::uint64_t rest = heap - std::min(heap, live);
        return rest - std::min(rest, free + dead);
    }
};

// The moments of one stretch of positions that are worth writing.
class Stretch {
public:
    void Take(const Moment& moment) {
        const auto keep = [&](std::size_t slot, bool better) {
            if (!kept_[slot] || better) kept_[slot] = moment;
        };
        keep(0, kept_[0] && moment.live < kept_[0]->live);
        keep(1, kept_[1] && moment.live > kept_[1]->live);
        keep(2, kept_[2] && moment.heap > kept_[2]->heap);
        keep(3, kept_[3] && moment.fragmentation > kept_[3]->fragmentation);
    }
    // In order, each once.
    std::vector<Moment> TakeAll() {
        std::vector<Moment> all;
        for (std::optional<Moment>& kept : kept_) {
            if (kept) all.push_back(*kept);
            kept.reset();
        }
        std::sort(all.begin(), all.end(), [](const Moment& a, const Moment& b) { return a.position < b.position; });
        const auto same = [](const Moment& a, const Moment& b) { return a.position == b.position; };
        all.erase(std::unique(all.begin(), all.end(), same), all.end());
        return all;
    }

private:
    std::array<std::optional<Moment>, kPeaks> kept_;
};

class Writer {
public:
    Writer(const log::LogView& log, AtomicFile& file) : log_(log), file_(file) {}

    void Begin() {
        const log::SourceInfo& source = log_.Source();
        const bool ticks = source.clock == log::Clock::Ticks && source.ticksPerSecond > 0;
        file_.Write("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"producer\":\"Residue\",");
        file_.Write(fmt::format("\"source\":{},\"provenance\":{},\"time\":{}}},\n\"traceEvents\":[\n",
                                JsonText(source.name), JsonText(source.provenance),
                                ticks ? "\"microseconds\"" : "\"one microsecond is one call\""));
        const std::string name = source.name.empty() ? "heap" : source.name;
        file_.Write(fmt::format(
            "{{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"tid\":1,\"args\":{{\"name\":{}}}}}", JsonText(name)));
        file_.Write(",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":1,\"args\":{\"name\":\"heap\"}}");
    }

    void Write(const Moment& moment) {
        ++written_;
        if (moment.heapKnown && !moment.partsTold) {
            const std::uint64_t rest = moment.heap - std::min(moment.heap, moment.live);
            Counter(0, "heap", moment, fmt::format("\"live\":{},\"headers and holes\":{}", moment.live, rest));
        } else if (moment.heapKnown) {
            Counter(0, "heap", moment,
                    fmt::format("\"live\":{},\"overhead\":{},\"free\":{},\"dead\":{}", moment.live, moment.Overhead(),
                                moment.free, moment.dead));
            Counter(1, "external fragmentation", moment, fmt::format("\"share\":{:.6f}", moment.fragmentation));
        } else {
            Counter(0, "heap", moment, fmt::format("\"live\":{}", moment.live));
        }
        Counter(2, "live blocks", moment, fmt::format("\"blocks\":{}", moment.blocks));
    }

    void Mark(Row row, Position position, double microseconds) {
        const events::Event event = log_.At(row).event;
        const std::string_view error = events::ErrorName(event.kind, event.error);
        std::string name(events::Info(event.kind).text);
        if (!error.empty()) name += fmt::format(": {}", error);
        file_.Write(fmt::format(
            ",\n{{\"name\":{},\"cat\":\"error\",\"ph\":\"i\",\"s\":\"p\",\"pid\":1,\"tid\":1,\"ts\":{:.3f},\"args\":"
            "{{\"position\":{},\"size\":{},\"address\":\"{:#x}\",\"thread\":{}}}}}",
            JsonText(name), microseconds, position.value, event.size, event.address, event.thread.value));
    }

    void End() { file_.Write("\n]}\n"); }
    std::uint64_t Written() const { return written_; }

private:
    // A counter keeps its value until the next one, so what stays the same is not said again.
    void Counter(std::size_t which, const char* name, const Moment& moment, std::string args) {
        if (last_[which] == args) return;
        file_.Write(fmt::format(",\n{{\"name\":\"{}\",\"ph\":\"C\",\"pid\":1,\"tid\":1,\"ts\":{:.3f},\"args\":{{{}}}}}",
                                name, moment.microseconds, args));
        last_[which] = std::move(args);
    }

    const log::LogView& log_;
    AtomicFile& file_;
    std::array<std::string, 3> last_;
    std::uint64_t written_ = 0;
};

}  // namespace

Outcome<void> WriteChromeTrace(const log::LogView& log, const std::string& path, std::uint64_t points,
                               const WriteExtras& extras) {
    Outcome<AtomicFile> file = AtomicFile::Create(path);
    if (!file) return Fail(file.error());
    const std::uint64_t positions = log.Positions().value + 1;
    const bool all = positions <= points;
    const std::uint64_t stretches = std::max<std::uint64_t>(points / kPeaks, 1);
    const std::uint64_t length = all ? 1 : (positions + stretches - 1) / stretches;

    Writer writer(log, *file);
    writer.Begin();
    PositionWalk walk(log, extras);
    Stretch stretch;
    std::uint64_t marks = 0;
    Row error = log.NextError(Row{});
    while (!file->Failed() && walk.Next()) {
        const Moment moment(walk);
        stretch.Take(moment);
        for (; error < walk.Rows(); error = log.NextError(error + 1)) {
            if (marks++ < kMostMarks) writer.Mark(error, walk.At(), moment.microseconds);
        }
        const bool last = walk.At() == log.Positions();
        if (!last && (walk.At().value + 1) % length != 0) continue;
        const std::vector<Moment> kept = stretch.TakeAll();
        for (const Moment& each : kept) writer.Write(each);
        if (last && kept.back().position != walk.At()) writer.Write(moment);  // where it ends
    }
    if (walk.Cancelled()) return Fail(Failure{"", "cancelled", ""});
    writer.End();
    const Outcome<void> done = file->Commit();
    if (done && extras.summary != nullptr) {
        *extras.summary = {.operations = writer.Written(), .leftOut = marks - std::min(marks, kMostMarks)};
    }
    return done;
}

}  // namespace residue::exports
