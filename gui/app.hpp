// The application: one session, one selection, the panels around them. Drivable frame by frame on any Platform, so that
// tests press keys and read pixels back exactly as a user would.
//
//   ImGui::CreateContext();
//   auto platform = *Offscreen::Make({1600, 900}, 1);
//   App app(*platform, {.path = "a.rep"});
//   while (!app.Settled()) app.Frame(0);
//   Image image = platform->ReadPixels();
//
// Thread: the UI's. A frame's cost is the panels' that are shown; a settled app draws only when something happens.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gui/platform/input_queue.hpp"
#include "gui/platform/platform.hpp"
#include "gui/platform/state_file.hpp"
#include "gui/view.hpp"
#include "gui/views/duck.hpp"
#include "gui/views/file_dialog.hpp"
#include "gui/views/filter_bar.hpp"
#include "gui/views/find_bar.hpp"
#include "gui/views/lane_bar.hpp"
#include "gui/views/numbers.hpp"
#include "gui/views/source.hpp"
#include "gui/views/timeline.hpp"
#include "gui/views/tour.hpp"
#include "gui/views/transport.hpp"
#include "gui/views/welcome.hpp"
#include "session/drafts.hpp"
#include "session/lab.hpp"
#include "session/lanes.hpp"
#include "session/retired.hpp"
#include "session/saver.hpp"
#include "session/scenario.hpp"
#include "session/session.hpp"

namespace residue::gui {

// A panel that can have the keyboard, be maximised, or be a picture of its own.
enum class PanelId : std::uint8_t { Left, Story, Heap, Right, Timeline };

struct TabName {
    const char *name, *help, *key;
};

struct AppOptions {
    std::string against{};  // compared with at once
    // What is raced beside it: allocators of the registry, mallocs of the system, paths of an mm.c.
    std::vector<std::string> lanes{};
    lab::LabSettings laneSettings = lab::LabSettings();  // of these mm.c; gcc 12 warns of {} where it is a temporary
    bool timed = false;               // throughput of lanes is measured
    std::string path{};  // opened at once; empty: the welcome (or the tour at the first start)
    session::OpenOptions open{};
    bool sandbox = false;         // open the sandbox instead
    std::optional<session::LabOptions> lab{};  // open a student's allocator instead
    std::vector<std::string> program{};  // start it and watch it instead
    std::optional<pid_t> attach{};       // watch this process, which runs already, instead
    capture::CaptureOptions capture{};
    std::string stateFolder{};      // empty: nothing is remembered
    bool animate = true;          // false: pictures and tests; steps show their end state at once
    bool firstStart = false;      // open a shipped trace with the tour where nothing is given and none was done
    std::optional<bool> light{};    // overrides what is remembered
    bool predict = false;         // scenarios stop where they ask for a prediction
    std::optional<PanelId> only{};  // this panel alone, in the whole frame (pictures)
    CentreTab centre = CentreTab::Heap;  // where nothing is remembered
};

class App final : public AppCommands {
public:
    App(Platform& platform, AppOptions options);
    ~App() override;
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    // One frame: input, `seconds` of time, drawing. False: the user wants to leave.
    bool Frame(double seconds);
    // Loaded, at the position asked for, nothing moves. A frame drawn now looks like the one before it.
    bool Settled() const;
    // Seconds that may be slept before the next frame if no input comes.
    double MaySleep() const;

    session::Session* GetSession() { return session_.get(); }
    const session::Processes& Watched() const { return processes_; }
    Selection& PresentSelection() { return selection_; }
    InsideLook& Inside() { return inside_; }
    HeapRequest& Heap() { return heapRequest_; }
    AnalysisLook& Analysis() { return analysis_; }
    CentreTab Centre() const { return centreTab_; }
    void SetColour(ColourMode colour) {
        colour_ = colour;
        checkColour_ = false;
    }
    const SavedState& State() const { return state_; }
    const std::string& LastNotice() const { return notice_; }
    void SetWindowSize(ImVec2 unscaled, bool maximised);
    void SaveNow();

