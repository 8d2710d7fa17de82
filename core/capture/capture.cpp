#include "capture/capture.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "capture/attach.hpp"
#include "capture/launch.hpp"
#include "capture/mappings.hpp"
#include "capture/rows.hpp"
#include "events/ticks.hpp"
#include "log/spill.hpp"
#include "symbols/modules.hpp"

namespace residue::capture {

namespace {

constexpr std::size_t kBatch = 1 << 14;             // records at once, at most
constexpr std::size_t kBytesEach = 16;              // room for most of them
constexpr std::size_t kMostSpare = 32 << 20;        // bytes of memory that is kept for batches to come
constexpr int kLastRounds = 520;                    // 8 million records: all large lanes, full
constexpr auto kNap = std::chrono::microseconds(300);
// Records of a round that make the next one follow at once. Fewer can wait for a nap: each round interrupts the cores
// that the program runs on (membarrier), and takes the lines that it writes to. Small lanes are full soon.
constexpr std::size_t kPlenty = kBatch, kPlentyOfSmall = 1 << 11;
// Between two looks at what the program has mapped; the first ones, while it begins, come sooner. A look keeps calls of
// mmap in it waiting for some ten microseconds.
constexpr auto kLook = std::chrono::milliseconds(100), kFirstLook = std::chrono::milliseconds(5);
// Of the threads that make rows: the program comes first. The calm one takes what nobody else wants; once much waits,
// and when the program is over, the eager one goes on in its place, until little does.
constexpr int kNice = 5, kCalmNice = 19;
constexpr int kTakingNice = -5;                     // where that is allowed: what it does not take in time is lost
constexpr std::uint64_t kLittle = 8;                // of what wakes the eager one, a part

void SetOwnNice(int nice) {
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), nice);
}

// How many ticks of the stamps there are in a second: the longer it is asked for, the better.
class TickRate {
public:
    TickRate() : ticks_(events::FencedTicks()), nanoseconds_(Nanoseconds()) {}
    double PerSecond() const {
        const double seconds = static_cast<double>(Nanoseconds() - nanoseconds_) / 1e9;
        return seconds > 0 ? static_cast<double>(events::FencedTicks() - ticks_) / seconds : 0;
    }

private:
    static std::uint64_t Nanoseconds() {
        timespec time{};
        ::clock_gettime(CLOCK_MONOTONIC_RAW, &time);
        return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
    }
    std::uint64_t ticks_;
    std::uint64_t nanoseconds_;
};

}  // namespace

std::uint64_t HalfOfMemory() {
    const long pages = ::sysconf(_SC_PHYS_PAGES), bytes = ::sysconf(_SC_PAGESIZE);
    if (pages <= 0 || bytes <= 0) return std::uint64_t{1} << 32;
    return static_cast<std::uint64_t>(pages) / 2 * static_cast<std::uint64_t>(bytes);
}

struct Capture::State {
    State(const CaptureOptions& chosen, log::EventLog& to, std::unique_ptr<Channel> from)
        : options(chosen), log(to), channel(std::move(from)), rows(*channel, chosen.channel.plan.traceNodes, to) {}

    // The taking thread.
    void Take();
    std::size_t TakeRound(bool all);
    void Recycle(Batch batch);
    bool HasEnded(int& status) const;
    void LookForEnd();
    void Run();
    std::string NameNow() const {
        return childName ? fmt::format("{}, process {}", childName->Get(), program) : source.name;
    }
    // The looking thread.
    void Look();
    // The log's thread.
    enum class Mood { Calm, Eager };
    void MakeRows(Mood mood);
    bool NextBatch(Mood mood, Batch& batch, std::vector<Sighting>& seen);
    void Append(const Batch& batch);
    void Done(const Batch& batch);
    void WakeWhoseTurnItIs() { (pressed ? eagerTurn : calmTurn).notify_one(); }
    void CloseLog();
    void JoinMakers() {
        if (calm.joinable()) calm.join();
        if (eager.joinable()) eager.join();
    }

