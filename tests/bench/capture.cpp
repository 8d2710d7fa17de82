// What watching costs a program (PERFORMANCE.md, goal 1): its wall time, watched by us and by heaptrack, beside the
// plain run. Ours has its recorder at work meanwhile, on the same machine, and so has heaptrack as its command runs it:
// its library writes into a pipe that heaptrack_interpret and zstd read. Told too, without a goal: heaptrack's library
// alone, which writes all into a file that nobody reads yet. Programs: those of tests/capture/subject, a Python loop
// and a C++ compile where they are there.
//
// And: the processor time and the memory of the program alone (the channel, as far as it touches it, included), events
// lost, how deep call traces are, and how many of them reach the beginning of their thread.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "bench/harness.hpp"
#include "capture/capture.hpp"
#include "capture/launch.hpp"

namespace {

using namespace residue;
namespace fs = std::filesystem;

constexpr double kNotThere = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kPreload = "/usr/lib/heaptrack/libheaptrack_preload.so";
constexpr const char* kInterpreter = "/usr/lib/heaptrack/libexec/heaptrack_interpret";
using Words = std::vector<std::string>;

// What the program alone took, of each round.
struct Took {
    std::vector<double> cpu;      // s
    std::vector<double> memory;   // MiB, the most
};

// Of a running one, in MiB; 0: it is not there any more.
double MostMemory(pid_t process) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::atof(line.c_str() + 6) / 1024;
    }
    return 0;
}

double Seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Seconds of processor time of all children that have ended.
double CpuOfChildren() {
    rusage used{};
    ::getrusage(RUSAGE_CHILDREN, &used);
    return Seconds(used.ru_utime) + Seconds(used.ru_stime);
}

void Become(const Words& words, const Words& variables, const std::string& output) {
    const int to = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(to, 1), ::dup2(to, 2);
    for (const std::string& variable : variables) ::putenv(const_cast<char*>(variable.c_str()));
    std::vector<char*> pointers;
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    ::execvp(pointers[0], pointers.data());
    ::_exit(127);
}

