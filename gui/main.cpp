// residue-view: the window, and the pictures that need no display.
//   residue-view [FILE] [--against FILE] [--allocator A] [--capacity N] [--sandbox]
//   residue-view MM.c --trace TRACE... [--compiler CC] [...]
//   residue-view -- PROGRAM ARGUMENTS...
//   residue-view --picture FILE --at EVENT -o OUT.png [...]
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "alloc/registry.hpp"
#include "base/parse_size.hpp"
#include "capture/option_texts.hpp"
#include "export/atomic_file.hpp"
#include "gui/app.hpp"
#include "gui/picture.hpp"
#include "gui/platform/png.hpp"
#include "gui/platform/slow_frames.hpp"
#include "gui/platform/window.hpp"
#include "gui/window_report.hpp"
#include "lab/entrants.hpp"
#include "lab/option_texts.hpp"

namespace {

using namespace residue;  // a program's main file, not a header
using namespace residue::gui;

constexpr int kBadUse = 2;

int Report(const Failure& failure) {
    std::fprintf(stderr, "residue-view: %s\n", failure.Text().c_str());
    return kBadUse;
}

struct Arguments {
    std::string file, against, picture, out, size = "1600x900", panel, tab, centre, theme, colour, range,
                                             allocator = "first-fit", capacity = "auto", symbols, fork;
    std::optional<std::uint64_t> at, select;
    float scale = 0;
    bool sandbox = false, timedLanes = false;
    int frames = 0;
    std::vector<std::string> program, lanes;  // behind "--"
    capture::OptionTexts capture;
    std::vector<std::string> traces;  // the file is a student's allocator, to run on these
    lab::OptionTexts lab;
    double slow = 0;  // milliseconds
    std::string screenshot, keys, report;
};

Outcome<session::OpenOptions> Opening(const Arguments& arguments) {
    session::OpenOptions open;
    open.allocator = arguments.allocator;
    open.symbols = arguments.symbols;
    for (const std::string& lane : arguments.lanes) {
        if (const auto wrong = lab::CheckEntrants({lane}); !wrong.empty()) {
            return Fail(Failure{"--lane", wrong[0].what, wrong[0].expected});
        }
        if (lab::IsStudentName(lane) && ::access(lane.c_str(), R_OK) != 0) {
            return Fail(Failure{"--lane", lane + ": " + std::strerror(errno), "an mm.c"});
        }
    }
    if (arguments.lanes.size() > session::Lanes::kMost) {
        return Fail(Failure{"--lane", std::to_string(arguments.lanes.size()) + " of them",
                            "at most " + std::to_string(session::Lanes::kMost) + " beside the first"});
    }
    if (!arguments.fork.empty()) {
        auto fork = replay::ParseFork(arguments.fork, "--fork");
        if (!fork) return Fail(fork.error());
        open.fork = *fork;
    }
    if (arguments.capacity != "auto") {
        const auto bytes = ParseBytes(arguments.capacity);
        if (!bytes || *bytes == 0) {
            return Fail(Failure{"--capacity", "\"" + arguments.capacity + "\" is no number of bytes",
                                "auto, or bytes from 1 up, with K, M, G or T if you like"});
        }
        open.capacity = *bytes;
    }
    return open;
}

// Of a student's allocator; none: the file is something else. What is wrong is added to `failures`.
std::optional<session::LabOptions> LabOf(const Arguments& arguments, std::vector<Failure>& failures) {
    const std::string& student = arguments.picture.empty() ? arguments.file : arguments.picture;
    if (arguments.traces.empty()) {
        if (student.ends_with(".c")) {
            failures.push_back({student, "is an allocator: on which trace is it to run?", "--trace T.rep"});
        }
        return std::nullopt;
    }
    session::LabOptions options;
    options.student = student;
    if (student.empty()) failures.push_back({"--trace", "without an allocator", "residue-view MM.c --trace T.rep"});
    options.traces = lab::ExpandTraces(arguments.traces, failures);
    for (const std::string& path : options.traces) {
        if (::access(path.c_str(), R_OK) != 0) failures.push_back({path, std::strerror(errno), "a trace"});
    }
    if (!student.empty() && ::access(student.c_str(), R_OK) != 0) {
        failures.push_back({student, std::strerror(errno), "a C file, or a folder with mm.c in it"});
    }
    options.settings = lab::CheckOptions(arguments.lab, failures);
    return options;
}

int DrawPicture(const Arguments& arguments, const session::OpenOptions& open, const lab::LabSettings& laneSettings,
                std::optional<session::LabOptions> lab) {
    PictureOptions options;
    options.lab = std::move(lab);
    options.path = arguments.picture == "none" ? std::string() : arguments.picture;
    options.against = arguments.against;
    options.lanes = arguments.lanes;
    options.laneSettings = laneSettings;
    options.timed = arguments.timedLanes;
    options.open = open;
    options.at = arguments.at;
    options.out = arguments.out;
    options.light = arguments.theme == "light";
    options.scale = arguments.scale > 0 ? arguments.scale : 1;
    options.select = arguments.select;
    options.extraFrames = arguments.frames;
    const auto keys = ParseKeys(arguments.keys);
    if (!keys) return Report(keys.error());
    options.keys = *keys;
    if (options.out.empty()) return Report({"-o", "no file to write to", "-o out.png"});
    const auto size = ParseSize(arguments.size);
    if (!size) return Report(size.error());
    options.width = size->first;
    options.height = size->second;
    if (!arguments.range.empty()) {
        const auto range = ParseRange(arguments.range);
        if (!range) return Report(range.error());
        (range->addresses ? options.addresses : options.positions) = std::pair{range->from, range->to};
    }
    if (arguments.panel == "heap") options.only = PanelId::Heap;
    if (arguments.panel == "flame") options.only = PanelId::Heap, options.centre = CentreTab::Flame;
    if (arguments.panel == "lives") options.only = PanelId::Heap, options.centre = CentreTab::Lives;
    if (arguments.centre == "flame") options.centre = CentreTab::Flame;
    if (arguments.centre == "lives") options.centre = CentreTab::Lives;
    if (arguments.panel == "timeline") options.only = PanelId::Timeline;
    if (arguments.panel == "source" || arguments.panel == "lab") options.only = PanelId::Left;
    if (arguments.panel == "narration") options.only = PanelId::Story;
    static constexpr const char* kTabs[] = {"block", "calls", "allocators", "leaks", "events", "profile"};
    for (int i = 0; i < kTabCount; ++i) {
        if (arguments.tab == kTabs[i]) options.tab = static_cast<Tab>(i);
        if (arguments.panel == kTabs[i]) {
            options.only = PanelId::Right;
            options.tab = static_cast<Tab>(i);
        }
    }
    for (const ColourMode mode : kColourModes) {
        if (arguments.colour == Name(mode)) options.colour = mode;
    }
    const auto made = MakePicture(options);
    return made ? 0 : Report(made.error());
}

// Brings the file up to what is shown, whole or not at all. `reported`: what it has.
void KeepReport(App& app, const std::string& path, std::string& reported) {
    std::string now = ReportWindow(app);
    if (now.empty() || now == reported || (app.GetSession() != nullptr && app.GetSession()->Working())) return;
    auto file = exports::AtomicFile::Create(path);
    if (!file) return;
    file->Write(now + "\n");
    if (file->Commit()) reported = std::move(now);
}

int OpenWindow(const Arguments& arguments, const session::OpenOptions& open, const capture::CaptureOptions& capture,
               const lab::LabSettings& laneSettings, std::optional<session::LabOptions> lab) {
    const std::string folder = StateFolder();
    const SavedState saved = LoadState(folder, nullptr);
    ImGui::CreateContext();
    ImVec2 size{saved.width, saved.height};
    if (arguments.size != "1600x900") {
        const auto wanted = ParseSize(arguments.size);
        if (!wanted) return Report(wanted.error());
        size = {static_cast<float>(wanted->first), static_cast<float>(wanted->second)};
    }
    auto window = gui::Window::Make(size, arguments.scale, saved.maximised);
    if (!window) return Report(window.error());
    {
        AppOptions options;
        options.path = arguments.file;
        options.against = arguments.against;
        options.open = open;
        options.sandbox = arguments.sandbox;
        options.program = arguments.program;
        options.lanes = arguments.lanes;
        options.laneSettings = laneSettings;
        options.timed = !arguments.lab.noTiming;
        options.attach = arguments.capture.process;
        options.capture = capture;
        options.lab = std::move(lab);
        options.stateFolder = folder;
        options.firstStart = true;
        options.predict = true;
        if (!arguments.theme.empty()) options.light = arguments.theme == "light";
        SlowFrames watched(**window, arguments.slow);
        App app(arguments.slow > 0 ? static_cast<Platform&>(watched) : **window, options);
        if (arguments.at && app.GetSession() != nullptr) {
            app.GetSession()->WaitUntilLoaded();
            app.Frame(0);
            app.GetSession()->SeekTo(Position{*arguments.at});
        }
        std::string reported;
        auto last = std::chrono::steady_clock::now();
        for (int frame = 1;; ++frame) {
            const auto now = std::chrono::steady_clock::now();
            const bool goesOn = app.Frame(std::chrono::duration<double>(now - last).count());
            last = now;
            const ImVec2 pixels = (*window)->Size();
            const float scale = (*window)->Scale();
            app.SetWindowSize({pixels.x / scale, pixels.y / scale}, (*window)->Maximised());
            if (!arguments.report.empty() && app.Settled()) KeepReport(app, arguments.report, reported);
            if (arguments.frames > 0 && frame >= arguments.frames) {
                if (!arguments.screenshot.empty()) {
                    if (const auto written = WritePng((*window)->ReadPixels(), arguments.screenshot); !written) {
                        return Report(written.error());
                    }
                }
                break;
            }
            if (!goesOn) break;
        }
    }
    window->reset();
    ImGui::DestroyContext();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App cli("Residue: see what a memory allocator does.", "residue-view");
    Arguments arguments;
    cli.add_option("file", arguments.file,
                   "a scenario (.iridis), a trace (.rep, .script) or a recording (.residue, heaptrack's, ...)");
    cli.add_option("--against", arguments.against, "an earlier recording, to compare the file with");
    cli.add_option("--allocator", arguments.allocator, "what replays a trace: first-fit, best-fit, arena, …")
        ->capture_default_str();
    cli.add_option("--capacity", arguments.capacity, "bytes of its heap, or auto")->capture_default_str();
    cli.add_option("--lane", arguments.lanes,
                   "another allocator beside it, on the same trace: one of Residue's, glibc, mimalloc, …, or an mm.c "
                   "(may be given again)")
        ->allow_extra_args(false);
    cli.add_option("--fork", arguments.fork,
                   "go on from a position on with another allocator: 500:best-fit, 500:tlsf:64K");
    cli.add_option("--symbols", arguments.symbols,
                   "for an event stream: the program that names its call traces' addresses");
    cli.add_flag("--sandbox", arguments.sandbox, "open the sandbox");
    cli.add_option("--theme", arguments.theme, "dark or light")->check(CLI::IsMember({"dark", "light"}));
    cli.add_option("--scale", arguments.scale, "content scale, instead of the monitor's")->check(CLI::Range(0.5, 6.0));
    cli.add_option("--size", arguments.size, "width x height")->capture_default_str();
    cli.add_option("--at", arguments.at, "the position (after N calls); a picture without it shows the peak");
    cli.add_option("--picture", arguments.picture, "write a picture of this file instead of opening a window");
    cli.add_option("-o,--out", arguments.out, "the picture's file (PNG)");
    cli.add_option("--panel", arguments.panel, "picture of one panel")
        ->check(CLI::IsMember({"heap", "flame", "lives", "timeline", "source", "narration", "block", "calls",
                               "allocators", "leaks", "events", "profile", "lab"}));
    cli.add_option("--tab", arguments.tab, "the right column's tab")
        ->check(CLI::IsMember({"block", "calls", "allocators", "leaks", "events", "profile"}));
    cli.add_option("--view", arguments.centre, "what the centre shows")
        ->check(CLI::IsMember({"heap", "flame", "lives"}));
    cli.add_option("--colour", arguments.colour, "what blocks are coloured by")
        ->check(CLI::IsMember({"size", "age", "site", "lifetime", "allocator"}));
    cli.add_option("--range", arguments.range, "0x1000-0x2000: addresses in the heap; 100-200: events in the timeline");
    cli.add_option("--select", arguments.select, "a block's number");
    cli.add_option("--keys", arguments.keys, "keys pressed before the picture, such as \"D\" or \"Ctrl+O\"")->group("");
    cli.add_flag("--timed", arguments.timedLanes, "measure throughput of lanes for a picture")->group("");
    cli.add_option("--frames", arguments.frames, "end after so many frames")->group("");
    cli.add_option("--report", arguments.report, "keep in this file what is shown, as JSON")->group("");
    cli.add_option("--slow-frames", arguments.slow, "tell of frames that take so many milliseconds")->group("");
    cli.add_option("--screenshot", arguments.screenshot, "write the last of --frames to this file")->group("");
    cli.add_option("--call-traces", arguments.capture.callTraces, capture::OptionTexts::kCallTracesHelp);
    cli.add_option("--depth", arguments.capture.depth, capture::OptionTexts::kDepthHelp);
    cli.add_option("--limit", arguments.capture.limit, capture::OptionTexts::kLimitHelp);
    cli.add_flag("--follow", arguments.capture.follow, "watch the processes that it starts too");
    cli.add_flag("--drop", arguments.capture.drop, capture::OptionTexts::kDropHelp);
    cli.add_flag("--wait", arguments.capture.wait, capture::OptionTexts::kWaitHelp);
    cli.add_option("--attach", arguments.capture.attach, capture::OptionTexts::kAttachHelp);
    cli.add_option("--trace", arguments.traces,
                   "the file is a student's malloc-lab allocator: run it on this trace, or on those of a folder")
        ->allow_extra_args(false);
    arguments.lab.AddTo(cli);
    // Behind "--" stands a program to watch, with arguments of its own.
    auto [before, program] = capture::SplitAtProgram({argv + 1, argv + argc});
    arguments.program = std::move(program);
    std::reverse(before.begin(), before.end());  // as CLI11 wants them
    try {
        cli.parse(before);
    } catch (const CLI::ParseError& error) {
        const int code = cli.exit(error);
        return code == 0 ? 0 : kBadUse;
    }
    const auto open = Opening(arguments);
    if (!open) return Report(open.error());
    std::vector<Failure> failures;
    auto lab = LabOf(arguments, failures);
    const lab::LabSettings laneSettings = lab::CheckOptions(arguments.lab, failures);
    if (!failures.empty()) return Report(failures.front());
    if (!arguments.picture.empty()) return DrawPicture(arguments, *open, laneSettings, std::move(lab));
    const capture::CaptureOptions capture = capture::CheckOptions(arguments.capture, failures);
    if (!failures.empty()) return Report(failures.front());
    return OpenWindow(arguments, *open, capture, laneSettings, std::move(lab));
}