    CaptureOptions options;
    log::EventLog& log;
    std::unique_ptr<Channel> channel;
    std::shared_ptr<symbols::ModuleSymbolizer> names = symbols::OfModules();
    log::SourceInfo source;
    TickRate rate;
    pid_t program = 0;
    bool midLife = false;
    ProcessHandle handle;                // of a child that is not ours
    std::shared_ptr<ProgramName> childName;
    std::optional<Children> children;    // the owner's

    std::atomic<bool> detach{false}, abandon{false}, reachedLimit{false}, outOfMemory{false}, recording{true};
    std::atomic<bool> leaveOut{false};   // what waits
    std::atomic<std::uint64_t> waiting{0}, waitingBytes{0};
    mutable std::mutex mutex;           // guards what follows
    std::condition_variable calmTurn, eagerTurn, looked;
    std::deque<Batch> batches;
    std::vector<Batch> spare;           // memory of batches that are done
    std::size_t spareBytes = 0;
    bool busy = false;                  // one makes rows of a batch
    bool pressed = false;               // it is the eager one's turn
    bool closed = false;                // the log is
    std::vector<Sighting> sightings;    // that the log's thread has not taken yet
    bool allTaken = false;
    std::optional<Ended> ended;

    std::string notSpilled;   // why there is nothing to spill to
    Batch taken;  // of a round; the taking thread's
    Rows rows;                // of who makes rows
    std::thread taking, looking, calm, eager;
};

// --- the taking thread ---

bool Capture::State::HasEnded(int& status) const {
    return handle.IsOpen() ? handle.HasEnded() : ::waitpid(program, &status, WNOHANG) == program;
}

void Capture::State::LookForEnd() {
    int status = 0;
    if (ended || !HasEnded(status)) return;
    Ended how;
    if (handle.IsOpen()) how.known = false;
    else if (WIFSIGNALED(status)) how.signal = WTERMSIG(status);
    else how.exitCode = WEXITSTATUS(status);
    const std::lock_guard lock(mutex);
    ended = how;
}

// How many records there were.
std::size_t Capture::State::TakeRound(bool all) {
    if (taken.Capacity() == 0) {
        const std::lock_guard lock(mutex);
        if (!spare.empty()) {
            taken = std::move(spare.back());
            spare.pop_back();
            spareBytes -= taken.Capacity();
        }
    }
    taken.Clear();
    taken.Reserve(kBatch * kBytesEach);
    const std::size_t count = channel->Take(taken, kBatch, all);
    if (count == 0) return 0;
    Batch batch;
    if (taken.Bytes() < taken.Capacity() / 4) batch = taken.Copy();  // the queue may hold very many of them
    else batch = std::move(taken);
    waiting.fetch_add(count, std::memory_order_relaxed);
    const std::uint64_t bytes = waitingBytes.fetch_add(batch.Capacity(), std::memory_order_relaxed) + batch.Capacity();
    const std::lock_guard lock(mutex);
    batches.push_back(std::move(batch));
    if (bytes >= options.eagerFrom) pressed = true;
    WakeWhoseTurnItIs();
    return count;
}

// Fresh pages for each round would cost more than what is done with them.
void Capture::State::Recycle(Batch batch) {
    if (batch.Capacity() < kBatch * kBytesEach) return;
    const std::lock_guard lock(mutex);
    if (spareBytes >= kMostSpare) return;
    spareBytes += batch.Capacity();
    spare.push_back(std::move(batch));
}

void Capture::State::Take() {
    SetOwnNice(kTakingNice);
    try {
        while (!detach.load(std::memory_order_acquire)) {
            if (waitingBytes.load(std::memory_order_relaxed) >= std::max<std::uint64_t>(options.mostWaiting, 1)) {
                LookForEnd();
                std::this_thread::sleep_for(kNap);
                continue;
            }
            LookForEnd();  // before the look at the lanes: then all that it wrote is there
            const bool over = ended.has_value();
            const std::size_t count = TakeRound(over);
            if (count >= (channel->UsesSmallLanes() ? kPlentyOfSmall : kPlenty)) continue;
            if (over && count == 0) break;
            if (over) continue;
            std::this_thread::sleep_for(kNap);
        }
        if (detach.load(std::memory_order_acquire)) {
            // What is in the lanes; not what a busy program goes on to write.
            channel->Leave();
            for (int round = 0; round < kLastRounds && TakeRound(false) != 0; ++round) {}
        }
    } catch (const std::bad_alloc&) {
        outOfMemory.store(true, std::memory_order_release);
        channel->Leave();
    }
    {
        const std::lock_guard lock(mutex);
        allTaken = pressed = true;
        WakeWhoseTurnItIs();
        looked.notify_one();
    }
    // Nobody listens any more, but how it ends is still to be known.
    while (!ended && !abandon.load(std::memory_order_acquire)) {
        LookForEnd();
        std::this_thread::sleep_for(kNap);
    }
}

