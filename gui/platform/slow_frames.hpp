// A platform that tells on the error stream which frames took long: from the input's arrival to the picture handed
// over, whatever was waited for in between. To look for what holds up the window.
//
// Thread: the UI's.
#pragma once

#include <chrono>
#include <cstdio>

#include "gui/platform/platform.hpp"

namespace residue::gui {

class SlowFrames final : public Platform {
public:
    // Both outlive it. `milliseconds`: what is long.
    SlowFrames(Platform& inner, double milliseconds) : inner_(inner), limit_(milliseconds) {}

    ImVec2 Size() const override { return inner_.Size(); }
    float Scale() const override { return inner_.Scale(); }
    std::vector<InputEvent> Poll(double wait) override {
        Tell("after", Since(presented_));
        std::vector<InputEvent> events = inner_.Poll(wait);
        polled_ = Clock::now();
        return events;
    }
    void Present(ImDrawData* data, ImU32 background) override {
        Tell("in", Since(polled_));
        inner_.Present(data, background);
        presented_ = Clock::now();
        ++frame_;
    }
    void Wake() override { inner_.Wake(); }
    Image ReadPixels() override { return inner_.ReadPixels(); }
    TextureFactory& Textures() override { return inner_.Textures(); }
    void FontsChanged() override { inner_.FontsChanged(); }
    void SetTitle(const std::string& title) override { inner_.SetTitle(title); }
    void SetCursor(ImGuiMouseCursor cursor) override { inner_.SetCursor(cursor); }

private:
    using Clock = std::chrono::steady_clock;
    static double Since(Clock::time_point from) {
        return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
    }
    void Tell(const char* where, double took) const {
        if (frame_ > 0 && took >= limit_) std::fprintf(stderr, "%s frame %llu: %.0f ms\n", where, frame_, took);
    }

    Platform& inner_;
    double limit_;
    unsigned long long frame_ = 0;  // that were shown
    Clock::time_point polled_{}, presented_{};
};

}  // namespace residue::gui
