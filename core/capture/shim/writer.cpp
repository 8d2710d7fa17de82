#include "capture/shim/writer.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <new>

#include "capture/shim/ask.hpp"
#include "capture/shim/modules.hpp"
#include "events/stack_walk.hpp"
#include "events/trace_table.hpp"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif
#ifndef MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED
#define MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED (1 << 2)
#endif

// One for all copies of the shim in a process, whatever build they are of: a program that is watched may start another
// one for its own recorder, and both shims are then in it. The one to tell is that of the last recorder, which put it
// before all others: what the program tells of its pools comes to it alone, and no hook is a frame of its call traces.
// The loader lets all copies mean the first one's variable by its name.
extern "C" {
__attribute__((visibility("default"))) constinit std::atomic<int> residue_preload_attached{0};
extern __attribute__((alias("residue_preload_attached"), visibility("hidden"))) std::atomic<int> residue_preload_own;
}

namespace residue::capture::shim {

thread_local constinit Thread self __attribute__((tls_model("initial-exec")));
constinit std::atomic<Active*> active{nullptr};

namespace {

std::uint64_t Nanoseconds() noexcept {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

void Sleep(long nanoseconds) noexcept {
    const timespec time{0, nanoseconds};
    nanosleep(&time, nullptr);
}

std::uint32_t OwnThread() noexcept { return static_cast<std::uint32_t>(syscall(SYS_gettid)); }

class KeepErrno {
public:
    KeepErrno() noexcept : kept_(errno) {}
    ~KeepErrno() { errno = kept_; }
    KeepErrno(const KeepErrno&) = delete;
    KeepErrno& operator=(const KeepErrno&) = delete;

private:
    const int kept_;
};

}  // namespace

enum class Began { Alone, AmongThreads };

// Everything about this process and one recorder of it. Never taken down: threads may end after everything else, and a
// thread that was inside a hook when another recorder came finishes in the lanes that it began in.
struct Process {
    Header* header = nullptr;
    char* memory = nullptr;
    Plan plan;
    Writer* writers = nullptr;  // one a lane; pages come when used
    Modules modules;
    alignas(events::TraceTable) unsigned char traces[sizeof(events::TraceTable)] = {};

    events::TraceTable* Traces() noexcept { return reinterpret_cast<events::TraceTable*>(traces); }
    LaneHeader* Lane(std::uint32_t index) const noexcept {
        return reinterpret_cast<LaneHeader*>(memory + plan.LaneAt(index));
    }

    Active* ownPage = nullptr;
    Header* root = nullptr;  // of the program whose child this is; else its own

