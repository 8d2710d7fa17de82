// Goal 12: every allocator of the registry side by side with what a user would take instead (glibc's malloc, mimalloc,
// jemalloc), on the fourteen shapes of the goal and on the malloc lab's traces where they are there.
//
//   Mops/s        in a buffer a quarter larger than the smallest that completes the trace; the processor's time of
//                 whole replays, the median of those of a round. Ours are asked for alignment 8, malloc gives 16.
//   utilisation   peak payload over the smallest buffer that completes the trace, control structures included (found by
//                 halving to 1/8192; where more room can fail again, it is one such size). `growing`: over the heap of
//                 an allocator that grows by what is missing. The others': over the memory by which a program that
//                 writes to all it gets grows (peers.hpp), so in pages and without what the allocator set up before.
//   worst         nanoseconds of the slowest operation: of each operation the least of all rounds, so that interrupts
//                 do not count (and neither does what an allocator does only now and then); then the most of all.
//                 Resizes copy, and stand apart.
//   probes        what an allocation or resize looked at before it was served.
#include <malloc.h>

#include <memory>
#include <numeric>
#include <optional>

#include "bench/harness.hpp"
#include "bench/shapes.hpp"
#include "bench/subjects.hpp"
#include "events/detail/sync.hpp"

using namespace residue;
using bench::kMostBytes;
using bench::Ours;
using bench::Range;
using bench::Subject;

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kLeastReplays = 5;  // a round

// A subject on a shape: what is known before anything is timed, and what is kept between rounds.
struct Case {
    const bench::Shape* shape = nullptr;
    const Subject* subject = nullptr;
    std::string name;
    bool completes = false;
    std::uint64_t capacity = 0;  // that it is timed in
    double utilisation = kUnknown;
    double growing = kUnknown;
    double probesEach = kUnknown, probesMost = kUnknown;
    std::vector<void*> blocks;
    std::vector<double> fastest;  // ticks, by operation
};

double Ticks() { return static_cast<double>(events::detail::FencedTicks()); }

double NanosecondsATick() {
    static const double each = [] {
        const double begin = bench::Nanoseconds(), first = Ticks();
        while (bench::Nanoseconds() - begin < 2e7) {
        }
        return (bench::Nanoseconds() - begin) / (Ticks() - first);
    }();
    return each;
}

double TicksOfNothing() {
    static const double least = [] {
        double ticks = 1e9;
        for (int i = 0; i < 10'000; ++i) {
            const double before = Ticks();
            ticks = std::min(ticks, Ticks() - before);
        }
        return ticks;
    }();
    return least;
}

// ---- before the rounds ---------------------------------------------------------------------------------------------

bool Completes(const Case& of, Range& range, std::uint64_t capacity) {
    if (capacity > kMostBytes) return false;
    Ours memory(*of.subject->entry, range.Zeroed(static_cast<std::size_t>(capacity)), capacity);
    std::vector<void*> blocks(of.shape->Ids());
    return bench::Replay(*of.shape, memory, blocks, [](std::size_t) {});
}

void MeasureGrowing(Case& of, Range& range, double payload) {
    Ours memory(*of.subject->entry, range.Fresh(), std::nullopt);
    std::vector<void*> blocks(of.shape->Ids());
    if (!bench::Replay(*of.shape, memory, blocks, [](std::size_t) {})) return;
    of.growing = payload / memory.RegionBytes();
}

void MeasureProbes(Case& of, Range& range) {
    Ours memory(*of.subject->entry, range.Zeroed(static_cast<std::size_t>(of.capacity)), of.capacity);
    std::vector<void*> blocks(of.shape->Ids());
    std::uint64_t sum = 0, most = 0, requests = 0;
    (void)bench::Replay(*of.shape, memory, blocks, [&](std::size_t i) {
        if (of.shape->operations[i].kind == 'f') return;
        ++requests;
        sum += memory.Probes();
        most = std::max(most, memory.Probes());
    });
    of.probesEach = static_cast<double>(sum) / static_cast<double>(requests);
    of.probesMost = static_cast<double>(most);
}

void MeasureInBuffer(Case& of, Range& range) {
    const std::uint64_t payload = of.shape->PeakPayload().bytes;
    MeasureGrowing(of, range, static_cast<double>(payload));
    std::uint64_t fails = payload - 1, fits = payload + payload / 8;
    while (!Completes(of, range, fits)) {
        if (fits == kMostBytes) return;
        fails = fits;
        fits = std::min<std::uint64_t>(2 * fits, kMostBytes);
    }
    while (fits - fails > std::max<std::uint64_t>(8, fits / 8192)) {
        const std::uint64_t middle = fails + (fits - fails) / 2;
        (Completes(of, range, middle) ? fits : fails) = middle;
    }
    of.completes = true;
    of.utilisation = static_cast<double>(payload) / static_cast<double>(fits);
    of.capacity = std::min<std::uint64_t>(fits + fits / 4, kMostBytes);
    while (!Completes(of, range, of.capacity)) of.capacity = of.capacity < kMostBytes / 2 ? 2 * of.capacity : fits;
    MeasureProbes(of, range);
}

