// Lanes: which thread has which lane, waiting when one is full, and the reader's rounds. The order is the work of
// detail/lane.hpp and detail/merge.hpp.
#include "events/lanes.hpp"

#include <time.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "events/detail/lane.hpp"
#include "events/detail/merge.hpp"
#include "events/detail/trace_capture.hpp"
#include "events/os/asymmetric_fence.hpp"
#include "events/os/pages.hpp"

namespace residue::events {
namespace {

std::uint64_t Nanoseconds() noexcept {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

void Sleep(long nanoseconds) noexcept {
    const timespec time{0, nanoseconds};
    nanosleep(&time, nullptr);
}

std::size_t RoundUp(std::size_t capacity) noexcept {
    constexpr std::size_t kLeast = 64;  // an event with the longest text and a gap fit with room to spare
    constexpr std::size_t kMost = std::size_t{1} << 30;
    std::size_t rounded = kLeast;
    while (rounded < capacity && rounded < kMost) rounded *= 2;
    return rounded;
}

// A lane and what its present thread needs beside it. Made once, used by one thread after the other, freed with the
// Lanes. Lives in pages of its own, before its slots.
struct OwnedLane {
    OwnedLane(Event* slots, std::size_t capacity) noexcept : lane(slots, capacity) {}

    detail::Lane<> lane;
    OwnedLane* next = nullptr;  // in the list of all lanes
    ThreadId thread{};
    bool untilEmit = false;       // taken by a thread that is past its end: given back after this event
    std::uint64_t waited = 0;     // nanoseconds, since the reader last made room
    detail::TraceCapture traces;
};

constexpr std::size_t kSlotsAt = (sizeof(OwnedLane) + 4095) / 4096 * 4096;

}  // namespace

struct Lanes::State {
    explicit State(const LanesOptions& given) : options(given), policy(given.policy) {}

    OwnedLane* Take() noexcept;  // a lane for the calling thread, null if there is no memory
    void GiveBack(OwnedLane* lane);

    LanesOptions options;
    std::uint64_t serial = 0;  // never used again, so that a thread's memory of ended Lanes is harmless

    std::atomic<FullPolicy> policy;
    std::atomic<OwnedLane*> all{nullptr};  // only ever grows at its head
    std::atomic<std::uint32_t> laneCount{0};
    std::atomic<std::uint32_t> threads{0};
    std::atomic<std::uint32_t> allocators{0};
    std::atomic<std::uint64_t> homeless{0};  // events for which there was no lane
    alignas(kCacheLine) std::atomic<std::uint64_t> steps{0};

    std::mutex mutex;               // taken by a thread's first event and at its end
    std::vector<OwnedLane*> spare;  // lanes without a thread

    // Reader.
    detail::Merge<> merge;
    std::vector<detail::LaneCursor<detail::NativeSync>> cursors;
    std::uint64_t homelessReported = 0;
    alignas(kCacheLine) std::atomic<std::uint64_t> delivered{0};
    std::atomic<std::uint64_t> late{0};

    std::size_t Round(bool everything, const Deliver& deliver);
    void FindNewLanes();
    bool AnyBusy() const noexcept;
};

namespace {

// All Lanes that live, so that a thread that ends gives its lanes back to those that are still there. Never destroyed:
// threads may end after static destruction.
struct Registry {
    std::mutex mutex;
    std::uint64_t lastSerial = 0;
    std::unordered_map<std::uint64_t, void (*)(void*, OwnedLane*)> giveBack;
    std::unordered_map<std::uint64_t, void*> states;
};
Registry& TheRegistry() {
    static Registry* const registry = new Registry;
    return *registry;
}

// The hot path looks only at these two words, which need no construction. No serial is 0, and with one there is a lane.
struct Cached {
    std::uint64_t serial = 0;
    OwnedLane* lane = nullptr;
};
constinit thread_local Cached cached;
constinit thread_local bool threadEnded = false;

// The lanes a thread has in all Lanes it ever wrote to.
struct ThreadLanes {
    struct Entry {
        std::uint64_t serial;
        OwnedLane* lane;
    };
    std::vector<Entry> entries;