// --- the looking thread ---

// Where nothing was allocated or freed since the last time, nothing is looked at.
void Capture::State::Look() {
    std::uint64_t before = 0;
    std::vector<Mapping> last;
    auto pause = kFirstLook;
    std::unique_lock lock(mutex);
    while (!looked.wait_for(lock, pause, [this] { return allTaken; })) {
        lock.unlock();
        const std::uint64_t count = channel->Count().taken;
        if (count != before) {
            before = count;
            pause = std::min(pause * 2, kLook);
            Sighting sighting{events::FencedTicks(), MappingsOf(program)};
            const bool differs = sighting.mappings != last;
            last = sighting.mappings;
            lock.lock();
            // The same mappings may have become malloc's meanwhile.
            if (!sighting.mappings.empty() && (differs || sightings.empty())) sightings.push_back(std::move(sighting));
        } else {
            lock.lock();
        }
    }
}

// --- the log's thread ---

void Capture::State::Append(const Batch& batch) {
    for (symbols::LoadedModule& module : channel->NewModules()) names->Add(std::move(module));
    rows.Add(batch);
}

// Waits until it is this thread's turn. False: there are no more.
bool Capture::State::NextBatch(Mood mood, Batch& batch, std::vector<Sighting>& seen) {
    std::unique_lock lock(mutex);
    (mood == Mood::Eager ? eagerTurn : calmTurn).wait(lock, [&] {
        if (closed || busy) return closed;
        if (leaveOut.load(std::memory_order_relaxed)) return true;
        return pressed == (mood == Mood::Eager) && (!batches.empty() || allTaken);
    });
    if (closed) return false;
    busy = true;
    if (batches.empty() || leaveOut.load(std::memory_order_relaxed)) return false;
    batch = std::move(batches.front());
    batches.pop_front();
    seen.swap(sightings);
    return true;
}

// Rows have been made of it.
void Capture::State::Done(const Batch& batch) {
    waiting.fetch_sub(batch.Size(), std::memory_order_relaxed);
    const std::uint64_t bytes = waitingBytes.fetch_sub(batch.Capacity(), std::memory_order_relaxed) - batch.Capacity();
    const std::lock_guard lock(mutex);
    busy = false;
    if (!allTaken && bytes < options.eagerFrom / kLittle) pressed = false;
    WakeWhoseTurnItIs();
}

void Capture::State::MakeRows(Mood mood) {
    SetOwnNice(mood == Mood::Calm ? kCalmNice : kNice);
    try {
        std::vector<Sighting> seen;
        Batch batch;
        while (NextBatch(mood, batch, seen)) {
            for (Sighting& sighting : seen) rows.See(std::move(sighting));
            seen.clear();
            Append(batch);
            if (source.ticksPerSecond == 0 || source.name != NameNow()) {
                source.ticksPerSecond = rate.PerSecond();
                source.name = NameNow();
                log.SetSource(source);
            }
            if (options.afterRound) options.afterRound();
            const std::uint64_t inMemory = log.ResidentBytes();
            if (inMemory >= options.mostLog || inMemory + log.SpilledBytes() >= options.mostInAll) {
                reachedLimit.store(true, std::memory_order_release);
                detach.store(true, std::memory_order_release);
                break;
            }
            Done(batch);
            Recycle(std::move(batch));
        }
        const std::lock_guard lock(mutex);
        if (closed) return;  // by the other one
    } catch (const std::bad_alloc&) {
        outOfMemory.store(true, std::memory_order_release);
        detach.store(true, std::memory_order_release);
    }
    CloseLog();
}

