// The sandbox as a session: one worker thread owns the allocator and runs commands and the workload; a pump moves its
// events into the log. The UI only posts commands.
#include "session/sandbox_session.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "alloc/registry.hpp"

namespace residue::session {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kRangeBytes = std::uint64_t{1} << 30;
constexpr unsigned kTraceDepth = 24;
constexpr std::uint32_t kTraceNodes = 1 << 16;
constexpr std::size_t kWorkloadBatch = 64;       // calls between two looks at the command queue
constexpr double kFastest = 1e8;                 // calls a second; beyond it nothing is waited for
constexpr auto kIdle = std::chrono::milliseconds(50);
constexpr std::uint32_t kSeed = 20261122;

}  // namespace

SandboxSession::SandboxSession(std::uint64_t recordingLimitBytes)
    : CursorSession("", OpenOptions{}),
      recordingLimit_(recordingLimitBytes),
      traces_(kTraceNodes),
      lanes_(events::LanesOptions{.capacity = 1 << 16,
                                  .policy = events::FullPolicy::Block,
                                  .stamps = events::StampSource::Ticks,
                                  .traceDepth = kTraceDepth,
                                  .traces = &traces_}),
      workload_(kSeed) {
    log::SourceInfo source;
    source.name = "sandbox";
    source.provenance = "live";
    source.clock = log::Clock::Ticks;
    log_.SetSource(std::move(source));
    log_.SetSymbolizer(symbols::OwnProcess());
    FollowEnd(true);
    SetSubtitle("live");

    auto range = replay::AddressRange::Reserve(kRangeBytes);
    if (!range) {
        SetPhase(Phase::Failed, range.error());
        return;
    }
    range_ = std::move(*range);
    rebase_.emplace(behind_, reinterpret_cast<std::uintptr_t>(range_.Base()), range_.Bytes(), replay::kFixedBase);
    pump_.emplace(lanes_, log_, log::PumpOptions{.traces = &traces_, .afterRound = [this] { ExtendSeries(); }});
    SetPhase(Phase::Ready);
    worker_ = std::thread([this] {
        Guard([this] { Work(); });
        DoDestroy();
    });
}

SandboxSession::~SandboxSession() {
    {
        const std::lock_guard lock(queueLock_);  // no command: there may be no memory for one
        stopping_ = true;
    }
    wake_.notify_one();
    lanes_.Close();
    if (worker_.joinable()) worker_.join();
    if (pump_) pump_->Stop();
}

bool SandboxSession::Tick(double seconds, std::uint64_t budgetRows) {
    sinceFlow_ += seconds;
    const auto counted = lanes_.Count();
    if (sinceFlow_ >= 0.25) {
        flow_.eventsPerSecond = static_cast<double>(counted.delivered - flowDelivered_) / sinceFlow_;
        flowDelivered_ = counted.delivered;
        sinceFlow_ = 0;
    }
    if (pump_ && pump_->RanOutOfMemory()) SetPhase(Phase::Failed, OutOfMemory());
    flow_.sent = counted.sent;
    flow_.received = counted.delivered;
    flow_.dropped = counted.dropped;
    flow_.laneFill = lanes_.Fill();
    flow_.dropAndCount = dropAndCount_;
    return CursorSession::Tick(seconds, budgetRows);
}

std::vector<std::string> SandboxSession::Choices() const {
    std::vector<std::string> names;
    for (const auto& registration : alloc::Registry()) names.emplace_back(registration.name);
    return names;
}

std::string SandboxSession::Present() const {
    const std::lock_guard lock(queueLock_);
    return presentName_;
}

std::uint64_t SandboxSession::Capacity() const {
    const std::lock_guard lock(queueLock_);
    return presentCapacity_;
}

bool SandboxSession::HasMarks() const {
    const std::lock_guard lock(queueLock_);
    return presentHasMarks_;
}

bool SandboxSession::CanReset() const {
    const std::lock_guard lock(queueLock_);
    return presentCanReset_;
}

std::vector<Sandbox::Mark> SandboxSession::Marks() const {
    const std::lock_guard lock(queueLock_);
    return marks_;
}

void SandboxSession::Post(Command command) {
    {
        const std::lock_guard lock(queueLock_);
        commands_.push_back(std::move(command));
    }
    wake_.notify_one();
}

