#include "analysis/bands.hpp"

#include <algorithm>

namespace residue::analysis {

namespace {
std::uint64_t OwnBytes(const model::AllocatorState& state) {
    return state.totals.payload - state.totals.regionPayload;
}
}  // namespace

void Bands::Meet(const Allocators& states) {
    if (owns_.size() == states.size()) return;
    for (std::size_t i = 0; i < states.size(); ++i) {
        if (i < owns_.size() && owns_[i].allocator == states[i].id) continue;
        owns_.insert(owns_.begin() + static_cast<std::ptrdiff_t>(i), Own{states[i].id, 0, 0, nullptr});
    }
}

void Bands::TakeAll(const Allocators& states, std::uint64_t position, std::uint64_t live) {
    Meet(states);
    if (split_ == kNever) {
        bool several = false;
        for (const model::AllocatorState& state : states) {
            if (OwnBytes(state) == 0) continue;
            if (!sole_) sole_ = state.id;
            several = several || state.id != sole_;
        }
        if (!several) {
            solePeak_ = std::max(solePeak_, live);
            lastLive_ = live;
            return;
        }
        split_ = position;
    }
    for (std::size_t i = 0; i < states.size(); ++i) {
        const std::uint64_t own = OwnBytes(states[i]);
        Own& kept = owns_[i];
        if (own == kept.now) continue;
        if (!kept.steps) kept.steps = std::make_unique<Steps>();
        kept.steps->Set(position, own);
        kept.now = own;
        kept.peak = std::max(kept.peak, own);
    }
}

Bands::View Bands::Publish(const Allocators& states, std::uint64_t end, bool open) {
    struct Candidate {
        std::size_t index;
        std::uint64_t peak;
    };
    Meet(states);
    std::vector<Candidate> candidates;
    const auto lastOf = [&](std::size_t i) {
        if (open) return OwnBytes(states[i]);
        if (split_ != kNever) return owns_[i].now;
        return states[i].id == sole_ ? lastLive_ : 0;
    };
    for (std::size_t i = 0; i < states.size(); ++i) {
        std::uint64_t peak = std::max(owns_[i].peak, lastOf(i));
        if (states[i].id == sole_) peak = std::max(peak, solePeak_);
        if (peak > 0) candidates.push_back({i, peak});
    }
    BandList list;
    if (candidates.size() > kMostBands) {
        list.others = candidates.size() - kMostBands;
        std::nth_element(candidates.begin(), candidates.begin() + kMostBands, candidates.end(),
                         [](const Candidate& a, const Candidate& b) {
                             return a.peak != b.peak ? a.peak > b.peak : a.index < b.index;
                         });
        candidates.resize(kMostBands);
        std::sort(candidates.begin(), candidates.end(),
                  [](const Candidate& a, const Candidate& b) { return a.index < b.index; });
    }
    View view;
    view.split = split_;
    view.end = end;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const std::size_t at = candidates[i].index;
        if (states[at].id == sole_) view.sole = i;
        view.steps[i] = owns_[at].steps.get();
        view.last[i] = lastOf(at);
        list.named.push_back({states[at].id, states[at].name, candidates[i].peak});
    }
    if (!(list == *list_)) list_ = std::make_shared<BandList>(std::move(list));
    view.list = list_;
    return view;
}

}  // namespace residue::analysis
