// Import beside heaptrack_print (PERFORMANCE.md, goal 4), on recordings that tests/bench/record_programs made:
//   tests/bench/record_programs build/recordings && build/release/bin/bench_import
// Every figure is of a process of its own: its wall time and its largest resident memory. Ours reads a recording into a
// log, which then answers everything; `residue report` does that and works out all of its report. heaptrack_print reads
// the same file into sums by call trace, and prints nothing but totals (or all it prints by default).
// RESIDUE_RECORDINGS names another folder. Without recordings the small samples of scenarios/ stand in for them.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/harness.hpp"
#include "import/recording.hpp"
#include "model/heap_model.hpp"

namespace {

using namespace residue;
namespace fs = std::filesystem;

constexpr double kNotThere = std::numeric_limits<double>::quiet_NaN();

struct Cost {
    double seconds = kNotThere;
    double mebibytes = kNotThere;
};

// Runs `body` in a process of its own, which ends with what body returns.
template <class Body>
Cost InAProcess(Body body) {
    const double begin = bench::Nanoseconds();
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    if (child < 0) return {};
    int status = 0;
    rusage usage{};
    if (::wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return {};
    return {(bench::Nanoseconds() - begin) / 1e9, static_cast<double>(usage.ru_maxrss) / 1024};
}

Cost Run(const std::vector<std::string>& arguments, const std::string& output) {
    return InAProcess([&] {
        const int to = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (to < 0 || ::dup2(to, 1) < 0 || ::dup2(to, 2) < 0) return 127;
        std::vector<char*> pointers;
        for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
        pointers.push_back(nullptr);
        ::execvp(pointers[0], pointers.data());
        return 127;
    });
}

Cost Import(const std::string& file) {
    return InAProcess([&] {
        log::EventLog log;
        return import::ReadRecording(file, log) ? 0 : 1;
    });
}

struct Totals {
    std::uint64_t events = 0, allocations = 0, peakBytes = 0, leakedBytes = 0;
    friend bool operator==(const Totals&, const Totals&) = default;
};

Totals OurTotals(const std::string& file) {
    log::EventLog log;
    if (!import::ReadRecording(file, log)) return {};
    const log::LogView view = log.View();
    Totals totals;
    std::uint64_t live = 0;
    for (Row row{}; row < view.Rows(); ++row) {
        const log::LoggedEvent logged = view.At(row);
        if (logged.event.kind == events::EventKind::Allocated) {
            ++totals.allocations;
            live += logged.event.size;
        } else if (logged.event.kind == events::EventKind::Freed) {
            live -= view.Birth(logged.block).event.size;
        }
        totals.peakBytes = std::max(totals.peakBytes, live);
    }
    totals.events = view.Positions().value;
    totals.leakedBytes = live;
    return totals;
}

// heaptrack_print rounds what it prints, but not what it writes for flame graphs: there the lines' ends add up.
std::uint64_t TheirTotal(const std::string& file, const char* what, const std::string& folder) {
    const std::string stacks = folder + "/stacks.txt";
    const Cost cost = Run({"heaptrack_print", "--disable-builtin-suppressions", "--flamegraph-cost-type", what, "-F",
                           stacks, file},
                          folder + "/printed.txt");
    if (std::isnan(cost.seconds)) return 0;
    std::ifstream lines(stacks);
    std::uint64_t sum = 0;
    for (std::string line; std::getline(lines, line);) {
        sum += std::strtoull(line.c_str() + line.rfind(' ') + 1, nullptr, 10);
    }
    return sum;
}

void TellTotals(const std::string& file, const std::string& folder) {
    const Totals ours = OurTotals(file);
    const Totals theirs{ours.events, TheirTotal(file, "allocations", folder), TheirTotal(file, "peak", folder),
                        TheirTotal(file, "leaked", folder)};
    std::fprintf(stderr, "%s: %llu events, %llu allocations, peak %llu B, leaked %llu B: %s\n",
                 fs::path(file).filename().c_str(), static_cast<unsigned long long>(ours.events),
                 static_cast<unsigned long long>(ours.allocations), static_cast<unsigned long long>(ours.peakBytes),
                 static_cast<unsigned long long>(ours.leakedBytes),
                 theirs.allocations == 0  ? "heaptrack_print is not there to compare with"
                 : ours == theirs ? "equal to heaptrack_print's"
                                          : "NOT what heaptrack_print says");
    if (theirs.allocations != 0 && !(ours == theirs)) {
        std::fprintf(stderr, "  heaptrack_print: %llu allocations, peak %llu B, leaked %llu B\n",
                     static_cast<unsigned long long>(theirs.allocations),
                     static_cast<unsigned long long>(theirs.peakBytes),
                     static_cast<unsigned long long>(theirs.leakedBytes));
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "import");
    suite.ShowProgress();
    const char* given = std::getenv("RESIDUE_RECORDINGS");
    const fs::path folder = given != nullptr ? given : RESIDUE_SOURCE_DIR "/build/recordings";
    std::map<std::string, std::string> files;
    for (const char* name : {"compile", "python"}) {
        const fs::path file = folder / (std::string(name) + ".zst");
        if (!suite.Smoke() && fs::exists(file)) files[name] = file;
    }
    if (files.empty()) {
        if (!suite.Smoke())
            std::fprintf(stderr, "no recordings (see tests/bench/record_programs): a sample stands in\n");
        files["sample"] = RESIDUE_SOURCE_DIR "/scenarios/recordings/notes.heaptrack-interpreted.zst";
    }
    std::string scratch = (fs::temp_directory_path() / "residue-bench-XXXXXX").string();
    if (::mkdtemp(scratch.data()) == nullptr) return 1;
    const std::string printed = scratch + "/printed.txt";
    const std::string residueProgram = (fs::read_symlink("/proc/self/exe").parent_path() / "residue").string();

    std::map<std::string, double> memory;  // by variant, of its last run
    for (const auto& [name, file] : files) {
        const auto add = [&](const std::string& variant, std::function<Cost()> run) {
            suite.Add(variant, "s",
                      [&memory, variant, run = std::move(run)](std::uint64_t) {
                          const Cost cost = run();
                          memory[variant] = cost.mebibytes;
                          return cost.seconds;
                      },
                      1);
            suite.Derived(variant + ", MiB", [&memory, variant](const auto&) { return memory[variant]; });
        };
        const std::string path = file;
        add(name + ", import", [path] { return Import(path); });
        add(name + ", residue report", [=] { return Run({residueProgram, "report", path, "--json"}, printed); });
        add(name + ", heaptrack_print, totals only", [=] {
            return Run({"heaptrack_print", "-p0", "-a0", "-T0", path}, printed);
        });
        add(name + ", heaptrack_print", [=] { return Run({"heaptrack_print", path}, printed); });
        suite.Ratio(name + ", speed of the import", name + ", heaptrack_print", name + ", import", bench::AtLeast(5));
        suite.Ratio(name + ", speed of the import, totals only", name + ", heaptrack_print, totals only",
                    name + ", import");
        suite.Ratio(name + ", speed of the report", name + ", heaptrack_print", name + ", residue report",
                    bench::AtLeast(3));
    }
    const int status = suite.Run();
    // Last: what this process has in memory would count as its children's.
    for (const auto& [name, file] : files) TellTotals(file, scratch);
    fs::remove_all(scratch);
    return status;
}
