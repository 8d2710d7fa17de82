// CPU time of a window's frame with 10^2, 10^4, 10^5, 10^6 and 10^7 live blocks: at rest, with a step a frame, and
// under a hand that pans and zooms. What is measured is the building of the frame on its thread, into a window that
// draws nothing; beside it the same frame with software GL, in processor time of all threads, its pixels read back. And
// the Inside panel with a free list of 120,000 nodes: what a frame costs with the panel and without it.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/gl_leaks.hpp"
#include "bench/harness.hpp"
#include "gui/app.hpp"
#include "gui/platform/offscreen.hpp"

using namespace residue;
using namespace residue::gui;

namespace {

const ImVec2 kSize{1600, 900};
constexpr double kFrame = 1.0 / 60;

// `live` blocks of mixed sizes, a block freed and a new one in every fourth place, and half as many calls behind that
// to step through.
std::string CrowdTrace(std::uint64_t live) {
    std::string body;
    std::uint64_t operations = 0, ids = 0;
    const auto allocate = [&](std::uint64_t bytes) {
        body += "a " + std::to_string(ids++) + " " + std::to_string(bytes) + "\n";
        ++operations;
    };
    const auto free = [&](std::uint64_t id) {
        body += "f " + std::to_string(id) + "\n";
        ++operations;
    };
    const std::uint64_t first = live + live / 4;
    for (std::uint64_t i = 0; i < first; ++i) allocate(16 + (i * 2654435761u) % 100);
    for (std::uint64_t i = 2; i < first; i += 5) free(i);
    for (std::uint64_t i = 0; i < std::max<std::uint64_t>(live / 4, 60); ++i) {
        allocate(16 + (i * 2654435761u) % 60);
        free(first + i);
    }
    return "100000000\n" + std::to_string(ids) + "\n" + std::to_string(operations) + "\n1\n" + body;
}

// `nodes` free blocks of mixed sizes that do not touch, and some calls behind that to step through.
std::string HolesTrace(std::uint64_t nodes) {
    std::string body;
    for (std::uint64_t i = 0; i < 2 * nodes; ++i) {
        body += "a " + std::to_string(i) + " " + std::to_string(16 + (i * 2654435761u) % 100) + "\n";
    }
    for (std::uint64_t i = 0; i < nodes; ++i) body += "f " + std::to_string(2 * i) + "\n";
    for (std::uint64_t i = 0; i < 64; ++i) {
        body += "a " + std::to_string(2 * nodes + i) + " 40\nf " + std::to_string(2 * nodes + i) + "\n";
    }
    return "100000000\n" + std::to_string(2 * nodes + 64) + "\n" + std::to_string(3 * nodes + 128) + "\n1\n" + body;
}

// A window that draws nothing.
class NoWindow final : public Platform, TextureFactory {
public:
    ImVec2 Size() const override { return kSize; }
    float Scale() const override { return 1; }
    std::vector<InputEvent> Poll(double) override { return std::exchange(input, {}); }
    void Present(ImDrawData*, ImU32) override {}
    Image ReadPixels() override { return {}; }
    TextureFactory& Textures() override { return *this; }
    void FontsChanged() override {
        unsigned char* pixels = nullptr;
        int width = 0, height = 0;
        ImGui::GetIO().Fonts->GetTexDataAsRGBA32(&pixels, &width, &height);
    }
    void SetTitle(const std::string&) override {}
    void SetCursor(ImGuiMouseCursor) override {}

