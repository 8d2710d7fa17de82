#include "capture/channel.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "events/ticks.hpp"

#ifndef MEMBARRIER_CMD_GLOBAL_EXPEDITED
#define MEMBARRIER_CMD_GLOBAL_EXPEDITED (1 << 1)
#endif

namespace residue::capture {

namespace {

constexpr std::uint64_t kConsumeEvery = 1024;
constexpr std::uint64_t kNoFenceDelay = 5'000'000;  // ticks and more; a store leaves its core within some hundred

// A word that the program may change at any moment.
std::uint64_t WordAt(const void* at) noexcept {
    return static_cast<const std::atomic<std::uint64_t>*>(at)->load(std::memory_order_acquire);
}

// Does it give memory back? At equal stamps that comes first.
bool GivesBack(RecordKind kind) noexcept {
    if (!IsTold(kind)) return kind == RecordKind::Freed || kind == RecordKind::ResizeBegins;
    switch (EventKindOf(kind)) {
        case events::EventKind::Freed:
        case events::EventKind::ResizeBegins:
        case events::EventKind::BulkFreed:
        case events::EventKind::RegionShrunk:
        case events::EventKind::AllocatorDestroyed: return true;
        default: return false;
    }
}

}  // namespace

struct Channel::State {
    struct Lane {
        LaneHeader* shared = nullptr;
        const Record* records = nullptr;
        std::uint64_t capacity = 0;
        std::uint64_t next = 0;      // the record to read next
        std::uint64_t end = 0;       // of this round
        std::uint32_t thread = 0;
        std::uint64_t dropsTold = 0;
        // The one at `next`, copied.
        Record head{};
    };

    ChannelOptions options;
    int file = -1;
    char* memory = nullptr;
    bool owned = false;
    std::vector<Lane> lanes;         // those that were ever used
    std::vector<Lane*> waiting;      // a heap, of a round
    std::uint64_t before = 0;        // the `now` of a round some time ago; without a fence
    std::uint64_t last = 0;          // the latest stamp told
    struct Lost {
        std::uint64_t stamp, events;
        std::uint32_t thread;
    };
    std::vector<Lost> gaps;          // of a round, the first in time last
    std::uint32_t modulesTold = 0;
    std::uint64_t lostTold = 0;      // without a lane, and nested ones
    std::uint64_t takenNow = 0;      // of a round, not in `taken` yet
    std::atomic<std::uint64_t> taken{0}, dropped{0}, late{0}, odd{0};

