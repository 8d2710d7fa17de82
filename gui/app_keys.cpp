// Keys of the window. Order: what lies over the window (dialog, key sheet, tour), text that is edited, the focused
// panel's own keys, the window's.
#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/holes.hpp"
#include "gui/app.hpp"
#include "gui/views/analysis_bar.hpp"
#include "gui/views/block_menu.hpp"
#include "session/scenario.hpp"

namespace residue::gui {
namespace {

constexpr std::int64_t kPage = 100;  // events

}  // namespace

void App::HandleKeys(const std::vector<InputEvent>& events) {
    for (const InputEvent& event : events) {
        if (event.kind == InputEvent::Kind::MouseButton && event.down) showFocus_ = false;
        if (event.kind != InputEvent::Kind::KeyDown) continue;
        ViewContext context = Context();
        const KeyPress& press = event.key;
        if (dialog_.HandleKey(context, press)) continue;
        if (keySheet_) {
            keySheet_ = false;
            continue;
        }
        const bool editing = ImGui::GetIO().WantTextInput;
        if (!editing && tour_.HandleKey(press)) {
            state_.tourDone = !tour_.Running() || state_.tourDone;
            continue;
        }
        if (press.IsCtrl(Key::O)) {
            OpenDialog();
            continue;
        }
        if (press.IsCtrl(Key::D)) {
            CompareDialog();
            continue;
        }
        if (press.IsCtrl(Key::E)) {
            wantPicture_ = true;
            continue;
        }
        if (press.IsCtrl(Key::Q)) {
            leave_ = true;
            continue;
        }
        if (press.ctrl && press.shift && press.key == Key::S) {
            SaveAsScenario();
            continue;
        }
        if (press.IsCtrl(Key::S)) {
            if (GetScenario() != nullptr && source_.Changed())
                SaveSource();
            else
                SaveRecording();
            continue;
        }
        if (press.IsCtrl(Key::F) && context.Ready() && !picker_) {
            if (press.shift) {
                filter_.Clear(*session_);
            } else if (filter_.IsOpen()) {
                filter_.Close();
            } else {
                filter_.Open();
            }
            continue;
        }
        if (press.IsCtrl(Key::R) && GetScenario() != nullptr) {
            RunScenario(source_.Text());
            continue;
        }
        if (press.Is(Key::Escape) && source_.Editing()) {
            source_.Edit(false);
            continue;
        }
        if (editing && press.key == Key::Tab && !press.ctrl && filter_.NextField(press.shift)) continue;
        if (editing) continue;  // letters, arrows and the rest belong to the text
        HandleKey(context, press);
    }
}

bool App::HandleKey(ViewContext& context, const KeyPress& press) {
    if (press.Is(Key::Escape)) return HandleEscape(context);
    if (press.Is(Key::Tab)) {
        NextPanel(press.shift);
        return true;
    }
    context.focused = true;
    if ((picker_ || !session_) && HandleWelcomeKey(context, press, welcome_)) return true;
    if (focused_ == PanelId::Heap && context.Ready() && CentreView().HandleKey(context, press)) return true;
    if (focused_ == PanelId::Right && ActiveTab().HandleKey(context, press)) return true;
    if (focused_ == PanelId::Left && HasLeft() && LeftView().HandleKey(context, press)) return true;
    if (HandleScenario(press) || HandleProcesses(press) || HandleLab(press)) return true;
    if (press.alt && (press.key == Key::Left || press.key == Key::Right)) {
        StepDecision(press.key == Key::Right);
        return true;
    }
    // The colour keys and F mean the heap wherever the keyboard is.
    return HandleAnalysis(context, press) || HandleTransport(context, press) || HandleLook(context, press);
}

// As the tabs of a browser.
bool App::HandleProcesses(const KeyPress& press) {
    if (!press.ctrl || (press.key != Key::PageUp && press.key != Key::PageDown)) return false;
    if (!session_ || session_->GetProgram() == nullptr || picker_) return false;
    const std::size_t count = processes_.Count();
    ShowProcess((processes_.Shown() + (press.key == Key::PageDown ? 1 : count - 1)) % count);
    return true;
}

// Run until, the history of an address and of a site, the range that is kept.
bool App::HandleAnalysis(ViewContext& context, const KeyPress& press) {
    if (!context.Ready() || picker_) return false;
    if (press.IsCtrl(Key::U)) {
        find_.Again(context, !press.shift);
        return true;
    }
    if (HandleRange(context, press)) return true;
    if (press.ctrl || press.alt) return false;
    switch (press.key) {
        case Key::U: find_.Open(); return true;
        case Key::R:
            if (!CanRace()) return false;
            laneBar_.Open();
            return true;
        case Key::H: FindSameAddress(context, !press.shift); return true;
        case Key::S: FindSameSite(context, !press.shift); return true;
        case Key::X:
            if (const auto block = BlockHere(context))
                ShowSiteOf(context, *block);
            else
                Notice("Select a block first: then this shows its call site in the flame graph.");
            return true;
        default: return HandleAnalysisKey(context, press);
    }
}

// A: the range begins here; with Shift it ends here; with Alt it is what the timeline shows.
bool App::HandleRange(ViewContext& context, const KeyPress& press) {
    if (press.key != Key::A || press.ctrl) return false;
    session::Analyst& analyst = context.session->Analyst();
    const Position now = session_->Now();
    auto range = analyst.Range().value_or(std::pair{Position{0}, session_->End()});
    if (press.alt) {
        if (!selection_.range) {
            Notice("The timeline shows all of it: there is no stretch to keep. Drag over it to zoom in first.");
            return true;
        }
        range = *selection_.range;
    } else if (press.shift) {
        range.second = now;
        if (range.first >= now) range.first = Position{0};
    } else {
        range.first = now;
        if (range.second <= now) range.second = session_->End();
    }
    if (range.first < range.second)
        analyst.SetRange(range);
    else
        Notice("A range needs two different ends.");
    return true;
}

// Escape goes outwards: a search, what the centre is zoomed into, a maximised panel, a range, the loading of a file.
bool App::HandleEscape(ViewContext& context) {
    if (ImGui::IsPopupOpen("", ImGuiPopupFlags_AnyPopupId | ImGuiPopupFlags_AnyPopupLevel))
        ImGui::SetWindowFocus(nullptr);  // a menu or a list: ImGui closes them when nothing has the focus
    else if (transport_.Searching())
        transport_.StopSearch();
    else if (picker_)
        picker_ = false;
    else if (focused_ == PanelId::Heap && CentreView().HandleEscape(context))
        return true;
    else if (session_ && find_.Looking())
        session_->Analyst().StopFinding();
    else if (find_.IsOpen())
        find_.Close();
    else if (filter_.IsOpen())
        filter_.Close();
    else if (laneBar_.IsOpen())
        laneBar_.Close();
    else if (maximised_)
        maximised_.reset();
    else if (session_ && session_->Status().phase == session::Phase::Loading)
        session_->Cancel();
    else if (other_)
        StopComparing();
    else if (selection_.range)
        selection_.range.reset();
    else if (session_ && session_->Analyst().Range())
        session_->Analyst().SetRange(std::nullopt);
    else if (selection_.block || selection_.trace || selection_.line)
        selection_.block.reset(), selection_.trace.reset(), selection_.line.reset(), selection_.lineTraces.clear();
    return true;
}

bool App::HandleTransport(ViewContext& context, const KeyPress& press) {
    if (!context.Ready()) return false;
    session::Session& session = *session_;
    const auto seek = [&](Position position) {
        session.Play(false);
        session.FollowEnd(false);
        session.SeekTo(position);
    };
    const auto step = [&](bool forward) {
        transport_.Step(context, forward,
                        press.ctrl    ? session::StepUnit::Line
                        : press.shift ? session::StepUnit::Call
                                      : session::StepUnit::Event);
    };
    switch (press.key) {
        case Key::Space:
            if (!session.Playing() && !session.IsLive() && !(session.Now() < session.End()))
                session.SeekTo(Position{0});
            session.Play(!session.Playing());
            return true;
        case Key::Left: step(false); return true;
        case Key::Right: step(true); return true;
        case Key::PageUp:
        case Key::PageDown:
            session.Play(false);
            session.FollowEnd(false);
            session.StepBy(press.key == Key::PageUp ? -kPage : kPage);
            return true;
        case Key::Home: seek(Position{0}); return true;
        case Key::End:
            seek(session.End());
            if (session.IsLive()) session.FollowEnd(true);
            return true;
        case Key::LeftBracket:
        case Key::RightBracket: {
            session.Play(false);
            session.FollowEnd(false);
            const bool forward = press.key == Key::RightBracket;
            if (!session.JumpToError(forward)) {
                Notice(session.View().ErrorCount() == 0 ? "There are no errors in this run."
                       : forward                        ? "There is no error after this one."
                                                        : "There is no error before this one.");
            } else {
                ShowTab(Tab::Block);
                focused_ = PanelId::Heap;
            }
            return true;
        }
        case Key::P:
            if (press.ctrl) return false;
            session.Play(false);
            session.FollowEnd(false);
            session.JumpToPeak();
            return true;
        case Key::Up:
        case Key::Down:
            if (!press.ctrl) return false;
            {
                const double speed = std::isinf(session.Speed()) ? 4e6 : session.Speed();
                const double next = press.key == Key::Up ? speed * 2 : speed / 2;
                session.SetSpeed(next > 2e6 ? std::numeric_limits<double>::infinity() : std::max(1.0, next));
            }
            return true;
        default: return false;
    }
}

std::optional<session::PredictQuestion> App::Asked() const {
    const session::Scenario* const scenario = session_ ? session_->GetScenario() : nullptr;
    if (scenario == nullptr || session_->Now() != session_->End()) return std::nullopt;
    return scenario->Question();
}

// Up and down go over the places where the request may land, with Shift by 8 bytes; Enter says that it is there.
bool App::HandleGuess(const session::PredictQuestion& question, const KeyPress& press) {
    constexpr std::uint64_t kGranule = 8;
    session::Scenario* const scenario = GetScenario();
    if (press.key >= Key::Digit6 && press.key <= Key::Digit8) {
        const int which = static_cast<int>(press.key) - static_cast<int>(Key::Digit6);
        scenario->Answer({std::nullopt, session::kPredictErrors[which]});
        return true;
    }
    if (press.Is(Key::Enter)) {
        if (selection_.guess)
            scenario->Answer({selection_.guess, std::nullopt});
        else
            scenario->Skip();
        return true;
    }
    if (press.key != Key::Up && press.key != Key::Down) return false;
    const bool forward = press.key == Key::Down;
    const auto& guess = selection_.guess;
    std::optional<std::uint64_t> next;
    if (press.shift && guess)
        next = forward ? *guess + kGranule : *guess - std::min(*guess, kGranule);
    else
        next = analysis::NextPlace(session_->Heap(), question.allocator, guess, forward);
    if (next)
        selection_.guess = next;
    else if (!guess)
        Notice("Nothing is known yet of where this allocator's memory lies.");
    if (selection_.guess) {
        heapRequest_ = {};
        heapRequest_.kind = HeapRequest::Kind::Reveal;
        heapRequest_.begin = *selection_.guess;
        heapRequest_.allocator = question.allocator;
    }
    return true;
}

// What only a scenario has: narration, the editor, predictions.
bool App::HandleScenario(const KeyPress& press) {
    session::Scenario* const scenario = GetScenario();
    if (scenario == nullptr || press.ctrl || press.alt) return false;
    if (const auto question = Asked(); question && HandleGuess(*question, press)) return true;
    switch (press.key) {
        case Key::N:
            if (!scenario->StepNarration(!press.shift)) {
                Notice(press.shift ? "There is no narration before this one."
                                   : "There is no narration after this one.");
            }
            consoleTab_ = false;
            return true;
        case Key::O: consoleTab_ = !consoleTab_; return true;
        case Key::E:
            insideTab_ = false;
            focused_ = PanelId::Left;
            source_.Edit(true);
            return true;
        case Key::G: SwitchPredicting(); return true;
        case Key::W: {
            ViewContext context = Context();
            return narration_->HandleKey(context, press);
        }
        default: return false;
    }
}

bool App::HandleLook(ViewContext& context, const KeyPress& press) {
    if (press.alt && !press.ctrl && press.key >= Key::Digit1 && press.key <= Key::Digit3) {
        ShowCentre(static_cast<CentreTab>(static_cast<int>(press.key) - static_cast<int>(Key::Digit1)));
        return true;
    }
    if (press.ctrl && press.key >= Key::Digit1 && press.key <= Key::Digit6) {
        ShowTab(static_cast<Tab>(static_cast<int>(press.key) - static_cast<int>(Key::Digit1)));
        showFocus_ = true;
        return true;
    }
    if (press.IsCtrl(Key::B)) {
        state_.rightFolded = !state_.rightFolded;
        return true;
    }
    if (press.ctrl || press.alt) return false;
    if (press.key >= Key::Digit1 && press.key <= Key::Digit5) {
        colour_ = static_cast<ColourMode>(static_cast<int>(press.key) - static_cast<int>(Key::Digit1));
        return true;
    }
    switch (press.key) {
        case Key::V:
            ShowCentre(static_cast<CentreTab>((static_cast<int>(centreTab_) + (press.shift ? kCentreCount - 1 : 1)) %
                                              kCentreCount));
            return true;
        case Key::F: heapRequest_ = {HeapRequest::Kind::FitAll, {}, 0, 0}; return true;
        case Key::Slash: transport_.FocusSearch(); return true;
        case Key::T:
            state_.light = !state_.light;
            theme_ = state_.light ? &LightTheme() : &DarkTheme();
            ApplyStyle(*theme_, fonts_.scale);
            return true;
        case Key::D:
            if (press.shift) {
                duck_.SetSilent(!duck_.Silent());
                Notice(duck_.Silent() ? "The duck is silent now. It still answers to D." : "The duck may speak again.");
            } else {
                duck_.Ask(context);
            }
            return true;
        case Key::M: OpenSandbox(); return true;
        case Key::L:
            picker_ = session_ != nullptr && !picker_;
            maximised_.reset();
            return true;
        case Key::I:
            if (HasControls())
                insideTab_ = !insideTab_;
            else if (context.Ready() && noInsideOf_ && session_->Shown() == noInsideOf_)
                Notice("There is no inside to show: " + noInside_);
            else
                state_.inside = !state_.inside;
            return true;
        case Key::Z:
            if (maximised_)
                maximised_.reset();
            else
                maximised_ = focused_;
            return true;
        case Key::Question:
        case Key::F1: keySheet_ = true; return true;
        default: return false;
    }
}

void App::NextPanel(bool backward) {
    static constexpr PanelId kOrder[] = {PanelId::Left, PanelId::Story, PanelId::Heap, PanelId::Right,
                                         PanelId::Timeline};
    int at = static_cast<int>(focused_);
    do {
        at = (at + (backward ? 4 : 1)) % 5;
        focused_ = kOrder[at];
    } while ((focused_ == PanelId::Left && !HasLeft()) || (focused_ == PanelId::Story && GetScenario() == nullptr) ||
             (focused_ == PanelId::Right && state_.rightFolded));
    showFocus_ = true;
    if (maximised_) maximised_ = focused_;
}

}  // namespace residue::gui
