// What a random seek of the Inside costs: from asking for a position to having the answer, the kept pages that are
// copied and the calls that are run again included. 200 random positions, the median and the worst, for traces of our
// own and for one of 10^5 calls; as ratios to a plain replay of the whole trace (reading the file, running every call,
// writing the log), which is what finding out without kept pages would cost. CPU time of one thread.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/harness.hpp"
#include "import/trace.hpp"
#include "log/appender.hpp"
#include "replay/reexecution.hpp"
#include "replay/replay.hpp"

using namespace residue;

namespace {

// Writes the log itself: no lanes, no pump.
class LogSink final : public events::EventSink {
public:
    std::uint64_t Begin() noexcept override { return ++steps_; }
    void Emit(const events::Event* records, std::size_t count, std::uint64_t stamp) noexcept override {
        for (std::size_t i = 0; i < count; ++i) {
            events::Event event = records[i];
            event.stamp = stamp;
            if (event.kind != events::EventKind::Continuation) event.thread = ThreadId{1};
            appender_.Append(&event, 1);
        }
    }
    TraceId Capture(unsigned) noexcept override { return {}; }
    AllocatorId NextAllocatorId() noexcept override { return AllocatorId{++allocators_}; }
    log::LogView View() const { return log_.View(); }

private:
    log::EventLog log_;
    log::Appender appender_{log_};
    std::uint64_t steps_ = 0;
    std::uint16_t allocators_ = 0;
};

template <class T>
T OrExit(Outcome<T> outcome) {
    if (outcome) return std::move(*outcome);
    std::fprintf(stderr, "%s\n", outcome.error().Text().c_str());
    std::exit(1);
}

// Calls that come and go at random, about a thousand blocks live.
std::string ChurnTrace(std::uint64_t calls) {
    std::mt19937_64 random(7);
    std::string body;
    std::vector<std::uint64_t> live;
    std::uint64_t ids = 0;
    for (std::uint64_t i = 0; i < calls; ++i) {
        if (live.size() < 500 || (live.size() < 1500 && random() % 2 == 0)) {
            live.push_back(ids);
            body += "a " + std::to_string(ids++) + " " + std::to_string(16 + random() % 500) + "\n";
        } else {
            std::swap(live[random() % live.size()], live.back());
            body += "f " + std::to_string(live.back()) + "\n";
            live.pop_back();
        }
    }
    return "100000000\n" + std::to_string(ids) + "\n" + std::to_string(calls) + "\n1\n" + body;
}

class Subject {
public:
    explicit Subject(std::string path) : path_(std::move(path)), log_(Run()) {
        again_ = OrExit(replay::Reexecution::Create(log_->View(), AllocatorId{1}));
        (void)At(log_->View().Positions());  // the pages are kept on the way to the end
    }

    // Milliseconds of a replay of all calls.
    double Replay() const {
        const double begin = bench::CpuNanoseconds();
        const auto log = Run();
        bench::Use(log->View().Rows().value);
        return (bench::CpuNanoseconds() - begin) / 1e6;
    }
    enum Figure { Median, Worst };
    // Milliseconds. A figure that was told already asks for another pass.
    double Tell(Figure figure, std::uint64_t count) {
        if (told_[figure] || times_.empty()) Pass(count);
        told_[figure] = true;
        return figure == Median ? times_[times_.size() / 2] : times_.back();
    }

private:
    std::unique_ptr<LogSink> Run() const {
        std::atomic<bool> cancelled{false};
        auto first = OrExit(import::OpenTrace(path_));
        const auto figures = OrExit(import::ReadFigures(*first, &cancelled));
        const auto replay = OrExit(replay::Replay::Create(figures, {.allocator = "best-fit"}));
        auto reader = OrExit(import::OpenTrace(path_));
        auto log = std::make_unique<LogSink>();
        if (const auto ran = replay->Run(*reader, *log, cancelled, nullptr); !ran) {
            std::fprintf(stderr, "%s\n", ran.error().Text().c_str());
            std::exit(1);
        }
        return log;
    }
    replay::Inside At(Position position) {
        const std::atomic<bool> cancelled{false};
        return OrExit(again_->At(log_->View(), position, cancelled, nullptr));
    }
    void Pass(std::uint64_t count) {
        std::fill(std::begin(told_), std::end(told_), false);
        times_.clear();
        for (std::uint64_t i = 0; i < count; ++i) {
            const Position position{random_() % (log_->View().Positions().value + 1)};
            const double begin = bench::CpuNanoseconds();
            const replay::Inside inside = At(position);
            times_.push_back((bench::CpuNanoseconds() - begin) / 1e6);
            if (inside.position != position) std::exit(1);
        }
        std::sort(times_.begin(), times_.end());
    }

    std::string path_;
    std::unique_ptr<LogSink> log_;
    std::unique_ptr<replay::Reexecution> again_;
    std::mt19937_64 random_{3};
    std::vector<double> times_;  // of one pass, ascending
    bool told_[2] = {};
};

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "inside");
    constexpr std::uint64_t kSeeks = 200;
    std::vector<std::pair<std::string, std::unique_ptr<Subject>>> subjects;
    for (const char* name : {"text-editor", "tree-builder", "word-counter"}) {
        const std::string path = std::string(RESIDUE_SOURCE_DIR "/scenarios/traces/") + name + ".rep";
        subjects.emplace_back(name, std::make_unique<Subject>(path));
    }
    const auto file = std::filesystem::temp_directory_path() / ("bench-inside-" + std::to_string(getpid()) + ".rep");
    std::ofstream(file) << ChurnTrace(suite.Smoke() ? 10'000 : 100'000);
    subjects.emplace_back("10^5 calls", std::make_unique<Subject>(file.string()));

    for (const auto& [name, owned] : subjects) {
        Subject* const subject = owned.get();
        suite.Add("seek, the median, " + name, "ms",
                  [=](std::uint64_t n) { return subject->Tell(Subject::Median, n); }, kSeeks);
        suite.Add("seek, the worst of 200, " + name, "ms",
                  [=](std::uint64_t n) { return subject->Tell(Subject::Worst, n); }, kSeeks);
        suite.Add("replay of all, " + name, "ms", [=](std::uint64_t) { return subject->Replay(); }, 1);
        suite.Ratio("seek / replay, the median, " + name, "seek, the median, " + name, "replay of all, " + name);
        suite.Ratio("seek / replay, the worst, " + name, "seek, the worst of 200, " + name, "replay of all, " + name);
    }
    const int status = suite.Run();
    std::filesystem::remove(file);
    return status;
}