    // AppCommands
    void OpenDialog() override;
    void OpenPath(const std::string& path) override;
    void CompareDialog() override;
    void CompareWith(const std::string& path) override;
    void StopComparing() override;
    void OpenSandbox() override;
    void OpenProgram();  // the one of the options
    void ShowProcess(std::size_t index) override;
    void AddLane(const std::string& allocator, std::optional<std::uint64_t> capacity, bool fork) override;
    void RemoveLane(int index) override;
    session::Lanes& Lanes() { return lanes_; }
    void OpenLab();      // the same
    void RunScenario(const std::string& text) override;
    void SwitchPredicting() override;
    void Reopen(const std::string& allocator, std::optional<std::uint64_t> capacity) override;
    void ShowTab(Tab tab) override;
    void ShowCentre(CentreTab tab) override;
    void FilterSite(const std::string& name) override;
    void FilterSize(std::uint64_t bytes) override;
    void FocusBlock(BlockId block) override;
    void Notice(const std::string& text) override;

private:
    // app.cpp
    void Open(const std::string& path, session::OpenOptions options);
    void Replace(std::unique_ptr<session::Session> session);
    void LookAnew();  // another session is shown
    void TakeStep(double seconds);
    void TakeInside(bool moved, bool single);
    void StepDecision(bool forward);
    void UpdateFonts();
    ViewContext Context();
    std::optional<session::PredictQuestion> Asked() const;  // the question that the playhead stands at
    bool HandleGuess(const session::PredictQuestion& question, const KeyPress& press);
    void Rerun(session::ScenarioOptions options);
    session::Scenario* GetScenario() const { return session_ ? session_->GetScenario() : nullptr; }

    // app_files.cpp
    std::string FreeName(const std::string& stem, const char* extension) const;
    void ExportPicture();
    void SaveRecording();
    void SaveSource();
    void SourceSaved(const session::Saver::Done& saved);
    void SaveAsScenario();
    void KeepDraft();
    void TellOfDrafts();

    // app_compare.cpp
    void LookAtOther();

    // app_lanes.cpp
    bool CanRace() const;
    void AddLane(std::unique_ptr<session::Session> lane);
    void AddStudent(const std::string& path, const std::string& trace);
    void TickLanes(double seconds);
    void ForgetLanes();
    void DrawLanes(ViewContext& context, const Rect& rect);
    bool ShowsLanes() const { return lanes_.Count() > 0 && centreTab_ == CentreTab::Heap; }

    // app_lab.cpp
    session::Lab* GetLab() const { return session_ ? session_->GetLab() : nullptr; }
    void TakeNewerRun();
    bool HandleLab(const KeyPress& press);
    void StepFinding(session::Lab& lab, bool forward);
    void DrawLabPanel(ViewContext& context, const Rect& rect);
    View& LabView() { return *labViews_[static_cast<std::size_t>(labTab_)]; }

    // app_keys.cpp
    void HandleKeys(const std::vector<InputEvent>& events);
    bool HandleKey(ViewContext& context, const KeyPress& press);
    bool HandleTransport(ViewContext& context, const KeyPress& press);
    bool HandleLook(ViewContext& context, const KeyPress& press);
    bool HandleScenario(const KeyPress& press);
    bool HandleEscape(ViewContext& context);
    bool HandleProcesses(const KeyPress& press);
    bool HandleAnalysis(ViewContext& context, const KeyPress& press);
    bool HandleRange(ViewContext& context, const KeyPress& press);
    void NextPanel(bool backward);

    // app_layout.cpp
    void DrawWindow();
    void Arrange(ImVec2 size);
    void DrawPanels(ViewContext& context);
    void DrawPanelFrame(ViewContext& context, const Rect& rect, std::optional<PanelId> id);
    Rect DrawTabs(ViewContext& context, const Rect& rect, PanelId id, std::span<const TabName> tabs, int& chosenTab);
    float DrawTabRow(ViewContext& context, const Rect& bar, PanelId id, std::span<const TabName> tabs, int& chosenTab);
    Rect DrawTitleBar(ViewContext& context, const Rect& rect, PanelId id, View& view,
                      std::span<const TabName> tabs = {}, int* chosenTab = nullptr);
    void DrawHeapPanel(ViewContext& context, const Rect& rect);
    void DrawRightPanel(ViewContext& context, const Rect& rect);
    void DrawTimelinePanel(ViewContext& context, const Rect& rect);
    void DrawLeftPanel(ViewContext& context, const Rect& rect);
    void DrawStoryPanel(ViewContext& context, const Rect& rect);
    void DrawInside(ViewContext& context, const char* id, const Rect& rect, View& view);
    void DrawSplitters(ViewContext& context);
    void DrawNotice(ViewContext& context, ImVec2 screen);
    bool HasLeft() const;
    bool HasControls() const;
    bool ShowsInside() const;
    View& LeftView();
    View& StoryView() { return consoleTab_ ? *console_ : *narration_; }
    View& CentreView() { return *centre_[static_cast<std::size_t>(centreTab_)]; }
    View& ActiveTab() { return *tabs_[static_cast<std::size_t>(tab_)]; }

