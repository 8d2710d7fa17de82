// The sandbox as a session; see sandbox.hpp for what its user can do.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "alloc/registry.hpp"
#include "events/lanes.hpp"
#include "events/rebase_sink.hpp"
#include "events/trace_table.hpp"
#include "log/pump.hpp"
#include "replay/address_range.hpp"
#include "session/cursor.hpp"
#include "session/sandbox.hpp"
#include "session/workload.hpp"

namespace residue::session {

class SandboxSession final : public CursorSession, public Sandbox {
public:
    // Past `recordingLimitBytes` of log the workload stops and says so.
    explicit SandboxSession(std::uint64_t recordingLimitBytes = std::uint64_t{2} << 30);
    ~SandboxSession() override;

    bool Tick(double seconds, std::uint64_t budgetRows) override;
    void WaitUntilLoaded() override {}
    std::string Title() const override { return "sandbox"; }
    bool IsLive() const override { return true; }
    Sandbox* GetSandbox() override { return this; }

    std::vector<std::string> Choices() const override;
    void Create(const std::string& allocator, std::uint64_t capacity) override;
    void Destroy() override;
    std::string Present() const override;
    std::uint64_t Capacity() const override;
    void Allocate(std::uint64_t bytes, std::uint64_t alignment) override;
    void Free(std::uint64_t address) override;
    void Resize(std::uint64_t address, std::uint64_t bytes) override;
    void DoubleFree() override;
    void FreeForeign() override;
    void Fragment() override;
    bool HasMarks() const override;
    bool CanReset() const override;
    std::vector<Mark> Marks() const override;
    void SetMark() override;
    void Release(std::uint64_t id) override;
    void Reset() override;
    bool Running() const override { return running_.load(std::memory_order_relaxed); }
    void Run(bool run) override;
    double Rate() const override { return rate_.load(std::memory_order_relaxed); }
    void SetRate(double callsPerSecond) override;
    Flow GetFlow() const override { return flow_; }
    void SetDropAndCount(bool drop) override;

private:
    using Command = std::function<void()>;
    struct Front : alloc::Allocator {
        SandboxSession* session = nullptr;
    };
    // A site is who called the front, however many frames of allocators lie between it and the event.
    struct Behind final : events::EventSink {
        explicit Behind(events::EventSink& next_) : next(next_) {}
        std::uint64_t Begin() noexcept override { return next.Begin(); }
        void Emit(const events::Event* records, std::size_t count, std::uint64_t stamp) noexcept override {
            next.Emit(records, count, stamp);
        }
        TraceId Capture(unsigned skip) noexcept override;
        AllocatorId NextAllocatorId() noexcept override { return next.NextAllocatorId(); }
        events::EventSink& next;
        std::optional<TraceId> site;  // of the call that is being served
    };

    void Post(Command command);
    void Work();
    std::size_t RunWorkload(std::size_t calls);
    void Say(const char* text);
    void* Real(std::uint64_t shown) const;
    bool MayFree(void* pointer);
    void DoCreate(const std::string& name, std::uint64_t capacity);
    void DoDestroy();
    void DoAllocate(std::uint64_t bytes, std::uint64_t alignment);
    void DoFree(std::uint64_t address);
    void DoResize(std::uint64_t address, std::uint64_t bytes);
    void DoDoubleFree();
    void DoFreeForeign();
    void DoFragment();
    void DoSetMark();
    void DoRelease(std::uint64_t id);
    void DoReset();
    void AfterBulkFree();
    static Result<void*> FrontAllocate(alloc::Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> FrontFree(alloc::Allocator* self, void* pointer);
    static Result<void*> FrontResize(alloc::Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment);

    const std::uint64_t recordingLimit_;
    events::TraceTable traces_;
    events::Lanes lanes_;
    Behind behind_{lanes_};
    std::optional<events::RebaseSink> rebase_;
    std::optional<log::Pump> pump_;
    replay::AddressRange range_;

    // Shared by the UI and the worker.
    mutable std::mutex queueLock_;
    std::condition_variable wake_;
    std::vector<Command> commands_;
    std::string presentName_;
    std::uint64_t presentCapacity_ = 0;
    bool presentHasMarks_ = false, presentCanReset_ = false;
    std::vector<Mark> marks_;  // written by the worker alone
    bool stopping_ = false;  // under queueLock_: no command comes after it
    std::atomic<bool> running_{false};
    std::atomic<double> rate_{20};

    // The worker's own.
    alloc::Allocator* allocator_ = nullptr;
    const alloc::Registration* registration_ = nullptr;
    alloc::AllocatorOptions frontOptions_;
    Front front_;
    Workload workload_;
    std::unordered_set<void*> live_;
    void* lastFreed_ = nullptr;
    std::uint64_t marksSet_ = 0;
    alignas(alloc::kAllocatorStorageAlignment) std::byte storage_[alloc::kAllocatorStorageBytes];

    // The UI's own.
    Flow flow_;
    double sinceFlow_ = 0;
    std::uint64_t flowDelivered_ = 0;
    bool dropAndCount_ = false;
    std::thread worker_;
};

}  // namespace residue::session
