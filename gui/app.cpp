#include "gui/app.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <utility>

#include "gui/views/allocators.hpp"
#include "gui/views/block_card.hpp"
#include "gui/views/call_tree.hpp"
#include "gui/views/events_table.hpp"
#include "gui/views/flame.hpp"
#include "gui/views/heap.hpp"
#include "gui/views/inside.hpp"
#include "gui/views/leaks.hpp"
#include "gui/views/lives.hpp"
#include "gui/views/profile.hpp"
#include "gui/views/lab.hpp"
#include "gui/views/lab_bytes.hpp"
#include "gui/views/lab_losses.hpp"
#include "gui/views/lab_source.hpp"
#include "gui/views/program.hpp"
#include "gui/views/sandbox.hpp"
#include "gui/views/story.hpp"
#include "session/sandbox.hpp"
#include "session/scenario.hpp"

namespace residue::gui {
namespace {

namespace fs = std::filesystem;
constexpr double kStepSeconds = 0.15;
constexpr double kDecisionSeconds = 0.12;  // a decision, as they are told after a step ...
constexpr double kDecidingSeconds = 1.2;   // ... and all of a call's
constexpr double kNoticeSeconds = 6;
constexpr double kSaveSeconds = 2;
constexpr int kQuietFrames = 2;  // frames that must look alike: hover and scroll positions take one to follow

float Eased(double t) {
    const double left = 1 - std::clamp(t, 0.0, 1.0);
    return static_cast<float>(1 - left * left * left);
}

// What to open at the first start: the heap of one of our own programs, full of holes.
const std::string& FirstToShow(const std::vector<std::string>& samples) {
    for (const char* wanted : {"text-editor", "word-counter"}) {
        for (const std::string& sample : samples) {
            if (fs::path(sample).stem() == wanted) return sample;
        }
    }
    return samples.front();
}

// Where changes of scenarios are kept that were not saved. Empty: nowhere.
std::string DraftFolder(const AppOptions& options) {
    return options.stateFolder.empty() ? std::string() : (fs::path(options.stateFolder) / "drafts").string();
}

}  // namespace

App::App(Platform& platform, AppOptions options)
    : platform_(platform), drafts_(DraftFolder(options)), options_(std::move(options)) {
    std::string message;
    state_ = LoadState(options_.stateFolder, &message);
    savedState_ = state_;
    if (options_.light) state_.light = *options_.light;
    theme_ = state_.light ? &LightTheme() : &DarkTheme();
    colour_ = static_cast<ColourMode>(state_.colour);
    tab_ = static_cast<Tab>(state_.tab);
    centreTab_ = options_.stateFolder.empty() ? options_.centre : static_cast<CentreTab>(state_.centre);
    duck_.SetSilent(state_.duckSilent);

    ImGuiIO& io = ImGui::GetIO();
    io.IniFilename = nullptr;
    io.LogFilename = nullptr;
    io.ConfigInputTextCursorBlink = options_.animate;
    io.ConfigWindowsMoveFromTitleBarOnly = true;
    io.BackendFlags |= ImGuiBackendFlags_HasMouseCursors;
    io.MousePos = {-1e9f, -1e9f};
    PrepareImGuiKeys();
    UpdateFonts();
    lanes_.Scores().TakeTimes(options_.timed);

    centre_ = {MakeHeapView(), MakeFlameView(), MakeLivesView()};
    sandbox_ = MakeSandboxView();
    program_ = MakeProgramView();
    labViews_ = {MakeLabView(), MakeLabLossesView(), MakeLabSourceView(), MakeLabBytesView()};
    insideView_ = MakeInsideView();
    narration_ = MakeNarrationView();
    console_ = MakeConsoleView();
    tabs_ = {MakeBlockCardView(), MakeCallTreeView(), MakeAllocatorsView(),
             MakeLeaksView(),     MakeEventsView(),   MakeProfileView()};
    welcome_ = {state_.recent, ShippedTraces(), ShippedLessons()};

    if (options_.lab) {
        OpenLab();
    } else if (!options_.program.empty() || options_.attach) {
        OpenProgram();
    } else if (options_.sandbox) {
        OpenSandbox();
    } else if (!options_.path.empty()) {
        Open(options_.path, options_.open);
        if (!options_.against.empty()) CompareWith(options_.against);
    } else if (options_.firstStart && !state_.tourDone && !(welcome_.lessons.empty() && welcome_.samples.empty())) {
        Open(welcome_.lessons.empty() ? FirstToShow(welcome_.samples) : welcome_.lessons.front().path, options_.open);
        startAtPeak_ = true;
        tour_.Start();
    }
    if (!message.empty()) Notice(message);
}

App::~App() {
    if (session::Lab* const lab = GetLab()) lab->WhenChanged({});
    for (std::size_t i = 0; i < lanes_.Count(); ++i) {
        if (session::Lab* const lab = lanes_.At(i).GetLab()) lab->WhenChanged({});
    }
    KeepDraft();
    if (session_) session_->Cancel();
    SaveNow();
}

ViewContext App::Context() {
    ViewContext context;
    context.session = session_.get();
    context.selection = &selection_;
    context.heapRequest = &heapRequest_;
    context.inside = &inside_;
    context.processes = &processes_;
    context.analysis = &analysis_;
    context.commands = this;
    context.textures = &platform_.Textures();
    context.theme = theme_;
    context.fonts = &fonts_;
    context.colour = &colour_;
    context.again = &again_;
    context.step = step_;
    context.animate = options_.animate;
    context.time = time_;
    context.scale = fonts_.scale;
    return context;
}

void App::UpdateFonts() {
    const float scale = platform_.Scale();
    if (fonts_.label == nullptr || fonts_.scale != scale) {
        fonts_ = LoadFonts(scale);
        platform_.FontsChanged();
    }
    ApplyStyle(*theme_, scale);
}

// The one thing that changed moves for a moment, when the user took a single step; scrubbing and playing do not.
void App::TakeStep(double seconds) {
    if (!session_) {
        step_ = {};
        return;
    }
    session_->Tick(seconds);
    if (session_->GetProgram() != nullptr && processes_.Tick(*session_, seconds)) settledFrames_ = 0;
    TakeNewerRun();
    if (startAtPeak_ && session_->Status().phase == session::Phase::Ready) {
        startAtPeak_ = false;
        if (session_->Now().value == 0) session_->JumpToPeak();
    }
    const Position now = session_->Now();
    const auto row = session_->PresentRow();
    TakeInside(now != shownPosition_, now == shownPosition_ + 1);
    if (now != shownPosition_) {
        const bool forward = now == shownPosition_ + 1;
        const bool back = shownPosition_ == now + 1;
        const bool slow = !session_->Playing() || session_->Speed() <= 12;
        step_ = {};
        stepBegan_ = -1;
        if (options_.animate && slow && (forward || back)) {
            step_.forward = forward;
            step_.row = forward ? row : shownRow_;
            step_.progress = 0;
            stepBegan_ = time_;
        }
        shownPosition_ = now;
    } else if (stepBegan_ >= 0) {
        step_.progress = Eased((time_ - stepBegan_) / kStepSeconds);
        if (time_ - stepBegan_ >= kStepSeconds) {
            step_ = {};
            stepBegan_ = -1;
        }
    }
    shownRow_ = row;
    if (checkColour_ && session_->Status().phase == session::Phase::Ready) {
        checkColour_ = false;
        if (colour_ == ColourMode::Site && session_->Figures()) colour_ = ColourMode::Size;
    }
    if (session_->Status().phase != session::Phase::Loading) state_.speed = session_->Speed();
}

// The search of a single step forward is told probe by probe; any other way to a position shows it done.
void App::TakeInside(bool moved, bool single) {
    inside_.open = ShowsInside();
    if (moved) {
        inside_.shown = InsideLook::kSettled;
        decidingSince_ =
            options_.animate && enterDeciding_ == 0 && single && inside_.open && !session_->Playing() ? time_ : -1;
    }
    if (!inside_.open) {
        inside_.answer = {};
        return;
    }
    inside_.answer = session_->PresentInside();
    if (inside_.answer.never) noInsideOf_ = session_->Shown(), noInside_ = inside_.answer.unknown;
    const std::size_t all = inside_.Decisions();
    if (enterDeciding_ != 0 && inside_.answer.ready && !moved) {
        if (all != 0) inside_.shown = enterDeciding_ > 0 ? 0 : all;
        enterDeciding_ = 0;
    }
    if (decidingSince_ < 0 || !inside_.answer.ready) return;
    if (inside_.shown == InsideLook::kSettled) decidingSince_ = time_;  // it has just become known
    const double each =
        std::min(kDecisionSeconds, kDecidingSeconds / static_cast<double>(std::max<std::size_t>(all, 1)));
    const double told = (time_ - decidingSince_) / each;
    if (all == 0 || told >= static_cast<double>(all + 1)) {
        inside_.shown = InsideLook::kSettled;
        decidingSince_ = -1;
    } else {
        inside_.shown = static_cast<std::size_t>(told);
    }
}

// Sub-steps N.1, N.2, ...; past the last one, or before the first, the position moves.
void App::StepDecision(bool forward) {
    if (!session_ || !inside_.open) return;
    session_->Play(false);
    session_->FollowEnd(false);
    const bool playing = decidingSince_ >= 0;
    decidingSince_ = -1;
    if (playing && !inside_.Deciding()) return;
    if (gui::StepDecision(inside_, forward)) return;
    if (forward && !(session_->Now() < session_->End())) return;
    if (!forward && session_->Now().value == 0) return;
    session_->StepBy(forward ? 1 : -1);
    enterDeciding_ = forward ? 1 : -1;
}

bool App::Frame(double seconds) {
    seconds = std::clamp(seconds, 0.0, 0.25);
    time_ += seconds;
    const double sleep = input_.Waiting() ? 0 : MaySleep();
    const std::vector<InputEvent> events = input_.Take(platform_.Poll(sleep), ImGui::GetIO().WantTextInput);
    FeedImGui(events);
    for (const InputEvent& event : events) {
        if (event.kind == InputEvent::Kind::Close) leave_ = true;
        if (event.kind == InputEvent::Kind::FilesDropped && !event.files.empty()) OpenPath(event.files.front());
    }
    UpdateFonts();
    ImGuiIO& io = ImGui::GetIO();
    io.DisplaySize = platform_.Size();
    io.DisplayFramebufferScale = {1, 1};
    io.DeltaTime = std::max(static_cast<float>(seconds), 1.0f / 1000);
    ImGui::NewFrame();
    HandleKeys(events);
    {
        ViewContext context = Context();
        find_.Look(context);
    }
    TakeStep(seconds);
    LookAtOther();
    TickLanes(seconds);
    selection_.NextFrame();
    inside_.NextFrame();
    analysis_.NextFrame(session_.get(), selection_);
    if (!Asked()) selection_.guess.reset();
    ViewContext context = Context();
    source_.Follow(context);
    again_ = inside_.open && !inside_.answer.ready && inside_.answer.unknown.empty() && session_ &&
             session_->Status().phase == session::Phase::Ready && !session_->FollowsEnd();
    DrawWindow();
    ImGui::Render();
    platform_.Present(ImGui::GetDrawData(), theme_->window);
    platform_.SetCursor(ImGui::GetMouseCursor());

    const std::string title = session_ ? session_->Title() + " · Residue" : "Residue";
    if (title != windowTitle_) platform_.SetTitle(windowTitle_ = title);
    if (std::exchange(wantPicture_, false)) ExportPicture();
    for (session::Saver* saver : {&saver_, &pictureSaver_}) {
        if (const auto saved = saver->Take()) {
            Notice(saved->failure ? saved->failure->Text() : "Saved " + saved->path);
            SourceSaved(*saved);
        }
    }
    TellOfDrafts();
    if (noticeSince_ >= 0 && time_ - noticeSince_ > kNoticeSeconds) noticeSince_ = -1;
    const bool reading = other_ && other_->Status().phase == session::Phase::Loading;
    const bool quiet = events.empty() && !reading && !lanes_.Working() &&
                       (!session_ || (session_->Settled() && !session_->Playing() && !session_->Working() &&
                                      session_->Status().phase != session::Phase::Loading));
    settledFrames_ = quiet && !step_.Moving() && !again_ && decidingSince_ < 0 ? settledFrames_ + 1 : 0;

    state_.colour = static_cast<int>(colour_);
    state_.tab = static_cast<int>(tab_);
    state_.centre = static_cast<int>(centreTab_);
    state_.duckSilent = duck_.Silent();
    if (time_ - lastSave_ > kSaveSeconds) SaveNow();
    return !leave_;
}

bool App::Settled() const {
    return settledFrames_ > kQuietFrames;
}

double App::MaySleep() const {
    if (!Settled() || (session_ && session_->IsLive()) || transport_.Searching()) return 0;
    if (session_ && session_->GetProgram() != nullptr && processes_.AnyLive(*session_)) return 0.1;
    if (saver_.Busy() || pictureSaver_.Busy()) return 0.05;
    if (noticeSince_ >= 0 || dialog_.IsOpen() || ImGui::GetIO().WantTextInput) return 0.05;
    return 0.5;
}

void App::SaveNow() {
    lastSave_ = time_;
    if (state_ == savedState_) return;
    if (SaveState(options_.stateFolder, state_)) savedState_ = state_;
}

void App::SetWindowSize(ImVec2 unscaled, bool maximised) {
    state_.maximised = maximised;
    if (maximised) return;  // the size to go back to stays as it was
    state_.width = std::round(unscaled.x);
    state_.height = std::round(unscaled.y);
}

void App::Replace(std::unique_ptr<session::Session> session) {
    StopComparing();
    analysis_.Forget();
    for (auto& process : processes_.Clear()) retired_.Take(std::move(process));
    ForgetLanes();
    retired_.Take(std::move(session_));
    session_ = std::move(session);
    LookAnew();
}

void App::LookAnew() {
    picker_ = false;
    checkColour_ = true;
    startAtPeak_ = false;
    selection_ = {};
    inside_ = {};
    decidingSince_ = -1;
    insideTab_ = false;
    noInsideOf_ = {};
    heapRequest_ = {};
    heapRequest_.kind = HeapRequest::Kind::FitAll;
    step_ = {};
    stepBegan_ = -1;
    shownPosition_ = {};
    shownRow_.reset();
    settledFrames_ = 0;
    transport_.StopSearch();
    if (session_) session_->SetSpeed(state_.speed);
}

void App::Open(const std::string& path, session::OpenOptions options) {
    KeepDraft();
    std::error_code error;
    const fs::path absolute = fs::absolute(path, error);
    options.scenario = {};
    options.scenario.predict = options_.predict;
    const std::string whole = error ? path : absolute.lexically_normal().string();
    if (whole.ends_with(".iridis")) drafts_.Give(whole, options.scenario);
    Replace(session::Session::Open(whole, std::move(options)));
    tellDraft_ = true;
    const bool shipped = std::find(welcome_.samples.begin(), welcome_.samples.end(), whole) != welcome_.samples.end();
    if (!shipped) state_.AddRecent(whole);
    state_.folder = fs::path(whole).parent_path().string();
    welcome_.recent = state_.recent;
}

void App::OpenDialog() {
    choosingOther_ = false;
    dialog_.Open(state_.folder, state_.recent);
}

void App::OpenPath(const std::string& path) {
    session::OpenOptions options = session_ && !session_->GetSandbox() ? session_->Options() : options_.open;
    options.fork.reset();  // it was of another one, as were lanes
    options_.lanes.clear();
    Open(path, std::move(options));
}

void App::OpenSandbox() {
    KeepDraft();
    Replace(session::Session::OpenSandbox());
    if (!session_) return;
    session_->FollowEnd(true);
    colour_ = ColourMode::Site;
    // Something to try at once; the panel at the left makes others.
    if (session::Sandbox* sandbox = session_->GetSandbox()) sandbox->Create("first-fit", 64 * 1024);
}

void App::OpenProgram() {
    KeepDraft();
    Replace(options_.attach ? session::Session::AttachTo(*options_.attach, options_.capture)
                            : session::Session::OpenProgram(options_.program, options_.capture));
    processes_ = session::Processes(options_.capture.mostLog, options_.capture.mostInAll);
    if (!session_) return;
    session_->FollowEnd(true);
    colour_ = ColourMode::Site;
}

void App::ShowProcess(std::size_t index) {
    if (!session_ || index >= processes_.Count() || index == processes_.Shown()) return;
    StopComparing();
    analysis_.Forget();
    session_ = processes_.Show(index, std::move(session_));
    LookAnew();
}

void App::Reopen(const std::string& allocator, std::optional<std::uint64_t> capacity) {
    if (!session_ || session_->Path().empty()) return;
    session::OpenOptions options = session_->Options();
    options.allocator = allocator;
    options.capacity = capacity;
    Open(std::string(session_->Path()), options);
}

void App::Rerun(session::ScenarioOptions scenario) {
    if (GetScenario() == nullptr) return;
    session::OpenOptions options = session_->Options();
    options.scenario = std::move(scenario);
    const bool inside = insideTab_;
    Replace(session::Session::Open(std::string(session_->Path()), std::move(options)));
    insideTab_ = inside;
}

void App::RunScenario(const std::string& text) {
    if (GetScenario() == nullptr) return;
    session::ScenarioOptions scenario = session_->Options().scenario;
    scenario.text = text;
    scenario.askFrom = 0;
    Rerun(std::move(scenario));
    source_.Edit(false);
}

// On: from here the run is made again, and asks before each request. Off: it goes through.
void App::SwitchPredicting() {
    session::Scenario* const scenario = GetScenario();
    if (scenario == nullptr) return;
    if (scenario->AsksAll()) {
        scenario->AskAll(false);
        scenario->Skip();
        Notice("No more questions.");
        return;
    }
    session::ScenarioOptions options = session_->Options().scenario;
    options.text = scenario->Text();
    options.askAll = true;
    options.askFrom = session_->Now().value;
    Rerun(std::move(options));
    Notice("Before each request you are asked where it will land. G ends it.");
}

void App::ShowTab(Tab tab) {
    settledFrames_ = 0;  // what follows is a new picture, though nobody pressed a key
    tab_ = tab;
    state_.rightFolded = false;
    focused_ = PanelId::Right;
}

void App::ShowCentre(CentreTab tab) {
    settledFrames_ = 0;
    centreTab_ = tab;
    focused_ = PanelId::Heap;
}

void App::FilterSite(const std::string& name) {
    if (session_) filter_.Set(*session_, FilterFields::Site, name);
}

void App::FilterSize(std::uint64_t bytes) {
    if (session_) filter_.Set(*session_, FilterFields::Size, std::to_string(bytes));
}

void App::FocusBlock(BlockId block) {
    settledFrames_ = 0;
    centreTab_ = CentreTab::Heap;
    selection_.block = block;
    heapRequest_ = {};
    heapRequest_.kind = HeapRequest::Kind::FitBlock;
    heapRequest_.block = block;
}

void App::Notice(const std::string& text) {
    notice_ = text;
    noticeSince_ = time_;
}

}  // namespace residue::gui
