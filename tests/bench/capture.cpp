// What watching costs a program (PERFORMANCE.md, goal 1): its wall time, watched by us and by heaptrack's preload
// library (writing what it records into a file, nothing else running), beside the plain run. Ours has its recorder at
// work meanwhile, on the same machine. Programs: those of tests/capture/subject, a Python loop and a C++ compile where
// they are there. Events that were lost are told.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

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
using Words = std::vector<std::string>;

// Its seconds, started with some variables; NaN where it cannot be started or fails.
double Run(const Words& words, const Words& variables, const std::string& output) {
    const double begin = bench::Nanoseconds();
    const pid_t child = ::fork();
    if (child == 0) {
        const int to = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::dup2(to, 1), ::dup2(to, 2);
        for (const std::string& variable : variables) ::putenv(const_cast<char*>(variable.c_str()));
        std::vector<char*> pointers;
        for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
        pointers.push_back(nullptr);
        ::execvp(pointers[0], pointers.data());
        ::_exit(127);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return kNotThere;
    }
    return (bench::Nanoseconds() - begin) / 1e9;
}

struct Told {
    std::uint64_t events = 0, lost = 0;
    double waited = 0;
};

double RunWatched(const Words& words, capture::Unwinding how, Told& told) {
    capture::CaptureOptions options;
    options.channel.unwinding = how;
    log::EventLog log;
    const double begin = bench::Nanoseconds();
    const auto capture = capture::Capture::Start(words, options, log);
    if (!capture) return kNotThere;
    while ((*capture)->Now().running) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const double seconds = (bench::Nanoseconds() - begin) / 1e9;
    (*capture)->Wait();
    const capture::Capture::Status status = (*capture)->Now();
    told.events += status.counted.taken;
    told.lost += status.counted.dropped;
    told.waited += static_cast<double>(status.counted.waited) / 1e9;
    return status.ended && status.ended->AsShell() == 0 ? seconds : kNotThere;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "capture");
    suite.ShowProgress();
    std::string scratch = (fs::temp_directory_path() / "residue-bench-XXXXXX").string();
    if (::mkdtemp(scratch.data()) == nullptr) return 1;
    const std::string own = fs::read_symlink("/proc/self/exe").parent_path().string();
    const std::string many = suite.Smoke() ? "2000" : "4000000";
    std::ofstream(scratch + "/heavy.cpp")
        << "#include <algorithm>\n#include <map>\n#include <regex>\n#include <string>\n"
           "int main() { std::map<std::string, int> m; std::regex r(\"a+b\"); return std::regex_match(\"b\", r) + "
           "static_cast<int>(m.size()); }\n";
    std::ofstream(scratch + "/loop.py") << "d = {}\nfor i in range(400000):\n    d[i % 5000] = str(i) * 3\n";

    std::map<std::string, Words> programs = {
        {"1 thread", {own + "/capture_subject", "many", many}},
        {"2 threads", {own + "/capture_subject", "threads", "2", suite.Smoke() ? "1000" : "2000000"}},
    };
    if (!suite.Smoke()) {
        // Itself, no script that starts it: heaptrack would not be in what that becomes.
        if (fs::exists("/usr/bin/python3")) programs["python3"] = {"/usr/bin/python3", scratch + "/loop.py"};
        Words compile = {"/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus", "-quiet", "-O1", "-I/usr/include/x86_64-linux-gnu",
                         scratch + "/heavy.cpp", "-o", scratch + "/heavy.s"};
        if (fs::exists(compile[0])) programs["C++ compile"] = compile;
    }
    const std::string preload = "/usr/lib/heaptrack/libheaptrack_preload.so";
    std::map<std::string, Told> told;
    const std::string output = scratch + "/output.txt";
    for (const auto& program : programs) {
        const std::string name = program.first;
        const Words words = program.second;
        const Words plain = {"PYTHONMALLOC=malloc"};
        ::setenv("PYTHONMALLOC", "malloc", 1);
        suite.Add(name + ", plain", "s", [=](std::uint64_t) { return Run(words, plain, output); }, 1);
        const auto watched = [&](const char* how, capture::Unwinding unwinding) {
            const std::string variant = name + ", " + how;
            suite.Add(variant, "s",
                      [&told, words, unwinding, variant](std::uint64_t) {
                          return RunWatched(words, unwinding, told[variant]);
                      },
                      1);
            suite.Ratio(name + ": " + how + ", of plain", variant, name + ", plain");
        };
        watched("without call traces", capture::Unwinding::Off);
        watched("by frame pointers", capture::Unwinding::FramePointers);
        watched("by tables", capture::Unwinding::Tables);
        if (!fs::exists(preload)) continue;
        const Words with = {"LD_PRELOAD=" + preload, "DUMP_HEAPTRACK_OUTPUT=" + scratch + "/heaptrack.raw"};
        suite.Add(name + ", heaptrack", "s", [=](std::uint64_t) { return Run(words, with, output); }, 1);
        suite.Ratio(name + ": heaptrack, of plain", name + ", heaptrack", name + ", plain");
        const auto share = [&](const char* how, double goal) {
            suite.Derived("goal 1: " + name + ", overhead " + how + " of heaptrack's",
                          [=](const auto& figureOf) {
                              const double alone = figureOf((name + ", plain").c_str());
                              return (figureOf((name + ", " + how).c_str()) / alone - 1) /
                                     (figureOf((name + ", heaptrack").c_str()) / alone - 1);
                          },
                          bench::AtMost(goal));
        };
        share("without call traces", 0.1);
        share("by frame pointers", 0.1);
        share("by tables", 0.5);
    }
    const int status = suite.Run();
    for (const auto& [variant, all] : told) {
        std::fprintf(stderr, "%s: %llu events, %llu lost, the program waited %.1f ms, over all rounds\n",
                     variant.c_str(), static_cast<unsigned long long>(all.events),
                     static_cast<unsigned long long>(all.lost), all.waited * 1e3);
    }
    fs::remove_all(scratch);
    return status;
}