    Platform& platform_;
    InputQueue input_;
    session::Saver saver_;
    std::pair<std::string, std::string> savingSource_;  // path and text, while it is written
    session::Saver pictureSaver_;
    session::Drafts drafts_;
    bool tellDraft_ = false;  // that changes from before are back, once they are
    AppOptions options_;
    SavedState state_, savedState_;
    session::Retired retired_;
    std::unique_ptr<session::Session> session_;
    session::Processes processes_;             // those that are watched beside the one shown
    struct LaneLook {
        std::unique_ptr<View> heap;
        Selection selection;
        HeapRequest request;
        InsideLook inside;
        AnalysisLook analysis;
    };
    session::Lanes lanes_;              // beside the present session
    std::vector<LaneLook> laneLooks_;   // of each
    int removeLane_ = -1;               // with the next frame
    std::unique_ptr<session::Session> other_;  // that the present one is compared with
    bool comparing_ = false;                   // it is ready, and is
    bool choosingOther_ = false;               // the dialog is for it
    Selection selection_;
    HeapRequest heapRequest_;
    InsideLook inside_;
    AnalysisLook analysis_;
    double decidingSince_ = -1;  // the decisions of a step are told one after the other; < 0: they are not
    int enterDeciding_ = 0;      // the next position is entered at its first (1) or last (-1) decision
    AllocatorId noInsideOf_{};   // this allocator's inside is not known at any position ...
    std::string noInside_;       // ... and why
    bool insideTab_ = false;     // of the left column, in the sandbox and in scenarios
    bool consoleTab_ = false;    // below it, in scenarios
    ColourMode colour_ = ColourMode::Site;
    bool checkColour_ = false;  // just opened: a trace without call traces would be all one colour by site
    Tab tab_ = Tab::Block;
    CentreTab centreTab_ = CentreTab::Heap;
    const Theme* theme_ = nullptr;
    Fonts fonts_;
    double time_ = 0;

    StepMotion step_;
    double stepBegan_ = -1;
    Position shownPosition_{};
    std::optional<Row> shownRow_;
    int settledFrames_ = 0;
    bool again_ = false;  // a view has more to draw than it did

    std::array<std::unique_ptr<View>, 4> labViews_;
    int labTab_ = 0;  // of the left column, in the lab
    std::unique_ptr<View> sandbox_, program_, insideView_, narration_, console_;
    SourceView source_;
    std::array<std::unique_ptr<View>, kCentreCount> centre_;
    std::array<std::unique_ptr<View>, kTabCount> tabs_;
    TimelineView timeline_;
    NumbersView numbers_;
    TransportBar transport_;
    FilterBar filter_;
    LaneBar laneBar_;
    FindBar find_;
    DuckView duck_;
    FileDialog dialog_;
    Tour tour_;
    WelcomeFiles welcome_;
    bool keySheet_ = false;
    bool picker_ = false;  // the welcome, over an open session

    PanelRects rects_;
    std::optional<PanelId> maximised_;
    PanelId focused_ = PanelId::Heap;
    bool showFocus_ = false;  // the keyboard chose the panel: show which one
    bool leave_ = false;
    bool wantPicture_ = false;
    bool startAtPeak_ = false;  // the first start shows a full heap, not an empty one
    std::string notice_;
    double noticeSince_ = -1;
    double lastSave_ = 0;
    std::string windowTitle_;
};

}  // namespace residue::gui
