// Allocators side by side on the present trace: lanes below the first heap, each with a view of its own.
#include <algorithm>
#include <cmath>
#include <utility>

#include "alloc/registry.hpp"
#include "gui/app.hpp"
#include "gui/views/heap.hpp"
#include "gui/views/lane_title.hpp"
#include "lab/entrants.hpp"

namespace residue::gui {

// A trace can be run through anything; of what was recorded the requests can be made again.
bool App::CanRace() const { return session_ && (!session_->TraceFile().empty() || session_->IsWhole()); }

void App::AddLane(const std::string& allocator, std::optional<std::uint64_t> capacity, bool fork) {
    if (!CanRace() || lanes_.Count() >= session::Lanes::kMost) return;
    const std::string trace = session_->TraceFile();
    if (lab::IsStudentName(allocator)) return AddStudent(allocator, trace);
    session::OpenOptions options = session_->Options();
    options.scenario = {};
    options.fork.reset();
    if (!fork && !trace.empty()) {
        options.allocator = allocator;
        options.capacity = capacity;
        return AddLane(session::Session::Open(trace, std::move(options)));
    }
    // From the beginning on, of a recording: a fork before the first call.
    options.fork = replay::Fork{fork ? session_->Now().value : 0, allocator, capacity};
    const bool isReplayed = session_->Figures() && alloc::FindRegistration(options.allocator) != nullptr;
    if (isReplayed) return AddLane(session::Session::Open(trace, std::move(options)));
    AddLane(session::Session::OpenFork(*session_, std::move(options)));
}

// Another mm.c, on the same trace: built and run again whenever it is saved, as the first one is.
void App::AddStudent(const std::string& path, const std::string& trace) {
    if (trace.empty()) return Notice("An mm.c runs on a trace: this is a recording.");
    session::LabOptions student;
    student.student = path;
    student.traces = {trace};
    student.settings = options_.laneSettings;
    AddLane(session::Session::OpenLab(std::move(student)));
}

void App::AddLane(std::unique_ptr<session::Session> lane) {
    if (session::Lab* const lab = lane->GetLab()) lab->WhenChanged([this] { platform_.Wake(); });
    lanes_.Add(std::move(lane));
    LaneLook look;
    look.heap = MakeHeapView();
    look.request.kind = HeapRequest::Kind::FitAll;
    laneLooks_.push_back(std::move(look));
    laneBar_.Open();
    centreTab_ = CentreTab::Heap;
    settledFrames_ = 0;
}

void App::RemoveLane(int index) { removeLane_ = index; }  // it may be being drawn

// Once a frame, before it is drawn.
void App::TickLanes(double seconds) {
    if (!session_) return;
    if (const int index = std::exchange(removeLane_, -1); index >= 0) {
        retired_.Take(lanes_.Remove(static_cast<std::size_t>(index)));
        if (static_cast<std::size_t>(index) < laneLooks_.size()) laneLooks_.erase(laneLooks_.begin() + index);
        settledFrames_ = 0;
    }
    // Those that were asked for before there was anything to race with.
    if (!options_.lanes.empty() && CanRace()) {
        for (const std::string& lane : std::exchange(options_.lanes, {})) AddLane(lane, options_.open.capacity, false);
    }
    for (auto& old : lanes_.Tick(*session_, seconds)) {
        retired_.Take(std::move(old));
        for (LaneLook& look : laneLooks_) look.selection = {};  // their blocks may be other ones
        settledFrames_ = 0;
    }
    for (LaneLook& look : laneLooks_) look.selection.NextFrame();
}

void App::ForgetLanes() {
    for (auto& lane : lanes_.Clear()) retired_.Take(std::move(lane));
    laneLooks_.clear();
    removeLane_ = -1;
    laneBar_.Close();
}

void App::DrawLanes(ViewContext& context, const Rect& rect) {
    const float count = static_cast<float>(lanes_.Count() + 1);
    const ImVec2 size{rect.Width(), std::floor(rect.Height() / count)};
    const float bound = BoundTitleHeight(context, size);
    DrawBoundTitle(context, {{rect.min.x, rect.max.y - bound}, rect.max}, size);
    const float each = std::floor((rect.Height() - bound) / count);
    ImGui::PushID("lanes");
    for (std::size_t i = 0; i <= lanes_.Count(); ++i) {
        const float top = rect.min.y + static_cast<float>(i) * each;
        const Rect strip{{rect.min.x, top}, {rect.max.x, i == lanes_.Count() ? rect.max.y - bound : top + each}};
        ViewContext own = context;
        if (i > 0) {
            LaneLook& look = laneLooks_[i - 1];
            own.session = &lanes_.At(i - 1);
            own.selection = &look.selection;
            own.heapRequest = &look.request;
            own.inside = &look.inside;
            own.analysis = &look.analysis;
            own.step = {};
            own.focused = false;
        }
        ImGui::PushID(static_cast<int>(i));
        const auto score = lanes_.Scores().Of(*own.session);
        const float title = DrawLaneTitle(own, *own.session, score.get(), static_cast<int>(i) - 1, strip, size);
        View& view = i == 0 ? CentreView() : *laneLooks_[i - 1].heap;
        const Rect heap{{strip.min.x, strip.min.y + title}, strip.max};
        if (own.Ready()) DrawInside(own, "heap", heap, view);
        ImGui::PopID();
    }
    ImGui::PopID();
}

}  // namespace residue::gui
