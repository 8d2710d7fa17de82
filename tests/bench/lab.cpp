// The lab: what a whole run over eleven traces costs beside the bare replay of the same allocator in a plain loop, for
// three allocators of different quality; what a moment that is made again costs; and the time from saving an mm.c to
// the new picture, drawn by software without a display. The traces are those shared with Residue's developers.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/gl_leaks.hpp"
#include "bench/harness.hpp"
#include "gui/app.hpp"
#include "gui/platform/offscreen.hpp"
#include "lab/build.hpp"
#include "lab/moment.hpp"
#include "lab/run.hpp"
#include "lab/support_texts.hpp"
#include "support/process.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kTraces = 11;
constexpr const char* kStudents[] = {"implicit", "explicit", "segregated"};
const double kNothing = std::numeric_limits<double>::quiet_NaN();

// A loop over operations as numbers, and no more than mem_sbrk needs; prints the seconds of one replay.
constexpr const char* kPlainLoop = R"C(
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <stdint.h>
int mm_init(void);
void *mm_malloc(size_t size);
void mm_free(void *payload);
void *mm_realloc(void *payload, size_t size);
static char *heap;
static size_t used;
void *mem_sbrk(intptr_t more) { void *old = heap + used; used += (size_t)more; return old; }
void *mem_heap_lo(void) { return heap; }
void *mem_memcpy(void *to, const void *from, size_t bytes) { return memcpy(to, from, bytes); }
void *mem_memset(void *at, int value, size_t bytes) { return memset(at, value, bytes); }
void *mem_heap_hi(void) { return heap + used - 1; }
size_t mem_heapsize(void) { return used; }
static struct { int kind; size_t slot, size; } *ops;
static void *blocks[1 << 20];
int main(int count, char **files) {
    heap = malloc(100 << 20);
    double all = 0;
    for (int f = 1; f < count; ++f) {
        FILE *file = fopen(files[f], "r");
        size_t most = 0;
        if (file == NULL || fscanf(file, "%zu", &most) != 1) return 1;
        ops = calloc(most, sizeof *ops);
        for (size_t i = 0; i < most; ++i)
            if (fscanf(file, "%d %zu %zu", &ops[i].kind, &ops[i].slot, &ops[i].size) != 3) return 1;
        fclose(file);
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        used = 0;
        mm_init();
        for (size_t i = 0; i < most; ++i) {
            if (ops[i].kind == 0) blocks[ops[i].slot] = mm_malloc(ops[i].size);
            if (ops[i].kind == 1) mm_free(blocks[ops[i].slot]);
            if (ops[i].kind == 2) blocks[ops[i].slot] = mm_realloc(blocks[ops[i].slot], ops[i].size);
        }
        clock_gettime(CLOCK_MONOTONIC, &to);
        all += (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
        free(ops);
    }
    printf("%.9f\n", all);
    return 0;
}
)C";

struct Student {
    std::string name;
    lab::Built built;
    std::string plain;  // the program with the loop
};

struct Bench {
    support::ScratchFolder folder;
    std::vector<std::string> paths;
    std::vector<lab::LabTrace> traces;  // that all students can do
    std::vector<std::string> plainTraces;
    std::vector<std::unique_ptr<Student>> students;
    lab::RunOptions run;
    lab::BuildOptions build;
};

std::string StudentPath(const std::string& name) {
    return RESIDUE_SOURCE_DIR "/tests/lab/students/" + name + ".c";
}

// The traces as numbers, for the plain loop.
std::string PlainTrace(const lab::LabTrace& trace) {
    std::string text = std::to_string(trace.ops.size()) + "\n";
    for (const lab::Op& op : trace.ops) {
        int kind = 3;
        if (op.kind == lab::OpKind::Malloc) kind = 0;
        if (op.kind == lab::OpKind::Free) kind = 1;
        if (op.kind == lab::OpKind::Realloc) kind = 2;
        text += std::to_string(kind) + " " + std::to_string(op.slot) + " " + std::to_string(op.size) + "\n";
    }
    return text;
}

bool Prepare(Bench& bench) {
    bench.run.needsLandlock = bench.build.needsLandlock = lab::HasLandlock();
    bench.folder.Write("memlib.h", lab::MemlibHeader());
    bench.folder.Write("loop.c", kPlainLoop);
    for (const char* name : kStudents) {
        auto built = lab::Build(StudentPath(name), bench.build);
        if (!built || !built->fine) return false;
        bench.folder.Write("mm.h", lab::MmHeader(built->staging.Text()));
        const std::string program = bench.folder / name;
        const auto compiled =
            support::Run({"cc", "-O2", "-fno-omit-frame-pointer", "-DDRIVER", "-I" + bench.folder.Path().string(),
                          StudentPath(name), bench.folder / "loop.c", "-lm", "-o", program});
        if (compiled.exitCode != 0) {
            std::fputs(compiled.errors.c_str(), stderr);
            return false;
        }
        bench.students.push_back(std::make_unique<Student>(Student{name, std::move(*built), program}));
    }
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(RESIDUE_SHARED_TRACES "/rep", error)) {
        if (entry.path().extension() == ".rep") bench.paths.push_back(entry.path().string());
    }
    std::sort(bench.paths.begin(), bench.paths.end());
    std::vector<std::string> taken;
    lab::RunOptions untimed = bench.run;
    untimed.timedRuns = 0;
    for (const std::string& path : bench.paths) {
        auto trace = lab::ReadLabTrace(path);
        if (!trace || taken.size() == kTraces) continue;
        const bool all = std::all_of(bench.students.begin(), bench.students.end(), [&](const auto& student) {
            const auto outcome = lab::RunTrace(student->built, *trace, untimed);
            return outcome && outcome->state == lab::TraceOutcome::State::Valid;
        });
        if (!all) continue;
        bench.plainTraces.push_back(bench.folder.Write(std::to_string(taken.size()) + ".txt", PlainTrace(*trace)));
        bench.traces.push_back(std::move(*trace));
        taken.push_back(path);
    }
    bench.paths = taken;
    return !taken.empty();
}

