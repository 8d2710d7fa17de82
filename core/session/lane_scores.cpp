#include "session/lane_scores.hpp"

#include <algorithm>
#include <utility>

#include "lab/payload_pages.hpp"
#include "lab/race_lanes.hpp"
#include "lab/system_run.hpp"
#include "session/lab.hpp"

namespace residue::session {
namespace {

using events::Event;
using events::EventKind;

constexpr std::uint64_t kLookEvery = 1 << 14;  // rows between two looks at the cancel flag
constexpr const char* kDoesNotTell = "it does not tell";

bool IsLoading(const Session& session) { return session.Status().phase == Phase::Loading; }

bool IsPlacing(const Event& event) {
    return event.kind == EventKind::Allocated || (event.kind == EventKind::ResizeEnds && !event.Failed());
}

}  // namespace

void LaneScores::Look(const std::vector<Session*>& sessions) {
    working_ = std::any_of(sessions.begin(), sessions.end(), [](const Session* each) { return IsLoading(*each); });
    const auto isGrading = [](Session* each) {
        const Lab* const lab = each->GetLab();
        return lab != nullptr && (lab->State()->phase == LabState::Phase::Building ||
                                  lab->State()->phase == LabState::Phase::Running);
    };
    // What a student's allocator is graded with is timed, too.
    if (working_ || std::any_of(sessions.begin(), sessions.end(), isGrading)) return;
    std::map<std::uint64_t, std::shared_ptr<const LaneScore>> kept;
    for (Session* const session : sessions) {
        if (session->Status().phase != Phase::Ready || session->GetLab() != nullptr) continue;
        const std::uint64_t revision = session->Series().Revision();
        if (const auto found = found_.find(revision); found != found_.end()) kept.insert(*found);
    }
    found_ = std::move(kept);
    for (Session* const session : sessions) {
        if (session->Status().phase != Phase::Ready || session->GetLab() != nullptr) continue;
        if (found_.contains(session->Series().Revision())) continue;
        Key key = KeyOf(*session);
        key.isTimed = timed_;
        const Reply<LaneScore> reply = background_.Ask(key);
        working_ = true;  // there may be another one after it
        if (reply.fresh) found_[key.revision] = reply.value ? reply.value : std::make_shared<const LaneScore>();
        return;  // one after the other
    }
}

std::shared_ptr<const LaneScore> LaneScores::Of(Session& session) const {
    if (session.Status().phase != Phase::Ready) return nullptr;
    if (session.GetLab() != nullptr) return OfLab(session);
    const auto found = found_.find(session.Series().Revision());
    return found == found_.end() ? nullptr : found->second;
}

LaneScores::Key LaneScores::KeyOf(Session& session) {
    Key key;
    key.revision = session.Series().Revision();
    key.view = session.View();
    key.heapKnown = session.Series().HeapKnown();
    key.isReplayed = session.Figures().has_value();
    key.trace = session.TraceFile();
    key.options = session.Options();
    return key;
}

// The lab has timed it.
std::shared_ptr<const LaneScore> LaneScores::OfLab(Session& session) {
    Lab& lab = *session.GetLab();
    const auto picture = lab.Picture();
    if (picture == nullptr || picture->trace >= lab.State()->rows.size()) return nullptr;
    auto score = std::make_shared<LaneScore>();
    score->noSearch = kDoesNotTell;
    const LabState::Row& row = lab.State()->rows[picture->trace];
    const bool isPresent = picture->build == lab.State()->builds && row.ran;
    if (isPresent && row.seconds > 0) score->operationsPerSecond = static_cast<double>(row.ops) / row.seconds;
    else if (!isPresent) score->noThroughput = "not measured yet";
    else score->noThroughput = row.problem ? "its run is not valid" : "not measured";
    return score;
}

std::shared_ptr<const LaneScore> LaneScores::Work(const Key& key, const std::atomic<bool>& cancelled) {
    auto score = std::make_shared<LaneScore>();
    const alloc::Registration* const entry = alloc::FindRegistration(key.options.allocator);
    const bool isForked = key.options.fork.has_value();
    // A fork's requests after it are another allocator's.
    const alloc::Registration* const last =
        isForked ? alloc::FindRegistration(key.options.fork->allocator) : (key.isReplayed ? entry : nullptr);
    std::uint64_t granted = 0, probes = 0;
    lab::PayloadPages pages;
    for (Row row{}; row < key.view.Rows(); ++row) {
        if (row.value % kLookEvery == 0 && cancelled.load(std::memory_order_relaxed)) return nullptr;
        const Event event = key.view.At(row).event;
        if (!IsPlacing(event)) continue;
        if (!key.heapKnown) pages.Add(event.address, event.size);
        if (event.kind != EventKind::Allocated || !event.EndsCall()) continue;
        ++granted;
        probes += event.Probes();
    }
    if (!key.heapKnown && pages.Bytes() > 0) score->pageBytes = pages.Bytes();
    if (last == nullptr || !last->inBuffer) score->noSearch = kDoesNotTell;
    else if (isForked && key.options.fork->after > 0) score->noSearch = "not of two allocators together";
    else if (granted == 0) score->noSearch = "no request was granted";
    else score->searchLength = static_cast<double>(probes) / static_cast<double>(granted);
    Time(key, cancelled, *score);
    if (cancelled.load(std::memory_order_relaxed)) return nullptr;
    return score;
}

void LaneScores::Time(const Key& key, const std::atomic<bool>& cancelled, LaneScore& score) {
    const alloc::Registration* const entry = alloc::FindRegistration(key.options.allocator);
    const lab::SystemMalloc* const system = lab::FindSystemMalloc(key.options.allocator);
    if (key.options.fork) score.noThroughput = "a fork is not timed";
    else if (!key.isReplayed) score.noThroughput = "what was recorded is not timed";
    else if (!key.isTimed) score.noThroughput = "not measured";
    if (!score.noThroughput.empty()) return;
    if (readPath_ != key.trace || read_ == nullptr) {
        auto read = lab::ReadLabTrace(key.trace, &cancelled);
        score.noThroughput = read ? "" : read.error().Text();
        if (!read) return;
        read_ = std::make_shared<const lab::LabTrace>(std::move(*read));
        readPath_ = key.trace;
    }
    lab::RaceOptions how;
    how.cancelled = &cancelled;
    double seconds = 0;
    if (system != nullptr) {
        const auto run = lab::RunSystem(*system, *read_, how);
        score.noThroughput = run ? run->whyNot : run.error().Text();
        seconds = run ? run->seconds : 0;
    } else if (entry != nullptr) {
        if (entry->inBuffer) how.capacity = key.options.capacity;
        seconds = lab::TimeRegistered(*entry, *read_, how);
    }
    if (seconds > 0) score.operationsPerSecond = static_cast<double>(read_->ops.size()) / seconds;
    else if (score.noThroughput.empty()) score.noThroughput = "could not be measured";
}

}  // namespace residue::session
