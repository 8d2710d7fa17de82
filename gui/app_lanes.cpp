// Allocators side by side on the present trace: lanes below the first heap, each with a view of its own.
#include <algorithm>
#include <cmath>
#include <utility>

#include "gui/app.hpp"
#include "gui/views/heap.hpp"

namespace residue::gui {

void App::AddLane(const std::string& allocator, std::optional<std::uint64_t> capacity, bool fork) {
    if (!session_ || session_->TraceFile().empty() || lanes_.Count() >= session::Lanes::kMost) return;
    session::OpenOptions options = session_->Options();
    options.scenario = {};
    if (fork) {
        options.fork = replay::Fork{session_->Now().value, allocator, capacity};
    } else {
        options.fork.reset();
        options.allocator = allocator;
        options.capacity = capacity;
    }
    AddLane(std::move(options));
}

void App::AddLane(session::OpenOptions options) {
    lanes_.Add(session::Session::Open(session_->TraceFile(), std::move(options)));
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
    lanes_.Tick(*session_, seconds);
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
    const float bound = DrawBoundTitle(context, {{rect.min.x, rect.max.y - context.Px(24)}, rect.max});
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
        const float title = DrawLaneTitle(own, *own.session, static_cast<int>(i) - 1, strip);
        View& view = i == 0 ? CentreView() : *laneLooks_[i - 1].heap;
        const Rect heap{{strip.min.x, strip.min.y + title}, strip.max};
        if (own.Ready()) DrawInside(own, "heap", heap, view);
        ImGui::PopID();
    }
    ImGui::PopID();
}

}  // namespace residue::gui