void MeasureBefore(Case& of, Range& range) {
    if (of.subject->entry != nullptr && of.subject->entry->inBuffer) return MeasureInBuffer(of, range);
    of.completes = of.subject->peer == nullptr || of.subject->peer->Here();
    if (of.subject->peer == nullptr || !of.completes) return;
    const double payload = static_cast<double>(of.shape->PeakPayload().bytes);
    of.utilisation = payload / bench::FootprintOf(*of.subject->peer, *of.shape);
}

// ---- in each round -------------------------------------------------------------------------------------------------

// replay(memory) on a memory in its first state; what is left is given back to a peer afterwards.
template <class Run>
void WithMemory(Case& of, Range& range, Run run) {
    std::fill(of.blocks.begin(), of.blocks.end(), nullptr);
    if (of.subject->peer != nullptr) {
        run(*of.subject->peer);
        for (void* const block : of.blocks) of.subject->peer->free(block);
        return;
    }
    const alloc::Registration& entry = *of.subject->entry;
    if (entry.inBuffer) {
        Ours memory(entry, range.Zeroed(static_cast<std::size_t>(of.capacity)), of.capacity);
        return run(memory);
    }
    Ours memory(entry, nullptr, std::nullopt);
    run(memory);
    for (void* const block : of.blocks) {
        if (block != nullptr) (void)memory.Free(block);
    }
}

[[noreturn]] void Refused(const Case& of) {
    std::fprintf(stderr, "%s was completed before and is not now\n", of.name.c_str());
    std::exit(1);
}

double MillionsASecond(Case& of, Range& range, std::uint64_t operations) {
    if (!of.completes) return kUnknown;
    const std::size_t each = of.shape->operations.size();
    std::vector<double> replays;
    while (replays.size() < kLeastReplays || replays.size() * each < operations) {
        WithMemory(of, range, [&](auto& memory) {
            const double begin = bench::CpuNanoseconds();
            if (!bench::Replay(*of.shape, memory, of.blocks, [](std::size_t) {})) Refused(of);
            replays.push_back(bench::CpuNanoseconds() - begin);
        });
    }
    std::nth_element(replays.begin(), replays.begin() + static_cast<std::ptrdiff_t>(replays.size() / 2), replays.end());
    return 1000 * static_cast<double>(each) / replays[replays.size() / 2];
}

// Of all operations that are resizes, or of all that are none.
double Worst(const Case& of, bool resizes) {
    double worst = kUnknown;
    for (std::size_t i = 0; i < of.fastest.size(); ++i) {
        if ((of.shape->operations[i].kind == 'r') == resizes) worst = std::fmax(worst, of.fastest[i]);
    }
    return std::isnan(worst) ? kUnknown : std::max(worst - TicksOfNothing(), 0.0) * NanosecondsATick();
}

double StampEach(Case& of, Range& range) {
    if (!of.completes) return kUnknown;
    of.fastest.resize(of.shape->operations.size(), std::numeric_limits<double>::infinity());
    for (std::size_t replay = 0; replay < kLeastReplays; ++replay) {
        WithMemory(of, range, [&](auto& memory) {
            double begin = Ticks();
            if (!bench::Replay(*of.shape, memory, of.blocks, [&](std::size_t i) {
                    of.fastest[i] = std::min(of.fastest[i], Ticks() - begin);
                    begin = Ticks();
                })) {
                Refused(of);
            }
        });
    }
    return Worst(of, false);
}

// ---- what is said --------------------------------------------------------------------------------------------------