    bool Attach() noexcept;
    AttachAnswer AttachTo(const char* path) noexcept;
    bool Open(const char* path) noexcept;
    bool Follow() noexcept;
    bool SetUp(Active* page, Began began) noexcept;
    void Begin(std::uint64_t inherited) noexcept;
    Writer* Claim() noexcept;
    void SetUpTraces(Writer& writer) noexcept;
    bool Ready(std::uint32_t index, Writer& writer) noexcept;
    static void GiveBack(Writer* writer) noexcept { writer->lane_->owner.store(0, std::memory_order_release); }
    TraceId Trace(Writer& writer, const Place& hook) noexcept;
    bool IsRecorderGone() const noexcept;
    // Hooks do nothing from here on: nobody reads, and nobody will.
    void Retire() const noexcept { ownPage->active.store(0, std::memory_order_relaxed); }
    bool IsWatched() const noexcept;
    void GiveMemoryBack() const noexcept;
};

namespace {
constexpr std::uint64_t kLookEvery = 256;  // events lost, or turns of a wait, for whether the recorder still is
constexpr std::uint64_t kLongestStall = 30'000'000'000;  // ns: WhenFull::Wait; a recorder may be stopped, or a zombie

constinit Process first;
constinit std::atomic<Process*> current{&first};
constinit std::atomic<int> attaching{0};
constinit pthread_key_t key{};
constinit bool hasKey = false;
constinit Active never_{.active = 0, .asked = 1};  // of a process that is not watched

// A thread ends. Other destructors may still free what they have: then the lane is taken for one hook at a time.
void ThreadEnds(void*) {
    Writer* const writer = self.writer;
    self.writer = nullptr;
    self.page = nullptr;
    self.ended = true;
    if (writer != nullptr) Process::GiveBack(writer);
}

void* Map(std::size_t bytes) noexcept {
    void* const pages =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
}

Active* NewPage() noexcept {
    auto* const page = static_cast<Active*>(Map(4096));
    return page != nullptr && madvise(page, 4096, MADV_WIPEONFORK) == 0 ? page : nullptr;
}

// So that no later touch of them can fail, which would end the program. Where the kernel cannot do it (before 5.14)
// they come when they are touched.
bool AskForPages(void* pages, std::size_t bytes) noexcept {
    return madvise(pages, bytes, MADV_POPULATE_WRITE) == 0 || errno == EINVAL;
}

Process& Current() noexcept { return *current.load(std::memory_order_acquire); }

// Of the copies of the shim in this process. clang takes the two for one, which they are only here and not there.
bool IsFirst() noexcept {
    const void* own = &residue_preload_own;
    asm("" : "+r"(own));
    return own == &residue_preload_attached;
}

const char* Variable(const char* name) noexcept {
    if (environ == nullptr) return nullptr;
    const std::size_t length = std::strlen(name);
    for (char** at = environ; *at != nullptr; ++at) {
        if (std::strncmp(*at, name, length) == 0 && (*at)[length] == '=') return *at + length + 1;
    }
    return nullptr;
}

}  // namespace

bool Process::Open(const char* path) noexcept {
    const int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return false;
    struct stat info {};
    void* mapped = MAP_FAILED;
    const std::size_t bytes = fstat(file, &info) == 0 ? static_cast<std::size_t>(info.st_size) : 0;
    if (bytes >= Plan::kHeaderBytes) {
        mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    }
    close(file);
    if (mapped == MAP_FAILED) return false;
    auto* const found = static_cast<Header*>(mapped);
    if (found->magic != kMagic || found->version != kVersion || found->headerBytes != sizeof(Header) ||
        found->plan.Bytes() != bytes) {
        munmap(mapped, bytes);
        return false;
    }
    memory = static_cast<char*>(mapped);
    header = found;
    return true;
}

// A channel of this child's own, if the recorder gives it one.
bool Process::Follow() noexcept {
    char path[kChannelPath];
    if (root == nullptr || !AskForChannel(*root, path) || !Open(path)) return false;
    return header->program.load(std::memory_order_acquire) == static_cast<std::uint32_t>(getpid());
}

bool Process::Attach() noexcept {
    const char* const path = Variable(kChannelVariable);
    if (path == nullptr || !Open(path)) return false;
    root = header;
    const std::size_t bytes = header->plan.Bytes();
    if (header->program.load(std::memory_order_acquire) != static_cast<std::uint32_t>(getpid()) && !Follow()) {
        munmap(root, bytes);
        return false;
    }
    Active* const page = NewPage();
    return page != nullptr && SetUp(page, Began::Alone);
}

bool Process::SetUp(Active* page, Began began) noexcept {
    plan = header->plan;
    writers = static_cast<Writer*>(Map(sizeof(Writer) * plan.Lanes()));
    if (writers == nullptr) return false;
    ownPage = page;
    new (traces) events::TraceTable(plan.traceNodes, memory + Plan::TracesAt());
    modules.Use(header, reinterpret_cast<Module*>(memory + Plan::ModulesAt()));
    hasKey = hasKey || pthread_key_create(&key, ThreadEnds) == 0;
    // With many threads the kernel waits here until each core has been through it (seen: more than 10 s on a busy
    // machine), which the thread of a running program shall not. Then the reader waits a moment instead.
    const bool fenced =
        began == Began::Alone && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0;
    header->fenced.store(fenced ? 1 : 0, std::memory_order_relaxed);
    // Lanes of a program that this one took the place of (exec): their threads are no more.
    for (std::uint32_t i = 0; i < plan.Lanes() && i < header->lanesUsed.load(std::memory_order_acquire); ++i) {
        Lane(i)->mark.store(kIdle, std::memory_order_release);
        Lane(i)->owner.store(0, std::memory_order_release);
    }
    page->asked.store(1, std::memory_order_relaxed);
    return true;
}

void AttachOnce() noexcept {
    int never = 0;
    if (!attaching.compare_exchange_strong(never, 1)) return;
    const KeepErrno keep;
    self.busy = self.own = true;
    const bool alone = IsFirst() && residue_preload_attached.exchange(1) == 0;
    const bool attached = alone && first.Attach();
    if (attached) first.Begin(kFromTheStart);
    self.busy = self.own = false;
    if (attached) return;
    if (alone) residue_preload_attached.store(0);
    if (environ == nullptr) attaching.store(0);  // so early that there is none yet: once more, later
    else active.store(&never_, std::memory_order_release);
}

bool Process::IsRecorderGone() const noexcept {
    const KeepErrno keep;
    return kill(static_cast<pid_t>(header->recorder), 0) != 0 && errno == ESRCH;
}

// This very process, not the one that forked it.
bool Process::IsWatched() const noexcept {
    return header != nullptr && ownPage != nullptr && ownPage->active.load(std::memory_order_relaxed) != 0 &&
           header->listening.load(std::memory_order_relaxed) != 0 && !IsRecorderGone();
}

// What nobody reads any more need not take memory. The addresses stay: a thread may still be inside a hook.
void Process::GiveMemoryBack() const noexcept {
    if (header == nullptr || header->program.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(getpid())) {
        return;
    }
    (void)madvise(memory + Plan::TracesAt(), plan.Bytes() - Plan::TracesAt(), MADV_REMOVE);
}

AttachAnswer Process::AttachTo(const char* path) noexcept {
    if (!Open(path)) return AttachAnswer::NoChannel;
    root = header;
    if (header->program.load(std::memory_order_acquire) != static_cast<std::uint32_t>(getpid()) ||
        header->listening.load(std::memory_order_acquire) == 0) {
        return AttachAnswer::NoChannel;
    }
    Active* const page = NewPage();
    return page != nullptr && SetUp(page, Began::AmongThreads) ? AttachAnswer::Attached : AttachAnswer::NoMemory;
}

// In a program that runs already: its hooks are in place and do nothing, because nobody ever listened, or does no more.
AttachAnswer AttachAnew(const char* path) noexcept {
    static constinit std::atomic<bool> underWay{false};
    if (underWay.exchange(true, std::memory_order_acquire)) return AttachAnswer::AlreadyWatched;
    const KeepErrno keep;
    Process& before = Current();
    AttachAnswer answer = AttachAnswer::AlreadyWatched;
    if (!before.IsWatched()) {
        if (before.ownPage != nullptr) before.Retire();
        self.busy = self.own = true;
        void* const memory = Map(sizeof(Process));
        auto* const process = memory != nullptr ? new (memory) Process : nullptr;
        answer = process != nullptr ? process->AttachTo(path) : AttachAnswer::NoMemory;
        if (answer == AttachAnswer::Attached) {
            before.GiveMemoryBack();
            process->Begin(kInMidLife);
        }
        self.busy = self.own = false;
    }
    underWay.store(false, std::memory_order_release);
    return answer;
}

// The first record, before other threads may tell anything. `inherited`: not 0 where there is a heap from before.
void Process::Begin(std::uint64_t inherited) noexcept {
    self.page = ownPage;
    if (Writer* const writer = self.writer = Claim()) writer->Emit(RecordKind::Attached, nullptr, inherited);
    current.store(this, std::memory_order_release);
    ownPage->active.store(1, std::memory_order_release);
    active.store(ownPage, std::memory_order_release);
    header->attached.fetch_add(1, std::memory_order_release);
}

// In a child of fork, at its first call of all: all there is of the program's lanes and writers is a copy.
bool AttachChild(Active& page) noexcept {
    std::uint32_t never = 0;
    if (self.busy || !page.asked.compare_exchange_strong(never, 1)) return false;
    Process& process = Current();
    if (process.root == nullptr) return false;
    if (process.root->follow == 0) {
        process.root->others.store(1, std::memory_order_relaxed);
        return false;
    }
    const KeepErrno keep;
    self.busy = self.own = true;
    self.writer = nullptr;
    self.page = nullptr;
    const bool attached = process.Follow() && process.SetUp(&page, Began::Alone);
    if (attached) process.Begin(kForked);
    self.busy = self.own = false;
    return attached;
}

bool Process::Ready(std::uint32_t index, Writer& writer) noexcept {
    if (writer.ready_) return true;
    new (&writer) Writer;  // so far its memory is zero
    char* const lane = memory + plan.LaneAt(index);
    if (!AskForPages(lane, Plan::RecordsAt(0))) return false;
    writer.process_ = this;
    writer.lane_ = Lane(index);
    writer.lanesUsed_ = &header->lanesUsed;
    writer.records_ = reinterpret_cast<Record*>(lane + Plan::RecordsAt(0));
    writer.mask_ = plan.RecordsIn(index) - 1;
    writer.index_ = index;
    writer.ready_ = true;
    return true;
}

void Process::SetUpTraces(Writer& writer) noexcept {
    writer.unwinding_ = header->traceDepth == 0 ? Unwinding::Off : header->unwinding;
    if (writer.unwinding_ == Unwinding::Off) return;
    const events::StackBounds stack = events::OwnStack();
    const bool pointers = writer.unwinding_ == Unwinding::FramePointers;
    const std::uint32_t depth =
        header->traceDepth < events::kMaxTraceDepth ? header->traceDepth : events::kMaxTraceDepth;
    writer.byFramePointers_.SetUp(pointers ? Traces() : nullptr, depth, stack);
    writer.byTables_.SetUp(pointers ? nullptr : Traces(), depth, stack);
}

Writer* Process::Claim() noexcept {
    const std::uint32_t own = OwnThread();
    const auto process_ = static_cast<pid_t>(header->program.load(std::memory_order_relaxed));
    for (int round = 0; round < 2; ++round) {
        for (std::uint32_t index = 0; index < plan.Lanes(); ++index) {
            LaneHeader* const lane = Lane(index);
            std::uint32_t owner = lane->owner.load(std::memory_order_relaxed);
            if (round == 0 ? owner != 0 : owner == 0) continue;
            // When no lane is free: those of threads that ended without saying so.
            if (round == 1 && (syscall(SYS_tgkill, process_, owner, 0) == 0 || errno != ESRCH)) continue;
            if (!lane->owner.compare_exchange_strong(owner, own, std::memory_order_acquire)) continue;
            Writer& writer = writers[index];
            if (!Ready(index, writer)) {
                lane->owner.store(0, std::memory_order_release);
                return nullptr;
            }
            writer.head_ = lane->written.load(std::memory_order_relaxed);
            writer.room_ = writer.own_ = writer.head_;
            if (writer.lastStamp_ == 0) writer.lastStamp_ = events::FencedTicks();  // a mark is never 0
            std::uint32_t used = header->lanesUsed.load(std::memory_order_relaxed);
            while (used <= index && !header->lanesUsed.compare_exchange_weak(used, index + 1)) {}
            SetUpTraces(writer);
            writer.Emit(RecordKind::ThreadBegins, nullptr, header->threads.fetch_add(1) + 1);
            return &writer;
        }
    }
    return nullptr;
}

Writer* EnterSlowly() noexcept {
    const KeepErrno keep;
    Process& process = Current();
    self.own = true;
    Writer* const writer = process.Claim();
    self.own = false;
    if (writer == nullptr) {
        process.header->homeless.fetch_add(1, std::memory_order_relaxed);
        self.busy = false;
        return nullptr;
    }
    self.writer = writer;
    self.page = process.ownPage;
    // A value that is not null, so that the thread's end is told.
    if (!self.ended && hasKey) pthread_setspecific(key, writer);
    return writer;
}

void LeaveSlowly() noexcept {
    Writer* const writer = self.writer;
    self.writer = nullptr;
    self.page = nullptr;
    if (writer != nullptr) Process::GiveBack(writer);
    self.busy = false;
}

void CountNested() noexcept {
    if (!self.own) Current().header->nested.fetch_add(1, std::memory_order_relaxed);
}

TraceId Process::Trace(Writer& writer, const Place& hook) noexcept {
    if (writer.unwinding_ == Unwinding::Off) return {};
    events::TraceTable& table = *Traces();
    const std::uint32_t before = table.Count();
    bool complete = false;
    const TraceId trace = writer.unwinding_ == Unwinding::FramePointers
                              ? writer.byFramePointers_.Capture(hook.frame, 0)
                              : writer.byTables_.Capture(hook.registers, complete);
    if (const std::uint32_t after = table.Count(); after != before) [[unlikely]] {
        const KeepErrno keep;
        for (std::uint32_t id = before + 1; id <= after; ++id) modules.See(table.At(TraceId{id}).frame);
    }
    if (!trace && table.Count() >= table.Capacity()) {
        header->tracesRefused.store(table.Refused(), std::memory_order_relaxed);
    }
    return trace;
}

TraceId Writer::Trace(const Place& hook) noexcept { return process_->Trace(*this, hook); }

TraceId Writer::Without(TraceId trace, unsigned frames) noexcept {
    for (; frames > 0 && trace; --frames) trace = Current().Traces()->At(trace).parent;
    return trace;
}

bool IsHeard() noexcept { return Current().header->listening.load(std::memory_order_relaxed) != 0; }

void ModuleGone() noexcept {
    ForgetRules();
    Current().modules.Forget();
}

// The slots that come back from the reader lie in its cache; stretches of them are taken over at once.
bool Writer::FindRoom() noexcept {
    constexpr std::uint64_t kStretch = 256, kLeast = 32;  // 8 KiB, 1 KiB
    if (process_->header->listening.load(std::memory_order_relaxed) == 0) {  // nobody would read it
        process_->Retire();
        return false;
    }
    if (head_ >= room_ && !WaitForRoom()) return false;
    const std::uint64_t place = head_ & mask_;
    std::uint64_t stretch = room_ - head_ < kStretch ? room_ - head_ : kStretch;
    if (mask_ + 1 - place < stretch) stretch = mask_ + 1 - place;
    if (!Prepare(stretch)) return false;
    if (stretch >= kLeast) events::TakeOverLines(records_ + place, stretch * sizeof(Record));
    own_ = head_ + stretch;
    return true;
}

// A page costs a microsecond, as much as all else about the 128 records in it: threads that have little to tell should
// not pay for a whole lane.
bool Writer::Prepare(std::uint64_t records) noexcept {
    const std::uint64_t all = mask_ + 1, place = head_ & mask_;
    const std::uint64_t end = records < all - place ? place + records : all;
    if (end <= prepared_) [[likely]] return true;
    const KeepErrno keep;
    while (prepared_ < end) {
        const std::uint64_t some = all - prepared_ < kPrepare ? all - prepared_ : kPrepare;
        if (!AskForPages(records_ + prepared_, some * sizeof(Record))) return false;
        prepared_ += some;
    }
    return true;
}

bool Writer::WaitForRoom(std::uint64_t records) noexcept {
    const auto look = [this, records] {
        room_ = lane_->consumed.load(std::memory_order_acquire) + mask_ + 1;
        return head_ + records <= room_;
    };
    if (look()) return true;
    Header& header = *process_->header;
    const auto mayWait = [&] {
        if (header.listening.load(std::memory_order_relaxed) == 0) return false;
        if (header.whenFull == WhenFull::Wait) return true;
        return header.whenFull == WhenFull::Block &&
               header.waited.load(std::memory_order_relaxed) < header.patienceNanoseconds;
    };
    if (!mayWait()) return false;
    const KeepErrno keep;
    std::uint64_t begin = Nanoseconds(), lastChange = begin, consumed = room_;
    if (consumed == stalledAt_) return false;  // since it gave up, the reader has not gone on
    for (unsigned turn = 0; mayWait(); ++turn) {
        if (turn < 16) {
            for (int i = 0; i < 32; ++i) events::Relax();
        } else {
            Sleep(20'000);
        }
        const std::uint64_t now = Nanoseconds();
        header.waited.fetch_add(now - begin, std::memory_order_relaxed);
        begin = now;
        if (look()) return true;
        if (turn % kLookEvery == kLookEvery - 1 && process_->IsRecorderGone()) return false;
        if (room_ != consumed) consumed = room_, lastChange = now;
        if (now - lastChange > kLongestStall) {
            stalledAt_ = consumed;
            return false;
        }
    }
    return false;
}

void Writer::Drop(std::uint64_t stamp) noexcept {
    if (process_->header->listening.load(std::memory_order_relaxed) == 0) return;  // the recording has ended: no loss
    const std::uint64_t dropped = lane_->dropped.load(std::memory_order_relaxed);
    if (dropped % kLookEvery == 0) {
        const KeepErrno keep;
        if (process_->IsRecorderGone()) process_->Retire();
    }
    if (lane_->dropsSeen.load(std::memory_order_acquire) == dropped) {
        lane_->dropStamp.store(stamp, std::memory_order_release);
    }
    lane_->dropped.store(dropped + 1, std::memory_order_release);
}

}  // namespace residue::capture::shim
