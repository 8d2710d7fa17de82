// What a panel is, and what it is given to draw with. A view draws what the session says and gives it commands; it
// never computes figures, reads a clock or touches OpenGL.
//
//   class LeaksView final : public View {
//       const char* Title() const override { return "Leaks"; }
//       void Draw(ViewContext& context, ImVec2 size) override;
//   };
//
// Draw is called with ImGui's cursor at the panel's inner top left, inside a child window of `size` without padding;
// the title bar (Title, Status) is the app's. A settled frame depends only on log, position and view state: everything
// that moves by time goes through context.step, which is settled in pictures.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "gui/analysis_look.hpp"
#include "gui/inside_look.hpp"
#include "gui/key.hpp"
#include "gui/selection.hpp"
#include "gui/theme.hpp"
#include "imgui.h"
#include "session/processes.hpp"
#include "session/session.hpp"

namespace residue::gui {

// The one thing that changed at the last step, while it moves. Settled: progress 1.
struct StepMotion {
    float progress = 1;  // 0..1, over at most 150 ms, already eased
    bool forward = true;
    std::optional<Row> row;  // the row that was applied (forward) or taken back
    bool Moving() const { return progress < 1; }
};

// What the heap panel should show next; the heap view acts on it and sets it back to None.
struct HeapRequest {
    enum class Kind : std::uint8_t { None, FitAll, FitBlock, FitRange, Reveal } kind = Kind::None;
    BlockId block{};                   // FitBlock
    std::uint64_t begin = 0, end = 0;  // FitRange, addresses; Reveal: scrolls to `begin`
    AllocatorId allocator{};           // Reveal: in its heap, or one around it
};

// RGBA8 pixels on the graphics card, as ImGui shows them. Nearest-neighbour unless made smooth.
class Texture {
public:
    virtual ~Texture() = default;
    virtual void Resize(int width, int height) = 0;  // contents are undefined afterwards when the size changed
    // `pixels`: rows of `width` pixels (IM_COL32 layout), top row first, directly one after the other.
    virtual void Upload(int x, int y, int width, int height, const std::uint32_t* pixels) = 0;
    virtual int Width() const = 0;
    virtual int Height() const = 0;
    virtual ImTextureID Id() const = 0;
};

class TextureFactory {
public:
    virtual ~TextureFactory() = default;
    virtual std::unique_ptr<Texture> Make(bool smooth = false) = 0;
};

// The right column's tabs.
enum class Tab : std::uint8_t { Block, Calls, Allocators, Leaks, Events, Profile };
inline constexpr int kTabCount = 6;
// The views of the centre panel.
enum class CentreTab : std::uint8_t { Heap, Flame, Lives };
inline constexpr int kCentreCount = 3;

// What a view can ask of the app (playing and seeking go to the session directly).
class AppCommands {
public:
    virtual ~AppCommands() = default;
    virtual void OpenDialog() = 0;
    virtual void OpenPath(const std::string& path) = 0;
    virtual void CompareDialog() = 0;                        // chooses the recording to compare the present one with
    virtual void CompareWith(const std::string& path) = 0;   // it is A, the earlier one
    virtual void StopComparing() = 0;
    virtual void OpenSandbox() = 0;
    virtual void ShowProcess(std::size_t index) = 0;        // of ViewContext::processes
    virtual void SwitchPredicting() = 0;                    // of the present scenario, from here on
    virtual void RunScenario(const std::string& text) = 0;  // the present scenario, with this text instead of its own
    // Opens the present trace again on another allocator. `capacity`: bytes; none: auto.
    virtual void Reopen(const std::string& allocator, std::optional<std::uint64_t> capacity) = 0;
    // The present trace through another allocator, beside it: from the beginning, or (`fork`) from here on.
    virtual void AddLane(const std::string& allocator, std::optional<std::uint64_t> capacity, bool fork) = 0;
    virtual void RemoveLane(int index) = 0;
    virtual void ShowTab(Tab tab) = 0;
    virtual void ShowCentre(CentreTab tab) = 0;
    virtual void FilterSite(const std::string& name) = 0;  // only blocks with it in their call trace
    virtual void FilterSize(std::uint64_t bytes) = 0;      // only blocks of so many
    virtual void FocusBlock(BlockId block) = 0;        // selects it and has the heap panel fit it
    virtual void Notice(const std::string& text) = 0;  // one line at the bottom for some seconds
};

struct ViewContext {
    session::Session* session = nullptr;  // null: nothing is open
    Selection* selection = nullptr;       // never null
    HeapRequest* heapRequest = nullptr;   // never null
    InsideLook* inside = nullptr;         // never null
    const session::Processes* processes = nullptr;  // never null; of a program that is watched: with those it started
    AnalysisLook* analysis = nullptr;     // never null
    AppCommands* commands = nullptr;      // never null
    TextureFactory* textures = nullptr;   // never null
    const Theme* theme = nullptr;         // never null
    const Fonts* fonts = nullptr;         // never null
    ColourMode* colour = nullptr;         // never null; views may change it
    bool* again = nullptr;                // never null; set: this frame is unfinished, another one follows at once
    StepMotion step;                      // settled in pictures
    bool animate = true;                  // false in pictures and tests: show the end state at once
    bool focused = false;                 // this panel has the keyboard
    double time = 0;                      // seconds; constant in pictures. Only for blinking and fading
    float scale = 1;                      // content scale

    // Unscaled pixels to whole screen pixels.
    float Px(float unscaled) const { return std::floor(unscaled * scale + 0.5f); }
    bool Ready() const { return session != nullptr && session->Status().phase == session::Phase::Ready; }
};

class View {
public:
    virtual ~View() = default;
    virtual const char* Title() const = 0;
    // Beside the title, dim and mono ("fixed buffer · first fit · 1,024 B"). Empty: none.
    virtual std::string Subtitle(ViewContext&) { return {}; }
    // At the right end of the title bar.
    virtual std::string Status(ViewContext&) { return {}; }
    // Extra controls in the title bar: draw right-aligned, ending at `right` (screen x), centred on `centreY`; returns
    // the x where they begin.
    virtual float DrawTitleControls(ViewContext&, float right, float /*centreY*/) { return right; }
    virtual void Draw(ViewContext& context, ImVec2 size) = 0;
    // A key pressed while this panel has the keyboard and no text is edited; true: taken.
    virtual bool HandleKey(ViewContext&, const KeyPress&) { return false; }
    // Escape, before it leaves a maximised panel; true: it led out of something.
    virtual bool HandleEscape(ViewContext&) { return false; }
};

}  // namespace residue::gui