double PlainSeconds(const Bench& bench, const Student& student) {
    std::vector<std::string> command = {student.plain};
    command.insert(command.end(), bench.plainTraces.begin(), bench.plainTraces.end());
    const auto ran = support::Run(command);
    return ran.exitCode == 0 ? std::strtod(ran.output.c_str(), nullptr) : kNothing;
}

// As `residue lab` does it: read, run, judge.
double LabSeconds(const Bench& bench, const Student& student, unsigned timedRuns) {
    lab::RunOptions options = bench.run;
    options.timedRuns = timedRuns;
    const double begin = bench::Nanoseconds();
    for (const std::string& path : bench.paths) {
        const auto trace = lab::ReadLabTrace(path);
        if (!trace || !lab::RunTrace(student.built, *trace, options)) return kNothing;
    }
    return (bench::Nanoseconds() - begin) / 1e9;
}

double BuildMilliseconds(const Bench& bench) {
    const double begin = bench::Nanoseconds();
    const auto built = lab::Build(StudentPath(kStudents[1]), bench.build);
    return built && built->fine ? (bench::Nanoseconds() - begin) / 1e6 : kNothing;
}

double MomentMilliseconds(const Bench& bench) {
    const lab::Built& built = bench.students[1]->built;
    const auto names = lab::NamesOf(built);
    const lab::LabTrace& trace = bench.traces.front();
    const double begin = bench::Nanoseconds();
    const auto moment =
        lab::LookAt(built, trace, {trace.ops.size() / 2, lab::kHeapBase, 64 << 10}, bench.run, names.get());
    return moment ? (bench::Nanoseconds() - begin) / 1e6 : kNothing;
}

// The window, on an mm.c of its own.
class Window {
public:
    explicit Window(const Bench& bench) {
        std::ifstream file(StudentPath(kStudents[1]));
        text_ = {std::istreambuf_iterator<char>(file), {}};
        student_ = folder_.Write("mm.c", text_);
        ImGui::CreateContext();
        auto made = gui::Offscreen::Make({1600, 900}, 1);
        if (!made) return;
        platform_ = std::move(*made);
        gui::AppOptions options;
        options.lab.emplace();
        options.lab->student = student_;
        options.lab->traces = {bench.paths.front()};
        options.lab->settings.run = bench.run;
        options.lab->settings.run.timedRuns = 0;
        options.lab->settings.build = bench.build;
        options.animate = false;
        app_ = std::make_unique<gui::App>(*platform_, options);
        app_->GetSession()->WaitUntilLoaded();
        for (int i = 0; i < 100 && !app_->Settled(); ++i) app_->Frame(0);
    }
    ~Window() {
        app_.reset();
        platform_.reset();
        ImGui::DestroyContext();
    }

    // Frames as a window makes them: not more than sixty a second.
    double SaveToPicture() {
        if (app_ == nullptr) return kNothing;
        constexpr std::chrono::milliseconds kFrame{16};
        constexpr double kPatience = 30e9;  // nanoseconds
        const std::uint64_t before = Number();
        text_ += "/* saved */\n";
        const double begin = bench::Nanoseconds();
        std::ofstream(student_) << text_;
        while (Number() <= before && bench::Nanoseconds() - begin < kPatience) {
            app_->Frame(0.016);
            if (Number() <= before) std::this_thread::sleep_for(kFrame);
        }
        app_->Frame(0.016);
        bench::Use(platform_->ReadPixels().pixels.size());
        return (bench::Nanoseconds() - begin) / 1e6;
    }

private:
    std::uint64_t Number() const {
        const auto& picture = app_->GetSession()->GetLab()->Picture();
        return picture == nullptr ? 0 : picture->number;
    }

    support::ScratchFolder folder_;
    std::string text_, student_;
    std::unique_ptr<gui::Offscreen> platform_;
    std::unique_ptr<gui::App> app_;
};

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "lab");
    Bench bench;
    if (!Prepare(bench)) {
        std::puts("lab: no traces, or no compiler: nothing to measure");
        return 0;
    }
    std::printf("%zu traces\n", bench.paths.size());
    for (const auto& student : bench.students) {
        const Student& each = *student;
        suite.Add("plain loop, " + each.name, "ms", [&](std::uint64_t) { return PlainSeconds(bench, each) * 1e3; }, 1);
        suite.Add("lab run, " + each.name, "ms", [&](std::uint64_t) { return LabSeconds(bench, each, 0) * 1e3; }, 1);
        suite.Add("lab run with timing, " + each.name, "ms",
                  [&](std::uint64_t) { return LabSeconds(bench, each, 20) * 1e3; }, 1);
        suite.Ratio("lab run by plain loop, " + each.name, "lab run, " + each.name, "plain loop, " + each.name);
        suite.Ratio("with timing by plain loop, " + each.name, "lab run with timing, " + each.name,
                    "plain loop, " + each.name);
    }
    suite.Add("build", "ms", [&](std::uint64_t) { return BuildMilliseconds(bench); }, 1);
    suite.Add("a moment made again", "ms", [&](std::uint64_t) { return MomentMilliseconds(bench); }, 1);
    Window window(bench);
    suite.Add("from saving mm.c to the new picture", "ms", [&](std::uint64_t) { return window.SaveToPicture(); }, 1);
    return suite.Run();
}
