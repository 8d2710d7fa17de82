#include "gui/picture.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <sstream>
#include <string_view>
#include <thread>

#include "gui/platform/key_names.hpp"
#include "gui/platform/offscreen.hpp"
#include "gui/platform/png.hpp"

namespace residue::gui {
namespace {

constexpr int kMostFrames = 20'000;  // a bound on moving to a position: 20,000 rows a frame, 400 M rows

bool Whole(std::string_view text, int base, std::uint64_t& value) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return !text.empty() && result.ec == std::errc() && result.ptr == text.data() + text.size();
}

struct ImGuiContextScope {
    ImGuiContextScope() { ImGui::CreateContext(); }
    ~ImGuiContextScope() { ImGui::DestroyContext(); }
    ImGuiContextScope(const ImGuiContextScope&) = delete;
    ImGuiContextScope& operator=(const ImGuiContextScope&) = delete;
};

// A frame, after which what works on other threads has the processors for a while: without a GPU a frame takes all of
// them.
void DrawAndWait(App& app) {
    const auto begin = std::chrono::steady_clock::now();
    app.Frame(0);
    const session::Session* const session = app.GetSession();
    if (session == nullptr || !session->Working()) return;
    std::this_thread::sleep_for(3 * (std::chrono::steady_clock::now() - begin));
}

// Opened, and at the moment that was asked for.
Outcome<bool> Place(App& app, const PictureOptions& options) {
    app.GetSession()->WaitUntilLoaded();
    const session::LoadStatus status = app.GetSession()->Status();
    if (status.phase != session::Phase::Ready) {
        return Fail(status.failure.value_or(Failure{options.path, "it could not be loaded", ""}));
    }
    app.Frame(0);  // takes in what was loaded, so that there is an end to clamp to
    session::Session& session = *app.GetSession();
    if (options.at) {
        if (*options.at > session.End().value) {
            return Fail(Failure{"--at", "event " + std::to_string(*options.at) + " does not exist",
                                "0 to " + std::to_string(session.End().value)});
        }
        session.SeekTo(Position{*options.at});
    } else {
        session.JumpToPeak();
    }
    if (options.select) {
        if (*options.select == 0 || *options.select > session.View().Blocks()) {
            return Fail(Failure{"--select", "there is no block #" + std::to_string(*options.select),
                                "1 to " + std::to_string(session.View().Blocks())});
        }
        app.PresentSelection().block = BlockId{static_cast<std::uint32_t>(*options.select)};
    }
    if (options.tab) app.ShowTab(*options.tab);
    if (options.colour) app.SetColour(*options.colour);
    if (options.positions) {
        app.PresentSelection().range = {Position{std::min(options.positions->first, session.End().value)},
                                        Position{std::min(options.positions->second, session.End().value)}};
    }
    return true;
}

}  // namespace

Outcome<std::vector<KeyPress>> ParseKeys(const std::string& text) {
    std::vector<KeyPress> keys;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        const auto press = ParseKey(word);
        if (!press)
            return Fail(Failure{"--keys", "no key is called \"" + word + "\"", "such as D, Ctrl+O, Shift+Left, ["});
        keys.push_back(*press);
    }
    return keys;
}

Outcome<std::pair<int, int>> ParseSize(const std::string& text) {
    const std::size_t by = text.find('x');
    std::uint64_t width = 0, height = 0;
    if (by == std::string::npos || !Whole(std::string_view(text).substr(0, by), 10, width) ||
        !Whole(std::string_view(text).substr(by + 1), 10, height) || width == 0 || height == 0 || width > 16384 ||
        height > 16384) {
        return Fail(Failure{"--size", "\"" + text + "\" is not a size", "width x height in pixels, such as 1600x900"});
    }
    return std::pair{static_cast<int>(width), static_cast<int>(height)};
}

Outcome<ParsedRange> ParseRange(const std::string& text) {
    ParsedRange range;
    const std::size_t dash = text.find('-');
    const auto failed = [&] {
        return Fail(Failure{"--range", "\"" + text + "\" is not a range",
                            "addresses such as 0x1000-0x2000, or positions such as 100-200"});
    };
    if (dash == std::string::npos) return failed();
    std::string_view from = std::string_view(text).substr(0, dash), to = std::string_view(text).substr(dash + 1);
    range.addresses = from.starts_with("0x") || to.starts_with("0x");
    const auto parse = [&](std::string_view part, std::uint64_t& value) {
        if (!range.addresses) return Whole(part, 10, value);
        if (part.starts_with("0x")) part.remove_prefix(2);
        return Whole(part, 16, value);
    };
    if (!parse(from, range.from) || !parse(to, range.to) || range.to <= range.from) return failed();
    return range;
}

Outcome<bool> MakePicture(const PictureOptions& options) {
    const ImGuiContextScope imgui;
    auto platform =
        Offscreen::Make({static_cast<float>(options.width), static_cast<float>(options.height)}, options.scale);
    if (!platform) return Fail(platform.error());
    AppOptions appOptions;
    appOptions.path = options.path;
    appOptions.against = options.against;
    appOptions.lanes = options.lanes;
    appOptions.laneSettings = options.laneSettings;
    appOptions.timed = options.timed;
    appOptions.open = options.open;
    appOptions.lab = options.lab;
    appOptions.animate = false;
    appOptions.light = options.light;
    appOptions.only = options.only;
    appOptions.centre = options.centre;
    App app(**platform, appOptions);
    if (app.GetSession() != nullptr) {
        if (auto placed = Place(app, options); !placed) return placed;
    }
    for (int i = 0; i < kMostFrames && !app.Settled(); ++i) DrawAndWait(app);
    // The heap is where it should be: now it can be looked at from near.
    HeapRequest& heap = app.Heap();
    heap.kind = HeapRequest::Kind::FitAll;
    if (options.addresses)
        heap = {HeapRequest::Kind::FitRange, {}, options.addresses->first, options.addresses->second};
    app.Frame(0);
    for (const KeyPress& press : options.keys) {
        (*platform)->Send(InputEvent::Press(press));
        app.Frame(0);
        (*platform)->Send(InputEvent::Release(press));
        app.Frame(0);
    }
    for (int i = 0; i < options.extraFrames; ++i) {
        app.Frame(1.0 / 60);
        std::this_thread::sleep_for(std::chrono::milliseconds(16));  // what runs on threads of its own needs real time
    }
    const int most = options.extraFrames > 0 ? 4 : kMostFrames;  // a live source never settles
    for (int i = 0; i < 4 || (i < most && !app.Settled()); ++i) DrawAndWait(app);
    return WritePng((*platform)->ReadPixels(), options.out);
}

}  // namespace residue::gui