    std::vector<InputEvent> input;

private:
    struct Nothing final : Texture {
        void Resize(int w, int h) override { width = w, height = h; }
        void Upload(int, int, int, int, const std::uint32_t*) override {}
        int Width() const override { return width; }
        int Height() const override { return height; }
        ImTextureID Id() const override { return {}; }
        int width = 0, height = 0;
    };
    std::unique_ptr<Texture> Make(bool) override { return std::make_unique<Nothing>(); }
};

// The application with a crowd on its heap. Several of them live side by side, each with an ImGui of its own.
class Window {
public:
    // `offscreen`: with software GL, at most one; where there is none, Works() is false.
    Window(std::uint64_t live, bool offscreen)
        : Window(CrowdTrace(live), live, live + live / 4 + live / 4, "first-fit", offscreen) {
    }  // every fifth was freed
    Window(const std::string& trace, std::uint64_t live, std::uint64_t at, const char* allocator, bool offscreen)
        : context_(ImGui::CreateContext()) {
        ImGui::SetCurrentContext(context_);
        if (offscreen) {
            auto made = Offscreen::Make(kSize, 1);
            if (!made) return;
            gl_ = made->get();
            platform_ = std::move(*made);
        } else {
            auto made = std::make_unique<NoWindow>();
            none_ = made.get();
            platform_ = std::move(made);
        }
        const auto file =
            std::filesystem::temp_directory_path() / ("bench-frames-" + std::to_string(getpid()) + ".rep");
        std::ofstream(file) << trace;
        AppOptions options;
        options.path = file.string();
        options.open.allocator = allocator;
        app_ = std::make_unique<App>(*platform_, options);
        session::Session& session = *app_->GetSession();
        session.WaitUntilLoaded();
        std::filesystem::remove(file);
        app_->Frame(kFrame);
        start_ = Position{at};
        session.SeekTo(start_);
        // What is built beside the frames is not what is measured.
        for (int i = 0; i < 60'000 && !(app_->Settled() && session.Series().Built() >= session.End()); ++i) {
            app_->Frame(kFrame);
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        const std::uint64_t blocks = session.Heap().Sum().blocks;
        if (session.End() <= start_ + 100 || blocks < live * 9 / 10 || blocks > live * 11 / 10) {
            std::fprintf(stderr, "%llu blocks live where %llu should\n", static_cast<unsigned long long>(blocks),
                         static_cast<unsigned long long>(live));
            std::exit(1);
        }
    }
    ~Window() {
        ImGui::SetCurrentContext(context_);
        app_.reset();
        platform_.reset();
        ImGui::DestroyContext(context_);
    }
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    bool Works() const { return app_ != nullptr; }
    std::size_t FreeNodes() const {
        const replay::InsideState* state = app_->Inside().State();
        return state == nullptr ? 0 : state->nodes.size();
    }
    // The panel with the free structure is there, or is not.
    void ShowInside(bool show) {
        ImGui::SetCurrentContext(context_);
        if (app_->Inside().open == show) return;
        Send(InputEvent::Press({.key = Key::I}));
        Send(InputEvent::Release({.key = Key::I}));
        for (int i = 0; i < 100; ++i) app_->Frame(kFrame);
        if (app_->Inside().open != show) std::exit(1);
    }

    enum class Doing { Rest, Steps, PanAndZoom };
    struct Times {
        double median = 0, worst = 0;  // milliseconds
    };
    Times Frames(Doing doing, std::uint64_t count) {
        ImGui::SetCurrentContext(context_);
        std::vector<double> times;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (doing == Doing::Steps) app_->GetSession()->StepBy(i / 20 % 2 == 0 ? 1 : -1);  // one event
            if (doing == Doing::PanAndZoom) Hand(i);
            const double begin = Cpu();
            app_->Frame(kFrame);
            if (gl_) bench::Use(gl_->ReadPixels().pixels.data());
            times.push_back((Cpu() - begin) / 1e6);
        }
        // As it was, for the next: all in sight, at the start, at rest.
        app_->Heap() = {.kind = HeapRequest::Kind::FitAll};
        Send(InputEvent::Button(0, false));
        app_->GetSession()->SeekTo(start_);
        for (int i = 0; i < 100 && (i < 2 || !app_->Settled()); ++i) app_->Frame(kFrame);
        std::sort(times.begin(), times.end());
        return {times[times.size() / 2], times.back()};
    }

private:
    double Cpu() const {
        if (!gl_) return bench::CpuNanoseconds();
        timespec now{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
    }
    void Send(InputEvent event) {
        if (gl_) gl_->Send(std::move(event));
        else none_->input.push_back(std::move(event));
    }
    // Ten notches in, twenty frames of dragging there and back, ten notches out, and again.
    void Hand(std::uint64_t frame) {
        const auto at = static_cast<int>(frame % 40);
        const auto drag = static_cast<float>(at < 20 ? at - 10 : 30 - at);
        Send(InputEvent::Mouse(
            {600 + (at >= 10 && at < 30 ? drag * 9 : 0), 350 + (at >= 10 && at < 30 ? drag * 5 : 0)}));
        if (at == 10 || at == 30) Send(InputEvent::Button(0, at == 10));
        if (at < 10) Send(InputEvent::Scroll({0, 1}));
        if (at >= 30) Send(InputEvent::Scroll({0, -1}));
    }

    ImGuiContext* context_;
    std::unique_ptr<Platform> platform_;
    Offscreen* gl_ = nullptr;
    NoWindow* none_ = nullptr;
    std::unique_ptr<App> app_;
    Position start_{};
};

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "frames");
    using Doing = Window::Doing;
    constexpr std::uint64_t kFrames = 200;
    std::vector<std::unique_ptr<Window>> windows;
    const auto open = [&](std::uint64_t live, bool offscreen) {
        windows.push_back(
            std::make_unique<Window>(suite.Smoke() ? std::min<std::uint64_t>(live, 10'000) : live, offscreen));
        return windows.back().get();
    };
    for (const auto& [name, live] : {std::pair{"10^2", 100}, std::pair{"10^4", 10'000}, std::pair{"10^5", 100'000},
                                      std::pair{"10^6", 1'000'000}, std::pair{"10^7", 10'000'000}}) {
        if (!suite.Wants(std::string(name) + " blocks")) continue;
        Window* const window = open(static_cast<std::uint64_t>(live), false);
        const std::string blocks = std::string(", ") + name + " blocks";
        const auto add = [&](const char* what, Doing doing, double Window::Times::*figure) {
            suite.Add(what + blocks, "ms",
                      [=](std::uint64_t n) { return window->Frames(doing, n).*figure; }, kFrames);
        };
        add("at rest", Doing::Rest, &Window::Times::median);
        add("a step a frame", Doing::Steps, &Window::Times::median);
        add("pan and zoom", Doing::PanAndZoom, &Window::Times::median);
        add("pan and zoom, the worst of 200", Doing::PanAndZoom, &Window::Times::worst);
    }
    for (const char* what : {"at rest", "a step a frame", "pan and zoom"}) {
        suite.Ratio(std::string(what) + ", 10^7 / 10^5", std::string(what) + ", 10^7 blocks",
                    std::string(what) + ", 10^5 blocks", bench::AtMost(3));
    }
    suite.Derived("milliseconds of a frame, pan and zoom, 10^7", [](const auto& figureOf) {
        return figureOf("pan and zoom, 10^7 blocks");
    }, bench::AtMost(2));
    for (const char* live : {"10^6", "10^7"}) {
        suite.Derived(std::string("milliseconds of the worst frame, pan and zoom, ") + live, [=](const auto& figureOf) {
            return figureOf((std::string("pan and zoom, the worst of 200, ") + live + " blocks").c_str());
        }, bench::AtMost(16));
    }
    // The Inside panel with a long free list, beside the same frame without the panel.
    const std::uint64_t nodes = suite.Smoke() || !suite.Wants("free nodes") ? 2'000 : 120'000;
    windows.push_back(std::make_unique<Window>(HolesTrace(nodes), nodes, 3 * nodes, "best-fit", false));
    Window* const holes = windows.back().get();
    if (holes->FreeNodes() < nodes) {
        std::fprintf(stderr, "%zu free nodes where %llu should be\n", holes->FreeNodes(),
                     static_cast<unsigned long long>(nodes));
        return 1;
    }
    for (const bool inside : {true, false}) {
        suite.Add(inside ? "at rest, inside of 10^5 free nodes" : "at rest, 10^5 free nodes, inside closed", "ms",
                  [=](std::uint64_t n) {
                      holes->ShowInside(inside);
                      return holes->Frames(Doing::Rest, n).median;
                  },
                  kFrames);
    }
    suite.Ratio("at rest, 10^5 free nodes: inside open / closed", "at rest, inside of 10^5 free nodes",
                "at rest, 10^5 free nodes, inside closed", bench::AtMost(3));
    Window* const drawn = open(10'000, true);
    for (const auto& [what, doing] :
         {std::pair{"at rest", Doing::Rest}, std::pair{"pan and zoom", Doing::PanAndZoom}}) {
        const std::string name = std::string(what) + ", 10^4 blocks, with software GL";
        suite.Add(name, "ms", [=, doing = doing](std::uint64_t n) {
            return drawn->Works() ? drawn->Frames(doing, n).median : std::numeric_limits<double>::quiet_NaN();
        }, kFrames / 5);
        suite.Ratio(std::string(what) + ", 10^4: with software GL / building alone", name,
                    std::string(what) + ", 10^4 blocks");
    }
    return suite.Run();
}
