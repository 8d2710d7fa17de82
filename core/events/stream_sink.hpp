// Sends events away as bytes, where nothing is below to keep them: over a serial port, into a ring of memory, through
// a debugger. What is captured at the other end opens like any recording (import/event_stream.hpp). All that the
// author of a kernel writes is the function that sends bytes:
//
//     void ToSerialPort(void*, const void* bytes, std::size_t count) { ... }
//     events::StreamSink sink({.write = ToSerialPort, .name = "my kernel"});
//     allocator.AttachSink(&sink, "heap");
//     ...
//     sink.End();                      // so that the reader knows that nothing is missing; a kernel may never get
//     there
//
// Cost: an event is some 33 bytes on the wire (at 115,200 baud 3 ms), more where addresses are high, 320 ns to fold and
// check them, and one call of `write`, which may wait. With call traces, each stack that is new among the last eight
// takes its frames besides. 2.7 KiB; no heap.
// Texts of the kernel's own may go over the same wire between two packets (never inside one): they become output.
// Threads: one writer at a time. An interrupt handler must not allocate in the middle of Emit. Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "events/sink.hpp"
#include "events/stack_walk.hpp"
#include "events/stream_format.hpp"

namespace residue::events {

inline constexpr unsigned kMaxStreamFrames = 16;

struct StreamOptions {
    // Sends all of these bytes, in order.
    void (*write)(void* context, const void* bytes, std::size_t count) = nullptr;
    // A clock for the stamps, that does not go back; null: steps are counted.
    std::uint64_t (*now)(void* context) = nullptr;
    // Which thread (or processor) this is, from 1; null: always 1.
    std::uint32_t (*thread)(void* context) = nullptr;
    void* context = nullptr;           // passed to these
    std::uint64_t ticksPerSecond = 0;  // of `now`; 0: not known
    const char* name = "";             // of the program, at most 48 bytes
    unsigned traceDepth = 0;           // frames of a call trace, at most kMaxStreamFrames; 0: no call traces
    StackBounds stack{};               // where they are walked: the stack that is in use (events/stack_walk.hpp)
};

class StreamSink final : public EventSink {
public:
    explicit StreamSink(const StreamOptions& options) noexcept;  // begins the stream
    StreamSink(const StreamSink&) = delete;
    StreamSink& operator=(const StreamSink&) = delete;

    std::uint64_t Begin() noexcept override;
    void Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept override;
    TraceId Capture(unsigned skip) noexcept override;
    AllocatorId NextAllocatorId() noexcept override { return AllocatorId{++allocators_}; }

    void SetStack(const StackBounds& stack) noexcept { options_.stack = stack; }  // after a switch to another one
    void End() noexcept;

private:
    struct Stack {
        std::uint32_t id = 0;  // 0: none yet
        unsigned count = 0;
        std::uintptr_t frames[kMaxStreamFrames] = {};
    };
    static constexpr unsigned kStacks = 8;

    void Start(stream::PacketType type, std::size_t records, std::uint32_t number) noexcept;
    void Add(const void* record) noexcept;  // kRecordBytes
    void Send() noexcept;

    StreamOptions options_;
    std::uint64_t steps_ = 0;
    std::uint32_t events_ = 0;
    std::uint32_t traces_ = 0;
    std::uint16_t allocators_ = 0;
    unsigned nextStack_ = 0;
    std::size_t used_ = 0;
    unsigned char packet_[stream::kMaxPacketBytes];
    Stack stacks_[kStacks];
};

}  // namespace residue::events