// By the one that is busy.
void Capture::State::CloseLog() {
    try {
        if (!outOfMemory.load(std::memory_order_relaxed)) {
            rows.SeeRest();
            for (symbols::LoadedModule& module : channel->NewModules()) names->Add(std::move(module));
            source.ticksPerSecond = rate.PerSecond();
            source.name = NameNow();
            log.SetSource(source);
        }
    } catch (const std::bad_alloc&) {
        outOfMemory.store(true, std::memory_order_release);
        detach.store(true, std::memory_order_release);
    }
    log.Close();
    recording.store(false, std::memory_order_release);
    if (options.afterRound) {
        try {
            options.afterRound();
        } catch (const std::bad_alloc&) {
            outOfMemory.store(true, std::memory_order_release);
        }
    }
    const std::lock_guard lock(mutex);
    closed = true;
    calmTurn.notify_all();
    eagerTurn.notify_all();
}

// --- the owner's ---

void Capture::State::Run() {
    if (options.spillBeyond < options.mostLog) {
        if (auto spill = log::Spill::CreateAnywhere()) log.SpillTo(std::move(*spill), options.spillBeyond);
        else notSpilled = spill.error().Text();
    }
    log.SetSource(source);
    log.SetSymbolizer(names);
    pressed = options.eagerFrom == 0;
    taking = std::thread([this] { Take(); });
    if (options.eagerFrom != 0) calm = std::thread([this] { MakeRows(Mood::Calm); });
    eager = std::thread([this] { MakeRows(Mood::Eager); });
    looking = std::thread([this] { Look(); });
}

Capture::Capture(std::unique_ptr<State> state) : state_(std::move(state)) {}

Outcome<std::unique_ptr<Capture>> Capture::Start(const std::vector<std::string>& arguments,
                                                 const CaptureOptions& options, log::EventLog& log) {
    auto shim = options.shim.empty() ? FindShim() : Outcome<std::string>(options.shim);
    if (!shim) return Fail(shim.error());
    auto channel = Channel::Make(options.channel);
    if (!channel) return Fail(channel.error());
    auto state = std::make_unique<State>(options, log, std::move(*channel));
    const auto program = Launch(arguments, *state->channel, *shim);
    if (!program) return Fail(program.error());
    state->program = *program;
    const std::string& name = arguments[0];
    state->source = {
        .name = name.substr(name.rfind('/') + 1), .provenance = "recorded live", .clock = log::Clock::Ticks};
    if (options.channel.follow) state->children.emplace(*state->channel, options.channel);
    state->Run();
    return std::unique_ptr<Capture>(new Capture(std::move(state)));
}

Outcome<std::unique_ptr<Capture>> Capture::Adopt(Child child, const CaptureOptions& options, log::EventLog& log) {
    CaptureOptions own = options;
    own.channel.plan = child.channel->Planned();
    auto state = std::make_unique<State>(own, log, std::move(child.channel));
    state->program = child.process;
    state->handle = std::move(child.handle);
    state->childName = std::move(child.name);
    state->source = {.name = state->NameNow(),
                     .provenance = "recorded live, started by a program that was watched",
                     .clock = log::Clock::Ticks};
    state->Run();
    return std::unique_ptr<Capture>(new Capture(std::move(state)));
}

Outcome<std::unique_ptr<Capture>> Capture::AttachTo(pid_t process, const CaptureOptions& options, log::EventLog& log) {
    ProcessHandle handle(process);  // from here on the number means the same one
    auto name = CheckAttachable(process);
    if (!name) return Fail(name.error());
    auto shim = options.shim.empty() ? FindShim() : Outcome<std::string>(options.shim);
    if (!shim) return Fail(shim.error());
    CaptureOptions own = options;
    own.channel.follow = false;
    auto channel = Channel::Make(own.channel);
    if (!channel) return Fail(channel.error());
    auto state = std::make_unique<State>(own, log, std::move(*channel));
    if (const auto attached = Attach(process, *state->channel, *shim); !attached) return Fail(attached.error());
    state->program = process;
    state->handle = std::move(handle);
    state->midLife = true;
    state->source = {.name = std::move(*name), .provenance = std::string(kFromMidLife), .clock = log::Clock::Ticks};
    state->Run();
    return std::unique_ptr<Capture>(new Capture(std::move(state)));
}