    Header& Shared() const { return *reinterpret_cast<Header*>(memory); }
    std::uint64_t Limit(bool all);
    void FindLanes();
    void Put(Batch& into, const Record& record, std::uint32_t thread);
    void FindGaps(std::uint64_t limit);
    void PutGapsUpTo(Batch& into, std::uint64_t stamp);
    void PutGap(Batch& into, std::uint64_t stamp, std::uint64_t lost, std::uint32_t thread);
    bool ReadHead(Lane& lane);
    void Step(Lane& lane) {
        if (++lane.next % kConsumeEvery == 0) lane.shared->consumed.store(lane.next, std::memory_order_release);
    }
    static bool Later(const Lane* a, const Lane* b) {
        if (a->head.stamp != b->head.stamp) return a->head.stamp > b->head.stamp;
        const bool aFirst = GivesBack(a->head.Kind()), bFirst = GivesBack(b->head.Kind());
        return aFirst != bFirst ? bFirst : a > b;
    }
};

Outcome<std::unique_ptr<Channel>> Channel::Make(const ChannelOptions& options) {
    const int file = static_cast<int>(::memfd_create("residue", MFD_CLOEXEC));
    if (file < 0) return Fail(Failure{"memory to share", std::strerror(errno), ""});
    const auto bytes = static_cast<off_t>(options.plan.Bytes());
    void* memory = MAP_FAILED;
    if (::ftruncate(file, bytes) == 0) {
        memory = ::mmap(nullptr, options.plan.Bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    }
    // What every program touches at once; a lane's pages the shim asks for itself, where it can be refused.
    if (memory == MAP_FAILED || ::fallocate(file, 0, 0, static_cast<off_t>(options.plan.LanesAt())) != 0) {
        const Failure failure{"memory to share", std::strerror(errno),
                              fmt::format("{} MiB", options.plan.LanesAt() >> 20)};
        if (memory != MAP_FAILED) ::munmap(memory, options.plan.Bytes());
        ::close(file);
        return Fail(failure);
    }
    auto channel = std::make_unique<Channel>(options, memory);
    channel->state_->file = file;
    channel->state_->owned = true;
    return channel;
}

Channel::Channel(const ChannelOptions& options, void* memory) : state_(std::make_unique<State>()) {
    State& s = *state_;
    s.options = options;
    s.memory = static_cast<char*>(memory);
    Header& header = *new (memory) Header;
    header.headerBytes = sizeof(Header);
    header.plan = options.plan;
    header.whenFull = options.whenFull;
    header.unwinding = options.unwinding;
    header.traceDepth = options.traceDepth;
    header.patienceNanoseconds = options.patienceNanoseconds;
    header.follow = options.follow ? 1 : 0;
    header.recorder = static_cast<std::uint32_t>(::getpid());
    header.listening.store(1, std::memory_order_release);
    // All else is zero, and means "none", but for the marks of lanes: those are looked at once somebody owned them.
}

Channel::~Channel() {
    Leave();
    // A program that goes on keeps it, as addresses; it need not keep the memory.
    if (state_->file >= 0) {
        const auto from = static_cast<off_t>(Plan::TracesAt());
        (void)::fallocate(state_->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from,
                          static_cast<off_t>(state_->options.plan.Bytes()) - from);
    }
    if (state_->owned) ::munmap(state_->memory, state_->options.plan.Bytes());
    if (state_->file >= 0) ::close(state_->file);
}

std::string Channel::Path() const { return fmt::format("/proc/{}/fd/{}", ::getpid(), state_->file); }

void Channel::SetProgram(pid_t program) {
    state_->Shared().program.store(static_cast<std::uint32_t>(program), std::memory_order_release);
}

void Channel::Leave() { state_->Shared().listening.store(0, std::memory_order_release); }

std::vector<pid_t> Channel::Asking() {
    std::vector<pid_t> asking;
    if (!state_->options.follow) return asking;
    for (std::atomic<std::uint64_t>& place : state_->Shared().requests) {
        std::uint64_t word = place.load(std::memory_order_acquire);
        const ChildRequest request = ChildRequest::Of(word);
        if (word == 0) continue;
        const auto process = static_cast<pid_t>(request.process);
        if (process > 0 && request.answer == 0) {
            asking.push_back(process);
        } else if (process <= 0 || (::kill(process, 0) != 0 && errno == ESRCH)) {
            (void)place.compare_exchange_strong(word, 0);  // it ended before it could read the answer
        }
    }
    return asking;
}

int Channel::File() const { return state_->file; }
const Plan& Channel::Planned() const { return state_->options.plan; }

bool Channel::Answer(pid_t child, int file) {
    const auto process = static_cast<std::uint32_t>(child);
    const ChildRequest request{process, 0};
    const ChildRequest answered{process, file < 0 ? ChildRequest::kNone : static_cast<std::uint32_t>(file) + 1};
    for (std::atomic<std::uint64_t>& place : state_->Shared().requests) {
        std::uint64_t word = request.Word();
        if (place.compare_exchange_strong(word, answered.Word(), std::memory_order_acq_rel)) return true;
    }
    return false;
}

bool Channel::Attached() const { return state_->Shared().attached.load(std::memory_order_acquire) != 0; }

Channel::Answered Channel::Answer() const {
    const Refusal& refusal = state_->Shared().refusal;
    Answered answered{static_cast<AttachAnswer>(refusal.answer.load(std::memory_order_acquire)), {}};
    if (answered.how == AttachAnswer::Attached) return answered;
    char text[Refusal::kText + 1] = {};
    std::memcpy(text, refusal.text, Refusal::kText);
    for (char* at = text; *at != 0; ++at) {
        if (*at < ' ') *at = ' ';  // it is shown on a terminal
    }
    answered.text = text;
    return answered;
}

void Channel::State::FindLanes() {
    const std::uint32_t used =
        std::min(Shared().lanesUsed.load(std::memory_order_acquire), options.plan.Lanes());
    for (auto index = static_cast<std::uint32_t>(lanes.size()); index < used; ++index) {
        Lane lane;
        char* const at = memory + options.plan.LaneAt(index);
        lane.shared = reinterpret_cast<LaneHeader*>(at);
        lane.records = reinterpret_cast<const Record*>(at + Plan::RecordsAt(0));
        lane.capacity = options.plan.RecordsIn(index);
        lanes.push_back(lane);
    }
}

// Nothing that is not seen by now can be older than this.
std::uint64_t Channel::State::Limit(bool all) {
    if (all) return kIdle;
    const std::uint64_t now = events::FencedTicks();
    if (Shared().fenced.load(std::memory_order_relaxed) != 0 &&
        ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0) {
        return now;
    }
    // Without a fence: what was stored long ago has arrived.
    if (now - before > 2 * kNoFenceDelay) before = now - kNoFenceDelay;
    return before;
}

void Channel::State::Put(Batch& into, const Record& record, std::uint32_t thread) {
    PutGapsUpTo(into, record.stamp);
    Record told = record;
    if (told.stamp < last) {
        late.fetch_add(1, std::memory_order_relaxed);
        told.stamp = last;
    }
    last = told.stamp;
    into.Add(told, thread);
    ++takenNow;
}

void Channel::State::PutGap(Batch& into, std::uint64_t stamp, std::uint64_t lost, std::uint32_t thread) {
    Record gap;
    gap.stamp = std::max(stamp, last);
    gap.size = Record::Pack(RecordKind::Gap, lost, 0);
    last = gap.stamp;
    into.Add(gap, thread);
    dropped.fetch_add(lost, std::memory_order_relaxed);
}

// What was lost stands before what came after it.
void Channel::State::PutGapsUpTo(Batch& into, std::uint64_t stamp) {
    for (; !gaps.empty() && gaps.back().stamp <= stamp; gaps.pop_back()) {
        PutGap(into, gaps.back().stamp, gaps.back().events, gaps.back().thread);
    }
}

void Channel::State::FindGaps(std::uint64_t limit) {
    for (Lane& lane : lanes) {
        const std::uint64_t dropped_ = lane.shared->dropped.load(std::memory_order_acquire);
        if (dropped_ <= lane.dropsTold) continue;
        const std::uint64_t stamp = lane.shared->dropStamp.load(std::memory_order_acquire);
        if (stamp >= limit) continue;
        gaps.push_back({stamp, dropped_ - lane.dropsTold, lane.thread});
        lane.dropsTold = dropped_;
        lane.shared->dropsSeen.store(dropped_, std::memory_order_release);
    }
    const std::uint64_t lost =
        Shared().homeless.load(std::memory_order_relaxed) + Shared().nested.load(std::memory_order_relaxed);
    if (lost > lostTold) {
        gaps.push_back({last, lost - lostTold, 0});
        lostTold = lost;
    }
    std::sort(gaps.begin(), gaps.end(), [](const Lost& a, const Lost& b) { return a.stamp > b.stamp; });
}

// Copies the next record that can be one; false where the round's are used up.
bool Channel::State::ReadHead(Lane& lane) {
    for (; lane.next < lane.end; Step(lane)) {
        const Record& at = lane.records[lane.next & (lane.capacity - 1)];
        lane.head.stamp = WordAt(&at.stamp);
        lane.head.address = WordAt(&at.address);
        lane.head.size = WordAt(&at.size);
        const std::uint64_t last8 = WordAt(&at.trace);
        std::memcpy(&lane.head.trace, &last8, sizeof(last8));
        if (MayBe(lane.head.Kind())) return true;
        odd.fetch_add(1, std::memory_order_relaxed);
    }
    return false;
}

std::size_t Channel::Take(Batch& into, std::size_t most, bool all) {
    State& s = *state_;
    const std::size_t had = into.Size();
    std::uint64_t limit = s.Limit(all);
    s.FindLanes();
    for (State::Lane& lane : s.lanes) {
        const std::uint64_t mark = lane.shared->mark.load(std::memory_order_acquire);
        if (!all && mark != 0) limit = std::min(limit, mark);  // 0: it was never used
    }
    s.FindGaps(limit);
    s.waiting.clear();
    for (State::Lane& lane : s.lanes) {
        lane.end = lane.shared->written.load(std::memory_order_acquire);
        if (lane.end - lane.next > lane.capacity) {  // nonsense: goes on with what is there now
            const std::uint64_t skipped = lane.end - lane.next;
            s.odd.fetch_add(1, std::memory_order_relaxed);
            s.PutGap(into, s.last, std::min<std::uint64_t>(skipped, lane.capacity), lane.thread);
            lane.next = lane.end;
            lane.shared->consumed.store(lane.next, std::memory_order_release);
        }
        if (s.ReadHead(lane)) s.waiting.push_back(&lane);
    }
    std::make_heap(s.waiting.begin(), s.waiting.end(), State::Later);
    while (!s.waiting.empty() && s.waiting.front()->head.stamp < limit && into.Size() - had < most) {
        std::pop_heap(s.waiting.begin(), s.waiting.end(), State::Later);
        State::Lane& lane = *s.waiting.back();
        s.waiting.pop_back();
        // As long as it is the oldest.
        const State::Lane* const other = s.waiting.empty() ? nullptr : s.waiting.front();
        bool more = true, first = true;
        const auto next = [&] {
            return lane.head.stamp < limit && into.Size() - had < most &&
                   (other == nullptr || State::Later(other, &lane));
        };
        // What continues a record stays with it.
        for (; more && ((!first && Continues(lane.head.Kind())) || next()); first = false) {
            if (!first && Continues(lane.head.Kind())) lane.head.stamp = s.last;
            if (lane.head.Kind() == RecordKind::ThreadBegins) {
                lane.thread = static_cast<std::uint32_t>(lane.head.Size());
            } else {
                s.Put(into, lane.head, lane.thread);
            }
            s.Step(lane);
            more = s.ReadHead(lane);
        }
        if (more) {
            s.waiting.push_back(&lane);
            std::push_heap(s.waiting.begin(), s.waiting.end(), State::Later);
        }
    }
    for (State::Lane& lane : s.lanes) lane.shared->consumed.store(lane.next, std::memory_order_release);
    s.PutGapsUpTo(into, limit);
    s.taken.fetch_add(std::exchange(s.takenNow, 0), std::memory_order_relaxed);
    return into.Size() - had;
}

Channel::Node Channel::TraceAt(std::uint32_t trace) const {
    const State& s = *state_;
    const std::uint64_t nodes = s.options.plan.traceNodes;
    if (trace == 0 || trace > nodes) return {};
    const char* const words = s.memory + Plan::TracesAt();
    const std::uint64_t node = WordAt(words + (nodes + 1 + trace) * 8);
    const auto parent = static_cast<std::uint32_t>(node >> 32);
    const auto frame = static_cast<std::uint32_t>(node);
    if (frame == 0 || frame > nodes || parent >= trace) return {};
    return {parent, WordAt(words + std::uint64_t{frame} * 8)};
}

std::vector<symbols::LoadedModule> Channel::NewModules() {
    State& s = *state_;
    std::vector<symbols::LoadedModule> modules;
    const std::uint32_t count = std::min(s.Shared().modules.load(std::memory_order_acquire), kMostModules);
    for (; s.modulesTold < count; ++s.modulesTold) {
        const Module& shared = reinterpret_cast<const Module*>(s.memory + Plan::ModulesAt())[s.modulesTold];
        if (shared.ready.load(std::memory_order_acquire) == 0) break;  // soon
        char path[Module::kPath];
        std::memcpy(path, shared.path, sizeof(path));
        path[Module::kPath - 1] = 0;
        modules.push_back({path, WordAt(&shared.begin), WordAt(&shared.end), WordAt(&shared.bias)});
    }
    return modules;
}

double Channel::Fill() const {
    const State& s = *state_;
    double fill = 0;
    const std::uint32_t used =
        std::min(s.Shared().lanesUsed.load(std::memory_order_acquire), s.options.plan.Lanes());
    for (std::uint32_t index = 0; index < used; ++index) {
        const auto& lane = *reinterpret_cast<const LaneHeader*>(s.memory + s.options.plan.LaneAt(index));
        const std::uint64_t consumed = lane.consumed.load(std::memory_order_relaxed);
        const std::uint64_t written = lane.written.load(std::memory_order_relaxed);
        fill = std::max(fill, static_cast<double>(written - std::min(consumed, written)) /
                                  static_cast<double>(s.options.plan.RecordsIn(index)));
    }
    return std::min(fill, 1.0);
}

bool Channel::UsesSmallLanes() const {
    return state_->Shared().lanesUsed.load(std::memory_order_relaxed) > state_->options.plan.largeLanes;
}

Channel::Counted Channel::Count() const {
    const State& s = *state_;
    Counted counted;
    counted.taken = s.taken.load(std::memory_order_relaxed);
    counted.dropped = s.dropped.load(std::memory_order_relaxed);
    counted.late = s.late.load(std::memory_order_relaxed);
    counted.odd = s.odd.load(std::memory_order_relaxed);
    counted.waited = s.Shared().waited.load(std::memory_order_relaxed);
    counted.tracesRefused = s.Shared().tracesRefused.load(std::memory_order_relaxed);
    counted.unfollowed = s.Shared().unfollowed.load(std::memory_order_relaxed);
    counted.others = s.Shared().others.load(std::memory_order_relaxed) != 0;
    counted.threads = s.Shared().threads.load(std::memory_order_relaxed);
    return counted;
}

}  // namespace residue::capture
