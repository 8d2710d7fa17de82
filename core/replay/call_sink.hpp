// The sink between an allocator and the log of its replay. It makes every operation of the trace exactly one call:
//   BeginOperation / EndOperation   an operation without any call becomes a Step that counts as one; of several events
//                                   that would count, only the first does
//   BeginResize / EndResize         for an allocator that cannot resize: the allocation in between is told as the end
//                                   of the resize (or its failure), and the free of the old block not at all
//   BeginFork / EndFork             what is told in between is no call
//   Close                           nothing passes any more: the allocator may be destroyed without a trace
// Freestanding in kind, one thread. Cost: a copy of each record.
#pragma once

#include <cstddef>
#include <cstdint>

#include "events/sink.hpp"

namespace residue::replay {

class CallSink final : public events::EventSink {
public:
    explicit CallSink(events::EventSink& next) : next_(next) {}

    void BeginOperation() noexcept { calls_ = 0; }
    void EndOperation(std::uint64_t line) noexcept;

    void BeginResize(std::uintptr_t oldAddress, std::uint64_t bytes) noexcept;
    void EndResize() noexcept { resizes_ = false; }

    void BeginFork() noexcept { forks_ = true; }
    void EndFork() noexcept { forks_ = false; }
    // What is remarkable about the allocator; `kindId`: as which it goes on (Registration::GoOnAs), or 0.
    void Remark(const char* text, std::size_t length, std::uint64_t kindId) noexcept;

    void Close() noexcept { closed_ = true; }

    std::uint64_t Begin() noexcept override { return next_.Begin(); }
    void Emit(const events::Event* records, std::size_t count, std::uint64_t stamp) noexcept override;
    TraceId Capture(unsigned) noexcept override { return {}; }  // a trace has no call traces; ours would say nothing
    AllocatorId NextAllocatorId() noexcept override { return next_.NextAllocatorId(); }

private:
    // False: it is not told.
    bool Rewrite(events::Event& event) noexcept;

    events::EventSink& next_;
    std::uint64_t calls_ = 0;
    std::uintptr_t oldAddress_ = 0;
    AllocatorId allocator_{};
    bool resizes_ = false;
    bool forks_ = false;
    bool closed_ = false;
};

}  // namespace residue::replay