std::vector<Child> Capture::NewChildren() {
    return state_->children ? state_->children->New() : std::vector<Child>{};
}

Capture::~Capture() {
    LeaveOutTheRest();
    state_->abandon.store(true, std::memory_order_release);
    if (state_->taking.joinable()) state_->taking.join();
    if (state_->looking.joinable()) state_->looking.join();
    state_->JoinMakers();
}

Capture::Status Capture::Now() const {
    const State& s = *state_;
    Status status;
    {
        const std::lock_guard lock(s.mutex);
        status.ended = s.ended;
    }
    status.running = !status.ended;
    status.attached = s.channel->Attached();
    status.midLife = s.midLife;
    status.recording = s.recording.load(std::memory_order_acquire);
    status.reachedLimit = s.reachedLimit.load(std::memory_order_acquire);
    status.outOfMemory = s.outOfMemory.load(std::memory_order_acquire);
    status.program = s.program;
    status.fill = s.channel->Fill();
    status.spilled = s.log.SpilledBytes();
    status.waiting = s.waiting.load(std::memory_order_relaxed);
    status.counted = s.channel->Count();
    return status;
}

void Capture::Wait() {
    state_->JoinMakers();
    if (!state_->detach.load(std::memory_order_acquire) && state_->taking.joinable()) state_->taking.join();
}

void Capture::Detach() { state_->detach.store(true, std::memory_order_release); }

void Capture::LeaveOutTheRest() {
    Detach();
    const std::lock_guard lock(state_->mutex);
    state_->leaveOut.store(true, std::memory_order_relaxed);
    state_->calmTurn.notify_all();
    state_->eagerTurn.notify_all();
}

void Capture::DetachAtLimit() {
    if (state_->recording.load(std::memory_order_acquire)) state_->reachedLimit.store(true, std::memory_order_release);
    Detach();
}

void Capture::Kill(int signal) {
    const std::lock_guard lock(state_->mutex);
    if (state_->ended) return;
    if (state_->handle.IsOpen()) (void)state_->handle.Kill(signal);
    else ::kill(state_->program, signal);
}

std::vector<Warning> Capture::Warnings() const {
    const State& s = *state_;
    std::vector<Warning> warnings = s.rows.Warnings();
    const Channel::Counted counted = s.channel->Count();
    if (s.midLife) {
        warnings.push_back({s.source.name, fmt::format("{}; {} frees and resizes of it were left out", kMidLifeWarning,
                                                       s.rows.Inherited())});
    }
    if (!s.channel->Attached()) {
        warnings.push_back({s.source.name, "nothing of it was seen: it has an allocator of its own, or its loader took "
                                           "no recorder"});
    }
    if (counted.unfollowed != 0) {
        warnings.push_back({s.source.name, fmt::format("{} of the processes that it started could not be followed",
                                                       counted.unfollowed)});
    }
    if (counted.odd != 0) {
        warnings.push_back({s.source.name, fmt::format("{} records could not be, and were left out", counted.odd)});
    }
    if (const std::uint64_t waiting = s.waiting.load(std::memory_order_relaxed); waiting != 0 && s.leaveOut) {
        warnings.push_back({s.source.name, fmt::format("the recording ends before the last {} records that the program "
                                                       "wrote: it was told not to wait for them", waiting)});
    }
    if (s.reachedLimit) {
        const std::uint64_t limit = std::min(s.options.mostLog, s.options.mostInAll);
        std::string text = fmt::format("the recording ended at its limit of {} bytes; the program went on", limit);
        if (!s.notSpilled.empty()) text += ". Nothing went to disk: " + s.notSpilled;
        warnings.push_back({s.source.name, std::move(text)});
    }
    if (s.outOfMemory) warnings.push_back({s.source.name, "memory ran out: the recording ends there"});
    return warnings;
}

}  // namespace residue::capture