    ThreadLanes() = default;
    ThreadLanes(const ThreadLanes&) = delete;
    ThreadLanes& operator=(const ThreadLanes&) = delete;
    ~ThreadLanes() {
        cached = {};
        threadEnded = true;
        Registry& registry = TheRegistry();
        const std::lock_guard lock(registry.mutex);
        for (const Entry& entry : entries) {
            const auto state = registry.states.find(entry.serial);
            if (state != registry.states.end()) registry.giveBack[entry.serial](state->second, entry.lane);
        }
    }
};
ThreadLanes& OwnLanes() {
    static thread_local ThreadLanes lanes;
    return lanes;
}

}  // namespace

OwnedLane* Lanes::State::Take() noexcept {
    const std::lock_guard lock(mutex);
    OwnedLane* lane = nullptr;
    if (!spare.empty()) {
        lane = spare.back();
        spare.pop_back();
    } else {
        try {
            spare.reserve(laneCount.load(std::memory_order_relaxed) + 1);  // so that giving back never allocates
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
        void* const pages = os::ReservePages(kSlotsAt + options.capacity * sizeof(Event));
        if (pages == nullptr) return nullptr;
        auto* const slots = reinterpret_cast<Event*>(static_cast<char*>(pages) + kSlotsAt);
        lane = new (pages) OwnedLane(slots, options.capacity);
        lane->next = all.load(std::memory_order_relaxed);
        all.store(lane, std::memory_order_release);
        laneCount.fetch_add(1, std::memory_order_relaxed);
    }
    lane->thread = ThreadId{threads.fetch_add(1, std::memory_order_relaxed) + 1};
    lane->waited = 0;
    if (options.traces != nullptr && options.traceDepth != 0) {
        lane->traces.SetUp(options.traces, options.traceDepth, OwnStack());
    }
    return lane;
}

void Lanes::State::GiveBack(OwnedLane* lane) {
    const std::lock_guard lock(mutex);
    spare.push_back(lane);
}

namespace {

// The calling thread's lane: cached, or found among those it has, or new.
template <class State>
OwnedLane* FindLane(State& state) {
    if (threadEnded) {  // a destructor of the thread's own data: the lane is kept for one event only
        OwnedLane* const lane = state.Take();
        if (lane == nullptr) return nullptr;
        lane->untilEmit = true;
        lane->lane.NotCommon();
        cached = {state.serial, lane};
        return lane;
    }
    ThreadLanes& own = OwnLanes();
    try {
        own.entries.reserve(own.entries.size() + 1);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    for (const auto& entry : own.entries) {
        if (entry.serial == state.serial) {
            cached = {state.serial, entry.lane};
            return entry.lane;
        }
    }
    OwnedLane* const lane = state.Take();
    if (lane == nullptr) return nullptr;
    own.entries.push_back({state.serial, lane});
    cached = {state.serial, lane};
    return lane;
}

}  // namespace

Lanes::Lanes(const LanesOptions& options) : stamps_(options.stamps), state_(std::make_unique<State>(options)) {
    State& state = *state_;
    state.options.capacity = RoundUp(options.capacity);
    state.options.traceDepth = std::min(options.traceDepth, kMaxTraceDepth);
    Registry& registry = TheRegistry();
    const std::lock_guard lock(registry.mutex);
    state.serial = serial_ = ++registry.lastSerial;
    registry.giveBack[state.serial] = [](void* to, OwnedLane* lane) { static_cast<State*>(to)->GiveBack(lane); };
    try {
        registry.states[state.serial] = &state;
    } catch (...) {
        registry.giveBack.erase(state.serial);
        throw;
    }
}

Lanes::~Lanes() {
    State& state = *state_;
    {
        Registry& registry = TheRegistry();
        const std::lock_guard lock(registry.mutex);
        registry.states.erase(state.serial);
        registry.giveBack.erase(state.serial);
    }
    for (OwnedLane* lane = state.all.load(std::memory_order_acquire); lane != nullptr;) {
        OwnedLane* const next = lane->next;
        lane->~OwnedLane();
        os::ReleasePages(lane, kSlotsAt + state.options.capacity * sizeof(Event));
        lane = next;
    }
}

// --- writers ---

std::uint64_t Lanes::Begin() noexcept {
    if (cached.serial == serial_ && stamps_ == StampSource::Ticks) [[likely]] {
        return cached.lane->lane.Begin([] { return detail::FencedTicks(); });
    }
    return BeginSlowly();
}

// This thread's first event, or steps for stamps.
[[gnu::noinline]] std::uint64_t Lanes::BeginSlowly() noexcept {
    OwnedLane* const own = cached.serial == serial_ ? cached.lane : FindLane(*state_);
    if (own == nullptr) return 0;
    if (stamps_ == StampSource::Ticks) return own->lane.Begin([] { return detail::FencedTicks(); });
    // Whoever reads the counter sees the mark of every stamp that was taken before: it is one atomic variable.
    return own->lane.Begin([&] { return state_->steps.fetch_add(1, std::memory_order_acq_rel) + 1; });
}

void Lanes::Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept {
    OwnedLane* const own = cached.lane;
    if (count == 1 && cached.serial == serial_ && !closed_.load(std::memory_order_relaxed)) [[likely]] {
        if (own->lane.TryEmitOne(*records, stamp, own->thread)) [[likely]] return;
    }
    EmitSlowly(records, count, stamp);
}

// The same as Begin and Emit, with one look for the lane. The look at closed_ has to come after the mark: see DrainAll.
void Lanes::BeginAndEmit(const Event& event) noexcept {
    OwnedLane* const own = cached.lane;
    if (cached.serial != serial_ || stamps_ != StampSource::Ticks) [[unlikely]] {
        const std::uint64_t stamp = BeginSlowly();
        return EmitSlowly(&event, 1, stamp);
    }
    const std::uint64_t stamp = own->lane.Begin([] { return detail::FencedTicks(); });
    if (!closed_.load(std::memory_order_relaxed)) [[likely]] {
        if (own->lane.TryEmitOne(event, stamp, own->thread)) [[likely]] return;
    }
    EmitSlowly(&event, 1, stamp);
}

// Several records, no lane, no room or none taken over yet, closed, a thread past its end, or the first success after
// a wait.
[[gnu::noinline]] void Lanes::EmitSlowly(const Event* records, std::size_t count, std::uint64_t stamp) noexcept {
    State& state = *state_;
    // Without a stamp there was no lane at its Begin.
    OwnedLane* const own = stamp == 0 ? nullptr : cached.serial == serial_ ? cached.lane : FindLane(state);
    if (own == nullptr) {
        state.homeless.fetch_add(detail::CountEvents(records, count), std::memory_order_relaxed);
        return;
    }
    const bool fits = count < state.options.capacity;  // with the gap before it
    const auto tryEmit = [&] {
        return fits && !closed_.load(std::memory_order_relaxed) &&
               own->lane.TryEmit(records, count, stamp, own->thread);
    };
    const auto mayWait = [&] {
        return fits && state.policy.load(std::memory_order_relaxed) == FullPolicy::Block &&
               !closed_.load(std::memory_order_relaxed) && own->waited < state.options.blockLimitNanoseconds;
    };
    bool done = tryEmit();
    if (!done && mayWait()) {
        // The reader is a memory copy away, so look hard first; then give it the processor.
        const std::uint64_t begin = Nanoseconds();
        const std::uint64_t waitedBefore = own->waited;
        for (unsigned turn = 0; !done && mayWait(); ++turn) {
            if (turn < 64) {
                for (int i = 0; i < 32; ++i) detail::Relax();
            } else {
                Sleep(turn < 256 ? 20'000 : 200'000);
            }
            own->waited = waitedBefore + (Nanoseconds() - begin);
            done = tryEmit();
        }
    }
    if (done) own->waited = 0;
    else own->lane.Drop(records, count, stamp);
    if (own->untilEmit) {
        own->untilEmit = false;
        cached = {};
        state.GiveBack(own);
    }
}

TraceId Lanes::Capture(unsigned skip) noexcept {
    OwnedLane* own = cached.serial == serial_ ? cached.lane : nullptr;
    if (own == nullptr) [[unlikely]] {
        if (threadEnded || state_->options.traces == nullptr) return {};
        own = FindLane(*state_);
        if (own == nullptr) return {};
    }
    const TraceId id = own->traces.Capture(__builtin_frame_address(0), skip);
    asm volatile("" ::: "memory");  // a jump instead of a call would take this function's frame away
    return id;
}

AllocatorId Lanes::NextAllocatorId() noexcept {
    const std::uint32_t id = state_->allocators.fetch_add(1, std::memory_order_relaxed) + 1;
    return id <= 0xFFFF ? AllocatorId{static_cast<std::uint16_t>(id)} : AllocatorId{};
}

// --- the reader ---

void Lanes::State::FindNewLanes() {
    const std::size_t known = cursors.size();
    std::size_t count = 0;
    OwnedLane* const head = all.load(std::memory_order_acquire);
    for (OwnedLane* lane = head; lane != nullptr; lane = lane->next) ++count;
    if (count == known) return;
    cursors.resize(count);
    // The list is newest first and cursors are oldest first, so that each keeps its place.
    OwnedLane* lane = head;
    for (std::size_t i = count; i > known; --i, lane = lane->next) cursors[i - 1].lane = &lane->lane;
}

bool Lanes::State::AnyBusy() const noexcept {
    for (OwnedLane* lane = all.load(std::memory_order_acquire); lane != nullptr; lane = lane->next) {
        if (lane->lane.Busy()) return true;
    }
    return false;
}

std::size_t Lanes::State::Round(bool everything, const Deliver& deliver) {
    std::uint64_t now = detail::kIdle;
    if (options.stamps == StampSource::Steps) {
        now = steps.load(std::memory_order_acquire) + 1;  // every stamp below has its mark visible: see Begin
    } else {
        now = detail::FencedTicks();
        if (!detail::Weakened(detail::Weakening::NoFence)) os::FenceAllThreads();
    }
    FindNewLanes();
    const auto tally = merge.Round(cursors, everything ? detail::kIdle : now, deliver);
    std::size_t records = tally.records;
    delivered.store(delivered.load(std::memory_order_relaxed) + tally.events, std::memory_order_relaxed);
    late.store(late.load(std::memory_order_relaxed) + tally.late, std::memory_order_relaxed);
    const std::uint64_t lost = homeless.load(std::memory_order_relaxed);
    if (lost != homelessReported) {
        merge.DeliverGap(lost - homelessReported, deliver);
        homelessReported = lost;
        ++records;
    }
    return records;
}

std::size_t Lanes::Drain(const Deliver& deliver) { return state_->Round(false, deliver); }

std::size_t Lanes::DrainAll(const Deliver& deliver) {
    State& state = *state_;
    std::size_t records = 0;
    if (closed_.load(std::memory_order_acquire)) {
        os::FenceAllThreads();  // from here on, a writer that is not busy sees that it is closed
        constexpr std::uint64_t kPatience = 1'000'000'000;
        const std::uint64_t begin = Nanoseconds();
        while (state.AnyBusy() && Nanoseconds() - begin < kPatience) {
            records += state.Round(false, deliver);
            Sleep(50'000);
        }
    }
    records += state.Round(true, deliver);
    return records;
}

// --- any thread ---

bool Lanes::WorthDraining() const noexcept {
    for (OwnedLane* lane = state_->all.load(std::memory_order_acquire); lane != nullptr; lane = lane->next) {
        if (lane->lane.Ring().PublishedWaiting() != 0) return true;
    }
    return false;
}

double Lanes::Fill() const noexcept {
    std::uint64_t most = 0;
    for (OwnedLane* lane = state_->all.load(std::memory_order_acquire); lane != nullptr; lane = lane->next) {
        most = std::max(most, lane->lane.Ring().WrittenWaiting());
    }
    return std::min(1.0, static_cast<double>(most) / static_cast<double>(state_->options.capacity));
}

void Lanes::Close() noexcept { closed_.store(true, std::memory_order_release); }

void Lanes::SetPolicy(FullPolicy policy) noexcept { state_->policy.store(policy, std::memory_order_relaxed); }

Lanes::Counted Lanes::Count() const noexcept {
    Counted counted;
    counted.delivered = state_->delivered.load(std::memory_order_relaxed);
    counted.late = state_->late.load(std::memory_order_relaxed);
    counted.dropped = state_->homeless.load(std::memory_order_relaxed);
    counted.sent = counted.dropped;
    for (OwnedLane* lane = state_->all.load(std::memory_order_acquire); lane != nullptr; lane = lane->next) {
        counted.dropped += lane->lane.Dropped();
        counted.sent += lane->lane.Sent();
    }
    return counted;
}

std::size_t Lanes::LaneCount() const noexcept { return state_->laneCount.load(std::memory_order_relaxed); }

}  // namespace residue::events