// Its seconds, started with some variables; NaN where it cannot be started or fails.
double Run(const Words& words, const Words& variables, const std::string& output, Took& took) {
    const double begin = bench::Nanoseconds();
    const pid_t child = ::fork();
    if (child == 0) Become(words, variables, output);
    int status = 0;
    rusage used{};
    double most = 0;
    pid_t ended = 0;
    for (unsigned turn = 0; child > 0 && (ended = ::wait4(child, &status, WNOHANG, &used)) == 0; ++turn) {
        if (turn % 16 == 8) most = std::max(most, MostMemory(child));  // once it is itself
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (ended != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return kNotThere;
    const double seconds = (bench::Nanoseconds() - begin) / 1e9;
    took.cpu.push_back(Seconds(used.ru_utime) + Seconds(used.ru_stime));
    took.memory.push_back(most);
    return seconds;
}

// As the command does it; what the interpreter still has to do at the end is not counted.
double RunHeaptrack(const Words& words, const std::string& scratch, Took& took) {
    const std::string pipe = scratch + "/pipe";
    ::unlink(pipe.c_str());
    if (::mkfifo(pipe.c_str(), 0600) != 0) return kNotThere;
    const pid_t reader = ::fork();
    if (reader == 0) {
        const std::string read = std::string(kInterpreter) + " <'" + pipe + "' | zstd -q -c >'" + scratch + "/h.zst'";
        Become({"/bin/sh", "-c", read}, {}, scratch + "/reader.txt");
    }
    const Words with = {std::string("LD_PRELOAD=") + kPreload, "DUMP_HEAPTRACK_OUTPUT=" + pipe};
    const double seconds = Run(words, with, scratch + "/output.txt", took);
    int status = 0;
    ::waitpid(reader, &status, 0);
    return status == 0 ? seconds : kNotThere;
}

struct Told {
    std::uint64_t events = 0, lost = 0;
    double waited = 0;
    std::uint64_t traced = 0, frames = 0, complete = 0;  // of the last round
};

// Where a thread or a program begins.
bool IsBeginning(const log::Frame& frame) {
    for (const char* const name : {"_start", "clone", "clone3", "__clone3", "__clone", "start_thread"}) {
        if (frame.function == name) return true;
    }
    return false;
}

void LookAtTraces(const log::LogView& log, Told& told) {
    struct Trace {
        std::uint32_t depth = 0;
        bool complete = false;
    };
    std::vector<Trace> traces(log.Traces() + 1);
    for (std::uint32_t id = 1; id < traces.size(); ++id) {
        const TraceId parent = log.ParentTrace(TraceId{id});
        if (parent) traces[id] = {traces[parent.value].depth + 1, traces[parent.value].complete};
        else traces[id] = {1, IsBeginning(log.TopFrame(TraceId{id}))};
    }
    told.traced = told.frames = told.complete = 0;
    for (Row row{}; row < log.Rows(); ++row) {
        const events::Event event = log.At(row).event;
        if (event.kind != events::EventKind::Allocated || event.trace.value >= traces.size()) continue;
        ++told.traced;
        told.frames += traces[event.trace.value].depth;
        told.complete += traces[event.trace.value].complete ? 1 : 0;
    }
}

double RunWatched(const Words& words, capture::Unwinding how, Told& told, Took& took) {
    capture::CaptureOptions options;
    options.channel.unwinding = how;
    options.eagerFrom = options.mostWaiting / 4;  // as residue record
    log::EventLog log;
    const double begin = bench::Nanoseconds(), cpuBefore = CpuOfChildren();
    const auto capture = capture::Capture::Start(words, options, log);
    if (!capture) return kNotThere;
    double most = 0;
    const pid_t program = (*capture)->Now().program;
    for (unsigned turn = 0; (*capture)->Now().running; ++turn) {
        if (turn % 16 == 0) most = std::max(most, MostMemory(program));
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const double seconds = (bench::Nanoseconds() - begin) / 1e9;
    (*capture)->Wait();
    const capture::Capture::Status status = (*capture)->Now();
    told.events += status.counted.taken;
    told.lost += status.counted.dropped;
    told.waited += static_cast<double>(status.counted.waited) / 1e9;
    took.cpu.push_back(CpuOfChildren() - cpuBefore);
    took.memory.push_back(most);
    if (how != capture::Unwinding::Off) LookAtTraces(log.View(), told);
    return status.ended && status.ended->AsShell() == 0 ? seconds : kNotThere;
}

std::map<std::string, Words> Programs(const std::string& own, const std::string& scratch, bool smoke) {
    std::ofstream(scratch + "/heavy.cpp")
        << "#include <algorithm>\n#include <map>\n#include <regex>\n#include <string>\n"
           "int main() { std::map<std::string, int> m; std::regex r(\"a+b\"); return std::regex_match(\"b\", r) + "
           "static_cast<int>(m.size()); }\n";
    std::ofstream(scratch + "/loop.py") << "d = {}\nfor i in range(1000000):\n    d[i % 5000] = str(i) * 3\n";

    std::map<std::string, Words> programs = {
        {"1 thread", {own + "/capture_subject", "many", smoke ? "2000" : "10000000"}},
        {"with work between", {own + "/capture_subject", "work", smoke ? "1000" : "2000000"}},
        {"2 threads", {own + "/capture_subject", "threads", "2", smoke ? "1000" : "5000000"}},
    };
    if (smoke) return programs;
    // Itself, no script that starts it: heaptrack would not be in what that becomes.
    if (fs::exists("/usr/bin/python3")) programs["python3"] = {"/usr/bin/python3", scratch + "/loop.py"};
    // clang compiles in the process that it was started as; g++ does not.
    if (fs::exists("/usr/bin/clang++")) {
        programs["clang++"] = {"/usr/bin/clang++", "-c", "-O1", scratch + "/heavy.cpp", "-o", scratch + "/heavy.o"};
    } else if (const char* const cc1plus = "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus"; fs::exists(cc1plus)) {
        programs["cc1plus"] = {cc1plus, "-quiet", "-O1", "-I/usr/include/x86_64-linux-gnu", scratch + "/heavy.cpp",
                               "-o", scratch + "/heavy.s"};
    }
    return programs;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "capture");
    suite.ShowProgress();
    std::string scratch = (fs::temp_directory_path() / "residue-bench-XXXXXX").string();
    if (::mkdtemp(scratch.data()) == nullptr) return 1;
    const std::string own = fs::read_symlink("/proc/self/exe").parent_path().string();
    const std::map<std::string, Words> programs = Programs(own, scratch, suite.Smoke());
    const bool comparable = fs::exists(kPreload) && fs::exists(kInterpreter) && fs::exists("/usr/bin/zstd");
    if (!comparable) std::fprintf(stderr, "heaptrack or zstd is not there: nothing to compare with\n");
    std::map<std::string, Told> told;
    std::map<std::string, Took> took;  // by variant
    const std::string output = scratch + "/output.txt";
    for (const auto& program : programs) {
        const std::string name = program.first;
        const Words words = program.second;
        const Words plain = {"PYTHONMALLOC=malloc"};
        ::setenv("PYTHONMALLOC", "malloc", 1);
        suite.Add(
            name + ", plain", "s",
            [=, &its = took[name + ", plain"]](std::uint64_t) { return Run(words, plain, output, its); }, 1);
        const auto watched = [&](const char* how, capture::Unwinding unwinding) {
            const std::string variant = name + ", " + how;
            suite.Add(variant, "s",
                      [&told, &its = took[variant], words, unwinding, variant](std::uint64_t) {
                          return RunWatched(words, unwinding, told[variant], its);
                      },
                      1);
            suite.Ratio(name + ": " + how + ", of plain", variant, name + ", plain");
        };
        watched("without call traces", capture::Unwinding::Off);
        watched("by frame pointers", capture::Unwinding::FramePointers);
        watched("by tables", capture::Unwinding::Tables);
        if (!comparable) continue;
        suite.Add(
            name + ", heaptrack", "s",
            [=, &its = took[name + ", heaptrack"]](std::uint64_t) { return RunHeaptrack(words, scratch, its); }, 1);
        suite.Ratio(name + ": heaptrack, of plain", name + ", heaptrack", name + ", plain");
        const Words with = {std::string("LD_PRELOAD=") + kPreload,
                            "DUMP_HEAPTRACK_OUTPUT=" + scratch + "/heaptrack.raw"};
        const std::string alone = name + ", heaptrack's library alone";
        suite.Add(alone, "s", [=, &its = took[alone]](std::uint64_t) { return Run(words, with, output, its); }, 1);
        suite.Ratio(name + ": heaptrack's library alone, of plain", alone, name + ", plain");
    }
    const std::string theirs = "heaptrack", library = "heaptrack's library alone";
    // Over all programs. A program that is not slower at all counts as a hundredth.
    const auto share = [](const auto& figureOf, const std::string& name, const std::string& ours,
                          const std::string& other) {
        const double alone = figureOf((name + ", plain").c_str());
        return (figureOf((name + ", " + ours).c_str()) / alone - 1) /
               (figureOf((name + ", " + other).c_str()) / alone - 1);
    };
    const auto compare = [&](const std::string& how, const std::string& with, bench::Goal goal) {
        for (const auto& program : programs) {
            suite.Derived(program.first + ": overhead " + how + ", of " + with,
                          [=, name = program.first](const auto& figureOf) { return share(figureOf, name, how, with); });
        }
        suite.Derived("goal 1: overhead " + how + ", of " + with + ", geometric mean",
                      [=, &programs](const auto& figureOf) {
                          double product = 1;
                          for (const auto& program : programs) {
                              product *= std::max(share(figureOf, program.first, how, with), 0.01);
                          }
                          return std::pow(product, 1.0 / static_cast<double>(programs.size()));
                      },
                      goal);
    };
    if (comparable) {
        for (const std::string how : {"without call traces", "by frame pointers", "by tables"}) {
            compare(how, theirs, bench::AtMost(how == "by tables" ? 0.5 : 0.1));
            compare(how, library, {});
        }
    }
    const int status = suite.Run();
    for (auto& [variant, its] : took) {
        if (its.cpu.empty()) continue;
        std::sort(its.cpu.begin(), its.cpu.end());
        std::sort(its.memory.begin(), its.memory.end());
        const std::size_t middle = its.cpu.size() / 2;
        std::fprintf(stderr, "%s: %.3f s of processor time (%.3f .. %.3f), at most %.1f MiB\n", variant.c_str(),
                     its.cpu[middle], its.cpu.front(), its.cpu.back(), its.memory[middle]);
    }
    for (const auto& [variant, all] : told) {
        std::fprintf(stderr, "%s: %llu events, %llu lost, the program waited %.1f ms, over all rounds\n",
                     variant.c_str(), static_cast<unsigned long long>(all.events),
                     static_cast<unsigned long long>(all.lost), all.waited * 1e3);
        if (all.traced == 0) continue;
        const auto each = static_cast<double>(all.traced);
        std::fprintf(stderr, "    %.1f frames a call trace, %.1f %% of them complete\n",
                     static_cast<double>(all.frames) / each, 100 * static_cast<double>(all.complete) / each);
    }
    fs::remove_all(scratch);
    return status;
}