void SandboxSession::Create(const std::string& allocator, std::uint64_t capacity) {
    Post([this, allocator, capacity] { DoCreate(allocator, capacity); });
}
void SandboxSession::Destroy() { Post([this] { DoDestroy(); }); }
void SandboxSession::Allocate(std::uint64_t bytes, std::uint64_t alignment) {
    Post([this, bytes, alignment] { DoAllocate(bytes, alignment); });
}
void SandboxSession::Free(std::uint64_t address) { Post([this, address] { DoFree(address); }); }
void SandboxSession::Resize(std::uint64_t address, std::uint64_t bytes) {
    Post([this, address, bytes] { DoResize(address, bytes); });
}
void SandboxSession::DoubleFree() { Post([this] { DoDoubleFree(); }); }
void SandboxSession::FreeForeign() { Post([this] { DoFreeForeign(); }); }
void SandboxSession::Fragment() { Post([this] { DoFragment(); }); }
void SandboxSession::SetMark() { Post([this] { DoSetMark(); }); }
void SandboxSession::Release(std::uint64_t id) { Post([this, id] { DoRelease(id); }); }
void SandboxSession::Reset() { Post([this] { DoReset(); }); }

void SandboxSession::Run(bool run) {
    running_.store(run, std::memory_order_relaxed);
    wake_.notify_one();
}

void SandboxSession::SetRate(double callsPerSecond) {
    if (callsPerSecond > 0) rate_.store(callsPerSecond, std::memory_order_relaxed);
    wake_.notify_one();
}

void SandboxSession::SetDropAndCount(bool drop) {
    dropAndCount_ = drop;
    lanes_.SetPolicy(drop ? events::FullPolicy::DropAndCount : events::FullPolicy::Block);
}

void SandboxSession::Work() {
    auto last = Clock::now();
    double owed = 0;
    while (true) {
        std::vector<Command> taken;
        bool stops = false;
        {
            std::unique_lock lock(queueLock_);
            const bool running = running_.load(std::memory_order_relaxed);
            if (commands_.empty() && !stopping_ && !(running && owed >= 1)) {
                // Asleep until a command comes, or until the workload owes its next call.
                const double rate = rate_.load(std::memory_order_relaxed);
                const auto nap = running ? std::chrono::duration<double>(std::clamp((1 - owed) / rate, 1e-4, 0.05))
                                         : std::chrono::duration<double>(kIdle);
                wake_.wait_for(lock, nap);
            }
            taken.swap(commands_);
            stops = stopping_;
        }
        for (auto& command : taken) command();
        if (stops) break;

        const auto now = Clock::now();
        const double elapsed = std::chrono::duration<double>(now - last).count();
        last = now;
        if (!running_.load(std::memory_order_relaxed)) {
            owed = 0;
            continue;
        }
        const double rate = rate_.load(std::memory_order_relaxed);
        owed = rate >= kFastest ? kWorkloadBatch : std::min(owed + elapsed * rate, std::max(1.0, rate / 4));
        owed -= static_cast<double>(RunWorkload(static_cast<std::size_t>(owed)));
    }
}

std::size_t SandboxSession::RunWorkload(std::size_t calls) {
    calls = std::min(calls, kWorkloadBatch);
    if (allocator_ == nullptr && calls > 0) DoCreate("first-fit", 64 * 1024);
    if (log_.ResidentBytes() > recordingLimit_) {
        running_.store(false, std::memory_order_relaxed);
        Say("recording limit reached: the workload was stopped");
        return calls;
    }
    for (std::size_t i = 0; i < calls && allocator_ != nullptr; ++i) workload_.Step(&front_);
    return calls;
}

void SandboxSession::Say(const char* text) {
    events::Event marker;
    marker.kind = events::EventKind::Marker;
    events::EmitText(lanes_, marker, text, std::char_traits<char>::length(text));
    AddWarnings({Warning{"sandbox", text}});
}

TraceId SandboxSession::Behind::Capture(unsigned skip) noexcept {
    const TraceId id = site ? *site : next.Capture(skip + 1);  // this function is a frame too
    asm volatile("" ::: "memory");                             // no tail call: this frame is counted on
    return id;
}

// The worker's side. `front_` forwards to the allocator and keeps the books that the buttons need.

Result<void*> SandboxSession::FrontAllocate(alloc::Allocator* self, std::size_t bytes, std::size_t alignment) {
    auto& front = *static_cast<Front*>(self);
    front.session->behind_.site = front.session->behind_.next.Capture(1);  // who called this function
    const auto block = front.session->allocator_->Allocate(front.session->allocator_, bytes, alignment);
    front.session->behind_.site.reset();
    if (block) front.session->live_.insert(*block);
    return block;
}