std::string Text(const char* format, double value) {
    if (!std::isfinite(value)) return "-";
    char text[40];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string Row(const Case& of, const char* figure) { return of.name + ", " + figure; }

class Table {
public:
    Table(const std::vector<bench::Shape>& shapes, const std::vector<Subject>& subjects,
          std::vector<std::unique_ptr<Case>>& cases, bool smoke)
        : shapes_(shapes), subjects_(subjects), cases_(cases), smoke_(smoke) {}

    Case& At(std::size_t shape, std::size_t subject) const { return *cases_[shape * subjects_.size() + subject]; }

    // Of a subject on the goal's shapes that it completes.
    std::vector<const Case*> OfGoal(std::size_t subject) const {
        std::vector<const Case*> found;
        for (std::size_t i = 0; i < shapes_.size(); ++i) {
            if (shapes_[i].ofGoal && At(i, subject).completes) found.push_back(&At(i, subject));
        }
        return found;
    }
    std::size_t GoalShapeCount() const {
        return static_cast<std::size_t>(
            std::count_if(shapes_.begin(), shapes_.end(), [](const bench::Shape& shape) { return shape.ofGoal; }));
    }
    double MeanUtilisation(std::size_t subject) const {
        const auto cases = OfGoal(subject);
        const double sum = std::accumulate(cases.begin(), cases.end(), 0.0,
                                           [](double all, const Case* each) { return all + each->utilisation; });
        return sum / static_cast<double>(cases.size());
    }
    double HarmonicUtilisation(std::size_t subject) const {
        const auto cases = OfGoal(subject);
        const double sum = std::accumulate(cases.begin(), cases.end(), 0.0,
                                           [](double all, const Case* each) { return all + 1 / each->utilisation; });
        return static_cast<double>(cases.size()) / sum;
    }

    template <class Of>
    void Print(const Of& of) const {
        if (smoke_) std::printf("a smoke run, on short shapes: the figures mean nothing\n");
        for (std::size_t i = 0; i < shapes_.size(); ++i) PrintShape(of, i);
        PrintSummary(of);
    }

private:
    template <class Of>
    void PrintShape(const Of& of, std::size_t shape) const {
        const auto peak = shapes_[shape].PeakPayload();
        std::printf("%s: %zu operations, at most %llu bytes live\n", shapes_[shape].name.c_str(),
                    shapes_[shape].operations.size(), static_cast<unsigned long long>(peak.bytes));
        std::printf("  %-16s %9s %27s %11s %9s %9s %9s %9s %8s\n", "", "Mops/s", "/ glibc (least .. most)",
                    "utilisation", "growing", "worst ns", "resize ns", "probes", "most");
        for (std::size_t j = 0; j < subjects_.size(); ++j) {
            const Case& each = At(shape, j);
            if (!each.completes) {
                const bool missing = subjects_[j].peer != nullptr;
                std::printf("  %-16s %9s\n", subjects_[j].name.c_str(),
                            missing ? "not installed" : "cannot serve it in 256 MiB");
                continue;
            }
            const auto ratio = of(Row(each, "/ glibc"));
            std::printf("  %-16s %9.2f %8.3f (%6.3f .. %6.3f) %11s %9s %9.0f %9s %9s %8s\n", subjects_[j].name.c_str(),
                        of(Row(each, "Mops/s")).median, ratio.median, ratio.least, ratio.most,
                        Text("%.3f", each.utilisation).c_str(), Text("%.3f", each.growing).c_str(),
                        of(Row(each, "worst")).least, Text("%.0f", Worst(each, true)).c_str(),
                        Text("%.2f", each.probesEach).c_str(), Text("%.0f", each.probesMost).c_str());
        }
    }

    template <class Of>
    void PrintSummary(const Of& of) const {
        std::printf("all of goal 12's shapes that each completes: harmonic mean of throughput, arithmetic mean of "
                    "utilisation (and the harmonic one), the worst of all\n");
        std::printf("  %-16s %7s %9s %27s %7s %15s %9s %9s   %s\n", "", "shapes", "Mops/s", "/ glibc (least .. most)",
                    "/ tlsf", "utilisation", "worst ns", "probes", "goal 12");
        for (std::size_t j = 0; j < subjects_.size(); ++j) {
            const auto cases = OfGoal(j);
            if (cases.empty()) continue;
            double worst = 0, probes = 0;
            for (const Case* each : cases) {
                worst = std::max(worst, of(Row(*each, "worst")).least);
                probes += each->probesEach / static_cast<double>(cases.size());
            }
            const std::string mean = "harmonic mean, " + subjects_[j].name;
            const auto ratio = of(mean + ", / glibc");
            const double utilisation = MeanUtilisation(j);
            const std::string means =
                Text("%.3f", utilisation) + " (" + Text("%.3f", HarmonicUtilisation(j)) + ")";
            std::printf("  %-16s %4zu/%-2zu %9.2f %8.3f (%6.3f .. %6.3f) %7.3f %15s %9.0f %9s",
                        subjects_[j].name.c_str(), cases.size(), GoalShapeCount(), of(mean).median, ratio.median,
                        ratio.least, ratio.most, of(mean + ", / tlsf").median, means.c_str(), worst,
                        Text("%.2f", probes).c_str());
            const bool candidate = subjects_[j].entry != nullptr && subjects_[j].entry->inBuffer;
            if (candidate && cases.size() < GoalShapeCount()) std::printf("   not general");
            else if (candidate) {
                std::printf("   utilisation >= 0.9 %s, throughput >= glibc's %s", utilisation >= 0.9 ? "met" : "MISSED",
                            ratio.median >= 1 ? "met" : "MISSED");
            }
            std::printf("\n");
        }
        std::printf("  the TLSF to compare with is the registry's: Debian has none\n");
    }

    const std::vector<bench::Shape>& shapes_;
    const std::vector<Subject>& subjects_;
    std::vector<std::unique_ptr<Case>>& cases_;
    bool smoke_;
};

void AddRows(bench::Suite& suite, Case& each, const std::string& glibc, Range& range) {
    constexpr std::uint64_t kOperations = 30'000;  // a round
    Case* const of = &each;
    suite.Add(Row(each, "Mops/s"), "Mops/s", [of, &range](std::uint64_t n) { return MillionsASecond(*of, range, n); },
              kOperations);
    suite.Ratio(Row(each, "/ glibc"), Row(each, "Mops/s"), glibc);
    suite.Add(Row(each, "worst"), "ns, `least`", [of, &range](std::uint64_t) { return StampEach(*of, range); }, 1);
    suite.Add(Row(each, "worst resize"), "ns, `least`", [of](std::uint64_t) { return Worst(*of, true); }, 1);
    const auto fixed = [&](const char* figure, const char* unit, double value) {
        suite.Add(Row(each, figure), unit, [value](std::uint64_t) { return value; }, 1);
    };
    fixed("utilisation", "of 1", each.utilisation);
    fixed("utilisation, growing", "of 1", each.growing);
    fixed("probes a request", "", each.probesEach);
    fixed("most probes", "", each.probesMost);
}

void AddMeans(bench::Suite& suite, const Table& table, const std::vector<Subject>& subjects) {
    for (std::size_t j = 0; j < subjects.size(); ++j) {
        const auto cases = table.OfGoal(j);
        if (cases.empty()) continue;
        std::vector<std::string> own, glibc, tlsf;
        for (const Case* each : cases) {
            own.push_back(Row(*each, "Mops/s"));
            glibc.push_back(each->shape->name + ", glibc, Mops/s");
            tlsf.push_back(each->shape->name + ", tlsf, Mops/s");
        }
        const auto harmonic = [](const std::vector<std::string>& rows, const auto& figureOf) {
            double sum = 0;
            for (const std::string& row : rows) sum += 1 / figureOf(row.c_str());
            return static_cast<double>(rows.size()) / sum;
        };
        const bool general = subjects[j].entry != nullptr && subjects[j].entry->inBuffer &&
                             cases.size() == table.GoalShapeCount();
        const std::string name = "harmonic mean, " + subjects[j].name;
        suite.Derived(name, [=](const auto& figureOf) { return harmonic(own, figureOf); });
        suite.Derived(name + ", / glibc",
                      [=](const auto& figureOf) { return harmonic(own, figureOf) / harmonic(glibc, figureOf); },
                      general ? bench::AtLeast(1) : bench::Goal{});
        suite.Derived(name + ", / tlsf",
                      [=](const auto& figureOf) { return harmonic(own, figureOf) / harmonic(tlsf, figureOf); });
        suite.Derived("mean utilisation, " + subjects[j].name,
                      [value = table.MeanUtilisation(j)](const auto&) { return value; },
                      general ? bench::AtLeast(0.9) : bench::Goal{});
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::MakeRoomForPeers(argv);
    bench::Suite suite(argc, argv, "alloc_peers");
    suite.ShowProgress();
    std::vector<bench::Shape> shapes = bench::GoalShapes(suite.Smoke() ? 600 : 12'000);
    if (!suite.Smoke()) {
        for (bench::Shape& shape : bench::LoadShapes(RESIDUE_SHARED_TRACES "/rep", "shared: ")) {
            shapes.push_back(std::move(shape));
        }
    }
    const std::vector<bench::Peer> peers = bench::LoadPeers();
    const std::vector<Subject> subjects = bench::Subjects(peers);
    Range range;
    std::vector<std::unique_ptr<Case>> cases;
    for (const bench::Shape& shape : shapes) {
        std::fprintf(stderr, "utilisation: %s\n", shape.name.c_str());
        for (const Subject& subject : subjects) {
            auto each = std::make_unique<Case>();
            each->shape = &shape;
            each->subject = &subject;
            each->name = shape.name + ", " + subject.name;
            each->blocks.resize(shape.Ids());
            MeasureBefore(*each, range);
            cases.push_back(std::move(each));
        }
    }
    range.Fresh();
    // From here on glibc keeps what it got, as the others do.
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);

    const Table table(shapes, subjects, cases, suite.Smoke());
    for (const auto& each : cases) AddRows(suite, *each, each->shape->name + ", glibc, Mops/s", range);
    AddMeans(suite, table, subjects);
    suite.PrintWith([&](const auto& of) { table.Print(of); });
    return suite.Run();
}
