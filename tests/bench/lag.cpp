// From an event in a program to the pixels that show it: a window with software GL that draws sixty frames a second
// watches a program; for each event, the time from its stamp until the first frame that has it in its log is drawn and
// its pixels are read back. With an event every half a millisecond, and with two threads that allocate as fast as they
// can. A frame at rest takes what bench_frames says; to wait for the next one takes 8 ms on average, 17 at most.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/gl_leaks.hpp"
#include "bench/harness.hpp"
#include "events/ticks.hpp"
#include "gui/app.hpp"
#include "gui/platform/offscreen.hpp"
#include "session/program.hpp"

using namespace residue;
using namespace residue::gui;

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::duration<double> kFrame{1.0 / 60};

struct Lag {
    double median = std::numeric_limits<double>::quiet_NaN(), most = median, worst = median;  // milliseconds
    double frame = median;                                                                      // the median one's time
};

// A frame every sixtieth of a second, or as soon as it can, for `seconds`.
Lag Watch(const std::vector<std::string>& program, double seconds) {
    Lag lag;
    ImGuiContext* const context = ImGui::CreateContext();
    {
        auto platform = Offscreen::Make({1600, 900}, 1);
        if (!platform) return lag;
        AppOptions options;
        options.program = program;
        App app(**platform, options);
        session::Session& session = *app.GetSession();
        std::vector<double> frames;
        std::vector<std::uint64_t> ticks;  // of each event's lag
        Row seen{};
        const Clock::time_point begin = Clock::now();
        const std::uint64_t firstTick = events::FencedTicks();
        for (Clock::time_point next = begin; Clock::now() - begin < std::chrono::duration<double>(seconds);) {
            std::this_thread::sleep_until(next);
            const Clock::time_point from = Clock::now();
            next = std::max(next + std::chrono::duration_cast<Clock::duration>(kFrame), from);
            app.Frame(kFrame.count());
            bench::Use((*platform)->ReadPixels().pixels.data());
            const std::uint64_t drawn = events::FencedTicks();
            frames.push_back(std::chrono::duration<double>(Clock::now() - from).count());
            const log::LogView& view = session.View();
            // Of very many, some hundred.
            const std::uint64_t step = std::max<std::uint64_t>(1, (view.Rows().value - seen.value) / 200);
            for (; seen < view.Rows(); seen = Row{seen.value + step}) {
                const std::uint64_t stamp = view.At(seen).event.stamp;
                if (stamp != 0 && stamp <= drawn) ticks.push_back(drawn - stamp);
            }
            seen = view.Rows();
        }
        const double perMillisecond =
            static_cast<double>(events::FencedTicks() - firstTick) /
            std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
        if (session::LiveProgram* const watched = session.GetProgram()) watched->EndProgram();
        if (ticks.size() < 100) {
            std::fprintf(stderr, "%zu events of %s were seen\n", ticks.size(), program[1].c_str());
            std::exit(1);
        }
        std::sort(ticks.begin(), ticks.end());
        std::sort(frames.begin(), frames.end());
        const auto at = [&](double share) {
            const auto index = static_cast<std::size_t>(share * static_cast<double>(ticks.size() - 1));
            return static_cast<double>(ticks[index]) / perMillisecond;
        };
        lag = {at(0.5), at(0.99), at(1), frames[frames.size() / 2] * 1e3};
    }
    ImGui::DestroyContext(context);
    return lag;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "lag");
    const std::string subject = std::string(argv[0]).substr(0, std::string(argv[0]).rfind('/') + 1) + "capture_subject";
    const double seconds = suite.Smoke() ? 1 : 5;
    std::vector<std::unique_ptr<Lag>> lags;
    const std::vector<std::pair<std::string, std::vector<std::string>>> programs = {
        {"2,000 events a second", {subject, "sleeps"}},
        {"two threads as fast as they can", {subject, "threads", "2", "100000000"}}};
    for (const auto& [name, program] : programs) {
        Lag* const lag = lags.emplace_back(std::make_unique<Lag>()).get();
        suite.Add(name + ": median", "ms", [=](std::uint64_t) { return (*lag = Watch(program, seconds)).median; }, 1);
        suite.Add(name + ": p99", "ms", [=](std::uint64_t) { return lag->most; }, 1);
        suite.Add(name + ": worst", "ms", [=](std::uint64_t) { return lag->worst; }, 1);
        suite.Add(name + ": a frame takes", "ms", [=](std::uint64_t) { return lag->frame; }, 1);
    }
    return suite.Run();
}