Result<void> SandboxSession::FrontFree(alloc::Allocator* self, void* pointer) {
    auto& front = *static_cast<Front*>(self);
    front.session->behind_.site = front.session->behind_.next.Capture(1);
    const auto freed = front.session->allocator_->Free(front.session->allocator_, pointer);
    front.session->behind_.site.reset();
    if (freed) {
        front.session->live_.erase(pointer);
        front.session->lastFreed_ = pointer;
    }
    return freed;
}

Result<void*> SandboxSession::FrontResize(alloc::Allocator* self, void* pointer, std::size_t bytes,
                                          std::size_t alignment) {
    auto& front = *static_cast<Front*>(self);
    auto* allocator = front.session->allocator_;
    front.session->behind_.site = front.session->behind_.next.Capture(1);
    const auto moved = allocator->options->Resize(allocator, pointer, bytes, alignment);
    front.session->behind_.site.reset();
    if (moved) {
        front.session->live_.erase(pointer);
        front.session->live_.insert(*moved);
    }
    return moved;
}

void SandboxSession::DoCreate(const std::string& name, std::uint64_t capacity) {
    const auto* registration = alloc::FindRegistration(name);
    if (registration == nullptr || !range_.Base()) {
        Say("no allocator of that name");
        return;
    }
    DoDestroy();
    capacity = std::clamp<std::uint64_t>(capacity, 64, kRangeBytes);
    range_.Forget(range_.Base(), range_.Bytes());
    alloc::Allocator* made = registration->Create(
        storage_, alloc::MakeOptions{range_.Base(), static_cast<std::size_t>(kRangeBytes), capacity});
    if (made == nullptr) {
        Say("the allocator could not be made");
        return;
    }
    allocator_ = made;
    registration_ = registration;
    frontOptions_ = {};
    if (made->options != nullptr && made->options->Resize != nullptr) frontOptions_.Resize = FrontResize;
    front_ = {{FrontAllocate, FrontFree, &frontOptions_}, this};
    registration->Attach(made, &*rebase_, registration->title);
    workload_.Forget();
    workload_.SetBudget(capacity * 11 / 16);
    const std::lock_guard lock(queueLock_);
    presentName_ = name;
    presentCapacity_ = capacity;
    presentHasMarks_ = registration->marks != nullptr;
    presentCanReset_ = made->options != nullptr && made->options->Reset != nullptr;
}

void SandboxSession::DoDestroy() {
    if (allocator_ == nullptr) return;
    workload_.Forget();
    live_.clear();
    lastFreed_ = nullptr;
    registration_->Destroy(allocator_);
    allocator_ = nullptr;
    const std::lock_guard lock(queueLock_);
    presentName_.clear();
    presentCapacity_ = 0;
    presentHasMarks_ = presentCanReset_ = false;
    marks_.clear();
}

void* SandboxSession::Real(std::uint64_t shown) const {
    const auto base = reinterpret_cast<std::uintptr_t>(range_.Base());
    if (shown >= replay::kFixedBase && shown - replay::kFixedBase < range_.Bytes()) {
        return reinterpret_cast<void*>(base + (shown - replay::kFixedBase));
    }
    return reinterpret_cast<void*>(shown);
}

// malloc itself cannot tell a bad pointer: what the other allocators report would end this process.
bool SandboxSession::MayFree(void* pointer) {
    if (allocator_ == nullptr) {
        Say("there is no allocator: create one first");
        return false;
    }
    if (registration_->name == std::string_view("system") && !live_.contains(pointer)) {
        Say("not done: the system allocator cannot tell a bad free, and would end this process");
        return false;
    }
    return true;
}

[[gnu::noinline]] void SandboxSession::DoAllocate(std::uint64_t bytes, std::uint64_t alignment) {
    if (allocator_ == nullptr) DoCreate("first-fit", 64 * 1024);
    if (allocator_ == nullptr) return;
    const std::uint64_t usable = IsPowerOfTwo(alignment) ? alignment : 8;
    (void)front_.Allocate(&front_, static_cast<std::size_t>(bytes), static_cast<std::size_t>(usable));
}

[[gnu::noinline]] void SandboxSession::DoFree(std::uint64_t address) {
    void* pointer = Real(address);
    if (MayFree(pointer)) (void)front_.Free(&front_, pointer);
}

[[gnu::noinline]] void SandboxSession::DoResize(std::uint64_t address, std::uint64_t bytes) {
    void* pointer = Real(address);
    if (!MayFree(pointer)) return;
    if (frontOptions_.Resize == nullptr) {
        Say("this allocator cannot resize");
        return;
    }
    (void)frontOptions_.Resize(&front_, pointer, static_cast<std::size_t>(bytes), 8);
}

[[gnu::noinline]] void SandboxSession::DoDoubleFree() {
    if (allocator_ == nullptr) DoCreate("first-fit", 64 * 1024);
    if (allocator_ == nullptr) return;
    // A block of its own when the last freed address has been given out again: freeing that would hit its new owner.
    if (lastFreed_ == nullptr || live_.contains(lastFreed_)) {
        const auto block = front_.Allocate(&front_, 64, 8);
        if (!block) return;
        (void)front_.Free(&front_, *block);
    }
    if (MayFree(lastFreed_)) (void)front_.Free(&front_, lastFreed_);
}

[[gnu::noinline]] void SandboxSession::DoFreeForeign() {
    if (allocator_ == nullptr) DoCreate("first-fit", 64 * 1024);
    if (allocator_ == nullptr) return;
    void* pointer = Real(replay::kFixedBase + presentCapacity_ + 64);
    if (!live_.empty()) pointer = static_cast<std::byte*>(*live_.begin()) + 3;  // into a block, not at its start
    if (MayFree(pointer)) (void)front_.Free(&front_, pointer);
}

// Fills the heap with equal blocks, frees every second one, and asks for more than any of the holes.
[[gnu::noinline]] void SandboxSession::DoFragment() {
    if (allocator_ == nullptr) DoCreate("first-fit", 64 * 1024);
    if (allocator_ == nullptr) return;
    if (!registration_->inBuffer) {
        Say("only an allocator with a heap of its own can be fragmented: choose a fixed buffer");
        return;
    }
    constexpr std::size_t kMostBlocks = 256;
    const std::size_t bytes = std::max<std::size_t>(40, static_cast<std::size_t>(presentCapacity_ / kMostBlocks));
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < 2 * kMostBlocks; ++i) {
        const auto block = front_.Allocate(&front_, bytes, 8);
        if (!block) break;
        blocks.push_back(*block);
    }
    for (std::size_t i = 0; i < blocks.size(); i += 2) (void)front_.Free(&front_, blocks[i]);
    (void)front_.Allocate(&front_, 2 * bytes, 8);
}

[[gnu::noinline]] void SandboxSession::DoSetMark() {
    if (registration_ == nullptr || allocator_ == nullptr || registration_->marks == nullptr) {
        return Say("not marked: of all allocators only the arena has marks");
    }
    behind_.site = behind_.next.Capture(0);
    const auto set = registration_->marks->Set(allocator_);
    behind_.site.reset();
    if (!set) return Say("not marked: there are as many marks as there can be, release one first");
    const std::uint32_t number = registration_->marks->Count(allocator_);
    const std::uint64_t address = rebase_->Rebased(registration_->marks->Address(allocator_, number));
    const std::lock_guard lock(queueLock_);
    marks_.push_back({++marksSet_, number, address});
}

[[gnu::noinline]] void SandboxSession::DoRelease(std::uint64_t id) {
    const auto mark = std::find_if(marks_.begin(), marks_.end(), [&](const Mark& each) { return each.id == id; });
    if (mark == marks_.end()) return Say("not released: that mark is gone already");
    behind_.site = behind_.next.Capture(0);
    const auto released = registration_->marks->Release(allocator_, mark->number);
    behind_.site.reset();
    if (!released) return Say("not released: the allocator has no such mark");
    AfterBulkFree();
}

[[gnu::noinline]] void SandboxSession::DoReset() {
    if (allocator_ == nullptr || allocator_->options == nullptr || allocator_->options->Reset == nullptr) {
        return Say("not reset: this allocator can only be given one block after the other");
    }
    behind_.site = behind_.next.Capture(0);
    const auto reset = allocator_->options->Reset(allocator_);
    behind_.site.reset();
    if (!reset) return Say("not reset: the allocator refused");
    AfterBulkFree();
}

// The books again, as the allocator has them now.
void SandboxSession::AfterBulkFree() {
    const auto owns = allocator_->options->Owns;
    const auto isGone = [&](void* block) { return owns == nullptr || !owns(allocator_, block); };
    std::erase_if(live_, isGone);
    workload_.Forget(isGone);
    lastFreed_ = nullptr;  // where it lay may be nobody's now: freeing it once more would be no double free
    const std::uint32_t left = registration_->marks == nullptr ? 0 : registration_->marks->Count(allocator_);
    const std::lock_guard lock(queueLock_);
    marks_.resize(left);
}

}  // namespace residue::session
